"""Comments that say a token here needn't be reported: ours, and those that users of other scanners already have.

A comment counts on the token's own line, or on the line before if that line holds nothing else. So a comment behind one token
never hides the token on the next line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from patscan.detect.positions import Text, decode
from patscan.model import Match

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
"""Every comment that counts; ``patscan:ignore`` may name rules, all may give a reason."""

_REACH = 1024
"""Characters from the token at which a comment still counts: a minified file is one line, and all of it is never meant."""
_RULE = r"[a-z0-9]+(?:-[a-z0-9]+)+"
# Comment ends that stand behind a reason and are no part of it.
_END = re.compile(r"\s*(?:-->|--%>|\*/|\*\)|#\}|%>|-\}|\]\])")
_DIRECTIVE = re.compile(
    rf"(?<![\w.-])(?:patscan:ignore(?![\w-])(?:\[(?P<listed>[^\]\n]*)\]|[ \t]+(?P<named>{_RULE}(?:[ \t]*,[ \t]*{_RULE})*)(?![\w-]))?"
    r"|(?P<next>pragma: ?allowlist[ -]nextline[ -]secret)|pragma: ?allowlist[ -]secret"
    r"|(?:gitleaks|betterleaks):allow|(?:trufflehog|kingfisher):ignore|ggignore)(?![\w-])"
    r"(?:[ \t]*(?:--(?!>|%>)|:)[ \t]*(?P<reason>[^\n]*))?"
)
# What opens a comment is made of signs, but for BASIC's, batch files' and m4's.
_OPENING = re.compile(r"[^\w]*(?:(?:rem|dnl)\b[^\w]*)?", re.IGNORECASE)


class Ignore(NamedTuple):
    """An ignore comment that covers a match."""

    line: int
    reason: str
    """What stands in the comment as the reason; empty if nothing does."""


def ignore(text: Text, match: Match, matches: Sequence[Match]) -> Ignore | None:
    """The comment that covers `match`; `matches` are all of this content, sorted."""
    low, high = _line_start(text, match.start), _line_end(text, match.end)
    for found in _directives(_shown(text, low, high, matches)):
        if not found["next"] and _covers(found, match):
            return Ignore(text.at(match.start)[0], _reason(found))
    before = low - _feed(text)
    if before < text.mark:
        return None
    above = _line_start(text, before)
    # A line that is cut holds more than a comment.
    if above > text.mark and not text.data.startswith("\n".encode(text.encoding), above - _feed(text)):
        return None
    shown = _shown(text, above, before, matches)
    directive = next(iter(_directives(shown)), None)
    alone = directive and _OPENING.fullmatch(shown, 0, directive.start()) and not _holds(matches, above, before)
    if not directive or not alone or not _ends(shown, directive) or not _covers(directive, match):
        return None
    return Ignore(text.at(above)[0], _reason(directive))


def _directives(shown: str) -> Iterable[re.Match[str]]:
    # Nearly no line holds one, and a line may be asked for ten thousand tokens.
    return _DIRECTIVE.finditer(shown) if "ignore" in shown or "allow" in shown else ()


def _covers(found: re.Match[str], match: Match) -> bool:
    rules = found["listed"] if found["listed"] is not None else found["named"]
    return rules is None or match.rule.id in [rule.strip() for rule in rules.split(",")]


def _reason(found: re.Match[str]) -> str:
    return _END.split(found["reason"] or "", maxsplit=1)[0].strip(" \t\r\"'`")


def _ends(shown: str, found: re.Match[str]) -> bool:
    """Whether nothing but the comment's end follows: code behind it would be what the comment is about."""
    end = _END.search(shown, found.start())
    return not end or not re.search(r"\w", shown[end.end() :])


def _holds(matches: Sequence[Match], low: int, high: int) -> bool:
    place = bisect_left(matches, low, key=lambda match: match.end - 1)
    return place < len(matches) and matches[place].start < high


def _shown(text: Text, low: int, high: int, matches: Sequence[Match]) -> str:
    """These bytes as text, with a mask in place of every token: a reason is shown in reports."""
    parts, place = [], low
    number = bisect_left(matches, low, key=lambda match: match.end - 1)
    while number < len(matches) and (match := matches[number]).start < high:
        number += 1
        parts += [decode(text.data[place : max(match.start, place)], text.encoding), str(match.secret)]
        place = max(match.end, place)
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
    """The next line feed from `place` to `limit`, or the last before it: in UTF-16 only one that stands on a whole character."""
    feed, width = "\n".encode(text.encoding), _feed(text)
    low, high = min(place, limit), max(place, limit)
    while (found := text.data.find(feed, low, high) if step > 0 else text.data.rfind(feed, low, high)) >= 0:
        if not (found - text.mark) % width:
            return found
        low, high = (found + 1, high) if step > 0 else (low, found + width - 1)
    return None


def _feed(text: Text) -> int:
    return len("\n".encode(text.encoding))
