"""Masks tokens in every string of a report: a ref name, an author or a path may contain one, plain or encoded.

The scan has masked frames already, by the tokens' positions. Here the tokens' text is searched in all strings, so that no format has to
know which fields are dangerous. Bytes that aren't text are replaced as well, so that a report and its saved copy give a format the same
strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from operator import is_
from typing import Any, NamedTuple

from patscan.formats.places import SURROGATE, as_bytes
from patscan.model import Address, Finding, Position, Report, Rule, Sighting
from patscan.secret import PREFIXES, Secret

_HEAD = 8
"""First characters of a form, by which it is looked up. No token is shorter."""
_BODY = 16
"""The least length of a token's body that is masked without its prefix. A shorter body may be a common word."""
_SHAPE = re.compile(rf"({PREFIXES})(?![a-z]+(?:[-_][a-z]+)*(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{{20,}}(?:\.[0-9A-Za-z_-]{{2,}}){{0,2}}")
"""A prefix, and a body that isn't a chain of words."""
_NO_TOKEN = frozenset(("placeholder", "regex", "interpolation", "elision"))
"""Reasons for matches that are no token: the body may be a common word, and so may the whole match without a prefix."""
_DOUBTFUL = frozenset(("checksum", "length", "malformed", "confidence"))
"""Reasons for matches that are probably no token: only the whole match is masked, not its body alone."""
_USUAL = ("percent", "base64")
"""Layers of a name or a path besides hexadecimal. Only their usual forms are masked: folded and separated ones would be a hundred."""
_TEXTLESS = {int, bool, Secret, Position, Rule}
_PATHS = {Sighting: Sighting._fields.index("path"), Address: Address._fields.index("name")}
"""The fields of paths, whose bytes are kept."""

Heads = Mapping[str, list[Finding]]
Known = list[tuple[int, dict[str, str]]]


class _Change(NamedTuple):
    """The replacements for a report's strings, and for its paths, whose bytes are kept."""

    text: Callable[[str], str]
    path: Callable[[str], str]


def redacted(report: Report) -> Report:
    """`report`, `legible` and with every token masked in all strings. Rules are trusted and stay as they are."""
    heads = _heads((*report.findings, *report.ignored))
    # A string without eight of these characters in a row contains no form of a token.
    chars = "".join(map(re.escape, sorted(set().union(*heads))))
    runs = re.compile(f"[{chars}]{{{_HEAD},}}" if chars else r"(?!)")
    known = cache(partial(_known, heads))
    hidden = cache(lambda text: unshaped(_masked(text, runs, heads, known)))
    clean: Report = _changed(report, _Change(cache(lambda text: _unicode(hidden(text))), lambda path: _by_bytes(hidden(path))))
    return clean


def legible(report: Report) -> Report:
    """`report` with U+FFFD for what isn't Unicode text, as in a saved report. Paths keep their bytes."""
    clean: Report = _changed(report, _Change(_unicode, _by_bytes))
    return clean


def shown(secret: Secret, reveal: bool) -> str:
    """`secret` as a report shows it: whole with `reveal` if the token is known, otherwise its mask."""
    token = secret.reveal() if reveal else b""
    return token.decode("utf-8", "backslashreplace") if token else str(secret)


def unshaped(text: str) -> str:
    """`text` with everything masked that has the shape of a token, such as one in a path or an argument."""
    return _SHAPE.sub(lambda match: f"{match[1]}…({len(match[0])})", text)


def _unicode(text: str) -> str:
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def _by_bytes(path: str) -> str:
    """`path` decoded from its bytes, the same on every system."""
    return path if path.isascii() else as_bytes(path).decode("utf-8", "surrogateescape")


def _changed(value: Any, change: _Change) -> Any:
    """`value` with its strings changed. A value without changes stays the same object, which saves memory."""
    # A large report calls this two million times, so the most frequent type comes first.
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
    """The findings by the first characters of their forms. Whole forms are computed again when a head matches, which is rare."""
    heads: dict[str, list[Finding]] = {}
    for finding in findings:
        alone = [finding]
        for form, _ in _forms(finding):
            sharing = heads.setdefault(form[:_HEAD], alone) if len(form) >= _HEAD else alone
            if sharing[-1] is finding:
                continue
            if len(sharing) > 1:
                sharing.append(finding)
            else:
                # The list of one is shared with the finding's other heads, so it is copied.
                heads[form[:_HEAD]] = [*sharing, finding]
    return heads


def _known(heads: Heads, head: str) -> Known:
    """The mask of each form that begins with `head`, grouped by length, the longest first."""
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
    """The forms of a token in text, each with its mask."""
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
    """`hidden` in the usual forms of the usual layers, and in every form of the layers at its places."""
    from patscan.layers import LAYERS, PAIRS, forms

    yield from (hidden.hex().encode(), hidden.hex().upper().encode())
    for name in _USUAL:
        codec = LAYERS[name]
        yield from (form for form, _ in (codec.few or codec.forms)(hidden))
    # A saved report may name layers that there aren't.
    chains = {tuple(layer.name for layer in place.match.address.layers) for place in finding.occurrences}
    for chain in chains.intersection(PAIRS):
        yield from (form.literal for form in forms(hidden.decode("latin-1"), [chain]))
