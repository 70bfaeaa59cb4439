"""No token in any text of a report: a ref name, an author or a path can hold one, plain or encoded.

Frames come masked from the scan, which knows where every token stands. This goes by the tokens' text, over every string,
so that no format has to remember which field is dangerous. It also settles what bytes that are no text look like, so that a
report that was saved and read again gives every format the same strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from operator import is_
from typing import Any, NamedTuple

from patscan.formats.places import SURROGATE, as_bytes
from patscan.model import Address, Finding, Position, Report, Rule, Sighting
from patscan.secret import Secret

_HEAD = 8
"""Characters of a token's form by which it is looked up; what is shorter is no token."""
_BODY = 16
"""From this length on, a token's body alone is masked too. Shorter ones are near misses and might be somebody's word."""
_SHAPE = re.compile(r"(gl[a-z]{2,6}-|GR1348941)(?![a-z]+(?:[-_][a-z]+)*(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{20,}(?:\.[0-9A-Za-z_-]{2,}){0,2}")
"""A prefix and a body that isn't a chain of words."""
_NO_TOKEN = frozenset(("placeholder", "regex", "interpolation", "elision"))
"""Reasons of what nobody ever drew: its body may be a word of anybody's, and without a prefix all of it may be."""
_DOUBTFUL = frozenset(("checksum", "length", "malformed", "confidence"))
"""Reasons of what is probably none: masked where it stands whole, but its body alone isn't."""
_USUAL = ("percent", "base64")
"""The layers that a name or a path may be written in, besides hexadecimal, in their usual forms: all forms are a hundred."""
_TEXTLESS = {int, bool, Secret, Position, Rule}
_PATHS = {Sighting: Sighting._fields.index("path"), Address: Address._fields.index("name")}
"""The fields whose very bytes count."""

Heads = Mapping[str, list[Finding]]
Known = list[tuple[int, dict[str, str]]]


class _Change(NamedTuple):
    """What becomes of the strings of a report, and of the paths of its places, whose very bytes count."""

    text: Callable[[str], str]
    path: Callable[[str], str]


def redacted(report: Report) -> Report:
    """`report` with every known token masked wherever a string shows it, and `legible`. Rules stay: they are no repository's."""
    heads = _heads((*report.findings, *report.ignored))
    # What holds no eight of these characters in a row holds no form of a token.
    chars = "".join(map(re.escape, sorted(set().union(*heads))))
    runs = re.compile(f"[{chars}]{{{_HEAD},}}" if chars else r"(?!)")
    known = cache(partial(_known, heads))
    hidden = cache(lambda text: unshaped(_masked(text, runs, heads, known)))
    clean: Report = _changed(report, _Change(cache(lambda text: _unicode(hidden(text))), lambda path: _by_bytes(hidden(path))))
    return clean


def legible(report: Report) -> Report:
    """`report` with U+FFFD for what is no Unicode text, except in paths, whose bytes are kept: as a saved report has it."""
    clean: Report = _changed(report, _Change(_unicode, _by_bytes))
    return clean


def shown(secret: Secret, reveal: bool) -> str:
    """`secret` as a report shows it: whole if `reveal` asks for that and more than its mask is known."""
    token = secret.reveal() if reveal else b""
    return token.decode("utf-8", "backslashreplace") if token else str(secret)


def unshaped(text: str) -> str:
    """`text` without anything of a token's shape: a path or an argument may hold a token that no content holds."""
    return _SHAPE.sub(lambda found: f"{found[1]}…({len(found[0])})", text)


def _unicode(text: str) -> str:
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def _by_bytes(path: str) -> str:
    """`path` as Python decodes its bytes, whatever system it comes from."""
    return path if path.isascii() else as_bytes(path).decode("utf-8", "surrogateescape")


def _changed(value: Any, change: _Change) -> Any:
    """`value` with its strings changed. What has none to change stays the same object: there may be many of them."""
    # A large report asks this two million times, so what is asked most comes first.
    kind = type(value)
    if kind is str:
        text = change.text(value)
        return value if text == value else text
    if not value or kind in _TEXTLESS:
        return value
    if kind is dict:
        return {key: _changed(item, change) for key, item in value.items()}
    items = [_changed(item, change) for item in value]
    place = _PATHS.get(kind)
    if place is not None and value[place]:
        items[place] = change.path(value[place])
    if all(map(is_, items, value)):
        return value
    return tuple(items) if kind is tuple else value._make(items)


def _heads(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings by how a form of theirs begins. The forms themselves are made again when one is met, which is rare."""
    heads: dict[str, list[Finding]] = {}
    for finding in findings:
        alone = [finding]
        for form, _ in _forms(finding):
            held = heads.setdefault(form[:_HEAD], alone) if len(form) >= _HEAD else alone
            if held[-1] is finding:
                continue
            if len(held) > 1:
                held.append(finding)
            else:
                # A list of one stands under that finding's other heads, too.
                heads[form[:_HEAD]] = [*held, finding]
    return heads


def _known(heads: Heads, head: str) -> Known:
    """What stands for each form that begins with `head`, by its length, the longest first: a whole token's mask says more."""
    lengths: dict[int, dict[str, str]] = {}
    for form, mask in sorted({entry for finding in heads[head] for entry in _forms(finding) if entry[0].startswith(head)}):
        lengths.setdefault(len(form), {}).setdefault(form, mask)
    return sorted(lengths.items(), reverse=True)


def _masked(text: str, runs: re.Pattern[str], heads: Heads, known: Callable[[str], Known]) -> str:
    parts, done = [], 0
    for run in runs.finditer(text):
        for at in [at for at in range(run.start(), run.end() - _HEAD + 1) if text[at : at + _HEAD] in heads]:
            for size, masks in known(text[at : at + _HEAD]) if at >= done else ():
                if mask := masks.get(text[at : at + size]):
                    parts += [text[done:at], mask]
                    done = at + size
                    break
    return "".join((*parts, text[done:])) if parts else text


def _forms(finding: Finding) -> Iterator[tuple[str, str]]:
    """What the token looks like in text, and what stands there instead."""
    token, prefix = finding.secret.reveal(), finding.rule.prefix.encode()
    if finding.reason in _NO_TOKEN and not prefix:
        return
    yield token.decode("utf-8", "surrogateescape"), str(finding.secret)
    body = token[token.find(prefix) + len(prefix) :] if prefix in token else token
    hidden = token if finding.reason in _NO_TOKEN | _DOUBTFUL or len(body) < _BODY else body
    yield hidden.decode("utf-8", "surrogateescape"), f"…({len(token)})"
    for form in _wrapped(hidden, finding):
        yield form.decode("latin-1"), f"…({len(token)})"


def _wrapped(hidden: bytes, finding: Finding) -> Iterator[bytes]:
    """`hidden` in the usual forms of the usual layers, and in every form of the layers that it was met behind."""
    from patscan.layers import LAYERS, PAIRS, forms

    yield from (hidden.hex().encode(), hidden.hex().upper().encode())
    for name in _USUAL:
        codec = LAYERS[name]
        yield from (form for form, _ in (codec.few or codec.forms)(hidden))
    # A saved report may name layers that there aren't.
    chains = {tuple(layer.name for layer in place.match.address.layers) for place in finding.occurrences}
    for chain in chains.intersection(PAIRS):
        yield from (form.literal for form in forms(hidden.decode("latin-1"), [chain]))
