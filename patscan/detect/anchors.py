"""Where do the rules' literals stand, plain or encoded? The only door to hyperscan.

One pass over the bytes answers for every literal at once, at some 4 GB/s; without hyperscan a plain regular expression
gives the same hits, more slowly. hyperscan silently takes a length modulo 2^32: what comes here is a piece
(`patscan.content`), never near that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from patscan.layers import LAYERS, PAIRS, STREAMS, forms
from patscan.model import Layer


class Hit(NamedTuple):
    """A literal at a byte offset: which of the rules' anchors it is, and behind which layers, outermost first."""

    start: int
    anchor: str
    """Empty: a compressed stream, in which anchors may stand."""
    layers: tuple[Layer, ...] = ()


class Anchors:
    """The compiled literals of a set of rules. Neither picklable nor to be shared between threads."""

    def __init__(self, anchors: Iterable[str], unhurried: int = 0) -> None:
        """Compile every anchor in every encoding it can be recognised in; not before `unhurried` bytes were searched without."""
        self._anchors = sorted(set(anchors))
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
        if not self._ends:
            return ()
        ends, self._ends = self._ends, []
        self._append = self._ends.append
        literals = self._literals
        starts = sorted({(end - len(literals[number][0]), number) for number, end in ends})
        return [Hit(start, *meaning) for start, number in starts for meaning in literals[number][1]]

    def present(self, data: bytes | memoryview) -> bool:
        """Whether any literal stands in `data`."""
        return bool(self.hits(data, 1))

    def _keep(self, number: int, _start: int, end: int, *_: object) -> bool | None:
        self._append((number, end))
        return len(self._ends) >= self._most or None

    def _compiled(self) -> tuple[str, _Scan, type[Exception]]:
        self._literals = list(self._meanings(_CHAINS).items())
        return _compile([literal for literal, _ in self._literals])

    def _meanings(self, chains: Sequence[Sequence[str]]) -> dict[bytes, list[_Meaning]]:
        """What each literal stands for that may be met behind `chains`."""
        meanings: dict[bytes, list[_Meaning]] = {}
        for chain in chains:
            for anchor in [""] if chain in STREAMS else self._anchors:
                for form in forms(anchor, [chain]):
                    meanings.setdefault(form.literal, []).append((anchor, form.layers))
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

    def _one_by_one(self, data: bytes | memoryview, handler: _Handler) -> None:
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
        for number in self._numbers(content):
            literal, _ = self._literals[number]
            at = content.find(literal)
            while at >= 0:
                if handler(number, 0, at + len(literal), 0, None):
                    return
                at = content.find(literal, at + 1)


_Meaning = tuple[str, tuple[Layer, ...]]
_CHAINS: tuple[tuple[str, ...], ...] = ((), *PAIRS, *STREAMS)
_Handler = Callable[..., bool | None]
_Scan = Callable[[bytes | memoryview, _Handler], None]


def _compile(literals: list[bytes]) -> tuple[str, _Scan, type[Exception]]:
    """The engine's name, its scan, and what it raises when a handler has told it to stop."""
    try:
        import hyperscan
    except ImportError:
        return "regex", _plain(literals), StopIteration
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = [b"\\x" + literal.hex(" ").replace(" ", "\\x").encode() for literal in literals]
    database.compile(expressions=expressions, ids=list(range(len(literals))), elements=len(literals), flags=[0] * len(literals))
    scan: Any = database.scan  # its stub forgets memoryview, which its code takes
    return "hyperscan", scan, hyperscan.ScanTerminated


def _plain(literals: list[bytes]) -> _Scan:
    from patscan.detect.patterns import compile_pattern

    numbers = {literal: number for number, literal in enumerate(literals)}
    # A lookahead, so that overlapping literals are all met; the longest of those that start together wins, then its prefixes.
    by_length = sorted(literals, key=len, reverse=True)
    pattern = compile_pattern(b"(?=(" + b"|".join(b"".join(b"\\x%02x" % byte for byte in literal) for literal in by_length) + b"))")

    def scan(data: bytes | memoryview, handler: _Handler) -> None:
        for found in pattern.finditer(data):
            for length in range(len(found[1]), 3, -1):
                number = numbers.get(bytes(found[1][:length]))
                if number is not None and handler(number, 0, found.start() + length, 0, None):
                    return

    return scan
