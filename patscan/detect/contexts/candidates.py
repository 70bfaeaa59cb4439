"""Which runs of characters may be a token without a prefix? Only contents that hold one of `words.WORDS` are asked.

This is a second pass: an expression that begins with any character costs five times what all the literals of the first one do.
"""

from __future__ import annotations

import re
import sys
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from patscan.detect import engine
from patscan.detect.contexts import words

BEFORE, AFTER = 700, 320
"""Bytes in front of a token and behind it in which a context is read."""
_BACK = rb"(?:$|[^A-Za-z0-9_+/=(\[\x24-])"
_DRAWN = rb"[A-HJ-NP-Za-km-z1-9_-]"
_SIGN = rb"[A-Za-z0-9+/]"
_SHORTEST_PAIR = 28
"""Characters of base64 in which a user and a token of 20 have room."""
_LONGEST_PAIR = 400
_APART = 512
"""Bytes between a change and a run that it can't have made or unmade."""
_LARGE = 32 << 10
"""Bytes from which on only what is near a word is looked at."""
_NEAR = BEFORE + AFTER + _LONGEST_PAIR
"""Bytes between a change and a run to which it can't have brought a word."""
_COMPARED = 4 << 20
"""Bytes of a content with which the next one is compared."""
_BLOCK, _OVERLAP = 4 << 10, 32
"""Bytes in which a word is looked for at once, and what the next ones share with them: more than a word has."""
_STEP = 256
"""Bytes to which it is known where two contents begin to differ."""
_HEXADECIMAL = 30

_RUN = rb"(?:" + _DRAWN + rb"{20}|" + _DRAWN + rb"{50})" + _BACK
_ESCAPED = rb"(?:%3[dD]|%2[27]|%20|%26|\\u003[dD]|\\[nrt]|:-)"
_TELLS = (b"secret", b"token", b"bearer", b"oauth")
_RUNS = (
    engine.Expression(rb"(?:^|[\"'`=:\s>,(\[|/;])" + _RUN, 1),
    engine.Expression(rb"(?:^|=|[^A-Za-z0-9+/_=-])" + _SIGN + rb"{27}[=K](?:$|[^A-Za-z0-9+/=])", 28),
)
_LED = (
    engine.Expression(_ESCAPED + _RUN, 1),
    engine.Expression(b"(?:" + b"|".join(_TELLS) + rb")[^\n]{0,40}[^A-Za-z0-9_][0-9a-f]{%d}" % _HEXADECIMAL, _HEXADECIMAL, caseless=True),
    engine.Expression(rb"(?:basic\s{1,3}|auth[\"']?\s{0,3}[:=]\s{0,3}[\"']?)" + _SIGN + b"{28}", 0, caseless=True),
)
"""What begins with a literal is searched apart from what doesn't: both together are slower."""
_EXPRESSIONS = (_RUNS, _LED)
"""The number is the length of what the expression ends in; 1: a run and the character behind it. 0: 28 characters, and more follow."""
_WORD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
_CLASSES = re.compile(rb"[a-z]+|[A-Z]+|[0-9]+|[_-]+")
_MIXED = 7
"""Runs of one class of characters that 20 drawn characters have at least, but once in 1,500 (`patscan.detect.likelihood.is_mixed`)."""
_FRIENDLY = re.compile(_DRAWN + rb"{20}(?:" + _DRAWN + rb"{30})?")
_HEX = re.compile(rb"(?=[0-9]*[a-f])(?=[a-f]*[0-9])(?:[0-9a-f]{30}|[0-9a-f]{40}|[0-9a-f]{64})")
_ANY = re.compile(rb"[A-Za-z0-9_-]{20,64}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{26,%d}={0,2}" % _LONGEST_PAIR)
_PAIR = re.compile(rb"(?P<user>[^\s:]{0,200}):(?P<token>[^\s:]{20,64})\s?")
_ALONE = re.compile(rb"(?P<user>)(?P<token>[^\s:]{20,64})\s?")


class Candidate(NamedTuple):
    """A run ``[start, end)`` of characters that may be drawn."""

    start: int
    end: int
    body: bytes
    """The characters that may be a token."""
    at: int = 0
    """Where they begin in the decoded bytes, if the run is base64."""
    user: bytes | None = None
    """Who stands before a colon in those; empty: nobody. ``None``: the run isn't base64."""


class Candidates:
    """The compiled expressions."""

    def __init__(self) -> None:
        """Compile them, which takes some milliseconds."""
        self._scans = [(engine.compiled(some) or (_plain_of(some),))[0] for some in _EXPRESSIONS]
        self._last: bytes = b""
        self._starts: list[int] = []

    def starts(self, data: bytes | memoryview, limit: int = sys.maxsize) -> list[int]:
        """Where runs begin in `data` that may be tokens, `limit` at most, in order.

        A history holds a file in hundreds of versions, one after the other: only what differs from the last content is looked at.
        """
        data = bytes(data)
        first, last = _common_ends(self._last, data)
        apart = _APART if len(data) <= _LARGE else _NEAR
        low, high, by = first - apart, len(data) - last + apart, len(data) - len(self._last)
        starts = [start for start in self._starts if start < low]
        for stretch in self._windows(data, max(low - apart, 0), min(high + apart, len(data))):
            starts += [start for start in self._within(data, *stretch) if low <= start < high]
        starts += [start + by for start in self._starts if start + by >= high]
        self._last, self._starts = (data, starts) if len(data) <= _COMPARED else (b"", [])
        return starts[:limit]

    def _within(self, data: bytes, low: int, high: int) -> list[int]:
        """Where runs begin in ``data[low:high]``."""
        ends: list[tuple[int, int]] = []

        def keep(length: int, _start: int, end: int, *_: object) -> None:
            ends.append((length, end))

        for scan in self._scans:
            scan(memoryview(data)[low:high], keep)
        return sorted(start for start in {_start(data, length, low + end) for length, end in ends} if at(data, start))

    def _windows(self, data: bytes, low: int, high: int) -> Iterator[tuple[int, int]]:
        """The parts of ``data[low:high]`` that are near a word; all of it if that is little."""
        if high - low <= _LARGE:
            yield low, high
            return
        begin = end = low
        for block in range(low, high, _BLOCK):
            if not self._has_word(data, block, min(block + _BLOCK + _OVERLAP, high)):
                continue
            first, last = max(block - AFTER - _LONGEST_PAIR, low), min(block + _BLOCK + BEFORE + _LONGEST_PAIR, high)
            if first > end:
                if end > begin:
                    yield begin, end
                begin = first
            end = max(end, last)
        if end > begin:
            yield begin, end

    @cached_property
    def _words(self) -> engine.Scan:
        expressions = [engine.Expression(engine.literal(word.encode()), 0, caseless=True, once=True) for word in words.WORDS]
        scan, _ = engine.compiled(expressions) or (_plain_words, StopIteration)
        return scan

    def _has_word(self, data: bytes, low: int, high: int) -> bool:
        met: list[int] = []
        self._words(memoryview(data)[low:high], lambda *_: met.append(1))
        return bool(met)


def _common_ends(one: bytes, other: bytes) -> tuple[int, int]:
    """How many bytes two contents share at their beginning and, behind those, at their end."""
    most = min(len(one), len(other))
    first = _common(lambda size: one[:size] == other[:size], most)
    last = _common(lambda size: one[len(one) - size :] == other[len(other) - size :], most - first)
    return first, last


def _common(is_same: Callable[[int], bool], most: int) -> int:
    low, high = 0, most + 1
    while high - low > _STEP:
        middle = (low + high) // 2
        low, high = (middle, high) if is_same(middle) else (low, middle)
    return low


def _start(data: bytes, number: int, end: int) -> int:
    """Where the run begins that an expression of this number met, at whose last character or behind which `end` is."""
    if number in {0, _HEXADECIMAL}:
        return end - (number or _SHORTEST_PAIR)
    high = end - (end < len(data) or data[end - 1] not in _WORD)
    if number == 1:
        return high - (50 if high >= 50 and _FRIENDLY.fullmatch(data, high - 50, high) else 20)
    return high - number


def at(data: bytes | memoryview, start: int) -> Candidate | None:
    """What may be a token at byte `start`."""
    near = bytes(data[start : start + _LONGEST_PAIR + 4])
    run = _ANY.match(near)
    if run and (_is_drawn(run[0]) or (_HEX.fullmatch(run[0]))):
        return Candidate(start, start + run.end(), run[0])
    encoded = _BASE64.match(near)
    return _decoded(start, encoded[0]) if encoded else None


def _decoded(start: int, encoded: bytes) -> Candidate | None:
    """A token in base64, alone or as somebody's password."""
    try:
        plain = a2b_base64(encoded + b"=" * (-len(encoded) % 4) if encoded[-1:] != b"=" else encoded)
    except Base64Error:
        return None
    inner = _PAIR.fullmatch(plain) or _ALONE.fullmatch(plain)
    if inner is None or not (_is_drawn(inner["token"]) or _HEX.fullmatch(inner["token"])):
        return None
    return Candidate(start, start + len(encoded), inner["token"], inner.start("token"), inner["user"])


def _is_drawn(body: bytes) -> bool:
    return _FRIENDLY.fullmatch(body) is not None and len(_CLASSES.findall(body)) >= _MIXED


def _plain_of(expressions: Sequence[engine.Expression]) -> engine.Scan:
    """The same without hyperscan, some ten times as slow."""
    patterns = [
        (re.compile(b"(?=(" + one.pattern.replace(b"$", b"\\Z") + b"))", re.IGNORECASE if one.caseless else 0), one.number)
        for one in expressions
    ]

    def scan(data: bytes | memoryview, handler: engine.Handler) -> None:
        for pattern, number in patterns:
            for match in pattern.finditer(bytes(data)):
                handler(number, 0, match.end(1))

    return scan


def _plain_words(data: bytes | memoryview, handler: engine.Handler) -> None:
    lowered = bytes(data).lower()
    if any(word.encode() in lowered for word in words.WORDS):
        handler(0)
