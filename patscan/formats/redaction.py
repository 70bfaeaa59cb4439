"""No token in any text of a report: a ref name, an author or a path can hold one, plain or encoded.

Frames come masked from the scan, which knows where every token stands. This goes by the tokens' text, over every string,
so that no format has to remember which field is dangerous.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from patscan.model import Finding, Report, Rule

_HEAD = 8
"""Characters of a token's form by which it is looked up; what is shorter is no token."""
_BODY = 16
"""From this length on, a token's body alone is masked too. Shorter ones are near misses and might be somebody's word."""
_SHAPE = re.compile(r"(gl[a-z]{2,6}-|GR1348941)(?![a-z]+(?:[-_][a-z]+)*(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{20,}(?:\.[0-9A-Za-z_-]{2,}){0,2}")
"""A prefix and a body that isn't a chain of words."""
_URLSAFE = str.maketrans("+/", "-_")
_PUNCTUATION = b"-_.=@"


def redacted(report: Report) -> Report:
    """`report` with every known token masked wherever a string shows it. Rules stay as they are: they are no repository's."""
    heads: dict[str, list[tuple[str, str]]] = {}
    for finding in (*report.findings, *report.ignored):
        for form, shown in _forms(finding):
            if len(form) >= _HEAD:
                heads.setdefault(form[:_HEAD], []).append((form, shown))
    # The longest first: a whole token's mask says more than its body's.
    for forms in heads.values():
        forms.sort(key=lambda entry: (-len(entry[0]), entry))
    clean: Report = _without(report, cache(lambda text: unshaped(_masked(text, heads))))
    return clean


def unshaped(text: str) -> str:
    """`text` without anything of a token's shape: a path or an argument may hold a token that no content holds."""
    return _SHAPE.sub(lambda found: f"{found[1]}…({len(found[0])})", text)


def _without(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {key: _without(item, mask) for key, item in value.items()}
    if isinstance(value, tuple) and not isinstance(value, Rule):
        items = [_without(item, mask) for item in value]
        return value._make(items) if hasattr(value, "_make") else tuple(items)
    return value


def _masked(text: str, heads: Mapping[str, list[tuple[str, str]]]) -> str:
    parts, done, at = [], 0, 0
    while at <= len(text) - _HEAD:
        for form, shown in heads.get(text[at : at + _HEAD], ()):
            if text.startswith(form, at):
                parts += [text[done:at], shown]
                done = at = at + len(form)
                break
        else:
            at += 1
    return "".join((*parts, text[done:])) if parts else text


def _forms(finding: Finding) -> Iterator[tuple[str, str]]:
    """What the token looks like in text, and what stands there instead."""
    token, prefix = finding.secret.reveal(), finding.rule.prefix.encode()
    yield token.decode("utf-8", "surrogateescape"), str(finding.secret)
    body = token[token.find(prefix) + len(prefix) :] if prefix in token else token
    for form in _encoded(body if len(body) >= _BODY else token):
        yield form, f"…({len(token)})"


def _encoded(text: bytes) -> Iterator[str]:
    yield text.decode("utf-8", "surrogateescape")
    yield text.hex()
    yield text.hex().upper()
    for escape in ("%%%02X", "%%%02x"):
        yield "".join(escape % byte if byte in _PUNCTUATION else chr(byte) for byte in text)
    for phase in range(3):
        encoded = b2a_base64(bytes(phase) + text, newline=False).decode()
        # Only the characters that `text` alone decides: six bits each, none shared with a neighbour byte.
        known = encoded[-(-8 * phase // 6) : 8 * (phase + len(text)) // 6]
        yield known
        yield known.translate(_URLSAFE)
