"""A pack's index: the offset of each object. Format: gitformat-pack(5), version 2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class OddPack(Exception):
    """`patscan.git.packs` can't read this pack, so git reads it. The text says why."""


class Index:
    """The id and offset of each entry of a pack. The arrays are memory-mapped."""

    def __init__(self, path: Path, id_size: int) -> None:
        """Map the index beside the pack at `path`. Raises `OddPack` if either isn't what git writes."""
        import numpy as np

        try:
            self._pack_size = path.stat().st_size
            table = np.memmap(path.with_suffix(".idx"), np.uint8, "r")
        except (OSError, ValueError) as error:
            raise OddPack(f"{path.name}: {getattr(error, 'strerror', None) or error}.") from error
        if len(table) < 1032 + 2 * id_size or bytes(table[:8]) != b"\xfftOc\0\0\0\2":
            raise OddPack(f"{path.name}: its index isn't of version 2.")
        count = int(table[1028:1032].view(">u4")[0])
        ids, crcs, offsets = 1032, 1032 + id_size * count, 1032 + (id_size + 4) * count
        wide = offsets + 4 * count
        trailer = len(table) - 2 * id_size
        if trailer < wide or (trailer - wide) % 8:
            raise OddPack(f"{path.name}: its index has the wrong size.")
        self.ids = table[ids:crcs].reshape(count, id_size)
        self._offsets = table[offsets:wide].view(">u4")
        self._wide = table[wide:trailer].view(">u8")
        self.checksum = bytes(table[trailer : trailer + id_size])
        self._id_size = id_size

    def offsets(self) -> NDArray[np.int64]:
        """The offset of every entry, in the order of `ids`. Raises `OddPack` if one points out of the pack."""
        offsets = self.offsets_of(slice(None))
        if len(offsets) and (offsets.min() < 12 or offsets.max() >= self._pack_size - self._id_size):
            raise OddPack("its index points outside the pack.")
        return offsets

    def offsets_of(self, rows: slice | NDArray[np.int64]) -> NDArray[np.int64]:
        """The offsets of the entries in these rows. Offsets beyond 2 GiB are in a second table."""
        import numpy as np

        offsets = self._offsets[rows].astype(np.int64)
        far = np.flatnonzero(offsets >> 31)
        if len(far):
            places = offsets[far] & 0x7FFFFFFF
            if places.max() >= len(self._wide):
                raise OddPack("its index points outside its second table.")
            offsets[far] = self._wide[places].astype(np.int64)
        return offsets

    def fits(self, pack: NDArray[np.uint8]) -> bool:
        """Whether this index belongs to `pack`: both end in the pack's checksum."""
        return pack[-self._id_size :].tobytes() == self.checksum and pack[:4].tobytes() == b"PACK"

    def name(self, row: int) -> str:
        """The object id in a row of `ids`, in hex."""
        name: str = self.ids[row].tobytes().hex()
        return name

    def find(self, ids: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The row of each of `ids` (an id a row), or -1."""
        return find(self.ids, ids)


def index_of(path: Path, id_size: int) -> Index | None:
    """The index of the pack at `path`; ``None`` unless both are readable and belong together."""
    import numpy as np

    try:
        index = Index(path, id_size)
        return index if index.fits(np.memmap(path, np.uint8, "r")) else None
    except (OddPack, OSError, ValueError):
        return None


def find(table: NDArray[np.uint8], ids: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The row of each of `ids` in the sorted ids of `table` (an id a row in both), or -1."""
    import numpy as np

    if not len(table):
        return np.full(len(ids), -1, np.int64)
    heads = np.ascontiguousarray(table[:, :8]).view(">u8").ravel()
    wanted = np.ascontiguousarray(ids[:, :8]).view(">u8").ravel()
    rows = np.searchsorted(heads, wanted)
    for step in range(64):
        # Ids with equal first eight bytes are neighbours. More than 64 of them would be an attack, and count as absent.
        here = np.minimum(rows + step, len(heads) - 1)
        same = (table[here] == ids).all(axis=1)
        rows[same] = here[same]
        if (same | (heads[here] != wanted)).all():
            break
    return np.where((table[np.minimum(rows, len(heads) - 1)] == ids).all(axis=1), rows, -1)


def unlisted(names: Sequence[str], indexes: Sequence[Index]) -> list[str]:
    """Those of `names` (object ids in hex) that none of `indexes` contains."""
    if not names or not indexes:
        return list(names)
    import numpy as np

    ids = np.frombuffer(bytes.fromhex("".join(names)), np.uint8).reshape(len(names), -1)
    listed = np.zeros(len(names), np.bool_)
    for index in indexes:
        listed |= index.find(ids) >= 0
    return [name for name, is_listed in zip(names, listed.tolist(), strict=True) if not is_listed]
