"""Content -> captures: the anchors' hits, read back from their encoding, claimed by rules, judged, one claim for each place."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from patscan import layers
from patscan.detect.anchors import Anchors, Hit
from patscan.detect.patterns import TIME_LIMIT, Pattern, compile_pattern
from patscan.layers.view import View
from patscan.model import CONFIDENCES, Evidence, Layer, Rule
from patscan.secret import Secret

if TYPE_CHECKING:
    from patscan.detect import judge


_OTHER = rb"(?!gl[a-z]{2,6}-|GR1348941)[A-Za-z0-9_-]"
_WORTH = re.compile(rb"(?:" + _OTHER + rb"){0,2}(?:" + _OTHER + rb"|[\[(\\.{$<@#%*\xe2])")
"""What has to stand behind a prefix to be more than a mention: three letters of a token, or the beginning of a template."""
_RUN = re.compile(rb"[A-Za-z0-9_.=+/~-]*")
_RUN_AT_MOST, _BEFORE, _AFTER = 160, 80, 256
"""Bytes of a run of a token's letters, its prefix included, and what is read before and after it to judge it. A longer run is read anew."""
_KEPT = 4096
"""Texts around hits whose captures are remembered."""


class Capture(NamedTuple):
    """What a rule captured in a content: the secret, and the bytes it stands in (encoded or not), half-open."""

    rule: Rule
    secret: Secret
    start: int
    end: int
    layers: tuple[Layer, ...]
    evidence: tuple[Evidence, ...]
    confidence: str
    reason: str
    """Why it isn't a finding (``placeholder``, ``checksum``, ``length``…); empty when it is one."""

    @property
    def encodings(self) -> tuple[str, ...]:
        """The names of the layers, outermost first."""
        return tuple(layer.name for layer in self.layers)


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
        self._patterns: dict[str, Pattern] = {}
        # Nothing but letters of a token makes one of these rules' tokens, and none reads further than a run of them.
        self._is_prefix = {
            anchor: all(rule.prefix == anchor and not rule.lookback and rule.body != "opaque" for rule in rules)
            for anchor, rules in self._by_anchor.items()
        }
        self._known: dict[tuple[str, int, bytes], tuple[Capture, ...]] = {}

    def find(self, data: bytes | memoryview) -> list[Capture]:
        """Every token in `data`, sorted, none overlapping another: the surest and longest claim holds a place."""
        return self.captures(data, self.anchors.hits(data))

    def captures(self, data: bytes | memoryview, hits: Sequence[Hit]) -> list[Capture]:
        """`find`, where the anchors' hits are known."""
        kept: list[Capture] = []
        for capture in sorted(self._captured(data, hits), key=_rank):
            place = bisect_left(kept, capture.start, key=_start)
            free = place == 0 or kept[place - 1].end <= capture.start
            if free and (place == len(kept) or capture.end <= kept[place].start):
                kept.insert(place, capture)
        return kept

    def _captured(self, data: bytes | memoryview, hits: Sequence[Hit]) -> Iterator[Capture]:
        data = bytes(data)
        # Hits stand close together where somebody encoded a whole file: one view serves many.
        views: dict[tuple[Layer, ...], View] = {}
        for hit in hits:
            if not hit.layers:
                yield from self._plain(data, hit)
                continue
            last = views.get(hit.layers)
            view = (last and layers.serves(last, hit.start, hit.anchor)) or layers.view(data, hit.start, hit.layers)
            if view is None:
                continue
            views[hit.layers] = view
            for claim in self._claims(view, hit.anchor):
                yield _capture(claim, view, hit)

    def _plain(self, data: bytes, hit: Hit) -> Iterator[Capture]:
        """What stands at a hit that is behind no layer. A file may hold the same text a million times: it is claimed once."""
        start = hit.start
        if self._is_prefix[hit.anchor] and not _WORTH.match(data, start + len(hit.anchor)):
            return
        view = View(data, start)
        run = _RUN.match(data, start, start + _RUN_AT_MOST) if self._is_prefix[hit.anchor] else None
        if run is None or run.end() - start >= _RUN_AT_MOST:
            for claim in self._claims(view, hit.anchor):
                yield _capture(claim, view, hit)
            return
        low = max(start - _BEFORE, 0)
        key = hit.anchor, start - low, data[low : start + _AFTER]
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            captures = [_capture(claim, view, hit) for claim in self._claims(view, hit.anchor)]
            self._known[key] = tuple(one._replace(start=one.start - start, end=one.end - start) for one in captures)
        for one in self._known[key]:
            yield one._replace(start=one.start + start, end=one.end + start)

    def _claims(self, view: View, anchor: str) -> Iterator[judge.Claim]:
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

    def _of_rule(self, rule: Rule, view: View, width: int) -> Iterator[judge.Claim]:
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


def _capture(claim: judge.Claim, view: View, hit: Hit) -> Capture:
    start, end = view.span(claim.start, claim.end)
    token = view.text[claim.start : claim.end]
    known = token.find(claim.rule.prefix.encode())
    prefix = token[: known + len(claim.rule.prefix)] if claim.rule.prefix else b""
    return Capture(claim.rule, Secret(token, prefix), start, end, hit.layers, claim.evidence, claim.confidence, claim.reason)


def _start(capture: Capture) -> int:
    return capture.start


def _rank(capture: Capture) -> tuple[int, int, bool, int]:
    return (-CONFIDENCES.index(capture.confidence), capture.start - capture.end, not capture.rule.prefix, capture.start)
