"""Standard input, kept until the second look: in memory while it is small, in an unnamed file when it isn't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, NamedTuple

from patscan.content import WINDOW, Each, Key, Piece, Shard, windows
from patscan.model import Note, Origin, Skip, Target
from patscan.sources.present import Present

_NAME = "-"


class StreamShard(NamedTuple):
    """The whole of a stream; read in the process that holds it."""

    stream: IO[bytes]

    def pieces(self, failed: list[tuple[Key, str]]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        self.stream.seek(0)
        for offset, data, last in windows(self.stream.read):
            yield Piece(_NAME, "stdin", offset, data, last)

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()


class Stream(Present):
    """One stream of bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Take everything there is in `stream`."""
        import shutil
        import tempfile

        self._kept = tempfile.SpooledTemporaryFile(max_size=WINDOW)  # noqa: SIM115 - lives as long as the source
        shutil.copyfileobj(stream, self._kept, 1 << 20)
        self.skips: list[Skip] = []
        self.notes: list[Note] = []

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("stdin", _NAME)

    def shards(self) -> Iterator[Shard]:
        """One shard."""
        yield StreamShard(self._kept)

    def read(self, keys: Iterable[str]) -> Iterator[Piece]:
        """The stream again, for the second look."""
        return StreamShard(self._kept).pieces([])

    def within(self, piece: Piece, start: int) -> Origin | None:
        """Everything was met on standard input."""
        return Origin("stdin", _NAME)

    def origins(self, keys: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Origin]]:
        """See `within`."""
        return {}
