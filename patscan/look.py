"""The look: a worker finds everything that depends on the bytes of a content, while it has them."""

from __future__ import annotations

import gc
from array import array
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from patscan import lfs
from patscan.archives import STARTS, TAR, USTAR, kind_of
from patscan.archives.limits import Limits
from patscan.content import OVERLAP, Failure, Gap, Key, Looked, Names, Piece, Shard
from patscan.detect import anchors
from patscan.matches import DENSE, Content, Tools, named
from patscan.model import Match, Rule

if TYPE_CHECKING:
    from patscan.archives.reader import Chunk
    from patscan.inside import Again
    from patscan.seal import Kept
    from patscan.secret import Secret

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
    _looker = _Looker(Tools(rules, anchors.of_rules(rules, delay, kept), reveal, limits))


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
    """Looks at shards with a worker's tools."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def look(self, shard: Shard) -> Looked:
        """See `look`. Names are searched together first, because few are tokens."""
        if isinstance(shard, Names) and not self._tools.anchors.hits(shard.together(), 1):
            return Looked([], [], [], 0, 0, shard.size, tuple(sorted({self._tools.anchors.engine, *shard.engines()})))
        return self._look_at_each(shard)

    def _look_at_each(self, shard: Shard) -> Looked:
        """The loop runs for every content, so it makes few calls."""
        hits_of = self._tools.anchors.hits
        matches: list[Match] = []
        suspicious: list[Key] = []
        failed: list[Failure] = []
        numbers: list[int] = []
        sizes: list[int] = []
        gaps: list[Gap] = []
        commits = blobs = omitted = 0
        archives: list[_Archive] = []
        content: Content | None = None
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
                if (data[:2] in _STARTS or data[TAR] == USTAR) and kind not in _CLOSED and (not last or _opens(data)):
                    archive = _Archive(self._tools, shard, key)
                    archives.append(archive)
            hits = hits_of(data, DENSE)
            if archive:
                archive.add(piece, hits is anchors.NOTHING)
                if content and archive.is_full:
                    content.forget_again()
            if not hits and last and content is None:
                continue
            if kind == "tree":
                failed.append(Failure(shard.name(key), "its names are looked at one by one.", again=True))
                continue
            content = content or Content(self._tools, shard, key, again=archive.again if archive else None)
            known = len(matches) + omitted + len(gaps)
            matches += content.matches(piece, hits)
            omitted += content.omitted
            gaps += content.gaps
            content.omitted, content.gaps = 0, []
            if len(matches) + omitted + len(gaps) > known:
                suspicious.append(key)
        engines = {self._tools.anchors.engine, *shard.engines()}
        counted = (array("q", numbers), array("q", sizes)) if numbers else ((), ())
        looked = Looked(matches, suspicious, failed, commits, blobs, sum(sizes), tuple(sorted(engines)), counted, omitted, gaps)
        return _with_archives(archives, looked) if archives else looked


def _opens(content: bytes | memoryview) -> bool:
    """Whether a whole content that begins like an archive or a pointer is one. Most are scripts."""
    return kind_of(content) is not None or lfs.content_id(content) is not None


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

    def __init__(self, tools: Tools, shard: Shard, key: Key) -> None:
        self.key = key
        self.content_id: str | None = None
        """The id of its Git LFS content, if it is a pointer."""
        self.matches: list[Match] = []
        self.gaps: list[Gap] = []
        self.omitted = 0
        self._tools, self._shard = tools, shard
        self._parts: list[Chunk] = []
        self._quiet: list[object] = []
        self.is_full = False
        self.again: Again = partial(iter, self._parts)
        """Reads the kept bytes again: all, unless the archive `is_full`."""
        self._places: Counter[Secret] = Counter()

    def add(self, piece: Piece, is_quiet: bool) -> None:
        """Add a piece, which is quiet if it has no anchors. The last piece opens the archive."""
        part = memoryview(piece.data)[OVERLAP if piece.offset else 0 :]
        if not piece.offset:
            self.content_id = lfs.content_id(piece.data)
        if not self.is_full:
            self._parts.append(part)
            self._quiet += [part.obj] if is_quiet else []
            self.is_full = sum(map(len, self._parts)) > self._tools.limits.held
        if piece.last and (kind := kind_of(*self._parts)):
            self._open(kind, piece)
        if piece.last:
            self._parts, self._quiet, self.again = [], [], partial(iter, ())

    def linked(self) -> Failure:
        """A `Failure` that makes the source read the pointer's content."""
        name = f"{lfs.AGAIN}{self.content_id}:{self._shard.name(self.key)}"
        return Failure(name, "its content is in Git LFS.", again=True)

    def _open(self, kind: str, piece: Piece) -> None:
        from patscan.inside import Inside

        inside = Inside(piece, self._parts, self._quiet, self._tools.anchors.hits, self._content)
        self.matches = inside.matches(kind, self._tools.limits, self._tools.spent)
        self.gaps, self.omitted = named(inside.gaps, self._shard, piece), inside.omitted

    def _content(self, members: tuple[str, ...], again: Again | None) -> Content:
        return Content(self._tools, self._shard, self.key, members, self._places, again)
