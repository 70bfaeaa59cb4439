"""A pack as arrays: the base of each entry, and shards of whole delta families.

A Python loop over the entries of a large pack takes ten times as long as numpy. Arrays are processed in slices, so that temporary ones
stay small beside the 22 bytes that are kept for each entry.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patscan.git.entries import DEEPEST, NAMES, PackShard, engines
from patscan.git.pack_index import Index, OddPack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OFS_DELTA, _REF_DELTA = 6, 7
_SLICE = 1 << 16
_LARGEST_SIZE = 0xFFFFFFFF
_LONGEST_HEADER = 64
_NO_BASE, _LOST = -1, -2


class Pack:
    """One pack: the sorted `offset` of every entry, and the facts in the entries' headers."""

    def __init__(self, path: Path, id_size: int) -> None:
        """Read the headers of all entries. Raises `OddPack` if git must read this pack."""
        import numpy as np

        self.path = path
        self.index = Index(path, id_size)
        try:
            self._bytes: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise OddPack(f"{path.name}: {getattr(error, 'strerror', None) or error}.") from error
        if not self.index.fits(self._bytes):
            raise OddPack(f"{path.name}: its index belongs to another pack.")
        self.offset = np.sort(self.index.offsets())
        if (self.offset[1:] == self.offset[:-1]).any():
            raise OddPack(f"{path.name}: its index gives two names to one entry.")
        self._rows: NDArray[np.int32] | None = None
        self._end = len(self._bytes) - id_size
        self._id_size = id_size
        count = len(self.offset)
        self.kind = np.empty(count, np.uint8)
        self._size = np.empty(count, np.uint32)
        self._header = np.empty(count, np.uint8)
        self._base = np.full(count, _NO_BASE, np.int32)
        for low in range(0, count, _SLICE):
            self._read_headers(slice(low, low + _SLICE))
        self._root = self._roots()
        self.kind = self.kind[self._root]
        self.kind[self._base[self._root] != _NO_BASE] = 0

    def __len__(self) -> int:
        return len(self.offset)

    def strays(self) -> list[str]:
        """The ids of entries that can't be rebuilt from this pack: the base isn't in it, or the kind is unknown."""
        return self._named((self.kind == 0) & (self._base[self._root] < 0) | (self.kind == 5))

    def cyclic(self) -> list[str]:
        """The ids of entries whose bases form a cycle. They can't be read, and git would never stop trying."""
        return self._named(self._base[self._root] >= 0)

    def count(self, kind: int) -> int:
        """How many entries are of this kind."""
        return int((self.kind == kind).sum())

    def commits(self) -> list[str]:
        """The ids of all commits."""
        return self._named(self.kind == 1)

    def _named(self, chosen: NDArray[np.bool_]) -> list[str]:
        import numpy as np

        return [self.name(number) for number in np.flatnonzero(chosen).tolist()]

    @property
    def compressed(self) -> int:
        """The approximate size of the entries in bytes."""
        return self._end

    def name(self, number: int) -> str:
        """The object id of the entry with this number, in hex."""
        return self.index.name(int(self.rows[number]))

    @property
    def rows(self) -> NDArray[np.int32]:
        """The row in the index of every entry."""
        import numpy as np

        if self._rows is None:
            self._rows = np.argsort(self.index.offsets(), kind="stable").astype(np.int32)
        return self._rows

    def stored_in(self, other_packs: Sequence[Index]) -> NDArray[np.bool_] | None:
        """Which entries other packs hold too; ``None`` if there is no other pack."""
        import numpy as np

        if not other_packs:
            return None
        duplicates = np.zeros(len(self), np.bool_)
        for low in range(0, len(self), _SLICE):
            ids = self.index.ids[low : low + _SLICE]
            in_others = np.logical_or.reduce([other.find(ids) >= 0 for other in other_packs])
            rows = np.flatnonzero(in_others) + low
            duplicates[self._numbers(self.index.offsets_of(rows))] = True
        return duplicates

    def _read_headers(self, part: slice) -> None:
        import numpy as np

        offset = self.offset[part]
        byte = self._bytes[offset]
        kind, size, place = ((byte >> 4) & 7).astype(np.uint8), (byte & 15).astype(np.int64), offset + 1
        more, shift = np.flatnonzero(byte & 0x80), 4
        while len(more) and shift < _LONGEST_HEADER:
            byte = self._bytes[np.minimum(place[more], self._end)]
            size[more] |= (byte & 0x7F).astype(np.int64) << shift
            place[more] += 1
            more, shift = more[byte >= 0x80], shift + 7
        self._read_near_bases(part, kind, offset, place)
        self._read_named_bases(part, kind, place)
        self.kind[part] = kind
        self._size[part] = np.minimum(np.where(size < 0, _LARGEST_SIZE, size), _LARGEST_SIZE)
        self._header[part] = np.minimum(place - offset, 255)

    def _read_near_bases(self, part: slice, kind: NDArray[np.uint8], offset: NDArray[np.int64], place: NDArray[np.int64]) -> None:
        """Bases given by their distance: OFS_DELTA."""
        import numpy as np

        rows = np.flatnonzero(kind == _OFS_DELTA)
        byte = self._bytes[np.minimum(place[rows], self._end)]
        distance = (byte & 0x7F).astype(np.int64)
        place[rows] += 1
        more = np.flatnonzero(byte & 0x80)
        for _ in range(9):
            if not len(more):
                break
            byte = self._bytes[np.minimum(place[rows[more]], self._end)]
            place[rows[more]] += 1
            distance[more] = ((distance[more] + 1) << 7) | (byte & 0x7F)
            more = more[byte >= 0x80]
        self._base[part.start + rows] = self._numbers(offset[rows] - distance)

    def _read_named_bases(self, part: slice, kind: NDArray[np.uint8], place: NDArray[np.int64]) -> None:
        """Bases given by their id: REF_DELTA."""
        import numpy as np

        rows = np.flatnonzero(kind == _REF_DELTA)
        if not len(rows):
            return
        ids = self._bytes[np.minimum(place[rows, None] + np.arange(self._id_size), self._end)]
        base_rows = self.index.find(ids)
        offsets = self.index.offsets_of(np.maximum(base_rows, 0))
        self._base[part.start + rows] = np.where(base_rows < 0, _LOST, self._numbers(offsets))
        place[rows] += self._id_size

    def _numbers(self, offsets: NDArray[np.int64]) -> NDArray[np.int32]:
        """The number of the entry at each offset; `_LOST` if no entry begins there."""
        import numpy as np

        numbers = np.minimum(np.searchsorted(self.offset, offsets), len(self.offset) - 1).astype(np.int32)
        return np.where(self.offset[numbers] == offsets, numbers, np.int32(_LOST))

    def _roots(self) -> NDArray[np.int32]:
        """The root of each entry's delta chain, by pointer doubling. In a cycle, the result has a base itself."""
        import numpy as np

        root = np.where(self._base < 0, np.arange(len(self), dtype=np.int32), self._base)
        for _ in range(len(self).bit_length() + 1):
            further = root[root]
            if (further == root).all():
                break
            root = further
        return root

    def places(self, names: Sequence[str]) -> dict[str, int]:
        """The entry number of each of these object ids (in hex) that this pack contains and that can be rebuilt from it."""
        import numpy as np

        rows = self.index.find(np.frombuffer(bytes.fromhex("".join(names)), np.uint8).reshape(len(names), self._id_size))
        numbers = self._numbers(self.index.offsets_of(np.maximum(rows, 0))) if len(self) else rows
        readable = (rows >= 0) & np.isin(self.kind[numbers], list(NAMES)) if len(self) else rows >= 0
        return {name: number for name, number, here in zip(names, numbers.tolist(), readable.tolist(), strict=True) if here}

    def chosen(self, numbers: Sequence[int], first: int, target: int) -> Iterator[PackShard]:
        """Shards of these entries and their bases; see `shards`."""
        import numpy as np

        skipped = np.ones(len(self), np.bool_)
        skipped[list(numbers)] = False
        return self.shards(skipped, first, target)

    def shards(
        self, skipped: NDArray[np.bool_] | None, first: int, target: int, kinds: Sequence[int] = tuple(NAMES)
    ) -> Iterator[PackShard]:
        """Delta families of these kinds, with about `target` compressed bytes in a shard. `first` is the number of entry 0.

        An entry that `skipped` marks is included only as a base of another.
        """
        import numpy as np

        chosen = np.flatnonzero(self._needed(skipped, kinds))
        chosen = chosen[np.argsort(self._root[chosen], kind="stable")]
        place = np.full(len(self), -1, np.int32)
        place[chosen] = np.arange(len(chosen), dtype=np.int32)
        length = np.diff(self.offset, append=self._end)
        filled = np.cumsum(length[chosen])
        starts_family = np.flatnonzero(np.diff(self._root[chosen], prepend=-1))
        low = 0
        while low < len(chosen):
            full = int(np.searchsorted(filled, (filled[low - 1] if low else 0) + target))
            following = int(np.searchsorted(starts_family, full, "right"))
            high = int(starts_family[following]) if following < len(starts_family) else len(chosen)
            yield self._shard(chosen[low:high], low, place, length, skipped, first)
            low = high

    def _needed(self, skipped: NDArray[np.bool_] | None, kinds: Sequence[int]) -> NDArray[np.bool_]:
        """Entries of these kinds that `skipped` doesn't mark, and their bases."""
        import numpy as np

        scanned = np.isin(self.kind, kinds)
        if skipped is None:
            return scanned
        needed = scanned & ~skipped
        children = np.flatnonzero(needed)
        for _ in range(DEEPEST):
            bases = self._base[children]
            children = np.unique(bases[bases >= 0])
            children = children[~needed[children]]
            if not len(children):
                return needed
            needed[children] = True
        return scanned & np.isin(self._root, self._root[needed])

    def _shard(
        self,
        chosen: NDArray[np.int64],
        low: int,
        place: NDArray[np.int32],
        length: NDArray[np.int64],
        skipped: NDArray[np.bool_] | None,
        first: int,
    ) -> PackShard:
        import numpy as np

        base = self._base[chosen]
        chosen, parent = _reordered(chosen, np.where(base < 0, -1, place[base] - low), np.argsort(chosen))
        by_number = np.empty(0, np.int64)
        if (parent >= np.arange(len(parent))).any():
            chosen, parent = _reordered(chosen, parent, _bases_first(parent))
            by_number = np.argsort(chosen)
        kind = self.kind[chosen] if skipped is None else np.where(skipped[chosen], 0, self.kind[chosen])
        header = self._header[chosen]
        return PackShard(
            self.path,
            _plain(chosen + first),
            kind.tobytes(),
            _plain(self.offset[chosen] + header),
            _plain(length[chosen] - header),
            _plain(self._size[chosen]),
            _plain(parent),
            self.index.ids[self.rows[chosen]].tobytes(),
            _plain(by_number),
        )


def _reordered(
    chosen: NDArray[np.int64], parent: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The entries in another order, and the positions of their bases in it."""
    import numpy as np

    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return chosen[order], np.where(parent[order] < 0, -1, back[parent[order]])


def _plain(values: NDArray[Any]) -> array[int]:
    """`values` as an array that workers can read without numpy."""
    import numpy as np

    return array("q", values.astype(np.int64, copy=False).tobytes())


def _bases_first(parent: NDArray[np.int64]) -> NDArray[np.int64]:
    """An order in which every entry follows its base: by depth. A base that is given by id may lie anywhere in the pack."""
    import numpy as np

    # Pointer doubling, because a chain may be as long as the pack. The last row stands for "no parent".
    ancestor = np.append(np.where(parent < 0, len(parent), parent), len(parent))
    depth = (ancestor < len(parent)).astype(np.int64)
    while (ancestor < len(parent)).any():
        depth += depth[ancestor]
        ancestor = ancestor[ancestor]
    return np.argsort(depth[:-1], kind="stable")


def prepare() -> None:
    """Import what reading packs needs. numpy alone takes a tenth of a second."""
    import numpy as np  # noqa: F401

    engines()
