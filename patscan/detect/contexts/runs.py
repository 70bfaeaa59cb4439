"""The second pass: find runs of characters that may be tokens without a prefix by their context.

Only contents with one of `words.WORDS` are searched. Each lead to a value begins with a literal, because an expression that begins with
a character class takes five times as long as the whole first pass.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from patscan.detect import engine
from patscan.detect.contexts import candidates

if TYPE_CHECKING:
    from patscan.detect.contexts.table import Context

_VALUE = rb"[A-Za-z0-9+/_-]{20}"
_MARK = rb"(?:[\"'`=:\s>,(\[|/;-]|<<<|%3d|%2[27]|%20|%26|\\u003d|\\[nrt])"
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
_NEAR = candidates.BEFORE + candidates.AFTER + candidates.LONGEST
"""Bytes before the first word that may contain a token in its context."""

Contexts: TypeAlias = "tuple[Context, ...]"


def dumped() -> bytes:
    """The compiled expressions for `Runs`; empty without hyperscan."""
    compiled = engine.compiled(_EXPRESSIONS)
    return compiled[1] if compiled else b""


class Runs:
    """The compiled expressions."""

    def __init__(self, kept: bytes = b"") -> None:
        """Load `kept`, the result of `dumped`, or compile the expressions, which takes some milliseconds."""
        known = (kept and engine.loaded(kept)) or (compiled[0] if (compiled := engine.compiled(_EXPRESSIONS)) else None)
        self._scan = known.scan if known else _plain

    def contexts(self, data: bytes | memoryview, limit: int = sys.maxsize, word: int = 0) -> Mapping[int, Contexts]:
        """The contexts of runs in `data` by their starts, sorted, of at most about `limit` runs. `word` is the end of the first word."""
        data, low = bytes(data), max(word - _NEAR, 0)
        starts: set[int] = set()

        def keep(behind: int, _start: int, end: int, *_: object) -> None:
            starts.add(low + end - behind - candidates.SHORTEST)

        self._scan(memoryview(data)[low:], keep)
        possible = [start for start in sorted(starts) if candidates.at(data, start)]
        if not possible:
            return {}
        # Importing it takes longer than searching a few files.
        from patscan.detect.contexts import claims

        return dict(islice(((start, contexts) for start in possible if (contexts := claims.contexts_at(data, start))), limit))


def _plain(data: bytes | memoryview, handler: engine.Handler) -> None:
    """Search without hyperscan, which takes ten times as long."""
    content = bytes(data)
    for one in _EXPRESSIONS:
        for match in re.finditer(b"(?=(" + one.pattern + b"))", content, re.IGNORECASE | re.DOTALL):
            handler(one.number, 0, match.end(1))
