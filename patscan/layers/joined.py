"""Texts in pieces: concatenated or adjacent string literals, continued lines, wrapped lines. The parameter isn't used."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

from patscan.layers.view import Mapped, View

_FEED = rb"(?:(?:\\r)?\\n|\r?\n|\r)"
_SPACE = rb"[ \t]{0,200}+"
_SIGN = rb"(?:\+|\.{1,2}|&)?+"
_QUOTE = rb"""\\{0,4}+["'`]"""
_WRAP = rb"(?:=|\\|\^|`)?" + _FEED + _SPACE + rb"(?:(?:>" + _SPACE + rb"){1,9}+|(?:[#*;|]|//)[ \t]" + _SPACE + rb")?+"
# In Visual Basic, _ continues a line. In Python and C++, a string literal may have a prefix of letters.
_BETWEEN = _SPACE + _SIGN + _SPACE + rb"_?+" + _SPACE + rb"(?:\\?" + _FEED + _SPACE + rb"){0,3}+" + _SIGN + _SPACE
JOINED = re.compile(rb"[\\^=]" + _FEED + _SPACE + rb"|" + _QUOTE + _BETWEEN + rb"[bfruLU]{0,2}+" + _QUOTE)
"""The joint between two string literals or at a continued line."""
JOINT = re.compile(rb"(?:" + _WRAP + rb"|" + JOINED.pattern + rb")")
"""The same joints, and those of wrapped lines."""
_CHARACTER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_.=-"
_CHARACTERS = rb"[A-Za-z0-9+/_.=-]"
_RUN = re.compile(_CHARACTERS + rb"*")
_FEEDS = (b"\\n", b"\\r")
_LONGEST_JOINT = 64


def forms(_plain: bytes) -> Iterator[tuple[bytes, int]]:
    """None: an anchor is searched for in one piece only."""
    yield from ()


def views_of(joint: re.Pattern[bytes]) -> Callable[[bytes, int, int], Iterator[View]]:
    """`views` of pieces that are separated by `joint`."""

    def views(near: bytes, at: int, _parameter: int) -> Iterator[View]:
        low = _start(near, at, joint)
        whole = _pieces(near, low, joint)
        if len(whole) < 2:
            return
        text = b"".join(near[begin:end] for begin, end in whole)
        places = [begin for begin, _ in whole]
        firsts = [0, *accumulate(end - begin for begin, end in whole[:-1])]

        def place(byte: int) -> int:
            piece = bisect_right(firsts, byte) - 1
            return places[piece] + byte - firsts[piece]

        piece = bisect_right(places, at) - 1
        where = firsts[piece] + at - places[piece]
        yield View(text, where, Mapped(len(text), place), Mapped(len(text), lambda byte: place(byte) + 1))

    return views


def _pieces(near: bytes, low: int, joint: re.Pattern[bytes]) -> list[tuple[int, int]]:
    """The half-open spans of the pieces from byte `low` on."""
    pieces = []
    while (run := _RUN.match(near, low)) and run.end() > low:
        high = run.end()
        # The equals sign of a soft line break is part of the joint.
        if near[high - 1] == 0x3D and joint.match(near, high - 1):
            high -= 1
        pieces.append((low, high))
        after = joint.match(near, high)
        if after is None:
            break
        low = after.end()
    return pieces


def _start(near: bytes, at: int, joint: re.Pattern[bytes]) -> int:
    """The first byte of the pieces around byte `at`."""
    low = at
    while True:
        edge = len(near[:low].rstrip(_CHARACTER))
        # An escaped line feed, as in JSON, ends with a letter.
        low = edge + (edge < low and near[max(edge - 1, 0) : edge + 1] in _FEEDS)
        before = next((match for match in joint.finditer(near, max(low - _LONGEST_JOINT, 0), low) if match.end() == low), None)
        if before is None or not before.start() or near[before.start() - 1] not in _CHARACTER:
            return low
        low = before.start()


def end(near: bytes, at: int) -> int:
    """The byte behind the last of the pieces around byte `at`."""
    pieces = _pieces(near, at, JOINT)
    return pieces[-1][1] if pieces else at


def decode(span: bytes, _parameter: int) -> bytes:
    """See `patscan.layers.Codec`."""
    return JOINT.sub(b"", span)
