"""Where do the rules' literals stand, plain or encoded? The only door to hyperscan.

One pass over the bytes answers for every literal at once, at some 4 GB/s; without hyperscan a plain regular expression
gives the same hits, more slowly. hyperscan silently takes a length modulo 2^32: what comes here is a piece
(`patscan.content`), never near that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from patscan.model import Layer

if TYPE_CHECKING:
    import hyperscan

    from patscan.model import Rule
    from patscan.seal import Kept


class Hit(NamedTuple):
    """A literal at a byte offset: which of the rules' anchors it is, and behind which layers, outermost first."""

    start: int
    anchor: str
    """Empty: a compressed stream, in which anchors may stand."""
    layers: tuple[Layer, ...] = ()


class Anchors:
    """The compiled literals of a set of rules. Neither picklable nor to be shared between threads."""

    def __init__(self, anchors: Iterable[str], unhurried: int = 0, kept: Kept | None = None) -> None:
        """Compile every anchor in every encoding it can be recognised in; not before `unhurried` bytes were searched without.

        `kept` holds these very anchors as they were compiled before, or takes them.
        """
        self._anchors = sorted(set(anchors))
        self._kept = kept
        self._literals: Sequence[tuple[bytes, Sequence[_Meaning]]] = []
        self._packed = b""
        self._meant: dict[int, list[_Meaning]] = {}
        self._by_chain: dict[tuple[str, ...], range] = {}
        self._left = unhurried
        self._ends: list[tuple[int, int]] = []
        self._append = self._ends.append
        self._most = 0
        plainest: _Engine = ("find", self._one_by_one, StopIteration)
        self.engine, self._scan, stopped = self._loaded() or (plainest if unhurried else self._compiled())
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
        if self._packed:
            self._unpack()
        literals = self._literals
        starts = sorted({(end - len(literals[number][0]), number) for number, end in ends})
        return [Hit(start, *meaning) for start, number in starts for meaning in self._meaning(number)]

    def present(self, data: bytes | memoryview) -> bool:
        """Whether any literal stands in `data`."""
        return bool(self.hits(data, 1))

    def _keep(self, number: int, _start: int, end: int, *_: object) -> bool | None:
        self._append((number, end))
        return len(self._ends) >= self._most or None

    def _meaning(self, number: int) -> list[_Meaning]:
        """What a literal stands for."""
        if number not in self._meant:
            self._meant[number] = [(anchor, tuple(Layer(*fields) for fields in layers)) for anchor, layers in self._literals[number][1]]
        return self._meant[number]

    def _compiled(self) -> _Engine:
        """The literals, compiled, which takes a tenth of a second; and kept for the next process, if they may be."""
        known = self._meanings(_chains())
        self._literals, self._meant = list(known.items()), {}
        try:
            import hyperscan
        except ImportError:
            return "regex", _plain(list(known)), StopIteration
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        expressions = [b"\\x" + literal.hex(" ").replace(" ", "\\x").encode() for literal in known]
        database.compile(expressions=expressions, ids=list(range(len(known))), elements=len(known), flags=[0] * len(known))
        if self._kept:
            import marshal

            plain: Any = [(literal, [(anchor, tuple(map(tuple, layers))) for anchor, layers in of]) for literal, of in known.items()]
            self._kept.file.keep(marshal.dumps((hyperscan.dumpb(database), marshal.dumps(plain))))
        return _hyperscan(database)

    def _loaded(self) -> _Engine | None:
        """The literals as an earlier process compiled them; ``None`` if none did, or only for another processor or hyperscan."""
        if self._kept is None or self._kept.content is None:
            return None
        import marshal

        try:
            import hyperscan
        except ImportError:
            return None
        try:
            serialized, self._packed = marshal.loads(self._kept.content)  # noqa: S302 - under the seal stands what was written here
            database = hyperscan.loadb(serialized, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
        except hyperscan.error:
            return None
        return _hyperscan(database)

    def _unpack(self) -> None:
        """Read what the literals mean, which most hooks never ask."""
        import marshal

        self._literals, self._packed = marshal.loads(self._packed), b""  # noqa: S302 - it stood under the seal, too

    def _meanings(self, chains: Sequence[Sequence[str]]) -> dict[bytes, list[_Meaning]]:
        """What each literal stands for that may be met behind `chains`."""
        from patscan.layers import STREAMS, forms

        meanings: dict[bytes, list[_Meaning]] = {}
        for chain in chains:
            for anchor in [""] if chain in STREAMS else self._anchors:
                for form in forms(anchor, [chain]):
                    meanings.setdefault(form.literal, []).append((anchor, form.layers))
        return meanings

    def _numbers(self, content: bytes) -> Iterator[int]:
        """The literals that `content` may hold, judged by the outermost layers' marks; those of a chain are made when first needed."""
        from patscan.layers import LAYERS

        marked = {name: codec.mark.search(content) for name, codec in LAYERS.items()}
        for chain in _chains():
            if chain and not marked[chain[0]]:
                continue
            if chain not in self._by_chain:
                first = len(self._literals)
                self._literals = [*self._literals, *self._meanings([chain]).items()]
                self._by_chain[chain] = range(first, len(self._literals))
            yield from self._by_chain[chain]

    def _one_by_one(self, data: bytes | memoryview, handler: _Handler) -> None:
        """The plainest search: compiling takes longer than it is through the few files of a commit."""
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
_Handler = Callable[..., bool | None]
_Scan = Callable[[bytes | memoryview, _Handler], None]
_Engine = tuple[str, _Scan, type[Exception]]
"""A name, a search, and what the search raises when a handler has stopped it."""


def of_rules(rules: Iterable[Rule], unhurried: int = 0, kept: Kept | None = None) -> Anchors:
    """The anchors of `rules`, as `Anchors` takes them."""
    return Anchors({anchor for rule in rules for anchor in rule.anchors}, unhurried, kept)


def _chains() -> Sequence[tuple[str, ...]]:
    """The layers in layers in which anchors are looked for. Layers are imported when they are needed: a clean hook needs none."""
    from patscan.layers import PAIRS, STREAMS

    return ((), *PAIRS, *STREAMS)


def _hyperscan(database: hyperscan.Database) -> _Engine:
    import hyperscan

    scan: Any = database.scan  # its stub forgets memoryview, which its code takes
    return "hyperscan", scan, hyperscan.ScanTerminated


def _plain(literals: list[bytes]) -> _Scan:
    from patscan.detect.patterns import compile_pattern

    numbers = {literal: number for number, literal in enumerate(literals)}
    # A lookahead, so that overlapping literals are all met; the longest of those that start together wins, then its prefixes.
    by_length = sorted(literals, key=len, reverse=True)
    pattern = compile_pattern(b"(?=(" + b"|".join(b"".join(b"\\x%02x" % byte for byte in literal) for literal in by_length) + b"))")

    def scan(data: bytes | memoryview, handler: _Handler) -> None:
        for match in pattern.finditer(data):
            for length in range(len(match[1]), 3, -1):
                number = numbers.get(bytes(match[1][:length]))
                if number is not None and handler(number, 0, match.start() + length, 0, None):
                    return

    return scan
