"""The look: a worker finds everything that depends on the bytes of a content, while it has them."""

from __future__ import annotations

import gc
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from io import BytesIO
from typing import TYPE_CHECKING

from patscan import lfs
from patscan.archives import STARTS, TAR, USTAR, ZIPS, kind_of
from patscan.archives.limits import Limits, Spent
from patscan.content import IGNORED, OVERLAP, PLACES, Failure, Gap, Key, Looked, Names, Piece, Shard, owns, windows
from patscan.detect import anchors
from patscan.model import Address, Match, Rule

if TYPE_CHECKING:
    from patscan.archives.reader import Chunk
    from patscan.detect.anchors import Hit
    from patscan.detect.matcher import Capture
    from patscan.detect.passages import Passages, Sight
    from patscan.detect.positions import Text
    from patscan.inside import Again
    from patscan.seal import Kept
    from patscan.secret import Secret

_DENSE = 10_000
"""Hits from which a piece is matched in parts of `_PART` bytes. This limits memory for content that is full of anchors."""
_PART = 1 << 20
_FRAMES = 10_000
"""The most matches in one content that keep their frames."""

_LIMITS = Limits()
_STARTS = STARTS | {lfs.BEGIN}
_UNCOUNTED = frozenset({"commit", "ref-name", "path", "tree"})
_CLOSED = frozenset({"commit", "tag", "tree", "ref-name", "path", "symlink", "message"})
"""Kinds of contents that are never archives."""

_looker: _Looker | None = None


def start(rules: tuple[Rule, ...], delay: int = 0, reveal: bool = False, limits: Limits = _LIMITS, kept: Kept | None = None) -> None:
    """Compile the rules. Every worker calls it first, because compiled rules can't be pickled.

    For `delay` and `kept` see `Anchors`. With `reveal`, frames show the tokens. `limits` are those for archives.
    """
    global _looker  # noqa: PLW0603 - an initializer can pass values to tasks only by a global
    _looker = _Looker(rules, anchors.of_rules(rules, delay, kept), reveal, limits)


def look(shard: Shard) -> Looked:
    """All matches in the contents of `shard`, and its coverage."""
    if _looker is None:
        raise AssertionError("look() before start()")
    # The look creates millions of values but no cycles. Garbage collection would take up to a third of its time.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _looker.look(shard)
    finally:
        if collects:
            gc.enable()


class _Looker:
    """Looks at shards with compiled rules."""

    def __init__(self, rules: tuple[Rule, ...], compiled: anchors.Anchors, reveal: bool, limits: Limits) -> None:
        self.anchors = compiled
        self.limits, self.spent = limits, Spent()
        self._rules, self._reveal = rules, reveal

    @cached_property
    def passages(self) -> Passages:
        """The matcher. It is created at the first anchor, because most hooks never find one."""
        from patscan.detect.matcher import Matcher
        from patscan.detect.passages import Passages

        return Passages(Matcher(self._rules, self.anchors), self._reveal)

    def look(self, shard: Shard) -> Looked:
        """See `look`. Names are searched together first, because few are tokens."""
        if isinstance(shard, Names) and not self.anchors.hits(shard.together(), 1):
            return Looked([], [], [], 0, 0, shard.size, tuple(sorted({self.anchors.engine, *shard.engines()})))
        return self._look_at_each(shard)

    def _look_at_each(self, shard: Shard) -> Looked:
        """The loop runs for every content, so it makes few calls."""
        hits_of = self.anchors.hits
        matches: list[Match] = []
        suspicious: list[Key] = []
        failed: list[Failure] = []
        numbers: list[int] = []
        sizes: list[int] = []
        gaps: list[Gap] = []
        commits = blobs = omitted = 0
        archives: list[_Archive] = []
        content: _Content | None = None
        archive: _Archive | None = None
        for piece in shard.pieces(failed):
            key, kind, offset, data, last = piece
            sizes.append(len(data))
            if type(key) is int:
                numbers.append(key)
            if not offset:
                content = archive = None
                commits += kind == "commit"
                blobs += kind not in _UNCOUNTED
                if (data[:2] in _STARTS or data[TAR] == USTAR) and kind not in _CLOSED:
                    archive = _Archive(self, shard, key)
                    archives.append(archive)
            hits = hits_of(data, _DENSE)
            if archive:
                archive.add(piece, hits is anchors.NOTHING)
                if content and archive.is_full:
                    content.forget_again()
            if not hits and last and content is None:
                continue
            if kind == "tree":
                failed.append(Failure(shard.name(key), "its names are looked at one by one.", again=True))
                continue
            content = content or _Content(self, shard, key, again=archive.again if archive else None)
            known = len(matches) + omitted + len(gaps)
            matches += content.matches(piece, hits)
            omitted += content.omitted
            gaps += content.gaps
            content.omitted, content.gaps = 0, []
            if len(matches) + omitted + len(gaps) > known:
                suspicious.append(key)
        engines = {self.anchors.engine, *shard.engines()}
        counted = (array("q", numbers), array("q", sizes)) if numbers else ((), ())
        looked = Looked(matches, suspicious, failed, commits, blobs, sum(sizes), tuple(sorted(engines)), counted, omitted, gaps)
        return _with_archives(archives, looked) if archives else looked


def _with_archives(archives: Sequence[_Archive], looked: Looked) -> Looked:
    """`looked` with the results from inside archives. An archive that wasn't read completely isn't remembered as clean."""
    suspicious = {archive.key for archive in archives if archive.matches or archive.gaps or archive.content_id}
    linked = [archive.linked() for archive in archives if archive.content_id]
    return looked._replace(
        matches=without_duplicates([*looked.matches, *(match for archive in archives for match in archive.matches)]),
        suspicious=[*looked.suspicious, *(suspicious.difference(looked.suspicious))],
        failed=[*looked.failed, *linked],
        omitted=looked.omitted + sum(archive.omitted for archive in archives),
        gaps=[*looked.gaps, *(gap for archive in archives for gap in archive.gaps)],
    )


def _named(gaps: Sequence[Gap], shard: Shard, piece: Piece) -> list[Gap]:
    """`gaps` of one content, with its name and path."""
    sighting = shard.sighting(piece, 0) if gaps else None
    path = sighting.path if sighting else None
    return [gap._replace(name=shard.name(piece.key), path=path) for gap in gaps]


def without_duplicates(matches: Sequence[Match]) -> list[Match]:
    """`matches` without those in an archive's bytes that are also in one of its members: some members aren't compressed."""
    deeper = {
        (match.address.name, match.fingerprint, match.address.members[:depth])
        for match in matches
        for depth in range(len(match.address.members))
    }
    return [match for match in matches if (match.address.name, match.fingerprint, match.address.members) not in deeper]


class _Archive:
    """A content that begins like an archive: its bytes until it is complete, then the results from inside."""

    def __init__(self, looker: _Looker, shard: Shard, key: Key) -> None:
        self.key = key
        self.content_id: str | None = None
        """The id of its Git LFS content, if it is a pointer."""
        self.matches: list[Match] = []
        self.gaps: list[Gap] = []
        self.omitted = 0
        self._looker, self._shard = looker, shard
        self._parts: list[Chunk | bytearray] = []
        self._quiet: list[object] = []
        self._is_zip = self.is_full = False
        self.again: Again = partial(iter, self._parts)
        """Reads the kept bytes again: all, unless the archive `is_full`."""
        self._places: Counter[Secret] = Counter()

    def add(self, piece: Piece, is_quiet: bool) -> None:
        """Add a piece, which is quiet if it has no anchors. The last piece opens the archive."""
        part = memoryview(piece.data)[OVERLAP if piece.offset else 0 :]
        if not piece.offset:
            self.content_id = lfs.content_id(piece.data)
            self._is_zip = part[:2] in ZIPS
        if not self.is_full:
            self._keep(part, is_quiet)
            self.is_full = sum(map(len, self._parts)) > self._looker.limits.held
        if piece.last and (kind := kind_of(self._parts[0])):
            self._open(kind, piece)
        if piece.last:
            self._parts, self._quiet, self.again = [], [], partial(iter, ())

    def _keep(self, part: memoryview, is_quiet: bool) -> None:
        """Keep the bytes of a piece. Only those of a zip are joined, because a zip is read from its end."""
        if not self._is_zip or not self._parts:
            self._parts.append(part)
            self._quiet += [part.obj] if is_quiet else []
            return
        joined = self._parts[0]
        if not isinstance(joined, bytearray):
            joined, self._quiet = bytearray(joined), []
            self._parts[0] = joined
        joined += part

    def linked(self) -> Failure:
        """A `Failure` that makes the source read the pointer's content."""
        name = f"{lfs.AGAIN}{self.content_id}:{self._shard.name(self.key)}"
        return Failure(name, "its content is in Git LFS.", again=True)

    def _open(self, kind: str, piece: Piece) -> None:
        from patscan.inside import Inside

        inside = Inside(piece, self._parts, self._quiet, self._looker.anchors.hits, self._content)
        self.matches = inside.matches(kind, self._looker.limits, self._looker.spent)
        self.gaps, self.omitted = _named(inside.gaps, self._shard, piece), inside.omitted

    def _content(self, members: tuple[str, ...], again: Again | None) -> _Content:
        return _Content(self._looker, self._shard, self.key, members, self._places, again)


class _Content:
    """The state of one content while its pieces arrive: counts of tokens, and the current line."""

    def __init__(
        self,
        looker: _Looker,
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
        self._looker, self._shard, self._name = looker, shard, shard.name(key)
        self._places: Counter[Secret] = Counter() if places is None else places
        self._listed = 0
        self._ignored: Counter[str] = Counter()
        self._text: Text | None = None
        self._offset = 0
        self._again = again

    def matches(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        """The matches in one piece. `hits` are its anchors, at most `_DENSE`."""
        if not hits:
            self._text_at(bytes(piece.data), piece.offset)
            return
        if len(hits) < _DENSE:
            yield from self._part(piece, hits)
            return
        for offset, data, last in windows(BytesIO(piece.data).read, _PART):
            part = Piece(piece.key, piece.kind, piece.offset + offset, data, piece.last and last)
            yield from self._part(part, self._looker.anchors.hits(data))

    def _part(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        data = bytes(piece.data)
        text = self._text_at(data, piece.offset)

        def is_listed(capture: Capture) -> bool:
            return owns(piece.offset, piece.last, len(data), capture.start) and self._is_listed(capture)

        passages = self._looker.passages
        for base, sight in passages.sights(text, hits, is_listed):
            yield self._match(piece, text, base + sight.capture.start, base + sight.capture.end, sight)
        cuts = [Gap(piece.key, self._members, reason, ours=False) for reason in passages.cuts()]
        self.gaps += _named(cuts, self._shard, piece)

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
        self._places[capture.secret] += 1
        if capture.reason:
            self._ignored[capture.reason] += 1
        if self._places[capture.secret] <= PLACES and self._ignored[capture.reason] <= IGNORED:
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
