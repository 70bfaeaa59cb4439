"""Content of any size, in bounded memory: pieces that overlap, so that no token is cut by an edge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

WINDOW = 64 << 20
"""Bytes in one piece at most. A multiple of four, so that UTF-16 and UTF-32 stay aligned."""
OVERLAP = 32 << 10
"""Bytes that neighbouring pieces share; half of it is more than any encoded token has."""

Each = Callable[..., Iterable[Any]]
"""`map`, or what does the same on several processors."""
Key = int | str
"""What a source calls one of its contents: a path, an object id, an entry's number."""


class Piece(NamedTuple):
    """Bytes of a content from `offset` on; `kind` is what git calls an object (``blob``, ``commit``, ``tag``) or ``file``."""

    key: Key
    kind: str
    offset: int
    data: bytes | memoryview
    last: bool = True


class Looked(NamedTuple):
    """What a first look at one shard gave: keys worth a second one, what couldn't be read, and coverage."""

    keys: list[Key]
    failed: list[tuple[Key, str]]
    commits: int
    blobs: int
    bytes: int
    engines: tuple[str, ...]
    sizes: tuple[Sequence[int], Sequence[int]] = ((), ())
    """The contents that have numbers for keys, and their bytes: two arrays, because they are sent from process to process."""


class Shard(Protocol):
    """A picklable share of a source's contents, read where it is looked at."""

    def pieces(self, failed: list[tuple[Key, str]]) -> Iterator[Piece]:
        """Yield every content; what can't be read goes to `failed` with the reason as a sentence."""

    def engines(self) -> tuple[str, ...]:
        """Which fast paths, or their plain stand-ins, read it."""


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


def owns(piece: Piece, start: int) -> bool:
    """Whether a match at `start` in `piece` is this piece's to report: each place in a content belongs to exactly one piece."""
    low = OVERLAP // 2 if piece.offset else 0
    return low <= start and (piece.last or start < len(piece.data) - OVERLAP // 2)
