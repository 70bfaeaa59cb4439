"""The look inside archives. Every member is a content, which may be an archive again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from patscan import archives
from patscan.archives.limits import Account, Ended, Exceeded, Problem
from patscan.archives.reader import Reader
from patscan.content import OVERLAP, Gap, Piece, windows
from patscan.counts import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patscan.detect.anchors import Hit
    from patscan.model import Match

_WHOLE, _WINDOW = 4 << 20, 1 << 20
"""The most bytes of a member in one piece, and the bytes of a window of a larger member. A window that fits into the processor's cache is
three times as fast."""


class Content(Protocol):
    """The state of one content while its pieces arrive."""

    omitted: int
    gaps: list[Gap]

    def matches(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        """The matches in one piece."""


class Inside:
    """One archive."""

    def __init__(self, piece: Piece, hits: Callable[[bytes], Sequence[Hit]], content: Callable[[tuple[str, ...]], Content]) -> None:
        """`piece` is the archive. If the archive is too large for memory, `piece` isn't its last piece.

        `hits` finds anchors in bytes. `content` creates the state for the member with these names.
        """
        self.gaps: list[Gap] = []
        self.omitted = 0
        self._piece, self._hits, self._content = piece, hits, content
        self._matches: list[Match] = []

    def matches(self, account: Account) -> list[Match]:
        """All matches inside, at any depth."""
        kind = archives.kind_of(self._piece.data)
        try:
            if kind:
                self._open(kind, Reader(_archive_bytes(self._piece, account)), (), account)
        except Ended as problem:
            self._keep((), problem)
        finally:
            account.close()
        return self._matches

    def _open(self, kind: str, archive: Reader, names: tuple[str, ...], account: Account) -> None:
        """Look at every member of one archive. Raises `Ended`."""
        try:
            for name, reader, problem in archives.members(kind, archive, account):
                if problem:
                    self._keep((*names, name), problem)
                else:
                    self._member(reader, (*names, name), account)
                    if reader.problem:
                        _raise_ended(archive.problem or reader.problem)
                        self._keep((*names, name), archive.problem or reader.problem)
        except Ended:
            raise
        except Problem as problem:
            # If the enclosing archive ended early, its problem is the cause.
            _raise_ended(archive.problem or problem)
            self._keep(names, archive.problem or problem)

    def _member(self, reader: Reader, names: tuple[str, ...], account: Account) -> None:
        """Look at one member. Afterwards `reader.problem` says what was wrong with it. Raises `Ended`."""
        chunks = self._scanned(reader, names)
        first = next(chunks, memoryview(b""))
        content = Reader(chain([first], chunks))
        kind = archives.kind_of(first)
        if kind and len(names) >= account.limits.depth:
            self._keep(names, Exceeded("depth", f"archives are nested more than {counted(account.limits.depth, 'level')} deep"))
        elif kind:
            self._open(kind, content, names, account)
        content.drain()

    def _scanned(self, reader: Reader, names: tuple[str, ...]) -> Iterator[memoryview]:
        """The chunks of `reader`, each after its look."""
        content: Content | None = None
        for offset, data, last in _windows(reader):
            if not offset and not last and len(names) == 1:
                # Only the outer level uses a thread: nested members come from windows that one thread looks at.
                reader.hurry()
            hits = self._hits(data)
            # A content with several windows counts lines from its first window.
            if hits or not last:
                content = content or self._content(names)
                self._matches += content.matches(self._piece._replace(offset=offset, data=data, last=last), hits)
                self.omitted += content.omitted
                self.gaps += content.gaps
                content.omitted, content.gaps = 0, []
            yield memoryview(data)[OVERLAP if offset else 0 :]
        if reader.problem:
            raise reader.problem

    def _keep(self, names: tuple[str, ...], problem: Problem) -> None:
        """Keep one gap for each reason, because an archive may have any number of members."""
        if not any(gap.reason == str(problem) for gap in self.gaps):
            self.gaps.append(Gap(self._piece.key, names, str(problem), problem.ours))


def _windows(reader: Reader) -> Iterator[tuple[int, bytes, bool]]:
    """See `patscan.content.windows`."""
    first = reader.read(_WHOLE)
    if len(first) < _WHOLE:
        yield 0, first, True
    else:
        yield from windows(Reader(chain([first], iter(partial(reader.read, _WINDOW), b""))).read, _WINDOW)


def _archive_bytes(piece: Piece, account: Account) -> Iterator[bytes | memoryview]:
    """The archive's bytes. Raises `Exceeded` after them if the rest didn't fit into memory."""
    yield piece.data
    if not piece.last:
        raise account.too_large()


def _raise_ended(problem: Problem) -> None:
    if isinstance(problem, Ended):
        raise problem
