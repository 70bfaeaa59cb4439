"""The look, in a worker, with the bytes in hand: everything that bytes can tell is found now, then they are gone."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING

from patscan.content import Failure, Key, Looked, Piece, Shard, owns, windows
from patscan.detect.matcher import Matcher
from patscan.model import PLACES, Address, Match, Rule

if TYPE_CHECKING:
    from patscan.detect.anchors import Hit
    from patscan.detect.matcher import Capture
    from patscan.detect.passages import Passages, Sight
    from patscan.detect.positions import Text
    from patscan.secret import Secret

_DENSE = 10_000
"""Hits from which on a piece is matched in parts of `_PART` bytes: content made of nothing but anchors takes bounded memory, too."""
_PART = 1 << 20
_FRAMES = 10_000
"""Matches in one content that keep their frames."""

_looker: _Looker | None = None


def start(rules: tuple[Rule, ...], unhurried: int = 0, reveal: bool = False) -> None:
    """Compile the rules, which every worker does first, for what is compiled can't be sent.

    `unhurried`: see `Anchors`. `reveal`: frames show the tokens.
    """
    global _looker  # noqa: PLW0603 - an executor's initializer has no other way to leave something for its tasks
    _looker = _Looker(rules, unhurried, reveal)


def look(shard: Shard) -> Looked:
    """Every match in the contents of `shard`, and what was looked at."""
    if _looker is None:
        raise AssertionError("look() before start()")
    return _looker.look(shard)


class _Looker:
    """The compiled rules."""

    def __init__(self, rules: tuple[Rule, ...], unhurried: int, reveal: bool) -> None:
        self._matcher, self._reveal = Matcher(rules, unhurried), reveal
        self.anchors = self._matcher.anchors

    @cached_property
    def passages(self) -> Passages:
        """What matches; made when there is an anchor, for most hooks never meet one."""
        from patscan.detect.passages import Passages

        return Passages(self._matcher, self._reveal)

    def look(self, shard: Shard) -> Looked:
        """See `look`. The loop runs over every content there is, so it calls as little as it can."""
        hits_of = self.anchors.hits
        matches: list[Match] = []
        suspicious: list[Key] = []
        failed: list[Failure] = []
        numbers: list[int] = []
        sizes: list[int] = []
        commits = blobs = omitted = 0
        content: _Content | None = None
        for piece in shard.pieces(failed):
            key, kind, offset, data, last = piece
            sizes.append(len(data))
            if type(key) is int:
                numbers.append(key)
            if not offset:
                content = None
                if kind == "commit":
                    commits += 1
                elif kind not in {"ref-name", "path", "tree"}:
                    blobs += 1
            hits = hits_of(data, _DENSE)
            if not hits and last and content is None:
                continue
            if kind == "tree":
                failed.append(Failure(shard.name(key), "its names are looked at one by one.", again=True))
                continue
            content = content or _Content(self, shard, key)
            known = len(matches) + omitted
            matches += content.matches(piece, hits)
            omitted += content.omitted
            content.omitted = 0
            if len(matches) + omitted > known:
                suspicious.append(key)
        engines = {self.anchors.engine, *shard.engines()}
        counted = (array("q", numbers), array("q", sizes)) if numbers else ((), ())
        return Looked(matches, suspicious, failed, commits, blobs, sum(sizes), tuple(sorted(engines)), counted, omitted)


class _Content:
    """One content while its pieces come by: how often each token stood in it, and where its lines stand."""

    def __init__(self, looker: _Looker, shard: Shard, key: Key) -> None:
        self.omitted = 0
        self._looker, self._shard, self._name = looker, shard, shard.name(key)
        self._places: Counter[Secret] = Counter()
        self._listed = 0
        self._text: Text | None = None
        self._offset = 0

    def matches(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        """The matches in one piece, of which `hits` are the anchors: all of them, or as many as make it a dense one."""
        if len(hits) < _DENSE:
            yield from self._part(piece, hits)
            return
        for offset, data, last in windows(BytesIO(piece.data).read, _PART):
            part = Piece(piece.key, piece.kind, piece.offset + offset, data, piece.last and last)
            yield from self._part(part, self._looker.anchors.hits(data))

    def _part(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        data = bytes(piece.data)
        text = self._moved(data, piece.offset)

        def is_listed(capture: Capture) -> bool:
            return owns(piece.offset, piece.last, len(data), capture.start) and self._is_listed(capture)

        for base, sight in self._looker.passages.sights(text, hits, is_listed):
            yield self._match(piece, text, base + sight.capture.start, base + sight.capture.end, sight)

    def _moved(self, data: bytes, offset: int) -> Text:
        """The text of the part at `offset`; lines are counted on from the part before."""
        from patscan.detect.positions import Text

        self._text = Text.starting(data) if self._text is None else self._text.then(data, offset - self._offset)
        self._offset = offset
        return self._text

    def _is_listed(self, capture: Capture) -> bool:
        self._places[capture.secret] += 1
        if self._places[capture.secret] <= PLACES:
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
            Address(self._name, piece.offset + start, piece.offset + end, capture.layers),
            position,
            sight.frame if self._listed <= _FRAMES else (),
            position.line - sight.lines_before,
            capture.evidence,
            capture.confidence,
            capture.reason,
            comment and comment._replace(line=comment.line + position.line),
            self._shard.sighting(piece, start),
        )
