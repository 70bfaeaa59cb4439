"""Standard input, read whole: into memory, or into an unnamed temporary file if it is large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from patscan.content import WINDOW, Failure, Key, Piece, Shard, windows
from patscan.gaps import Gaps
from patscan.kind import Kind
from patscan.model import Sighting, Target
from patscan.sources.present import Present
from patscan.tuples import NamedTuple

_NAME = "-"


class StreamShard(NamedTuple):
    """A whole stream, read in the process that has it open."""

    stream: IO[bytes]
    type: str
    path: str

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        self.stream.seek(0)
        for offset, data, last in windows(self.stream.read):
            yield Piece(self.path, self.type, offset, data, last)

    def engines(self) -> tuple[str, ...]:
        """None: reading needs no engine."""
        return ()

    def name(self, key: Key) -> str:
        """The key of the only content."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting:
        """The stream, or the file that it was read from."""
        return Sighting(Kind(self.type), self.path)


class Stream(Present):
    """One stream of bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Read all of `stream`."""
        import shutil
        import tempfile

        self._kept = tempfile.SpooledTemporaryFile(max_size=WINDOW)  # noqa: SIM115 - lives as long as the source
        shutil.copyfileobj(stream, self._kept, 1 << 20)
        self.gaps = Gaps()

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("stdin", _NAME)

    def shards(self) -> Iterator[Shard]:
        """One shard."""
        target = self.target()
        yield StreamShard(self._kept, target.type, target.path)

    def read(self, names: Iterable[str]) -> Iterator[Piece]:
        """None: a stream can't be read again."""
        return iter(())
