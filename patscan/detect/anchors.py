"""Where do the rules' literals stand, plain or encoded, and the runs of characters whose surroundings make them tokens?

One pass over the bytes answers for every literal at once, at some 4 GB/s; without hyperscan a plain regular expression
gives the same hits, more slowly. Contents that hold a context's word are searched for candidates in a second pass.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from patscan.detect import engine
from patscan.detect.contexts import words
from patscan.detect.engine import Engine
from patscan.model import Layer

if TYPE_CHECKING:
    from patscan.detect.contexts.runs import Runs
    from patscan.model import Rule
    from patscan.seal import Kept

CANDIDATE = "?"
"""The anchor of a hit that is a run of characters which may be a token, or, behind layers, a context's word."""


class Hit(NamedTuple):
    """A literal at a byte offset: which of the rules' anchors it is, and behind which layers, outermost first."""

    start: int
    anchor: str
    """Empty: a compressed stream, in which anchors may stand."""
    layers: tuple[Layer, ...] = ()


NOTHING: Sequence[Hit] = ()
"""The hits in bytes without any literal or word of a context. A part of them has none either."""


class Anchors:
    """The compiled literals of a set of rules. Neither picklable nor to be shared between threads."""

    def __init__(self, anchors: Iterable[str], unhurried: int = 0, kept: Kept | None = None, has_contexts: bool = False) -> None:
        """Compile every anchor in every encoding it can be recognised in; not before `unhurried` bytes were searched without.

        `kept` holds these very anchors as they were compiled before, or takes them. `has_contexts`: candidates for tokens without a
        prefix are hits, too.
        """
        self._anchors = sorted(set(anchors))
        self._kept = kept
        self._literals: Sequence[tuple[bytes, Sequence[_Meaning]]] = []
        self._packed = self._dumped = b""
        self._has_contexts, self._word = has_contexts, 0
        self._meant: dict[int, list[_Meaning]] = {}
        self._by_chain: dict[tuple[str, ...], range] = {}
        self._left = unhurried
        self._ends: list[tuple[int, int]] = []
        self._append = self._ends.append
        self._most = 0
        plainest = Engine("find", self._one_by_one, StopIteration)
        self.engine, self._scan, stopped = self._loaded() or (plainest if unhurried else self._compiled())
        self._until_stopped = suppress(stopped)

    def hits(self, data: bytes | memoryview, limit: int = sys.maxsize) -> Sequence[Hit]:
        """Every literal in `data`, at most about `limit`, in the order of where they start. Asked of every content there is.

        The answer is `NOTHING` itself if there is neither a literal nor a word of a context.
        """
        self._most = limit
        with self._until_stopped:
            self._scan(data, self._keep)
        candidates = self._candidates_in(data, limit) if self._word else NOTHING
        if not self._ends:
            return candidates
        ends, self._ends = self._ends, []
        self._append = self._ends.append
        if self._packed:
            self._unpack()
        literals = self._literals
        # An engine gives them nearly in order, so this takes hardly longer than going through them.
        starts = [(end - len(literals[number][0]), number) for number, end in ends]
        starts.sort()
        meanings = {number: self._meaning(number) for number in {number for number, _ in ends}}
        hits = [Hit(start, anchor, layers) for start, number in starts for anchor, layers in meanings[number]]
        return sorted([*hits, *candidates], key=_start) if candidates else hits

    def present(self, data: bytes | memoryview) -> bool:
        """Whether any literal stands in `data`."""
        return bool(self.hits(data, 1))

    def _keep(self, number: int, _start: int = 0, end: int = 0, *_: object) -> bool | None:
        if number == _WORD:
            self._word = self._word or end
            return None
        self._append((number, end))
        return len(self._ends) >= self._most or None

    def _candidates_in(self, data: bytes | memoryview, limit: int) -> Sequence[Hit]:
        word, self._word = self._word, 0
        return [Hit(start, CANDIDATE) for start in self.runs.starts(data, limit, word)]

    @cached_property
    def runs(self) -> Runs:
        """The second pass, made ready when there is a context's word."""
        from patscan.detect.contexts.runs import Runs

        if self._packed:
            self._unpack()
        return Runs(self._dumped)

    def _meaning(self, number: int) -> list[_Meaning]:
        """What a literal stands for."""
        if number not in self._meant:
            self._meant[number] = [(anchor, tuple(Layer(*fields) for fields in layers)) for anchor, layers in self._literals[number][1]]
        return self._meant[number]

    def _compiled(self) -> Engine:
        """The literals, compiled, which takes a tenth of a second; and kept for the next process, if they may be."""
        known = self._meanings(_chains())
        self._literals, self._meant = list(known.items()), {}
        asked = words.WORDS if self._has_contexts else ()
        expressions = [engine.Expression(engine.literal(literal), number) for number, literal in enumerate(known)]
        expressions += [engine.Expression(engine.literal(word.encode()), _WORD, caseless=True, once=True) for word in asked]
        compiled = engine.compiled(expressions)
        if compiled is None:
            return Engine("regex", _plain(list(known), asked), StopIteration)
        if self._kept:
            import marshal

            from patscan.detect.contexts.runs import dumped

            plain: Any = [(literal, [(anchor, tuple(map(tuple, layers))) for anchor, layers in of]) for literal, of in known.items()]
            runs = dumped() if self._has_contexts else b""
            self._kept.file.keep(marshal.dumps((compiled[1], marshal.dumps((plain, runs)))))
        return compiled[0]

    def _loaded(self) -> Engine | None:
        """The literals as an earlier process compiled them; ``None`` if none did, or only for another processor or hyperscan."""
        if self._kept is None or self._kept.content is None:
            return None
        import marshal

        database, packed = marshal.loads(self._kept.content)  # noqa: S302 - under the seal stands what was written here
        loaded = engine.loaded(database)
        # What the literals mean goes with the database: another search numbers them differently.
        self._packed = packed if loaded else b""
        return loaded

    def _unpack(self) -> None:
        """Read what the literals mean, which most hooks never ask."""
        import marshal

        (self._literals, self._dumped), self._packed = marshal.loads(self._packed), b""  # noqa: S302 - it stood under the seal, too

    def _meanings(self, chains: Sequence[Sequence[str]]) -> dict[bytes, list[_Meaning]]:
        """What each literal stands for that may be met behind `chains`."""
        from patscan.layers import STREAMS, forms

        meanings: dict[bytes, list[_Meaning]] = {}
        for chain in chains:
            for anchor in [""] if chain in STREAMS else self._anchors:
                for form in forms(anchor, [chain]):
                    meanings.setdefault(form.literal, []).append((anchor, form.layers))
            if self._has_contexts and len(chain) == 1 and chain[0] in words.LAYERS:
                for literal, parameter in _encoded(chain[0]):
                    meanings.setdefault(literal, []).append((CANDIDATE, (Layer(chain[0], parameter),)))
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

    def _one_by_one(self, data: bytes | memoryview, handler: engine.Handler) -> None:
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
        _report(content, words.WORDS if self._has_contexts else (), handler)
        for number in self._numbers(content):
            literal, _ = self._literals[number]
            at = content.find(literal)
            while at >= 0:
                if handler(number, 0, at + len(literal), 0, None):
                    return
                at = content.find(literal, at + 1)


_Meaning = tuple[str, tuple[Layer, ...]]
_WORD = 1 << 30
"""The number of every word of a context: more than there are literals."""


def of_rules(rules: Iterable[Rule], unhurried: int = 0, kept: Kept | None = None) -> Anchors:
    """The anchors of `rules`, as `Anchors` takes them."""
    rules = tuple(rules)
    return Anchors({anchor for rule in rules for anchor in rule.anchors}, unhurried, kept, any(rule.contexts for rule in rules))


def _start(hit: Hit) -> int:
    return hit.start


def _chains() -> Sequence[tuple[str, ...]]:
    """The layers in layers in which anchors are looked for. Layers are imported when they are needed: a clean hook needs none."""
    from patscan.layers import PAIRS, STREAMS

    return ((), *PAIRS, *STREAMS)


def _encoded(layer: str) -> Iterator[tuple[bytes, int]]:
    """The contexts' words behind `layer`, unfolded."""
    from patscan.layers import LAYERS

    codec = LAYERS[layer]
    for spelling in words.spellings():
        yield from (codec.few or codec.forms)(spelling.encode())


def _report(content: bytes, asked: Sequence[str], handler: engine.Handler) -> None:
    """Tell `handler` where the first of the contexts' words in `content` ends, in letters of any case."""
    lowered = content.lower() if asked else b""
    if ends := [start + len(word) for word in asked if (start := lowered.find(word.encode())) >= 0]:
        handler(_WORD, 0, min(ends))


def _plain(literals: list[bytes], asked: Sequence[str]) -> engine.Scan:
    from patscan.detect.patterns import compile_pattern

    numbers = {literal: number for number, literal in enumerate(literals)}
    # A lookahead, so that overlapping literals are all met; the longest of those that start together wins, then its prefixes.
    by_length = sorted(literals, key=len, reverse=True)
    pattern = compile_pattern(b"(?=(" + b"|".join(b"".join(b"\\x%02x" % byte for byte in literal) for literal in by_length) + b"))")

    def scan(data: bytes | memoryview, handler: engine.Handler) -> None:
        _report(bytes(data), asked, handler)
        for match in pattern.finditer(data):
            for length in range(len(match[1]), 3, -1):
                number = numbers.get(bytes(match[1][:length]))
                if number is not None and handler(number, 0, match.start() + length, 0, None):
                    return

    return scan
