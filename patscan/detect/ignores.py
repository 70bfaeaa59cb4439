"""Comments that make a scan ignore a token: patscan's, and those of other scanners.

A comment applies to tokens on its line. If it is alone on its line, it applies to the next line. So a comment behind one token
never hides the token on the next line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from patscan.detect.matcher import Capture
from patscan.detect.positions import Text, decode
from patscan.model import Ignore

DIRECTIVES = (
    "patscan:ignore",
    "gitleaks:allow",
    "betterleaks:allow",
    "pragma: allowlist secret",
    "pragma: allowlist nextline secret",
    "ggignore",
    "trufflehog:ignore",
    "kingfisher:ignore",
)
"""All comments that apply. ``patscan:ignore`` may name rules, and each may give a reason."""

_REACH = 1024
"""Characters between a token and its comment at most, because a minified file is one line."""
_RULE = r"[a-z0-9]+(?:-[a-z0-9]+)+"
# The ends of comments. They aren't part of a reason.
_END = re.compile(r"\s*(?:-->|--%>|\*/|\*\)|#\}|%>|-\}|\]\])")
_DIRECTIVE = re.compile(
    rf"(?<![\w.-])(?:patscan:ignore(?![\w-])(?:\[(?P<listed>[^\]\n]*)\]|[ \t]+(?P<named>{_RULE}(?:[ \t]*,[ \t]*{_RULE})*)(?![\w-]))?"
    r"|(?P<next>pragma: ?allowlist[ -]nextline[ -]secret)|pragma: ?allowlist[ -]secret"
    r"|(?:gitleaks|betterleaks):allow|(?:trufflehog|kingfisher):ignore|ggignore)(?![\w-])"
    r"(?:[ \t]*(?:--(?!>|%>)|:)[ \t]*(?P<reason>[^\n]*))?"
)
# Comments begin with punctuation, except in BASIC, batch files and m4.
_OPENING = re.compile(r"[^\w]*(?:(?:rem|dnl)\b[^\w]*)?", re.IGNORECASE)


def ignore(text: Text, capture: Capture, captures: Sequence[Capture]) -> Ignore | None:
    """The comment that applies to `capture`. `captures` are all captures of the content, sorted."""
    low, high = _line_start(text, capture.start), _line_end(text, capture.end)
    for directive in _directives(_shown(text, low, high, captures)):
        if not directive["next"] and _covers(directive, capture):
            return Ignore(text.line(capture.start), _reason(directive))
    return _line_before(text, low, capture, captures)


def _line_before(text: Text, low: int, capture: Capture, captures: Sequence[Capture]) -> Ignore | None:
    """The comment that is alone on the line before the one that begins at byte `low`."""
    before = low - _feed(text)
    if before < text.mark:
        return None
    begin = _line_start(text, before)
    # A longer line than `_REACH` contains more than a comment.
    if begin > text.mark and not text.data.startswith("\n".encode(text.encoding), begin - _feed(text)):
        return None
    shown = _shown(text, begin, before, captures)
    directive = next(iter(_directives(shown)), None)
    if directive is None or not _OPENING.fullmatch(shown, 0, directive.start()) or _has_token(captures, begin, before):
        return None
    if not _ends(shown, directive) or not _covers(directive, capture):
        return None
    return Ignore(text.line(begin), _reason(directive))


def _directives(shown: str) -> Iterable[re.Match[str]]:
    # Nearly no line has one, and a line may be searched for each of ten thousand tokens.
    return _DIRECTIVE.finditer(shown) if "ignore" in shown or "allow" in shown else ()


def _covers(directive: re.Match[str], capture: Capture) -> bool:
    rules = directive["listed"] if directive["listed"] is not None else directive["named"]
    return rules is None or capture.rule.id in [rule.strip() for rule in rules.split(",")]


def _reason(directive: re.Match[str]) -> str:
    return _END.split(directive["reason"] or "", maxsplit=1)[0].strip(" \t\r\"'`")


def _ends(shown: str, directive: re.Match[str]) -> bool:
    """Whether only the comment's end follows. Otherwise the comment may be about the code behind it."""
    end = _END.search(shown, directive.start())
    return not end or not re.search(r"\w", shown[end.end() :])


def _has_token(captures: Sequence[Capture], low: int, high: int) -> bool:
    place = bisect_left(captures, low, key=lambda capture: capture.end - 1)
    return place < len(captures) and captures[place].start < high


def _shown(text: Text, low: int, high: int, captures: Sequence[Capture]) -> str:
    """These bytes as text with all tokens masked, because reports show the reason."""
    parts, place = [], low
    number = bisect_left(captures, low, key=lambda capture: capture.end - 1)
    while number < len(captures) and (capture := captures[number]).start < high:
        number += 1
        parts += [decode(text.data[place : max(capture.start, place)], text.encoding), str(capture.secret)]
        place = max(capture.end, place)
    return "".join((*parts, decode(text.data[place:high], text.encoding)))


def _line_start(text: Text, place: int) -> int:
    floor = max(place - _REACH * _feed(text), text.mark)
    feed = _aligned(text, place, floor, -1)
    return floor if feed is None else feed + _feed(text)


def _line_end(text: Text, place: int) -> int:
    ceiling = min(place + _REACH * _feed(text), len(text.data))
    feed = _aligned(text, place, ceiling, 1)
    return ceiling if feed is None else feed


def _aligned(text: Text, place: int, limit: int, step: int) -> int | None:
    """The first line feed from `place` up or down to `limit`. In UTF-16 it must be a whole character."""
    feed, width = "\n".encode(text.encoding), _feed(text)
    low, high = min(place, limit), max(place, limit)
    while (at := text.data.find(feed, low, high) if step > 0 else text.data.rfind(feed, low, high)) >= 0:
        if not (at - text.mark) % width:
            return at
        low, high = (at + 1, high) if step > 0 else (low, at + width - 1)
    return None


def _feed(text: Text) -> int:
    return len("\n".encode(text.encoding))
