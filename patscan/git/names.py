"""File names as contents: a token may be part of a name, and of no blob."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patscan.content import Failure, Key, Piece
from patscan.tuples import NamedTuple

PATH = "path:\0"
"""The prefix of a key that is a path, not a blob's id or a file. No path contains a NUL."""


class PathShard(NamedTuple):
    """Paths, each as one content."""

    paths: Sequence[bytes]

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        for path in self.paths:
            yield Piece(PATH + path.decode("utf-8", "surrogateescape"), "path", 0, path)

    @property
    def size(self) -> int:
        """See `patscan.content.Names`."""
        return sum(map(len, self.paths))

    def together(self) -> bytes:
        """See `patscan.content.Names`."""
        return b"\n".join(self.paths)

    def engines(self) -> tuple[str, ...]:
        """None: reading needs no engine."""
        return ()

    def name(self, key: Key) -> str:
        """`PATH` and the path."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> None:
        """None: a path doesn't show which commit added the file."""
