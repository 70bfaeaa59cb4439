"""Which runs of characters may be a token without a prefix? Only contents that hold one of `words.WORDS` are asked.

This is a second pass: an expression that begins with any character costs five times what all the literals of the first one do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import NamedTuple

from patscan.detect import engine

BEFORE, AFTER = 700, 320
"""Bytes in front of a token and behind it in which a context is read."""
_FRONT = rb"(?:[\"'`=:\s>,(\[|/;]|%[0-9A-Fa-f]{2}|\\[nrtfb]|\\u[0-9A-Fa-f]{4}|:-)"
_BACK = rb"(?:$|[^A-Za-z0-9_+/=(\[\x24-])"
_DRAWN = rb"[A-HJ-NP-Za-km-z1-9_-]"
_SHORTEST_PAIR = 28
"""Characters of base64 in which a user and a token of 20 have room."""
_LONGEST_PAIR = 400

_SIGN = rb"[A-Za-z0-9+/]"
_BASIC = rb"(?:[bB][aA][sS][iI][cC]\s{1,3}|_?[aA][uU][tT][hH][\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
_FIRST = rb"(?:^|" + _FRONT + rb")"
_EQUALS = rb"(?:^|[^A-Za-z0-9_+/-])"
_EDGE = rb"(?:^|=|[^A-Za-z0-9+/_=-])"
_EXPRESSIONS = (
    engine.Expression(_FIRST + _DRAWN + rb"{20}" + _BACK, 20),
    engine.Expression(_EQUALS + _DRAWN + rb"{50}" + _BACK, 50),
    *(engine.Expression(_EQUALS + rb"[0-9a-f]{%d}" % length + _BACK, length) for length in (30, 40, 64)),
    engine.Expression(_EDGE + _SIGN + rb"{27}[=K](?:$|[^A-Za-z0-9+/=])", 28),
    engine.Expression(_BASIC + _SIGN + b"{28}", 0),
)
_TELLS = (b"secret", b"token", b"bearer", b"oauth")
_TELLING = 80
"""Bytes before a run of hexadecimal digits in which such a word has to stand: most of them are hashes."""
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
        scan = engine.compiled(_EXPRESSIONS)
        self._scan, self._ended = scan or (_plain, StopIteration)

    def starts(self, data: bytes | memoryview, words: Sequence[int] | None = None, limit: int = sys.maxsize) -> list[int]:
        """Where runs begin in `data` that may be tokens, `limit` at most, in order.

        `words`: the bytes behind words of contexts, in order; only what stands near one counts. ``None``: all of `data` does.
        """
        view = memoryview(data)
        starts: set[int] = set()
        for low, high in [(0, len(data))] if words is None else _windows(words, len(data)):
            ends: list[tuple[int, int]] = []
            self._scan(view[low:high], lambda length, _start, end, *_, ends=ends: ends.append((length, end)))
            starts |= {_start(data, length, low + end) for length, end in ends}
        return [start for start in sorted(starts) if at(data, start)][:limit]


def _windows(words: Iterable[int], size: int) -> Iterator[tuple[int, int]]:
    """The stretches in which a context that these words belong to may have its token."""
    low = high = 0
    for end in words:
        first, last = max(end - AFTER - _LONGEST_PAIR, 0), min(end + BEFORE + _LONGEST_PAIR, size)
        if first <= high:
            high = last
            continue
        if high:
            yield low, high
        low, high = first, last
    yield low, high


def _start(data: bytes | memoryview, length: int, end: int) -> int:
    """Where the run begins that was met with its last character, or with the one after it, at `end`."""
    behind = length and (end < len(data) or data[end - 1] not in _WORD)
    return end - (length or _SHORTEST_PAIR) - bool(behind)


def at(data: bytes | memoryview, start: int) -> Candidate | None:
    """What may be a token at byte `start`."""
    near = bytes(data[start : start + _LONGEST_PAIR + 4])
    run = _ANY.match(near)
    if run and (_is_drawn(run[0]) or (_HEX.fullmatch(run[0]) and _tells(bytes(data[max(start - _TELLING, 0) : start])))):
        return Candidate(start, start + run.end(), run[0])
    encoded = _BASE64.match(near)
    return _decoded(start, encoded[0]) if encoded else None


def _tells(before: bytes) -> bool:
    lowered = before.lower()
    return any(word in lowered for word in _TELLS)


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


def _plain(data: bytes | memoryview, handler: engine.Handler) -> None:
    """The same without hyperscan, some ten times as slow."""
    content = bytes(data)
    for one in _EXPRESSIONS:
        pattern = re.compile(b"(?=(" + one.pattern.replace(b"$", b"\\Z") + b"))")
        for match in pattern.finditer(content):
            handler(one.number, 0, match.end(1))
