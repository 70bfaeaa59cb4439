"""The second pass: find runs of characters that may be tokens without a prefix by their context.

Only contents with one of `words.WORDS` are searched. Each lead to a value begins with a literal, because an expression that begins with
a character class takes five times as long as the whole first pass.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from patscan.detect import engine
from patscan.detect.contexts import candidates

if TYPE_CHECKING:
    from patscan.detect.contexts.table import Context

_LENGTH = 20
"""Characters of the shortest token. Each expression ends with as many."""
_VALUE = rb"[A-Za-z0-9+/_-]{20}"
_MARK = rb"(?:[\"'`=:\s>,(\[|/;-]|%3d|%2[27]|%20|%26|\\u003d|\\[nrt])"
_LEADS = (
    (rb"(?:token|passw|secret|oauth|creds|_keys|bearer|basic|echo|authenticate)[A-Za-z0-9_.-]{0,24}[^A-Za-z0-9]{0,12}" + _MARK + _VALUE, 0),
    (rb"(?:value[=\"':>]|value =|default =|string>|string =|auth[\"':=]|auth =|_pat[\"':=]|_pat =)[^A-Za-z0-9]{0,8}" + _VALUE, 0),
    (rb"(?: -p | -r | -t )[\"']?" + _VALUE, 0),
    (rb"(?:token|oauth|_keys)[\"']?\s{0,3}[=:]\s{0,3}\{\s{0,20}[\"'][\w.-]{1,40}[\"']\s?:\s?[\"']" + _VALUE, 0),
    (rb"[:/]" + _VALUE + rb"@", 1),
    (rb"//" + _VALUE + rb":x-oauth-basic@", 15),
    (rb"(?:client|gitlab|connect|new|api)\([^\n)]{0,60}[\"']" + _VALUE + rb"[\"']", 1),
    (rb"(?: --user| -u)[ =\"']{1,3}[^\s:]{1,40}:" + _VALUE, 0),
)
"""The leads to values, each with the number of characters that it matches behind the value's."""
_EXPRESSIONS = [engine.Expression(lead, behind, caseless=True) for lead, behind in _LEADS]
_APART = 1 << 10
"""Bytes from a change within which it may create, remove or name a run."""
_NEAR = candidates.BEFORE + candidates.AFTER + candidates.LONGEST
"""Bytes from a change within which it may give a run a context."""
_COMPARED = range(16 << 10, 1 << 20)
"""Bytes of a content that is compared with the last ones. Smaller ones are searched as fast."""
_LAST = 24
"""The number of contents that are remembered."""
_STEP = 512
"""The precision in bytes with which the common ends of two contents are measured."""
_HEAD = 64
"""Bytes at the beginning or end by which a version of a file is recognised."""


Contexts: TypeAlias = "tuple[Context, ...]"


def dumped() -> bytes:
    """The compiled expressions for `Runs`; empty without hyperscan."""
    compiled = engine.compiled(_EXPRESSIONS)
    return compiled[1] if compiled else b""


class Runs:
    """The compiled expressions, and their results in the last contents."""

    def __init__(self, kept: bytes = b"") -> None:
        """Load `kept`, the result of `dumped`, or compile the expressions, which takes some milliseconds."""
        known = (kept and engine.loaded(kept)) or (compiled[0] if (compiled := engine.compiled(_EXPRESSIONS)) else None)
        self._scan = known.scan if known else _plain
        self._last: deque[tuple[bytes, Mapping[int, Contexts]]] = deque(maxlen=_LAST)

    def contexts(self, data: bytes | memoryview, limit: int = sys.maxsize, word: int = 0) -> Mapping[int, Contexts]:
        """The contexts of runs in `data` by their starts, sorted, of at most about `limit` runs. `word` is the end of the first word.

        A history has hundreds of versions of a file. Only the bytes that differ from one of the last contents are searched.
        """
        data = bytes(data)
        word = max(word - _NEAR, 0)
        if len(data) not in _COMPARED:
            return dict(self._within(data, word, len(data), limit))
        other, known = next((last for last in self._last if _is_like(last[0], data)), (b"", {}))
        first, last = _common_ends(other, data)
        low, high, by = first - _NEAR, len(data) - last + _NEAR, len(data) - len(other)
        changed = self._within(data, max(low - _APART, word), min(high + _APART, len(data)), limit)
        runs = {start: contexts for start, contexts in known.items() if start < low}
        runs |= {start: contexts for start, contexts in changed if low <= start < high}
        runs |= {start + by: contexts for start, contexts in known.items() if start + by >= high}
        if len(runs) < limit:
            self._last.appendleft((data, runs))
        return runs

    def _within(self, data: bytes, low: int, high: int, limit: int) -> Iterator[tuple[int, Contexts]]:
        """The runs with contexts in ``data[low:high]``, sorted by their starts."""
        starts: set[int] = set()
        scan, view = self._scan, memoryview(data)[low:high]

        def keep(behind: int, _start: int, end: int, *_: object) -> None:
            starts.add(low + end - behind - _LENGTH)

        scan(view, keep)
        possible = [start for start in sorted(starts) if candidates.at(data, start)]
        if not possible:
            return iter(())
        # Importing it takes longer than searching a few files.
        from patscan.detect.contexts import claims

        return islice(((start, contexts) for start in possible if (contexts := claims.contexts_at(data, start))), limit)


def _is_like(one: bytes, other: bytes) -> bool:
    """Whether two contents look like versions of one file."""
    return one[:_HEAD] == other[:_HEAD] or one[-_HEAD:] == other[-_HEAD:]


def _common_ends(one: bytes, other: bytes) -> tuple[int, int]:
    """The number of equal bytes at the beginning of two contents, and at the end of the rest."""
    most = min(len(one), len(other))
    first = _common(lambda low, high: other.startswith(one[low:high], low), most)
    ends = len(one), len(other)
    last = _common(lambda low, high: other.startswith(one[ends[0] - high : ends[0] - low], ends[1] - high), most - first)
    return first, last


def _common(is_same: Callable[[int, int], bool], most: int) -> int:
    """The number of equal bytes, at most `_STEP` too low. `is_same` compares the bytes from one offset to another."""
    low, high = 0, most + 1
    while high - low > _STEP:
        middle = (low + high) // 2
        low, high = (middle, high) if is_same(low, middle) else (low, middle)
    return low


def _plain(data: bytes | memoryview, handler: engine.Handler) -> None:
    """Search without hyperscan, which takes ten times as long."""
    content = bytes(data)
    for one in _EXPRESSIONS:
        for match in re.finditer(b"(?=(" + one.pattern + b"))", content, re.IGNORECASE | re.DOTALL):
            handler(one.number, 0, match.end(1))
