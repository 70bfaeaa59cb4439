"""The matches in one content while its pieces arrive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from io import BytesIO
from typing import TYPE_CHECKING

from patscan.archives.limits import Limits, Spent
from patscan.content import IGNORED, PLACES, Gap, Key, Piece, Shard, owns, windows
from patscan.detect.anchors import Anchors
from patscan.model import Address, Match, Rule

if TYPE_CHECKING:
    from patscan.detect.anchors import Hit
    from patscan.detect.matcher import Capture
    from patscan.detect.passages import Passages, Sight
    from patscan.detect.positions import Text
    from patscan.inside import Again
    from patscan.secret import Secret

DENSE = 10_000
"""Hits from which a piece is matched in parts of `_PART` bytes. This limits memory for content that is full of anchors."""
_PART = 1 << 20
_FRAMES = 10_000
"""The most matches in one content that keep their frames."""


class Tools:
    """What a worker looks with: compiled rules, and the limits for archives with what was spent of them."""

    def __init__(self, rules: tuple[Rule, ...], anchors: Anchors, reveal: bool, limits: Limits) -> None:
        """With `reveal`, frames show the tokens."""
        self.anchors = anchors
        self.limits, self.spent = limits, Spent()
        self._rules, self._reveal = rules, reveal

    @cached_property
    def passages(self) -> Passages:
        """The matcher. It is created at the first anchor, because most hooks never find one."""
        from patscan.detect.matcher import Matcher
        from patscan.detect.passages import Passages

        return Passages(Matcher(self._rules, self.anchors), self._reveal)


class Content:
    """The state of one content while its pieces arrive: counts of tokens, and the current line."""

    def __init__(
        self,
        tools: Tools,
        shard: Shard,
        key: Key,
        members: tuple[str, ...] = (),
        places: Counter[Secret] | None = None,
        again: Again | None = None,
    ) -> None:
        """`members` is its path in an archive. `places` counts each token's places in the whole archive.

        With `again`, lines are counted only if there is a match: then the content is read again.
        """
        self.omitted = 0
        self.gaps: list[Gap] = []
        """What wasn't unpacked in the pieces so far."""
        self._members = members
        self._tools, self._shard, self._name = tools, shard, shard.name(key)
        self._places: Counter[Secret] = Counter() if places is None else places
        self._listed = 0
        self._ignored: Counter[str] = Counter()
        self._text: Text | None = None
        self._offset = 0
        self._again = again

    def matches(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        """The matches in one piece. `hits` are its anchors, at most `DENSE`."""
        if not hits:
            self._text_at(bytes(piece.data), piece.offset)
            return
        if len(hits) < DENSE:
            yield from self._part(piece, hits)
            return
        for offset, data, last in windows(BytesIO(piece.data).read, _PART):
            part = Piece(piece.key, piece.kind, piece.offset + offset, data, piece.last and last)
            yield from self._part(part, self._tools.anchors.hits(data))

    def _part(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        data = bytes(piece.data)
        text = self._text_at(data, piece.offset)

        def is_listed(capture: Capture, base: int) -> bool:
            return owns(piece.offset, piece.last, len(data), base + capture.start) and self._is_listed(capture)

        passages = self._tools.passages
        for base, sight in passages.sights(text, hits, is_listed):
            yield self._match(piece, text, base + sight.capture.start, base + sight.capture.end, sight)
        cuts = [Gap(piece.key, self._members, reason, ours=False, is_layer=True) for reason in passages.cuts()]
        self.gaps += named(cuts, self._shard, piece)

    def _text_at(self, data: bytes, offset: int) -> Text:
        """The text of the part at `offset`, with line numbers that continue from the previous part."""
        from patscan.detect.positions import Text

        if self._text is None:
            self._text = Text.starting(data)
        elif self._again and not (self._offset and self._text.is_placed):
            self._text = self._text.later(data, partial(self._begin, self._again, offset))
        else:
            self._text = self._text.then(data, offset - self._offset)
        self._offset = offset
        return self._text

    def forget_again(self) -> None:
        """Count lines from now on, because the content can't be read again."""
        self._again = None

    def _begin(self, again: Again, offset: int) -> tuple[int, int]:
        """Line and column at `offset`."""
        from patscan.detect.positions import Text

        text, begin, end = Text.starting(b""), 0, 0
        for chunk in again():
            data = bytes(chunk)
            text, begin = text.then(data, end - begin) if end else Text.starting(data), end
            end += len(data)
            if end >= offset:
                break
        return text.at(offset - begin)

    def _is_listed(self, capture: Capture) -> bool:
        places = self._places[capture.secret] = self._places[capture.secret] + 1
        if capture.reason:
            self._ignored[capture.reason] += 1
        if places <= PLACES and self._ignored[capture.reason] <= IGNORED:
            self._listed += 1
            return True
        self.omitted += 1
        return False

    def _match(self, piece: Piece, text: Text, start: int, end: int, sight: Sight) -> Match:
        capture, comment = sight.capture, sight.ignore
        position = text.position(start, end)
        return Match(
            capture.rule,
            capture.secret,
            sight.fingerprint,
            Address(self._name, piece.offset + start, piece.offset + end, capture.layers, self._members),
            position,
            sight.frame if self._listed <= _FRAMES else (),
            position.line - sight.lines_before,
            capture.evidence,
            capture.confidence,
            capture.reason,
            comment and comment._replace(line=comment.line + position.line),
            self._shard.sighting(piece, start),
        )


def named(gaps: Sequence[Gap], shard: Shard, piece: Piece) -> list[Gap]:
    """`gaps` of one content, with its name and path."""
    sighting = shard.sighting(piece, 0) if gaps else None
    path = sighting.path if sighting else None
    return [gap._replace(name=shard.name(piece.key), path=path) for gap in gaps]
