"""The look inside archives. Every member is a content, which may be an archive again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol

from patscan import archives
from patscan.archives.limits import Account, Ended, Exceeded, Limits, Problem, Spent
from patscan.archives.reader import Chunk, Reader
from patscan.content import OVERLAP, Gap, Piece
from patscan.counts import counted
from patscan.detect.anchors import NOTHING

if TYPE_CHECKING:
    from patscan.detect.anchors import Hit
    from patscan.model import Match

_WHOLE = 4 << 20
"""The bytes of a member from which on it is looked at in several chunks."""
_LEAST = 64 << 10
"""The least bytes of further chunks. Smaller chunks are joined, which copies them."""
_SEAM = 256
"""Bytes to each side of the border of two chunks that are searched together: more than the longest literal."""
_QUIET = 8
"""Buffers without anchors that are remembered."""


class Content(Protocol):
    """The state of one content while its pieces arrive."""

    omitted: int
    gaps: list[Gap]

    def matches(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        """The matches in one piece."""


Again = Callable[[], Iterator[Chunk]]
"""Reads a member again."""


class Inside:
    """One archive."""

    def __init__(
        self,
        piece: Piece,
        parts: Sequence[Chunk],
        quiet: Sequence[object],
        hits: Callable[[Chunk], Sequence[Hit]],
        content: Callable[[tuple[str, ...], Again | None], Content],
    ) -> None:
        """`piece` is any piece of the archive, `parts` are its bytes, `quiet` the buffers of those parts that have no anchors.

        `hits` finds anchors in bytes. `content` creates the state for the member with these names. It may read the member again.
        """
        self.gaps: list[Gap] = []
        self.omitted = 0
        self._piece, self._parts, self._hits, self._content = piece, parts, hits, content
        self._quiet: deque[object] = deque(quiet, maxlen=len(quiet) + _QUIET)
        self._matches: list[Match] = []

    def matches(self, kind: str, limits: Limits, spent: Spent) -> list[Match]:
        """All matches inside, at any depth. The archive is of this kind."""
        account = self._account(limits, spent)
        try:
            self._open(kind, Reader(_within(self._parts, account)), (), account)
        except Ended as problem:
            self._keep((), problem)
        finally:
            account.close()
        return self._matches

    def _account(self, limits: Limits, spent: Spent) -> Account:
        return Account(limits, spent, min(sum(map(len, self._parts)), limits.held))

    def _open(self, kind: str, archive: Reader, names: tuple[str, ...], account: Account) -> None:
        """Look at every member of one archive. Raises `Ended`."""
        try:
            for number, (name, reader, problem) in enumerate(archives.members(kind, archive, account)):
                if problem:
                    self._keep((*names, name), problem)
                else:
                    again = None if names else partial(self._again, kind, number, account.limits)
                    self._member(reader, (*names, name), account, again)
                    if reader.problem:
                        _raise_ended(archive.problem or reader.problem)
                        self._keep((*names, name), archive.problem or reader.problem)
        except Ended:
            raise
        except Problem as problem:
            # If the enclosing archive ended early, its problem is the cause.
            _raise_ended(archive.problem or problem)
            self._keep(names, archive.problem or problem)

    def _again(self, kind: str, number: int, limits: Limits) -> Iterator[Chunk]:
        """The bytes of a member that was read before, by its number. Its problems are known, and end the bytes."""
        account = self._account(limits._replace(seconds=limits.total_seconds), Spent())
        member = next(islice(archives.members(kind, Reader(_within(self._parts, account)), account), number, None))
        while chunk := member.reader.take(_LEAST):
            yield chunk

    def _member(self, reader: Reader, names: tuple[str, ...], account: Account, again: Again | None) -> None:
        """Look at one member. Afterwards `reader.problem` says what was wrong with it. Raises `Ended`."""
        search = _Search(self._hits, self._quiet)
        chunks = self._scanned(reader, search, names, again)
        first = next(chunks, b"")
        kind = archives.kind_of(first)
        if kind and len(names) >= account.limits.depth:
            self._keep(names, Exceeded("depth", f"archives are nested more than {counted(account.limits.depth, 'level')} deep"))
        elif kind:
            search.share()
            self._open(kind, Reader(chain([first], chunks)), names, account)
        Reader(chunks).drain()

    def _scanned(self, reader: Reader, search: _Search, names: tuple[str, ...], again: Again | None) -> Iterator[Chunk]:
        """The chunks of `reader`, each after its look."""
        content: Content | None = None
        chunk, last = reader.take(_WHOLE), False
        while not last:
            last = reader.is_at_end()
            if not search.offset and not last and len(names) == 1:
                # Only the outer level uses a thread: nested members come from chunks that one thread looks at.
                reader.hurry()
            offset, data, hits = search.stretch(chunk)
            # A content with several chunks counts lines from its first chunk.
            if hits or not last:
                content = content or self._content(names, again)
                self._matches += content.matches(self._piece._replace(offset=offset, data=data, last=last), hits)
                self.omitted += content.omitted
                self.gaps += content.gaps
                content.omitted, content.gaps = 0, []
            yield chunk
            if not last:
                chunk = reader.take(_LEAST)
        if reader.problem:
            raise reader.problem

    def _keep(self, names: tuple[str, ...], problem: Problem) -> None:
        """Keep one gap for each reason, because an archive may have any number of members."""
        if not any(gap.reason == str(problem) for gap in self.gaps):
            self.gaps.append(Gap(self._piece.key, names, str(problem), problem.ours))


class _Search:
    """The search for anchors in one member, chunk by chunk. Neighbouring chunks are joined only if an anchor may be near their border."""

    def __init__(self, hits: Callable[[Chunk], Sequence[Hit]], quiet: deque[object]) -> None:
        """`quiet` are buffers without anchors, whose parts aren't searched again."""
        self.offset = 0
        """Bytes of the member before the next chunk."""
        self._hits, self._quiet = hits, quiet
        self._last: Chunk = b""
        self._tail: Chunk = b""
        self._is_quiet, self._is_shared = True, False

    def share(self) -> None:
        """Remember the last chunk and those after it if they have no anchors, because an archive's members may be parts of them."""
        self._is_shared = True
        self._remember(self._last)

    def stretch(self, chunk: Chunk) -> tuple[int, Chunk, Sequence[Hit]]:
        """The stretch to match, as its offset, its bytes and its anchors: `chunk`, perhaps with the end of the chunk before it."""
        offset, data, hits = self.offset, chunk, NOTHING
        if self._is_quiet:
            hits = self._in_chunk(chunk)
            if hits is NOTHING and self._tail:
                hits = self._hits(b"".join((self._tail[-_SEAM:], chunk[:_SEAM])))
            self._is_quiet = hits is NOTHING
        if self._tail and not self._is_quiet:
            offset, data = offset - len(self._tail), b"".join((self._tail, chunk))
            hits = self._hits(data)
            self._is_quiet = hits is NOTHING
        self.offset += len(chunk)
        self._last, self._tail = chunk, memoryview(data)[-OVERLAP:]
        self._remember(chunk)
        return offset, data, hits

    def _remember(self, chunk: Chunk) -> None:
        # The buffer of a memoryview may have anchors elsewhere.
        if self._is_shared and self._is_quiet and not isinstance(chunk, memoryview):
            self._quiet.append(chunk)

    def _in_chunk(self, chunk: Chunk) -> Sequence[Hit]:
        """The anchors in `chunk`."""
        if isinstance(chunk, memoryview) and any(chunk.obj is buffer for buffer in self._quiet):
            return NOTHING
        return self._hits(chunk)


def _within(parts: Sequence[Chunk], account: Account) -> Iterator[Chunk]:
    """The parts that fit into memory. Raises `Exceeded` after them if there are more."""
    left = account.limits.held
    for part in parts:
        yield memoryview(part)[:left]
        left -= len(part)
        if left < 0:
            raise account.too_large()


def _raise_ended(problem: Problem) -> None:
    if isinstance(problem, Ended):
        raise problem
