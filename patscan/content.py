"""Content of any size, in bounded memory: pieces that overlap, so that no token is cut by an edge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from patscan.model import Match, Sighting

WINDOW = 64 << 20
"""Bytes in one piece at most. A multiple of four, so that UTF-16 and UTF-32 stay aligned."""
PLACES = 1_000
"""Places of one token in one content that a report lists."""
IGNORED = 100_000
"""Ignored places with one reason that a report lists."""
OVERLAP = 32 << 10
"""Bytes that neighbouring pieces share; half of it is more than any encoded token has."""

Each = Callable[..., Iterable[Any]]
"""`map`, or what does the same on several processors."""
Key = int | str
"""What a shard calls one of its contents: an entry's number in a pack, or else the name that an address uses."""


class Piece(NamedTuple):
    """Bytes of a content from `offset` on; `kind` is what git calls an object (``blob``, ``commit``, ``tag``) or ``file``."""

    key: Key
    kind: str
    offset: int
    data: bytes | memoryview
    last: bool = True


class Failure(NamedTuple):
    """A content that couldn't be read, and why, as a sentence."""

    name: str
    reason: str
    again: bool = False
    """Whether the plain way (git itself) may still read it."""


class Gap(NamedTuple):
    """An archive, or a member of one, that wasn't read whole, and why, as a sentence."""

    key: Key
    members: tuple[str, ...]
    reason: str
    ours: bool
    """Whether a limit of ours is the reason."""
    name: str = ""
    """What an address calls the content."""
    path: str | None = None
    """Its path, if the content itself says it."""


class Looked(NamedTuple):
    """What the look at one shard gave."""

    matches: Sequence[Match]
    suspicious: Sequence[Key]
    """The contents with a match, for a cache that remembers which contents have none."""
    failed: Sequence[Failure]
    commits: int
    blobs: int
    bytes: int
    engines: tuple[str, ...]
    sizes: tuple[Sequence[int], Sequence[int]] = ((), ())
    """The contents that have numbers for keys, and their bytes: two arrays, because they are sent from process to process."""
    omitted: int = 0
    """Places that are only counted (`patscan.model.PLACES`)."""
    gaps: Sequence[Gap] = ()


class Shard(Protocol):
    """A picklable share of a source's contents, read where it is looked at."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """Yield every content; one that can't be read goes to `failed`."""

    def engines(self) -> tuple[str, ...]:
        """Which fast paths, or their plain stand-ins, read it."""

    def name(self, key: Key) -> str:
        """What an address calls the content with this key."""

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """Where the match at byte `start` of `piece` was met; ``None`` if the content doesn't say."""


def name_of(shard: Shard) -> str:
    """What a report calls a shard that couldn't be looked at. Not its ``repr``, which may show an environment."""
    contents = getattr(shard, "ids", getattr(shard, "paths", getattr(shard, "numbers", ())))
    first = f", the first of them {contents[0]}" if isinstance(contents, (list, tuple)) and contents else ""
    return f"{getattr(shard, 'path', type(shard).__name__)}: {len(contents)} contents{first}"


def windows(read: Callable[[int], bytes], window: int = WINDOW, overlap: int = OVERLAP) -> Iterator[tuple[int, bytes, bool]]:
    """Cut what `read` gives into ``(offset, bytes, is last)``; `read` takes a number of bytes and returns fewer only at the end."""
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
    """Whether a match at `start` in a window of `size` bytes at `offset` is that window's: each place belongs to exactly one window."""
    low = OVERLAP // 2 if offset else 0
    return low <= start and (last or start < size - OVERLAP // 2)
