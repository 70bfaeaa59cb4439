"""The look, in a worker, with the bytes in hand: everything that bytes can tell is found now, then they are gone."""

from __future__ import annotations

import gc
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING

from patscan import lfs
from patscan.archives import STARTS, TAR, USTAR, kind_of
from patscan.archives.limits import Account, Limits, Spent
from patscan.content import IGNORED, OVERLAP, PLACES, Failure, Gap, Key, Looked, Piece, Shard, owns, windows
from patscan.detect import anchors
from patscan.model import Address, Match, Rule

if TYPE_CHECKING:
    from patscan.detect.anchors import Hit
    from patscan.detect.matcher import Capture
    from patscan.detect.passages import Passages, Sight
    from patscan.detect.positions import Text
    from patscan.seal import Kept
    from patscan.secret import Secret

_DENSE = 10_000
"""Hits from which on a piece is matched in parts of `_PART` bytes: content made of nothing but anchors takes bounded memory, too."""
_PART = 1 << 20
_FRAMES = 10_000
"""Matches in one content that keep their frames."""

_LIMITS = Limits()
_STARTS = STARTS | {lfs.BEGIN}
_UNCOUNTED = frozenset({"commit", "ref-name", "path", "tree"})
_CLOSED = frozenset({"commit", "tag", "tree", "ref-name", "path", "symlink", "message"})
"""Kinds of contents that are never archives."""

_looker: _Looker | None = None


def start(rules: tuple[Rule, ...], unhurried: int = 0, reveal: bool = False, limits: Limits = _LIMITS, kept: Kept | None = None) -> None:
    """Compile the rules, which every worker does first, for what is compiled can't be sent.

    `unhurried`, `kept`: see `Anchors`. `reveal`: frames show the tokens. `limits`: how far archives are opened.
    """
    global _looker  # noqa: PLW0603 - an executor's initializer has no other way to leave something for its tasks
    _looker = _Looker(rules, anchors.of_rules(rules, unhurried, kept), reveal, limits)


def look(shard: Shard) -> Looked:
    """Every match in the contents of `shard`, and what was looked at."""
    if _looker is None:
        raise AssertionError("look() before start()")
    # A look makes no cycles, only millions of values: looking for cycles takes up to a third of its time.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _looker.look(shard)
    finally:
        if collects:
            gc.enable()


class _Looker:
    """The compiled rules."""

    def __init__(self, rules: tuple[Rule, ...], compiled: anchors.Anchors, reveal: bool, limits: Limits) -> None:
        self.anchors = compiled
        self.limits, self.spent = limits, Spent()
        self._rules, self._reveal = rules, reveal

    @cached_property
    def passages(self) -> Passages:
        """What matches; made when there is an anchor, for most hooks never meet one."""
        from patscan.detect.matcher import Matcher
        from patscan.detect.passages import Passages

        return Passages(Matcher(self._rules, self.anchors), self._reveal)

    def look(self, shard: Shard) -> Looked:
        """See `look`. The loop runs over every content there is, so it calls as little as it can."""
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
            if archive:
                archive.add(piece)
            hits = hits_of(data, _DENSE)
            if not hits and last and content is None:
                continue
            if kind == "tree":
                failed.append(Failure(shard.name(key), "its names are looked at one by one.", again=True))
                continue
            content = content or _Content(self, shard, key)
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
        return _with(archives, looked) if archives else looked


def _with(archives: Sequence[_Archive], looked: Looked) -> Looked:
    """`looked` with what lies inside these of its contents. One that wasn't read whole isn't to be remembered as clean."""
    suspicious = {archive.key for archive in archives if archive.matches or archive.gaps or archive.content_id}
    linked = [archive.linked() for archive in archives if archive.content_id]
    return looked._replace(
        matches=apart([*looked.matches, *(match for archive in archives for match in archive.matches)]),
        suspicious=[*looked.suspicious, *(suspicious.difference(looked.suspicious))],
        failed=[*looked.failed, *linked],
        omitted=looked.omitted + sum(archive.omitted for archive in archives),
        gaps=[*looked.gaps, *(gap for archive in archives for gap in archive.gaps)],
    )


def _named(gaps: Sequence[Gap], shard: Shard, piece: Piece) -> list[Gap]:
    """`gaps` of one content, with what people call it."""
    sighting = shard.sighting(piece, 0) if gaps else None
    path = sighting.path if sighting else None
    return [gap._replace(name=shard.name(piece.key), path=path) for gap in gaps]


def apart(matches: Sequence[Match]) -> list[Match]:
    """`matches` without those of an archive's own bytes that were met in one of its members, too: some are stored as they are."""
    deeper = {
        (match.address.name, match.fingerprint, match.address.members[:depth])
        for match in matches
        for depth in range(len(match.address.members))
    }
    return [match for match in matches if (match.address.name, match.fingerprint, match.address.members) not in deeper]


class _Archive:
    """A content that begins as an archive does, held until it is whole; afterwards, what lies inside it."""

    def __init__(self, looker: _Looker, shard: Shard, key: Key) -> None:
        self.key = key
        self.content_id: str | None = None
        """The content that it stands for in Git LFS, if it is a pointer."""
        self.matches: list[Match] = []
        self.gaps: list[Gap] = []
        self.omitted = 0
        self._looker, self._shard = looker, shard
        self._first: bytes | memoryview = b""
        self._more = bytearray()
        self._places: Counter[Secret] = Counter()

    def add(self, piece: Piece) -> None:
        """One piece more; with the last one it is opened."""
        if not piece.offset:
            self._first = piece.data
            self.content_id = lfs.content_id(piece.data)
        elif len(self._more) <= self._looker.limits.held:
            if not self._more:
                self._more += self._first
            self._more += memoryview(piece.data)[OVERLAP:]
        if piece.last and kind_of(self._first):
            most = self._looker.limits.held
            is_whole = len(self._more or self._first) <= most
            del self._more[most:]
            self._open(piece._replace(offset=0, data=memoryview(self._more or self._first)[:most], last=is_whole))
        if piece.last:
            self._first, self._more = b"", bytearray()

    def linked(self) -> Failure:
        """Asks for what the pointer stands for."""
        name = f"{lfs.AGAIN}{self.content_id}:{self._shard.name(self.key)}"
        return Failure(name, "its content lies in Git LFS.", again=True)

    def _open(self, piece: Piece) -> None:
        from patscan.inside import Inside

        account = Account(self._looker.limits, self._looker.spent, len(piece.data))
        inside = Inside(piece, self._looker.anchors.hits, self._content)
        self.matches, self.gaps, self.omitted = inside.matches(account), inside.gaps, inside.omitted
        self.gaps = _named(self.gaps, self._shard, piece)

    def _content(self, members: tuple[str, ...]) -> _Content:
        return _Content(self._looker, self._shard, self.key, members, self._places)


class _Content:
    """One content while its pieces come by: how often each token stood in it, and where its lines stand."""

    def __init__(
        self, looker: _Looker, shard: Shard, key: Key, members: tuple[str, ...] = (), places: Counter[Secret] | None = None
    ) -> None:
        """`members` lead to it, if it lies in an archive; `places` counts how often each token stood in all of that."""
        self.omitted = 0
        self.gaps: list[Gap] = []
        """What wasn't read of the pieces that came by."""
        self._members = members
        self._looker, self._shard, self._name = looker, shard, shard.name(key)
        self._places: Counter[Secret] = Counter() if places is None else places
        self._listed = 0
        self._ignored: Counter[str] = Counter()
        self._text: Text | None = None
        self._offset = 0

    def matches(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        """The matches in one piece, of which `hits` are the anchors: all of them, or as many as make it a dense one."""
        if not hits:
            self._moved(bytes(piece.data), piece.offset)
            return
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

        passages = self._looker.passages
        for base, sight in passages.sights(text, hits, is_listed):
            yield self._match(piece, text, base + sight.capture.start, base + sight.capture.end, sight)
        cuts = [Gap(piece.key, self._members, reason, ours=False) for reason in passages.cuts()]
        self.gaps += _named(cuts, self._shard, piece)

    def _moved(self, data: bytes, offset: int) -> Text:
        """The text of the part at `offset`; lines are counted on from the part before."""
        from patscan.detect.positions import Text

        self._text = Text.starting(data) if self._text is None else self._text.then(data, offset - self._offset)
        self._offset = offset
        return self._text

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
