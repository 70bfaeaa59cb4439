"""What deltas insert into trees: bytes that are ids, or text (modes and names), or something that only the whole tree explains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from patscan.git.entries import DELTA_SIZES, OPERANDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KEY = 8
"""The bytes of an id that are compared."""
_NEIGHBOURS = 8
"""Ids that are compared one after the other. More of them with equal first bits would be an attack."""
_LONGEST_INSERT = 127
_TEXT = bytes(range(0x20, 0x7F))


class Inserted:
    """Bytes that trees insert, as runs of neighbours, and how many bytes of each run are neither text nor explained yet."""

    def __init__(self, stored: Sequence[bytes], are_deltas: Sequence[bool], id_size: int) -> None:
        """`stored` are whole trees and deltas. An insert of the longest size is joined to the next, since ids may continue there."""
        import numpy as np

        self._id_size = id_size
        parts, self._ends, self.is_broken = _parts(stored, are_deltas)
        parts = parts or [b""]
        self._text = b"".join([*parts, bytes(_KEY)])
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        is_first = np.ones(len(parts), np.bool_)
        is_first[1:] = lengths[:-1] != _LONGEST_INSERT
        self._firsts = np.flatnonzero(is_first)
        self._low = (np.cumsum(lengths) - lengths)[is_first]
        self._high = np.append(self._low[1:], len(self._text) - _KEY)
        data = np.frombuffer(self._text, np.uint8)[:-_KEY]
        is_noise = np.ones(256, np.bool_)
        is_noise[list(_TEXT)] = False
        self._count = np.zeros(len(data) + 1, np.int32)
        np.cumsum(is_noise[data], out=self._count[1:])
        self._noise = self._count[self._high] - self._count[self._low]
        self._nuls = np.flatnonzero(data == 0)
        self._runs = np.searchsorted(self._low, self._nuls, "right") - 1
        self._is_nul_explained = np.zeros(len(self._nuls), np.bool_)
        self._is_low_explained = np.zeros(len(self._low), np.bool_)

    def explain(self, known: Ids) -> None:
        """Subtract the bytes of known ids: at the beginning of a run, and after a NUL, which ends a name."""
        import numpy as np

        runs = np.flatnonzero((self._noise > 0) & ~self._is_low_explained)
        explained = self._subtract(runs, self._low[runs], self._low[runs], known)
        self._is_low_explained[runs[explained]] = True
        nuls = np.flatnonzero((self._noise[self._runs] > 0) & ~self._is_nul_explained)
        explained = self._subtract(self._runs[nuls], self._nuls[nuls], self._nuls[nuls] + 1, known)
        self._is_nul_explained[nuls[explained]] = True

    def explain_copied(self) -> None:
        """Subtract the first bytes of an id at the end of a run. The others are copied, from the same id: git copies 16 bytes or more."""
        import numpy as np

        nuls = np.flatnonzero((self._noise[self._runs] > 0) & ~self._is_nul_explained)
        nuls = nuls[self._nuls[nuls] + 1 + _KEY > self._high[self._runs[nuls]]]
        runs, first = np.unique(self._runs[nuls], return_index=True)
        self._noise[runs] -= self._count[self._high[runs]] - self._count[self._nuls[nuls[first]]]
        self._is_nul_explained[nuls] = True

    def unclear(self) -> set[int]:
        """The positions of trees with other bytes than text and known ids."""
        import numpy as np

        return set(np.searchsorted(self._ends, self._firsts[self._noise > 0], "right").tolist())

    def _subtract(self, runs: NDArray[np.int64], begin: NDArray[np.int64], at: NDArray[np.int64], known: Ids) -> NDArray[np.int64]:
        """Subtract in each of `runs` the bytes from `begin` to the end of the id at `at`, if that is known. Returns the places of those."""
        import numpy as np

        keys = np.ndarray((len(self._text) - _KEY + 1,), "<u8", self._text, 0, (1,))
        chosen = np.flatnonzero(at + _KEY <= self._high[runs])
        chosen = chosen[known.contain_keys(keys[at[chosen]])]
        end = np.minimum(at[chosen] + self._id_size - known.offset, self._high[runs[chosen]])
        np.subtract.at(self._noise, runs[chosen], self._count[end] - self._count[begin[chosen]])
        return chosen


def _parts(stored: Sequence[bytes], are_deltas: Sequence[bool]) -> tuple[list[bytes], list[int], bool]:
    """What deltas insert, and whole trees; the number of these parts up to the end of each tree; whether a delta is broken."""
    # The innermost loop: five million steps of deltas in git's own repository.
    parts: list[bytes] = []
    ends: list[int] = []
    add, operands = parts.append, OPERANDS
    for text, is_delta in zip(stored, are_deltas, strict=True):
        if not is_delta:
            add(text)
        elif sizes := DELTA_SIZES.match(text):
            at, end = sizes.end(), len(text)
            while at < end:
                step = text[at]
                at += 1
                if step < 0x80:
                    add(text[at : at + step])
                    # Only neighbours are joined to an insert of the longest size, so something separates it from others.
                    if step == _LONGEST_INSERT and text[at + step : at + step + 1] >= b"\x80":
                        add(b"")
                at += operands[step]
            if at != end:
                return [], [], True
        else:
            return [], [], True
        if parts and len(parts[-1]) == _LONGEST_INSERT:
            add(b"")
        ends.append(len(parts))
    return parts, ends, False


class Ids:
    """Eight bytes of each id, from `offset` on, for quick look-ups."""

    def __init__(self, ids: Sequence[NDArray[np.uint8]], offset: int = 0) -> None:
        """`ids` are arrays with an id a row."""
        import numpy as np

        self.offset = offset
        self._ids = ids[0] if len(ids) == 1 else np.concatenate(ids)
        keys = _keys(self._ids, offset)
        self._order = np.append(np.argsort(keys), 0)
        keys = keys[self._order[:-1]]
        bits = max(len(keys).bit_length() - 2, 1)
        self._shift = np.uint64(64 - bits)
        self._first = np.searchsorted(keys, np.arange(1 << bits, dtype=np.uint64) << self._shift)
        self._keys = np.append(keys, np.uint64(2**64 - 1))

    def contain(self, ids: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which of `ids` (an id a row) are among these, byte by byte."""
        import numpy as np

        if not len(self._ids):
            return np.zeros(len(ids), np.bool_)
        same: NDArray[np.bool_] = (self._ids[self._order[self._rows(_keys(ids, self.offset))]] == ids).all(axis=1)
        return same

    def contain_keys(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of `keys` (eight bytes of an id from `offset` on, little-endian) are among these."""
        rows = self._rows(keys)
        same: NDArray[np.bool_] = (self._keys[rows] == keys) & (rows < len(self._ids))
        return same

    def _rows(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The first row in which a key isn't lower than each of `keys`."""
        import numpy as np

        rows: NDArray[np.int64] = self._first[keys >> self._shift]
        left = np.flatnonzero(self._keys[rows] < keys)
        for _ in range(_NEIGHBOURS):
            rows[left] += 1
            left = left[self._keys[rows[left]] < keys[left]]
        rows[left] = np.searchsorted(self._keys, keys[left])
        return rows


def rows(ids: bytes, id_size: int) -> NDArray[np.uint8]:
    """Joined ids as an array with an id a row."""
    import numpy as np

    return np.frombuffer(ids, np.uint8).reshape(-1, id_size)


def _keys(ids: NDArray[np.uint8], offset: int) -> NDArray[np.uint64]:
    return ids[:, offset : offset + _KEY].copy().view("<u8").ravel()
