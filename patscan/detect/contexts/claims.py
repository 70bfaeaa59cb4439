"""Claim candidates for rules by their contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from patscan.detect import likelihood
from patscan.detect.contexts import candidates, reader
from patscan.detect.contexts.candidates import Candidate
from patscan.detect.contexts.table import CONTEXTS, Context
from patscan.detect.judge import Claim
from patscan.detect.patterns import compile_pattern
from patscan.detect.written import bits
from patscan.layers import LAYERS, Reading
from patscan.model import Evidence, Layer, Rule

_KEPT = 8192
"""Surroundings whose contexts are remembered. A history may have the same ones in hundreds of versions, a file a million times."""


def has_context(data: bytes, start: int) -> bool:
    """Whether the run at byte `start` is a candidate with a context."""
    candidate = candidates.at(data, start)
    return candidate is not None and bool(_contexts(data, candidate))


class Contexts:
    """The rules with contexts."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Keep those of `rules` that name contexts."""
        self._rules = [(rule, compile_pattern(rule.pattern.encode())) for rule in rules if rule.contexts]

    def at(self, reading: Reading) -> tuple[Claim, Reading] | None:
        """The claim on the candidate at a reading's place, and the reading of the claim's bytes; ``None`` if there is no claim."""
        text, place = reading.view.text, reading.view.at
        candidate = candidates.at(text, place)
        claim = candidate and self._claim(text, candidate)
        if claim is None or candidate is None:
            return None
        if candidate.user is None:
            return claim._replace(start=place + claim.start, end=place + claim.end), reading
        view = next(LAYERS["base64"].views(text, place, 0))
        inner = Reading((*reading.layers, Layer("base64")), (*reading.views, view))
        return claim._replace(start=candidate.at + claim.start, end=candidate.at + claim.end), inner

    def within(self, reading: Reading, starts: Callable[[bytes], Iterable[int]]) -> Iterator[tuple[Claim, Reading]]:
        """The claims on all candidates in the text of a reading. `starts` returns where they begin."""
        view = reading.view
        for start in starts(view.text):
            if pair := self.at(reading._replace(views=(*reading.views[:-1], view._replace(at=start)))):
                yield pair

    def _claim(self, text: bytes, candidate: Candidate) -> Claim | None:
        """The claim on `candidate`, with offsets in its body; ``None`` if it has no context."""
        for context in _contexts(text, candidate):
            for rule, pattern in self._rules:
                if context.id in rule.contexts and (whole := pattern.fullmatch(candidate.body)):
                    start, end = whole.span("secret")
                    return Claim(rule, start, end, tuple(_evidence(context)), "medium")
        return None


def _contexts(text: bytes, candidate: Candidate) -> tuple[Context, ...]:
    low = max(candidate.start - candidates.BEFORE, 0)
    near = text[low : candidate.end + candidates.AFTER]
    return _contexts_in(near, candidate._replace(start=candidate.start - low, end=candidate.end - low))


@lru_cache(maxsize=_KEPT)
def _contexts_in(text: bytes, candidate: Candidate) -> tuple[Context, ...]:
    """The contexts of a candidate, in the order of the table; none if it is likelier written than drawn."""
    if bits(candidate.body, candidate.symbols) < likelihood.EVEN:
        return ()
    around = reader.surroundings(text, candidate.start, candidate.end, candidate.user)
    if around is None:
        return ()
    before, after = (around.host or around.before).lower(), around.after.lower()
    return tuple(
        context
        for context in CONTEXTS
        if _is_named(context, around) and (context.near is None or context.near.search(before) or context.near.search(after))
    )


def _is_named(context: Context, around: reader.Surroundings) -> bool:
    if context.name is not None:
        return any(context.name.fullmatch(name) for name in around.names) or (around.is_piped and context.near is not None)
    return context.user is not None and around.user is not None and context.user.fullmatch(around.user) is not None


def _evidence(context: Context) -> Iterator[Evidence]:
    yield Evidence("context", {"text": f"no prefix; {context.text}"})
    if context.near:
        yield Evidence("context", {"text": f"{context.beside} stands beside it"})
