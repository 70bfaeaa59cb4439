"""Find the captures in a content: decode around the anchors' hits, match the rules, judge, and choose one claim for each place."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from patscan import layers
from patscan.detect.anchors import CANDIDATE, Anchors, Hit, of_rules
from patscan.detect.decoding import Decoder
from patscan.layers import Reading
from patscan.layers.view import View
from patscan.model import CONFIDENCES, Evidence, Layer, Rule
from patscan.secret import PREFIXES, Secret
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.detect import judge
    from patscan.detect.claims import Claims
    from patscan.detect.contexts.claims import Contexts


_MOST = 10_000
"""Anchors in a compressed stream that are looked at, at most."""
_DEPTH = 3
"""Compressed streams inside each other that are opened, at most."""
_OTHER = rf"(?!{PREFIXES})[A-Za-z0-9_-]".encode()
_WORTH = re.compile(rb"(?:" + _OTHER + rb"){0,2}(?:" + _OTHER + rb"|[\[(\\.{$<@#%*\xe2])")
"""What follows a prefix that isn't just mentioned: three characters of a token, or the beginning of a template."""
_RUN = re.compile(rb"[A-Za-z0-9_.=+/~-]*")
_RUN_AT_MOST, _BEFORE, _AFTER = 160, 80, 256
"""Bytes of a run of a token's characters with its prefix, and the bytes before and after it by which it is judged. A longer run isn't
remembered."""
_BROKEN, _CHECKED, _BEFORE_BREAK = 500, 20_000, 2 << 10
"""Anchors in one text that are read across breaks, which takes a millisecond each; anchors whose run is checked for breaks, which takes
some microseconds each; bytes before an anchor that are read."""
CUT_STREAM = "a compressed stream in it was only partly looked at: it is cut off, longer than 4 MiB, or expands to more than 8 MiB."
CUT_ANCHORS = f"a compressed stream in it was only partly looked at: there are more than {_MOST:,} beginnings of tokens in it."
CUT_DEPTH = f"a compressed stream in it wasn't looked at: it lies in {_DEPTH} others."
CUT_BREAKS = "it has so many beginnings of tokens that only the first ones were read across line breaks, quotes and escapes."
_KEPT = 4096
"""The number of texts around hits whose captures are remembered."""


class Capture(NamedTuple):
    """A secret that a rule matched, and its bytes ``[start, end)`` in the content, which may be encoded."""

    rule: Rule
    secret: Secret
    start: int
    end: int
    layers: tuple[Layer, ...]
    evidence: tuple[Evidence, ...]
    confidence: str
    reason: str
    """Why it isn't a finding (``placeholder``, ``checksum``, ``length``…); empty if it is one."""

    @property
    def encodings(self) -> tuple[str, ...]:
        """The names of the layers, outermost first."""
        return tuple(layer.name for layer in self.layers)


class Matcher:
    """Matches the rules. It can't be pickled, and only one thread may use it, because it has compiled anchors."""

    def __init__(self, rules: Iterable[Rule], anchors: Anchors | None = None) -> None:
        """`anchors` are those of `rules`; without them they are compiled. Patterns are compiled when they are first used."""
        self.rules = tuple(rules)
        self.anchors = anchors or of_rules(self.rules)
        self._by_anchor: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for anchor in rule.anchors:
                self._by_anchor.setdefault(anchor, []).append(rule)
        # The tokens of these rules consist of a prefix and a run of characters, and their patterns read nothing else.
        self._is_prefix = {
            anchor: all(rule.prefix == anchor and not rule.lookback and rule.body != "opaque" and not rule.demands for rule in rules)
            for anchor, rules in self._by_anchor.items()
        }
        self.cuts: set[str] = set()
        """What wasn't read, as sentences. The caller empties it."""
        self._known: dict[tuple[str, int, bool, bytes], tuple[Capture, ...]] = {}
        self._read: dict[tuple[str, int, bool, bytes], Capture | None] = {}

    @cached_property
    def _claims(self) -> Claims:
        from patscan.detect.claims import Claims

        return Claims(self.rules, self._by_anchor)

    @cached_property
    def _contexts(self) -> Contexts:
        from patscan.detect.contexts.claims import Contexts

        return Contexts(self.rules)

    def find(self, data: bytes | memoryview) -> list[Capture]:
        """All tokens in `data`, sorted. They don't overlap: the surest and longest claim has precedence."""
        return self.captures(data, self.anchors.hits(data))

    def captures(self, data: bytes | memoryview, hits: Sequence[Hit], binary: bool | None = None) -> list[Capture]:
        """The tokens at `hits` in `data`, as `find` returns them. `binary` tells whether the content is, of which `data` may be a part."""
        kept: list[Capture] = []
        binary = _is_binary(data) if binary is None else binary
        for capture in sorted(self._captured(data, hits, binary, _DEPTH), key=_rank):
            place = bisect_left(kept, capture.start, key=_start)
            free = place == 0 or kept[place - 1].end <= capture.start
            if (free and (place == len(kept) or capture.end <= kept[place].start)) or _shares_stream(kept, place, capture):
                kept.insert(place, capture)
        return kept

    def _captured(self, data: bytes | memoryview, hits: Sequence[Hit], binary: bool, depth: int) -> Iterator[Capture]:
        data = bytes(data)
        decoder = Decoder(data)
        opened, breaks = 0, Counter[str]()
        covered: dict[str, int] = {}
        for hit in hits:
            if hit.anchor == CANDIDATE:
                yield from self._unprefixed(data, hit, covered)
                continue
            if not hit.anchor:
                if hit.start >= opened:
                    streams = self._streams(data, hit, depth)
                    opened = max((stream.span(0, 1)[1] for stream in streams), default=opened)
                    for stream in streams:
                        yield from self._streamed(stream, depth)
                continue
            if not hit.layers:
                yield from self._undecoded(data, hit, binary, breaks)
                continue
            if best := self._best(decoder.readings(hit), hit, binary):
                yield best
        if decoder.is_cut:
            self.cuts.add(CUT_BREAKS)

    def _undecoded(self, data: bytes, hit: Hit, binary: bool, breaks: Counter[str]) -> Iterator[Capture]:
        """The captures at a hit without layers, which may be in pieces."""
        if self._is_broken(data, hit.start, breaks):
            yield from self._joined(data, hit, binary)
        elif not self._is_prefix[hit.anchor] or _WORTH.match(data, hit.start + len(hit.anchor)):
            yield from self._plain(data, hit, binary)

    def _unprefixed(self, data: bytes, hit: Hit, covered: dict[str, int]) -> Iterator[Capture]:
        """The capture at a candidate; behind a layer, all captures in the text around a context's word."""
        if not hit.layers:
            if pair := self._contexts.at(Reading((), (View(data, hit.start),)), hit.contexts):
                yield _capture(*pair)
            return
        layer = hit.layers[0].name
        if hit.start < covered.get(layer, 0):
            return
        for reading in layers.readings(data, hit.start, hit.layers):
            if reading.view.text:
                covered[layer] = max(covered.get(layer, 0), reading.span(0, len(reading.view.text))[1])
                yield from (_capture(*pair) for pair in self._contexts.within(reading, self.anchors.runs.contexts))

    def _is_broken(self, data: bytes, start: int, counts: Counter[str]) -> bool:
        """See `layers.is_broken`. Above the limits in `counts` it is ``False``, and a cut is recorded."""
        counts["checked"] += 1
        if counts["checked"] > _CHECKED or counts["broken"] >= _BROKEN:
            self.cuts.add(CUT_BREAKS)
            return False
        is_broken = layers.is_broken(data, start)
        counts["broken"] += is_broken
        return is_broken

    def _streams(self, data: bytes, hit: Hit, depth: int) -> list[Reading]:
        """The readings of the compressed stream at a hit. `depth` is how many more streams inside each other are opened."""
        if not depth:
            self.cuts.add(CUT_DEPTH)
            return []
        return list(layers.readings(data, hit.start, hit.layers))

    def _streamed(self, stream: Reading, depth: int) -> Iterator[Capture]:
        """The captures in a compressed stream. Each spans the whole stream, because its bytes depend on all of it."""
        text = stream.view.text
        hits = self.anchors.hits(text, _MOST)
        self.cuts |= {*(() if stream.view.is_whole else (CUT_STREAM,)), *(() if len(hits) < _MOST else (CUT_ANCHORS,))}
        for capture in self._captured(text, hits, _is_binary(text), depth - 1):
            start, end = stream.span(capture.start, capture.end)
            yield capture._replace(start=start, end=end, layers=(*stream.layers_at(capture.start), *capture.layers))

    def _best(self, readings: Iterable[Reading], hit: Hit, binary: bool) -> Capture | None:
        """The surest claim of all readings of one form. Of equally sure claims, the one with the fewest layers."""
        from patscan.detect import judge

        claims, wrapped = [], []
        plain: Reading | None = None
        for reading in readings:
            plain = reading if not reading.layers else plain
            within = binary if not reading.layers else _is_binary(reading.view.text)
            claim = self._claims.at(reading.view, hit.anchor, within)
            is_whole = bool(claim and plain and _is_whole(plain.view.text, claim, reading))
            if claim and (claim := judge.joined(claim, reading.layers, is_whole)):
                claims.append((claim, reading))
                wrapped += [(claim, reading)] * is_whole
        if wrapped and not any(claim.confidence == "certain" for claim, _ in claims):
            claims = wrapped
        if any(claim.reason == "checksum" for claim, _ in claims):
            # The tail follows behind a break, so a claim without it isn't a cut token.
            claims = [(claim, reading) for claim, reading in claims if not judge.is_truncated(claim)]
        if not claims:
            return None
        claim, reading = min(claims, key=_plainest)
        return _capture(claim, reading)

    def _plain(self, data: bytes, hit: Hit, binary: bool) -> Iterator[Capture]:
        """The captures at a hit without layers. Equal texts are matched once, because a file may have one a million times."""
        start = hit.start
        view = View(data, start)
        run = _RUN.match(data, start, start + _RUN_AT_MOST) if self._is_prefix[hit.anchor] else None
        if run is None or run.end() - start >= _RUN_AT_MOST:
            if best := self._best([Reading((), (view,))], hit, binary):
                yield best
            return
        low = max(start - _BEFORE, 0)
        key = hit.anchor, start - low, binary, data[low : start + _AFTER]
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            best = self._best([Reading((), (view,))], hit, binary)
            self._known[key] = (best._replace(start=best.start - start, end=best.end - start),) if best else ()
        for capture in self._known[key]:
            yield capture._replace(start=capture.start + start, end=capture.end + start)

    def _joined(self, data: bytes, hit: Hit, binary: bool) -> Iterator[Capture]:
        """The captures at a hit whose run of characters is broken. Equal texts are read once."""
        low = max(hit.start - _BEFORE_BREAK, 0) & ~3
        key = hit.anchor, hit.start - low, binary, data[low : hit.start + layers.REACH]
        if key not in self._read:
            if len(self._read) >= _BROKEN:
                self._read.clear()
            best = self._best(layers.readings(data, hit.start, ()), hit, binary)
            self._read[key] = best and best._replace(start=best.start - hit.start, end=best.end - hit.start)
        if best := self._read[key]:
            yield best._replace(start=best.start + hit.start, end=best.end + hit.start)


def _capture(claim: judge.Claim, reading: Reading) -> Capture:
    from patscan.detect import own

    start, end = reading.span(claim.start, claim.end)
    token = reading.view.text[claim.start : claim.end]
    known = token.find(claim.rule.prefix.encode())
    prefix = token[: known + len(claim.rule.prefix)] if claim.rule.prefix else b""
    wrapped = reading.layers_at(claim.start)
    return Capture(
        claim.rule,
        Secret(token, prefix, own.key(claim.rule, token)),
        start,
        end,
        wrapped,
        claim.evidence,
        claim.confidence,
        claim.reason,
    )


def _is_whole(content: bytes, claim: judge.Claim, reading: Reading) -> bool:
    """Whether a claim on wrapped lines is one value."""
    if not any(layer.name == "wrapped" for layer in reading.layers):
        return False
    from patscan.detect import wrapping

    return wrapping.is_whole(content, *reading.span(claim.start, claim.end))


def _plainest(pair: tuple[judge.Claim, Reading]) -> tuple[bool, bool, int, int, int]:
    """The sort key of claims: proved ones first, then the longest, because a token without an exact length looks whole when it is cut."""
    claim, reading = pair
    sure = CONFIDENCES.index(claim.confidence)
    longest = claim.start - claim.end if sure and not any(layer.name == "wrapped" for layer in reading.layers) else 0
    return claim.confidence != "certain", not sure, longest, -sure, len(reading.layers)


def _is_binary(data: bytes | memoryview) -> bool:
    """Whether `data` contains a NUL. git checks only the first 8,000 bytes."""
    return b"\0" in bytes(data)


def _shares_stream(kept: Sequence[Capture], place: int, capture: Capture) -> bool:
    """Whether `capture` is another token in the compressed stream of the captures from `place` on."""
    same = [other for other in kept[place:] if other.start == capture.start]
    return bool(same) and all(other.end == capture.end and other.secret != capture.secret and "gzip" in other.encodings for other in same)


def _start(capture: Capture) -> int:
    return capture.start


def _rank(capture: Capture) -> tuple[int, int, bool, int, int]:
    return (
        -CONFIDENCES.index(capture.confidence),
        capture.start - capture.end,
        not capture.rule.prefix,
        len(capture.layers),
        capture.start,
    )
