"""Content -> matches: the anchors' hits, read back from their encoding, claimed by rules, judged, one claim for each place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from patscan.detect import encodings
from patscan.detect.anchors import MAX_HITS, Anchors, Hit
from patscan.detect.patterns import TIME_LIMIT, compile_pattern
from patscan.model import CONFIDENCES, Match, Rule, Secret

if TYPE_CHECKING:
    import regex

    from patscan.detect import judge


class Matcher:
    """The rules, ready to search. Holds compiled anchors, so it is neither picklable nor to be shared between threads."""

    def __init__(self, rules: Iterable[Rule], unhurried: int = 0) -> None:
        """Compile the anchors of `rules`, not before `unhurried` bytes were searched; patterns are compiled when first needed."""
        self.rules = tuple(rules)
        self._by_anchor: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for anchor in rule.anchors:
                self._by_anchor.setdefault(anchor, []).append(rule)
        self.anchors = Anchors(self._by_anchor, unhurried)
        self._patterns: dict[str, regex.Pattern[bytes]] = {}

    def suspicious(self, data: bytes | memoryview) -> bool:
        """The first look: whether `data` is worth a second one. Never ``False`` where `find` finds anything."""
        if not self.anchors.present(data):
            return False
        hits = self.anchors.hits(data)
        return len(hits) >= MAX_HITS or any(True for _ in self._found(data, hits))

    def find(self, data: bytes | memoryview) -> list[Match]:
        """Every match in `data`, sorted, none overlapping another: the surest and longest claim holds a place."""
        hits = self.anchors.hits(data, limit=1 << 62)
        kept: list[Match] = []
        for match in sorted(self._found(data, hits), key=_rank):
            place = bisect_left(kept, match.start, key=_start)
            free = place == 0 or kept[place - 1].end <= match.start
            if free and (place == len(kept) or match.end <= kept[place].start):
                kept.insert(place, match)
        return kept

    def _found(self, data: bytes | memoryview, hits: list[Hit]) -> Iterator[Match]:
        # Hits stand close together where somebody encoded a whole file: one view serves many.
        views: dict[str, encodings.View] = {}
        for hit in hits:
            last = views.get(hit.encoding)
            view = (last and last.moved(hit.start, hit.anchor)) or encodings.view(data, hit.start, hit.encoding, hit.phase)
            if view is None:
                continue
            views[hit.encoding] = view
            for claim in self._claims(view, hit.anchor):
                yield _match(claim, view, hit.encoding)

    def _claims(self, view: encodings.View, anchor: str) -> Iterator[judge.Claim]:
        from patscan.detect import judge

        rules = self._by_anchor[anchor]
        claims = [claim for rule in rules for claim in self._of_rule(rule, view, len(anchor))]
        if claims:
            # A length field that fits makes it routable, never classic, even when the checksum is wrong.
            yield min(
                claims, key=lambda claim: (claim.rule.body != "routable", -CONFIDENCES.index(claim.confidence), claim.start - claim.end)
            )
        elif rules[0].prefix == anchor and (claim := judge.near_miss(rules[0], view.text, view.at)):
            yield claim

    def _of_rule(self, rule: Rule, view: encodings.View, width: int) -> Iterator[judge.Claim]:
        pattern = self._patterns.get(rule.pattern)
        if pattern is None:
            pattern = self._patterns[rule.pattern] = compile_pattern(rule.pattern.encode())
        if rule.lookback:
            low, high = max(view.at - rule.lookback, 0), view.at + width + 512
            spans = [
                found.span("secret")
                for found in pattern.finditer(view.text, low, high, overlapped=False, timeout=TIME_LIMIT)
                if found.start() <= view.at and view.at + width <= found.end()
            ]
        else:
            found = pattern.match(view.text, view.at, timeout=TIME_LIMIT)
            spans = [found.span("secret")] if found else []
        for start, end in spans:
            from patscan.detect import judge

            claim = judge.judge(rule, view.text, start, end)
            if claim:
                yield claim if rule.prefix else self._of_kind(claim, view.text)

    def _of_kind(self, claim: judge.Claim, text: bytes) -> judge.Claim:
        """A token that a rule without prefix found belongs to the rule whose prefix it turned out to have."""
        from patscan.detect import routable

        token = text[claim.start : claim.end]
        for rule in self.rules:
            if rule.prefix and rule.prefix.encode() in token[: routable.MAX_PREFIX + 1] and claim.rule.body == "routable":
                return claim._replace(rule=rule)
        return claim


def _match(claim: judge.Claim, view: encodings.View, encoding: str) -> Match:
    start, end = view.span(claim.start, claim.end)
    token = view.text[claim.start : claim.end]
    known = token.find(claim.rule.prefix.encode())
    prefix = token[: known + len(claim.rule.prefix)] if claim.rule.prefix else b""
    return Match(
        claim.rule,
        Secret(token, prefix),
        start,
        end,
        () if encoding == "plain" else (encoding,),
        claim.evidence,
        claim.confidence,
        claim.reason,
    )


def _start(match: Match) -> int:
    return match.start


def _rank(match: Match) -> tuple[int, int, bool, int]:
    return (-CONFIDENCES.index(match.confidence), match.start - match.end, not match.rule.prefix, match.start)
