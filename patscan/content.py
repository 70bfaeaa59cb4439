"""Content of any size in bounded memory: overlapping pieces, so that no edge cuts a token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from patscan.counts import counted
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.model import Match, Sighting

WINDOW = 64 << 20
"""The most bytes of a piece. A multiple of four keeps UTF-16 and UTF-32 aligned."""
PLACES = 1_000
"""Places of one token in one content that a report lists."""
IGNORED = 100_000
"""Ignored places with one reason that a report lists."""
OVERLAP = 32 << 10
"""Bytes that neighbouring pieces share. Half of it is longer than any encoded token."""

Each = Callable[..., Iterable[Any]]
"""`map`, or a parallel version of it."""
Key = int | str
"""A shard's key of a content: the number of an entry in a pack, or the name in an address."""


class Piece(NamedTuple):
    """Bytes of a content from `offset` on. `kind` is git's word (``blob``, ``commit``, ``tag``), ``file``, or another `Kind`."""

    key: Key
    kind: str
    offset: int
    data: bytes | memoryview
    last: bool = True


class Failure(NamedTuple):
    """A content that couldn't be read, with the reason as a sentence."""

    name: str
    reason: str
    again: bool = False
    """Whether another reader, such as git, may still read it."""


class Gap(NamedTuple):
    """An archive or a member that wasn't read completely, with the reason as a sentence."""

    key: Key
    members: tuple[str, ...]
    reason: str
    ours: bool
    """Whether a limit of patscan is the reason, not the archive."""
    name: str = ""
    """The content's name in an address."""
    path: str | None = None
    """Its path, if the content has its own sighting."""
    is_layer: bool = False
    """Whether it is no archive but a compressed stream behind a layer."""


class Looked(NamedTuple):
    """The results of the look at one shard."""

    matches: Sequence[Match]
    suspicious: Sequence[Key]
    """The contents with a match. The cache remembers the others as clean."""
    failed: Sequence[Failure]
    commits: int
    blobs: int
    bytes: int
    engines: tuple[str, ...]
    sizes: tuple[Sequence[int], Sequence[int]] = ((), ())
    """The contents with numbers as keys, and their sizes in bytes: two arrays, which pass quickly between processes."""
    omitted: int = 0
    """Places that are only counted, beyond `PLACES` and `IGNORED`."""
    gaps: Sequence[Gap] = ()


class Shard(Protocol):
    """A picklable share of a source's contents. A worker reads it."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """The pieces of every content. Contents that can't be read are added to `failed`."""

    def engines(self) -> tuple[str, ...]:
        """The names of the engines that read it."""

    def name(self, key: Key) -> str:
        """The name in an address of the content with this key."""

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """The sighting of a match at byte `start` of `piece`; ``None`` if the source must find it."""


@runtime_checkable
class Names(Shard, Protocol):
    """A shard of short contents. They are searched together first, because hardly any has an anchor."""

    @property
    def size(self) -> int:
        """The number of bytes of all contents."""

    def together(self) -> bytes:
        """All contents, separated by line feeds."""


def name_of(shard: Shard) -> str:
    """The name of a shard in a report. Its ``repr`` isn't used, because it may show an environment."""
    shard = getattr(shard, "shard", shard)  # the one that a shard of links wraps
    contents = getattr(shard, "ids", getattr(shard, "paths", getattr(shard, "numbers", ())))
    first = f", the first of them {contents[0]}" if isinstance(contents, (list, tuple)) and contents else ""
    return f"{getattr(shard, 'path', type(shard).__name__)}: {counted(len(contents), 'content')}{first}"


def windows(read: Callable[[int], bytes], window: int = WINDOW, overlap: int = OVERLAP) -> Iterator[tuple[int, bytes, bool]]:
    """Overlapping windows of the bytes of `read`, as ``(offset, bytes, is last)``. `read` returns fewer bytes only at the end."""
    offset, data = 0, read(window)
    while len(data) == window:
        more = read(window - overlap)
        if not more:
            break
        yield offset, data, False
        offset += window - overlap
        data = data[window - overlap :] + more
    yield offset, data, True


def owns(offset: int, last: bool, size: int, start: int) -> bool:
    """Whether a match at `start` belongs to the window of `size` bytes at `offset`. Each match belongs to exactly one window."""
    low = OVERLAP // 2 if offset else 0
    return low <= start and (last or start < size - OVERLAP // 2)
