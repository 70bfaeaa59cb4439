"""Find the rules' literals, plain or encoded, and the runs of characters that may be tokens by their context.

One pass finds all literals, at about 2 GB/s. Without hyperscan a regular expression finds the same hits, more slowly. Contents that
contain a word of a context are searched for candidates in a second pass.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from patscan import folds
from patscan.detect import engine
from patscan.detect.contexts import words
from patscan.detect.engine import Engine
from patscan.model import Layer
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.detect.contexts.runs import Runs
    from patscan.detect.contexts.table import Context
    from patscan.model import Rule
    from patscan.seal import Kept

CANDIDATE = "?"
"""The anchor of a hit that is a run of characters that may be a token or, behind layers, a word of a context."""


class Hit(NamedTuple):
    """A literal at a byte offset: the rules' anchor that it stands for, and its layers, outermost first."""

    start: int
    anchor: str
    """Empty for the beginning of a compressed stream."""
    layers: tuple[Layer, ...] = ()
    contexts: tuple[Context, ...] = ()
    """The contexts of a run of characters that may be a token."""


NOTHING: Sequence[Hit] = ()
"""The hits in bytes without any literal or word of a context. A part of them has none either."""


class Anchors:
    """The compiled literals of a set of rules. They can't be pickled, and only one thread may use them."""

    def __init__(self, anchors: Iterable[str], delay: int = 0, kept: Kept | None = None, has_contexts: bool = False) -> None:
        """Compile each anchor in each encoding; with `delay`, only after that many bytes were searched without compiled literals.

        `kept` has the result of an earlier process for the same anchors, or gets this one's. With `has_contexts`, candidates for
        tokens without a prefix are hits, too.
        """
        self._anchors = sorted(set(anchors))
        self._kept = kept
        self._literals: Sequence[tuple[bytes, Sequence[_Meaning]]] = []
        self._packed = self._dumped = b""
        self._has_contexts, self._word = has_contexts, 0
        self._meant: dict[int, list[_Meaning]] = {}
        self._by_chain: dict[tuple[str, ...], range] = {}
        self._delay = delay
        self._ends: list[tuple[int, int]] = []
        self._append = self._ends.append
        self._most = 0
        uncompiled = Engine("find", self._one_by_one, StopIteration)
        self.engine, self._scan, stopped = self._loaded() or (uncompiled if delay else self._compiled())
        self._until_stopped = suppress(stopped)

    def hits(self, data: bytes | memoryview, limit: int = sys.maxsize) -> Sequence[Hit]:
        """All literals in `data`, at most about `limit`, sorted by their start. This is called for every content.

        Fewer than `limit` are all of them, without the parts of folded forms that have no fold.
        The result is `NOTHING` itself if there is neither a literal nor a word of a context.
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
        # The engine's order is nearly this one, so sorting is cheap.
        starts = [(end - len(literals[number][0]), number) for number, end in ends]
        starts.sort()
        meanings = {number: self._meaning(number) for number in {number for number, _ in ends}}
        hits = [Hit(start, anchor, layers) for start, number in starts for anchor, layers in meanings[number]]
        if len(ends) < limit:
            hits = [hit for hit in hits if _is_possible(data, hit)]
        return sorted([*hits, *candidates], key=_start) if candidates else hits

    def _keep(self, number: int, _start: int = 0, end: int = 0, *_: object) -> bool | None:
        if number == _WORD:
            self._word = self._word or end
            return None
        self._append((number, end))
        return len(self._ends) >= self._most or None

    def _candidates_in(self, data: bytes | memoryview, limit: int) -> Sequence[Hit]:
        word, self._word = self._word, 0
        return [Hit(start, CANDIDATE, (), contexts) for start, contexts in self.runs.contexts(data, limit, word).items()]

    @cached_property
    def runs(self) -> Runs:
        """The second pass. It is compiled or loaded at the first word of a context."""
        from patscan.detect.contexts.runs import Runs

        if self._packed:
            self._unpack()
        return Runs(self._dumped)

    def _meaning(self, number: int) -> list[_Meaning]:
        """The anchors that a literal stands for, with their layers."""
        if number not in self._meant:
            self._meant[number] = [(anchor, tuple(Layer(*fields) for fields in layers)) for anchor, layers in self._literals[number][1]]
        return self._meant[number]

    def _compiled(self) -> Engine:
        """Compile the literals, which takes a tenth of a second, and keep the result for the next process."""
        known = self._meanings(_chains())
        self._literals, self._meant = list(known.items()), {}
        context_words = words.WORDS if self._has_contexts else ()
        expressions = [engine.Expression(engine.literal(literal), number) for number, literal in enumerate(known)]
        expressions += [engine.Expression(engine.literal(word.encode()), _WORD, caseless=True, once=True) for word in context_words]
        compiled = engine.compiled(expressions)
        if compiled is None:
            return Engine("regex", _plain(list(known), context_words), StopIteration)
        if self._kept:
            import marshal

            from patscan.detect.contexts.runs import dumped

            plain: Any = [(literal, [(anchor, tuple(map(tuple, layers))) for anchor, layers in of]) for literal, of in known.items()]
            runs = dumped() if self._has_contexts else b""
            self._kept.file.keep(marshal.dumps((compiled[1], marshal.dumps((plain, runs)))))
        return compiled[0]

    def _loaded(self) -> Engine | None:
        """The result of an earlier process; ``None`` if there is none, or only one for another processor or version of hyperscan."""
        if self._kept is None or self._kept.content is None:
            return None
        import marshal

        database, packed = marshal.loads(self._kept.content)  # noqa: S302 - the seal proves that `_compiled` wrote it
        loaded = engine.loaded(database)
        # The meanings belong to this database: another one numbers its literals differently.
        self._packed = packed if loaded else b""
        return loaded

    def _unpack(self) -> None:
        """Read the meanings of the literals. Most hooks never need them."""
        import marshal

        (self._literals, self._dumped), self._packed = marshal.loads(self._packed), b""  # noqa: S302 - the seal covered it, too

    def _meanings(self, chains: Sequence[Sequence[str]]) -> dict[bytes, list[_Meaning]]:
        """The literals that anchors have behind `chains` of layers, each with its meanings."""
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
        """The numbers of the literals that `content` may contain, by the marks of outermost layers. Each chain's literals are made once."""
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
        """Search for one literal after the other: for the few files of a commit this takes less time than compiling does."""
        self._delay -= len(data)
        if self._delay < 0:
            if self.engine == "find":
                self.engine, self._scan, stopped = self._compiled()
                self._until_stopped = suppress(stopped)
            with self._until_stopped:
                self._scan(data, handler)
            return
        content = bytes(data)
        _report_word(content, words.WORDS if self._has_contexts else (), handler)
        for number in self._numbers(content):
            literal, _ = self._literals[number]
            at = content.find(literal)
            while at >= 0:
                if handler(number, 0, at + len(literal), 0, None):
                    return
                at = content.find(literal, at + 1)


_Meaning = tuple[str, tuple[Layer, ...]]
_WORD = 1 << 30
"""The number of all words of contexts, larger than that of any literal."""


def of_rules(rules: Iterable[Rule], delay: int = 0, kept: Kept | None = None) -> Anchors:
    """The anchors of `rules`, compiled; for `delay` and `kept` see `Anchors`."""
    rules = tuple(rules)
    return Anchors({anchor for rule in rules for anchor in rule.anchors}, delay, kept, any(rule.contexts for rule in rules))


def _start(hit: Hit) -> int:
    return hit.start


def _is_possible(data: bytes | memoryview, hit: Hit) -> bool:
    """Whether `hit` has the fold that it needs, if it is part of a folded form. Most of these short literals are part of another text."""
    outermost = hit.layers[0] if hit.layers else None
    if outermost is None or outermost.name != "base64" or not folds.is_part(outermost.parameter):
        return True
    return folds.is_folded(data, hit.start, outermost.parameter)


def _chains() -> Sequence[tuple[str, ...]]:
    """The chains of layers in which anchors are searched. `patscan.layers` is imported late, because a clean hook doesn't need it."""
    from patscan.layers import PAIRS, STREAMS

    return ((), *PAIRS, *STREAMS)


def _encoded(layer: str) -> Iterator[tuple[bytes, int]]:
    """The words of contexts as they look behind `layer`, not folded."""
    from patscan.layers import LAYERS

    codec = LAYERS[layer]
    for spelling in words.spellings():
        yield from (codec.few or codec.forms)(spelling.encode())


def _report_word(content: bytes, context_words: Sequence[str], handler: engine.Handler) -> None:
    """Call `handler` with the end of the first word in `content`, in letters of any case."""
    lowered = content.lower() if context_words else b""
    if ends := [start + len(word) for word in context_words if (start := lowered.find(word.encode())) >= 0]:
        handler(_WORD, 0, min(ends))


def _plain(literals: list[bytes], context_words: Sequence[str]) -> engine.Scan:
    from patscan.detect.patterns import compile_pattern

    numbers = {literal: number for number, literal in enumerate(literals)}
    # The lookahead finds overlapping literals. Of those with the same start it matches the longest; the others are prefixes of it.
    by_length = sorted(literals, key=len, reverse=True)
    pattern = compile_pattern(b"(?=(" + b"|".join(b"".join(b"\\x%02x" % byte for byte in literal) for literal in by_length) + b"))")

    def scan(data: bytes | memoryview, handler: engine.Handler) -> None:
        _report_word(bytes(data), context_words, handler)
        for match in pattern.finditer(data):
            for length in range(len(match[1]), 3, -1):
                number = numbers.get(bytes(match[1][:length]))
                if number is not None and handler(number, 0, match.start() + length, 0, None):
                    return

    return scan
