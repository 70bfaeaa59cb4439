"""Claim candidates for rules by their contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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


def contexts_at(data: bytes, start: int) -> tuple[Context, ...]:
    """The contexts of the run at byte `start`, in the order of the table; none if it isn't a candidate."""
    candidate = candidates.at(data, start)
    if candidate is None:
        return ()
    low = max(candidate.start - candidates.BEFORE, 0)
    near = data[low : candidate.end + candidates.AFTER]
    return _contexts_in(near, candidate._replace(start=candidate.start - low, end=candidate.end - low))


class Contexts:
    """The rules with contexts."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Keep those of `rules` that name contexts."""
        self._rules = [(rule, compile_pattern(rule.pattern.encode())) for rule in rules if rule.contexts]

    def at(self, reading: Reading, contexts: Iterable[Context]) -> tuple[Claim, Reading] | None:
        """The claim on the candidate with `contexts` at a reading's place, and the reading of the claim's bytes; ``None`` without one."""
        text, place = reading.view.text, reading.view.at
        candidate = candidates.at(text, place)
        claim = candidate and self._claim(candidate, contexts)
        if claim is None or candidate is None:
            return None
        if candidate.user is None:
            return claim._replace(start=place + claim.start, end=place + claim.end), reading
        view = next(LAYERS["base64"].views(text, place, 0))
        inner = Reading((*reading.layers, Layer("base64")), (*reading.views, view))
        return claim._replace(start=candidate.at + claim.start, end=candidate.at + claim.end), inner

    def within(
        self, reading: Reading, contexts_in: Callable[[bytes], Mapping[int, tuple[Context, ...]]]
    ) -> Iterator[tuple[Claim, Reading]]:
        """The claims on all candidates in the text of a reading. `contexts_in` returns their contexts by their starts."""
        view = reading.view
        for start, contexts in contexts_in(view.text).items():
            if pair := self.at(reading._replace(views=(*reading.views[:-1], view._replace(at=start))), contexts):
                yield pair

    def _claim(self, candidate: Candidate, contexts: Iterable[Context]) -> Claim | None:
        """The claim on `candidate`, with offsets in its body; ``None`` if no rule with one of `contexts` matches it."""
        for context in contexts:
            for rule, pattern in self._rules:
                if context.id in rule.contexts and (whole := pattern.fullmatch(candidate.body)):
                    start, end = whole.span("secret")
                    return Claim(rule, start, end, tuple(_evidence(context)), "medium")
        return None


@lru_cache(maxsize=_KEPT)
def _contexts_in(text: bytes, candidate: Candidate) -> tuple[Context, ...]:
    """The contexts of a candidate, in the order of the table; none if it is likelier written than drawn."""
    if bits(candidate.body, candidate.symbols) < likelihood.EVEN:
        return ()
    around = reader.surroundings(text, candidate.start, candidate.end, candidate.user)
    if around is None:
        return ()
    named = _named(around.names, around.user, around.is_piped)
    if not named:
        return ()
    before, after = (around.host or around.before).lower(), around.after.lower()
    contexts: dict[str, Context] = {}
    for context in named:
        is_needed = context.id not in contexts  # a second one of the same kind adds no rule
        if is_needed and (context.near is None or context.near.search(before) or context.near.search(after)):
            contexts[context.id] = context
    return tuple(contexts.values())


@lru_cache(maxsize=_KEPT)
def _named(names: tuple[str, ...], user: bytes | None, is_piped: bool) -> tuple[Context, ...]:
    """The contexts to which the names, the user or the pipe of a value belong, in the order of the table."""
    return tuple(
        context
        for context in CONTEXTS
        if (context.name is not None and (any(map(context.name.fullmatch, names)) or (is_piped and context.near is not None)))
        or (context.user is not None and user is not None and context.user.fullmatch(user))
    )


def _evidence(context: Context) -> Iterator[Evidence]:
    yield Evidence("context", {"text": f"no prefix; {context.text}"})
    if context.near:
        yield Evidence("context", {"text": f"{context.beside} stands beside it"})
