"""A candidate and its surroundings -> the rule that it belongs to, with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from patscan.detect import likelihood
from patscan.detect.contexts import candidates, reader
from patscan.detect.contexts.candidates import Candidate, Candidates
from patscan.detect.contexts.table import CONTEXTS, Context
from patscan.detect.judge import ALPHABETS, Claim
from patscan.detect.patterns import compile_pattern
from patscan.layers import LAYERS, Reading
from patscan.model import Evidence, Layer, Rule

_KEPT = 4096
"""Neighbourhoods whose claims are remembered: a file may hold one text a million times."""


class Contexts:
    """The rules that contexts carry."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Keep those of `rules` that name contexts."""
        self._rules = [(rule, compile_pattern(rule.pattern.encode())) for rule in rules if rule.contexts]
        self._known: dict[tuple[bytes, int], Claim | None] = {}

    def at(self, reading: Reading) -> tuple[Claim, Reading] | None:
        """The claim on the candidate at a reading's place, and the reading that its bytes are counted in."""
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

    def within(self, reading: Reading, passes: Candidates) -> Iterator[tuple[Claim, Reading]]:
        """The claims on all candidates in the text of a reading."""
        view = reading.view
        for start in passes.starts(view.text):
            if pair := self.at(reading._replace(views=(*reading.views[:-1], view._replace(at=start)))):
                yield pair

    def _claim(self, text: bytes, candidate: Candidate) -> Claim | None:
        low = max(candidate.start - candidates.BEFORE, 0)
        key = text[low : candidate.end + candidates.AFTER], candidate.start - low
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = self.claim(text, candidate)
        return self._known[key]

    def claim(self, text: bytes, candidate: Candidate) -> Claim | None:
        """What `candidate` in `text` is, its bytes counted from its body; ``None`` if nothing around it says that it is a token."""
        body = candidate.body
        around = reader.surroundings(text, candidate.start, candidate.end, candidate.user)
        if around is None:
            return None
        for context, seen in _holding(around):
            for rule, pattern in self._rules:
                if context.id in rule.contexts and (whole := pattern.fullmatch(body)):
                    start, end = whole.span("secret")
                    return _claim(rule, body[start:end], start, end, seen)
        return None


def _claim(rule: Rule, body: bytes, start: int, end: int, seen: tuple[Evidence, ...]) -> Claim | None:
    alphabet = ALPHABETS[rule.body]
    if reason := likelihood.placeholder(body, alphabet):
        return Claim(rule, start, end, (Evidence("likelihood", {"text": reason}), *seen), "low", "placeholder")
    return Claim(rule, start, end, seen, "medium")


def _holding(around: reader.Surroundings) -> Iterator[tuple[Context, tuple[Evidence, ...]]]:
    """The contexts that hold, each with what was seen."""
    before, after = (around.host or around.before).lower(), around.after.lower()
    for context in CONTEXTS:
        if not _is_named(context, around):
            continue
        if context.near is None:
            yield context, (_evidence(f"no prefix of its own; {context.text}"),)
        elif context.near.search(before) or context.near.search(after):
            yield context, (_evidence(f"no prefix of its own; {context.text}"), _evidence(f"{context.beside} stands beside it"))


def _is_named(context: Context, around: reader.Surroundings) -> bool:
    if context.name is not None:
        return any(context.name.fullmatch(name) for name in around.names) or (around.is_piped and context.near is not None)
    return context.user is not None and around.user is not None and context.user.fullmatch(around.user) is not None


def _evidence(text: str) -> Evidence:
    return Evidence("context", {"text": text})
