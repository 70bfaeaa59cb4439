"""The lines around a token as text for people, with all tokens masked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from patscan.detect.matcher import Capture
from patscan.detect.positions import Text, decode

_AROUND = 120
"""Bytes of a line kept on each side of a token, because a minified file is one line."""
_LINES = 1
"""Lines shown before and after the token's."""


def frame(text: Text, capture: Capture, captures: Sequence[Capture], reveal: bool = False) -> tuple[tuple[str, ...], int]:
    """The masked lines around `capture`, and the number of the first. `captures` are all captures of the content, sorted."""
    low, high = _bounds(text, capture)
    shown = captures[bisect_left(captures, low, key=lambda other: other.end) : bisect_right(captures, high, key=lambda other: other.start)]
    parts, place = [], low
    for other in shown:
        parts.append(decode(text.data[place : max(other.start, place)], text.encoding))
        parts.append(decode(other.secret.reveal(), "utf-8") if reveal else str(other.secret))
        place = max(other.end, place)
    parts.append(decode(text.data[place:high], text.encoding))
    lines = "".join(parts).strip("\0").split("\n")
    return tuple(_printable(line) for line in lines), text.line(low)


def _bounds(text: Text, capture: Capture) -> tuple[int, int]:
    feed = "\n".encode(text.encoding)
    low, high = capture.start, capture.end
    for _ in range(_LINES + 1):
        floor = max(low - _AROUND, text.mark)
        previous = text.data.rfind(feed, floor, low)
        if previous < 0:
            low = floor
            break
        low = previous
    else:
        low += len(feed)
    for _ in range(_LINES + 1):
        ceiling = min(high + _AROUND, len(text.data))
        following = text.data.find(feed, high, ceiling)
        if following < 0:
            high = ceiling
            break
        high = following + len(feed)
    else:
        high -= len(feed)
    return _aligned(text, low, high)


def _aligned(text: Text, low: int, high: int) -> tuple[int, int]:
    width = len("\n".encode(text.encoding))
    low -= (low - text.mark) % width
    # Don't cut a UTF-8 character in two.
    while width == 1 and low < len(text.data) and text.data[low] & 0xC0 == 0x80:
        low += 1
    while width == 1 and high < len(text.data) and text.data[high] & 0xC0 == 0x80:
        high += 1
    return low, high


def _printable(line: str) -> str:
    """`line` with pictures for control characters, because terminals obey them, and ``\\ufffd`` for invalid bytes."""
    line = line.rstrip("\r")
    return line if line.isprintable() else "".join(map(_picture, line))


def _picture(char: str) -> str:
    if char.isprintable() or char == "\t":
        return char
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\ufffd"
