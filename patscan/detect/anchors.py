"""Where do the rules' literals stand, plain or encoded, and the words that a context may be read from?

One pass over the bytes answers for every literal at once, at some 4 GB/s; without hyperscan a plain regular expression
gives the same hits, more slowly. Contents that hold a context's word are asked for candidates in a second pass.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from patscan.detect import engine
from patscan.detect.contexts import words
from patscan.layers import LAYERS, PAIRS, STREAMS, forms
from patscan.model import Layer

if TYPE_CHECKING:
    from patscan.detect.contexts.candidates import Candidates

CANDIDATE = "?"
"""The anchor of a hit that is a run of characters which may be a token, or, behind layers, a context's word."""


class Hit(NamedTuple):
    """A literal at a byte offset: which of the rules' anchors it is, and behind which layers, outermost first."""

    start: int
    anchor: str
    """Empty: a compressed stream, in which anchors may stand."""
    layers: tuple[Layer, ...] = ()


class Anchors:
    """The compiled literals of a set of rules. Neither picklable nor to be shared between threads."""

    def __init__(self, anchors: Iterable[str], unhurried: int = 0, has_contexts: bool = False) -> None:
        """Compile every anchor in every encoding it can be recognised in; not before `unhurried` bytes were searched without.

        `has_contexts`: candidates for tokens without a prefix are hits, too.
        """
        self._anchors = sorted(set(anchors))
        self._has_contexts = has_contexts
        self._is_worded = False
        self._literals: list[tuple[bytes, list[_Meaning]]] = []
        self._by_chain: dict[tuple[str, ...], range] = {}
        self._left = unhurried
        self._ends: list[tuple[int, int]] = []
        self._append = self._ends.append
        self._most = 0
        self.engine, self._scan, stopped = ("find", self._one_by_one, StopIteration) if unhurried else self._compiled()
        self._until_stopped = suppress(stopped)

    def hits(self, data: bytes | memoryview, limit: int = sys.maxsize) -> Sequence[Hit]:
        """Every literal in `data`, at most about `limit`, in the order of where they start. Asked of every content there is."""
        self._most = limit
        with self._until_stopped:
            self._scan(data, self._keep)
        candidates = self._candidates_in(data, limit) if self._is_worded else ()
        if not self._ends:
            return candidates
        ends, self._ends = self._ends, []
        self._append = self._ends.append
        literals = self._literals
        starts = sorted({(end - len(literals[number][0]), number) for number, end in ends})
        hits = [Hit(start, *meaning) for start, number in starts for meaning in literals[number][1]]
        return sorted([*hits, *candidates], key=_start) if candidates else hits

    def present(self, data: bytes | memoryview) -> bool:
        """Whether any literal stands in `data`."""
        return bool(self.hits(data, 1))

    def _keep(self, number: int, _from: int = 0, end: int = 0, *_: object) -> bool | None:
        if number == _WORD:
            self._is_worded = True
            return None
        self._append((number, end))
        return len(self._ends) >= self._most or None

    def _candidates_in(self, data: bytes | memoryview, limit: int) -> Sequence[Hit]:
        self._is_worded = False
        return [Hit(start, CANDIDATE) for start in self.candidates.starts(data, limit)]

    @cached_property
    def candidates(self) -> Candidates:
        """The second pass, compiled when there is a context's word."""
        from patscan.detect.contexts.candidates import Candidates

        return Candidates()

    def _compiled(self) -> tuple[str, engine.Scan, type[Exception]]:
        self._literals = list(self._meanings(_CHAINS).items())
        expressions = [engine.Expression(engine.literal(literal), number) for number, (literal, _) in enumerate(self._literals)]
        asked = words.WORDS if self._has_contexts else ()
        fast = engine.compiled(
            [*expressions, *(engine.Expression(engine.literal(word.encode()), _WORD, caseless=True, once=True) for word in asked)]
        )
        return ("hyperscan", *fast) if fast else ("regex", _plain([literal for literal, _ in self._literals], asked), StopIteration)

    def _meanings(self, chains: Sequence[Sequence[str]]) -> dict[bytes, list[_Meaning]]:
        """What each literal stands for that may be met behind `chains`."""
        meanings: dict[bytes, list[_Meaning]] = {}
        for chain in chains:
            for anchor in [""] if chain in STREAMS else self._anchors:
                for form in forms(anchor, [chain]):
                    meanings.setdefault(form.literal, []).append((anchor, form.layers))
            if self._has_contexts and chain in _WORDED:
                for literal, parameter in _encoded(*chain):
                    meanings.setdefault(literal, []).append((CANDIDATE, (Layer(*chain, parameter),)))
        return meanings

    def _numbers(self, content: bytes) -> Iterator[int]:
        """The literals that `content` may hold, judged by the outermost layers' marks; those of a chain are made when first needed."""
        marked = {name: codec.mark.search(content) for name, codec in LAYERS.items()}
        for chain in _CHAINS:
            if chain and not marked[chain[0]]:
                continue
            if chain not in self._by_chain:
                first = len(self._literals)
                self._literals += self._meanings([chain]).items()
                self._by_chain[chain] = range(first, len(self._literals))
            yield from self._by_chain[chain]

    def _one_by_one(self, data: bytes | memoryview, handler: engine.Handler) -> None:
        """The plainest search: compiling takes 9 ms, in which it is through the few files of a commit."""
        self._left -= len(data)
        if self._left < 0:
            if self.engine == "find":
                self.engine, self._scan, stopped = self._compiled()
                self._until_stopped = suppress(stopped)
            with self._until_stopped:
                self._scan(data, handler)
            return
        content = bytes(data)
        _report(content, words.WORDS if self._has_contexts else (), handler)
        for number in self._numbers(content):
            literal, _ = self._literals[number]
            at = content.find(literal)
            while at >= 0:
                if handler(number, 0, at + len(literal), 0, None):
                    return
                at = content.find(literal, at + 1)


_Meaning = tuple[str, tuple[Layer, ...]]
_CHAINS: tuple[tuple[str, ...], ...] = ((), *PAIRS, *STREAMS)
_WORDED = tuple((layer,) for layer in words.LAYERS)
_WORD = 1 << 30
"""The number of every word of a context: more than there are literals."""


def _start(hit: Hit) -> int:
    return hit.start


def _encoded(layer: str) -> Iterator[tuple[bytes, int]]:
    """The contexts' words behind `layer`, unfolded."""
    codec = LAYERS[layer]
    for spelling in words.spellings():
        yield from (codec.few or codec.forms)(spelling.encode())


def _report(content: bytes, asked: Sequence[str], handler: engine.Handler) -> None:
    """Tell `handler` if a context's word stands in `content`, in letters of any case."""
    lowered = content.lower() if asked else b""
    if any(word.encode() in lowered for word in asked):
        handler(_WORD)


def _plain(literals: list[bytes], asked: Sequence[str]) -> engine.Scan:
    """The same without hyperscan."""
    from patscan.detect.patterns import compile_pattern

    numbers = {literal: number for number, literal in enumerate(literals)}
    # A lookahead, so that overlapping literals are all met; the longest of those that start together wins, then its prefixes.
    by_length = sorted(literals, key=len, reverse=True)
    pattern = compile_pattern(b"(?=(" + b"|".join(b"".join(b"\\x%02x" % byte for byte in literal) for literal in by_length) + b"))")

    def scan(data: bytes | memoryview, handler: engine.Handler) -> None:
        _report(bytes(data), asked, handler)
        for found in pattern.finditer(data):
            for length in range(len(found[1]), 3, -1):
                number = numbers.get(bytes(found[1][:length]))
                if number is not None and handler(number, 0, found.start() + length, 0, None):
                    return

    return scan
