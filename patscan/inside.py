"""The look at what lies inside a content that is an archive: every member is a content of its own, which may be an archive again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from patscan import archives
from patscan.archives.limits import Account, Ended, Exceeded, Problem
from patscan.archives.reader import Reader
from patscan.content import OVERLAP, Gap, Piece, windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patscan.detect.anchors import Hit
    from patscan.model import Match

_WHOLE, _WINDOW = 4 << 20, 1 << 20
"""Bytes of a member that is looked at in one piece, and those of a larger one that are looked at together: what fits into a processor's
cache is copied and counted in a third of the time."""


class Content(Protocol):
    """One content while its pieces come by."""

    omitted: int
    gaps: list[Gap]

    def matches(self, piece: Piece, hits: Sequence[Hit]) -> Iterator[Match]:
        """The matches in one piece."""


class Inside:
    """One archive."""

    def __init__(self, piece: Piece, hits: Callable[[bytes], Sequence[Hit]], content: Callable[[tuple[str, ...]], Content]) -> None:
        """`piece` is the archive; it isn't the last one if the archive is too large to be held.

        `hits` are the anchors in some bytes, `content` is for the members with these names.
        """
        self.gaps: list[Gap] = []
        self.omitted = 0
        self._piece, self._hits, self._content = piece, hits, content
        self._matches: list[Match] = []

    def matches(self, account: Account) -> list[Match]:
        """Every match in what lies inside, at any depth."""
        kind = archives.kind_of(self._piece.data)
        try:
            if kind:
                self._open(kind, Reader(_held(self._piece, account)), (), account)
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
            # An archive that is cut off by the one around it isn't broken itself.
            _raise_ended(archive.problem or problem)
            self._keep(names, archive.problem or problem)

    def _member(self, reader: Reader, names: tuple[str, ...], account: Account) -> None:
        """Look at one member; its `reader` says afterwards what was wrong with it. Raises `Ended`."""
        chunks = self._looked(reader, names)
        first = next(chunks, memoryview(b""))
        content = Reader(chain([first], chunks))
        kind = archives.kind_of(first)
        if kind and len(names) >= account.limits.depth:
            self._keep(names, Exceeded("depth", f"archives lie deeper in each other than {account.limits.depth}"))
        elif kind:
            self._open(kind, content, names, account)
        content.drain()

    def _looked(self, reader: Reader, names: tuple[str, ...]) -> Iterator[memoryview]:
        """What `reader` gives, looked at as it goes by."""
        content: Content | None = None
        for offset, data, last in _windows(reader):
            if not offset and not last and len(names) == 1:
                # What lies deeper comes out of windows that are looked at, which one thread has to do.
                reader.hurry()
            hits = self._hits(data)
            # A content of several windows counts its lines from the first one on.
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
        """One gap for each reason: an archive may have any number of members."""
        if not any(gap.reason == str(problem) for gap in self.gaps):
            self.gaps.append(Gap(self._piece.key, names, str(problem), problem.ours))


def _windows(reader: Reader) -> Iterator[tuple[int, bytes, bool]]:
    """See `patscan.content.windows`."""
    first = reader.read(_WHOLE)
    if len(first) < _WHOLE:
        yield 0, first, True
    else:
        yield from windows(Reader(chain([first], iter(partial(reader.read, _WINDOW), b""))).read, _WINDOW)


def _held(piece: Piece, account: Account) -> Iterator[bytes | memoryview]:
    """The archive's bytes. Raises `Exceeded` behind them if more of them may not be held."""
    yield piece.data
    if not piece.last:
        raise account.too_large()


def _raise_ended(problem: Problem) -> None:
    if isinstance(problem, Ended):
        raise problem
