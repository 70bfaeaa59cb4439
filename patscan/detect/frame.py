"""The neighbourhood of a match as text for people, with every token in it masked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from patscan.detect.positions import Text, decode
from patscan.model import Match

_AROUND = 120
"""Bytes kept of a line to the left and right of a match: a minified file is one line."""
_LINES = 1
"""Lines shown before and after."""


def frame(text: Text, match: Match, matches: Sequence[Match], reveal: bool = False) -> tuple[tuple[str, ...], int]:
    """The masked lines around `match`, and the number of the first; `matches` are all of this content, sorted."""
    low, high = _bounds(text, match)
    shown = matches[bisect_left(matches, low, key=lambda other: other.end) : bisect_right(matches, high, key=lambda other: other.start)]
    parts, place = [], low
    for other in shown:
        parts.append(decode(text.data[place : max(other.start, place)], text.encoding))
        parts.append(decode(other.secret.reveal(), "utf-8") if reveal else str(other.secret))
        place = max(other.end, place)
    parts.append(decode(text.data[place:high], text.encoding))
    lines = "".join(parts).strip("\0").split("\n")
    return tuple(_printable(line) for line in lines), text.at(low)[0]


def _bounds(text: Text, match: Match) -> tuple[int, int]:
    feed = "\n".encode(text.encoding)
    low, high = match.start, match.end
    for _ in range(_LINES + 1):
        floor = max(low - _AROUND, text.mark)
        found = text.data.rfind(feed, floor, low)
        if found < 0:
            low = floor
            break
        low = found
    else:
        low += len(feed)
    for _ in range(_LINES + 1):
        ceiling = min(high + _AROUND, len(text.data))
        found = text.data.find(feed, high, ceiling)
        if found < 0:
            high = ceiling
            break
        high = found + len(feed)
    else:
        high -= len(feed)
    return _aligned(text, low, high)


def _aligned(text: Text, low: int, high: int) -> tuple[int, int]:
    width = len("\n".encode(text.encoding))
    low -= (low - text.mark) % width
    # A character of UTF-8 is not cut in two.
    while width == 1 and low < len(text.data) and text.data[low] & 0xC0 == 0x80:
        low += 1
    while width == 1 and high < len(text.data) and text.data[high] & 0xC0 == 0x80:
        high += 1
    return low, high


def _printable(line: str) -> str:
    """Control characters become pictures, so that no escape reaches a terminal; bytes that are no text become ``\\ufffd``."""
    return "".join(
        char if char.isprintable() or char == "\t" else "\ufffd" if 0xD800 <= ord(char) < 0xE000 else _picture(char)
        for char in line.rstrip("\r")
    )


def _picture(char: str) -> str:
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\ufffd"
