"""Whether a repository has every object that its objects name. git's own check reads each tree whole; this one reads what packs store.

A pack stores most trees as deltas, which contain only what differs from the base. Everything that a delta inserts must be an id that is
stored, or text: a mode and a name. A tree of which that can't be said is read whole. Ids are compared by eight of their bytes.

A pack that git didn't write can hide a name here, by deltas that put an id together from parts of others. Its author could as well have
left the name out, so nothing is gained by that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from patscan.content import Failure, Key, Piece, Shard
from patscan.git.entries import COMMIT, DELTA_SIZES, OPERANDS, TAG, PackShard
from patscan.git.modes import SUBMODULE
from patscan.git.objects import ObjectShard
from patscan.git.pack_index import Index, OddPack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from patscan.model import Sighting

LINKS = "links:"
"""The beginning of the names of all failures here."""
BY_PACKED, BY_UNPACKED = f"{LINKS}packed:", f"{LINKS}unpacked:"
"""Stand before the id of an object that no pack contains, and that an object in a pack, or one that git read, names."""
CHECKED, UNREADABLE = f"{LINKS}checked", f"{LINKS}unreadable"
"""A shard was checked; something can't be read, so that git must check everything."""
_BLOCK, _LONGEST = 20_000, 64 << 20
"""The most trees in one step, and the most bytes that a pack may store for them."""
_REBUILT = 4 << 30
"""The most bytes of trees that are rebuilt at once."""
_FIRST = 8
"""The number of trees that are read whole before the others of a step, which may name the same submodules."""
_KEY, _NEIGHBOURS = 8, 8
_LONGEST_INSERT = 127
_HEADER = re.compile(rb"(?:tree|object) ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)")
"""The first lines of a commit or a tag."""
_ENTRY = re.compile(rb"([0-7]+) [^\0]+\0")
_TEXT = bytes(range(0x20, 0x7F))
_SUBMODULE = SUBMODULE.encode()
_CHECKED = Failure(CHECKED, "its links were checked.", again=True)
_UNREADABLE = Failure(UNREADABLE, "some objects can't be read.", again=True)


class Packs(NamedTuple):
    """The packs that may contain what an object names, and the commits whose parents needn't be stored."""

    paths: tuple[Path, ...]
    id_size: int
    cut_off: frozenset[str] = frozenset()

    def absent(self, ids: bytes, mark: str = BY_PACKED) -> Iterator[Failure]:
        """A failure for each of these joined ids that no pack contains. `mark` stands before the id in its name."""
        import numpy as np

        if len(ids) % self.id_size:
            yield _UNREADABLE
            return
        rows = _rows(ids, self.id_size)
        lacking = ~_stored(self.paths, self.id_size, 0).contain(rows[:, :_KEY].copy().view("<u8").ravel())
        for name in np.unique(rows[lacking], axis=0):
            yield Failure(mark + name.tobytes().hex(), "no pack contains it.", again=True)


class Linked(NamedTuple):
    """A shard whose commits, tags and trees are checked: a `Failure` is added for each object that they name and that no pack contains."""

    shard: Shard
    packs: Packs
    expected: int | None = None
    """The number of commits and tags in the shard, if it is known."""
    is_looked_at: bool = True
    """Whether the contents are also looked at for tokens."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`. Trees are never looked at."""
        ids: list[bytes] = []
        read = 0
        for piece in self.shard.pieces(failed):
            kind = piece[1]
            if kind != "blob" and not piece.offset:
                read += kind != "tree"
                ids += self._named(piece)
            if kind != "tree" and self.is_looked_at:
                yield piece
        if failed if self.expected is None else read < self.expected:
            failed.append(_UNREADABLE)
        mark = BY_UNPACKED if isinstance(self.shard, ObjectShard) else BY_PACKED
        failed += [*self.packs.absent(b"".join(ids), mark), _CHECKED]

    def _named(self, piece: Piece) -> Iterable[bytes]:
        if piece.kind == "tree":
            named = set[bytes]()
            is_whole = piece.last and _add_entries(bytes(piece.data), self.packs.id_size, named, set())
            return named if is_whole else [b"?"]
        header = _HEADER.match(piece.data)
        if not header:
            return [b"?"]
        parents = header[2].split()[1::2]
        if self.packs.cut_off and self.shard.name(piece.key) in self.packs.cut_off:
            parents = []
        try:
            return [bytes.fromhex(name.decode()) for name in (header[1], *parents)]
        except ValueError:
            return [b"?"]

    def engines(self) -> tuple[str, ...]:
        """The engines that read the shard."""
        return self.shard.engines()

    def name(self, key: Key) -> str:
        """The shard's name of a content."""
        return self.shard.name(key)

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """The shard's sighting of a match."""
        return self.shard.sighting(piece, start)


def linked(shard: Shard, packs: Packs, is_looked_at: bool = True) -> Linked:
    """`shard`, with its commits and tags checked."""
    if isinstance(shard, ObjectShard):
        shard = shard._replace(with_trees=True)
    expected = shard.kind.count(COMMIT) + shard.kind.count(TAG) if isinstance(shard, PackShard) else None
    return Linked(shard, packs, expected, is_looked_at)


class Trees(NamedTuple):
    """The trees of a shard, which are checked and not looked at."""

    shard: PackShard
    packs: Packs

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """Nothing. A `Failure` is added for each object that the trees name and that no pack contains."""
        yield from ()
        try:
            for low in range(0, len(self.shard.numbers), _BLOCK):
                failed += self._check(slice(low, low + _BLOCK))
        except (OSError, ValueError):
            # A repack removed the pack.
            failed.append(_UNREADABLE)
        failed.append(_CHECKED)

    def _check(self, part: slice) -> Iterator[Failure]:
        """Check some trees: read whole those that contain other bytes than known ids, modes and names."""
        stored, id_size = self.shard.raw(_LONGEST, part), self.packs.id_size
        inserted = _Inserted(stored, [parent >= 0 for parent in self.shard.parent[part]], id_size) if stored is not None else None
        if inserted is None or inserted.is_broken:
            yield _UNREADABLE
            return
        for offset in (0, 1):
            inserted.explain(_stored(self.packs.paths, id_size, offset))
        done, some = set[int](), _FIRST
        while chosen := sorted(inserted.unclear() - done)[:some]:
            named, submodules = set[bytes](), set[bytes]()
            for tree in self.shard.rebuilt([part.start + place for place in chosen], _REBUILT):
                if tree is None or not _add_entries(tree, id_size, named, submodules):
                    yield _UNREADABLE
                    return
            yield from self.packs.absent(b"".join(named))
            # Other trees name the same submodules.
            inserted.explain(_Stored([_rows(b"".join(named | submodules), id_size)], 0))
            done.update(chosen)
            some *= 8

    def engines(self) -> tuple[str, ...]:
        """The inflater and the delta applier."""
        return self.shard.engines()

    def name(self, key: Key) -> str:
        """The object id of the tree with this number."""
        return self.shard.name(key)

    def sighting(self, piece: Piece, start: int) -> None:
        """None: nothing is looked at."""


def _add_entries(tree: bytes, id_size: int, named: set[bytes], submodules: set[bytes]) -> bool:
    """Add the id of each entry to one of two sets. Returns whether the tree is whole."""
    at = 0
    while entry := _ENTRY.match(tree, at):
        at = entry.end() + id_size
        (submodules if entry[1].endswith(_SUBMODULE) else named).add(tree[entry.end() : at])
    return at == len(tree)


class _Inserted:
    """Bytes that trees insert, as runs of neighbours, and how many bytes of each run are neither text nor explained yet."""

    def __init__(self, stored: Sequence[bytes], are_deltas: Sequence[bool], id_size: int) -> None:
        """`stored` are whole trees and deltas."""
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
        # After a NUL at its end, a whole id is copied.
        self._noise[self._runs[self._nuls + 1 == self._high[self._runs]]] -= 1

    def explain(self, known: _Stored) -> None:
        """Subtract the bytes of known ids: at the beginning of a run, and after a NUL, which ends a name."""
        import numpy as np

        runs = np.flatnonzero(self._noise > 0)
        self._subtract(runs, self._low[runs], self._low[runs], known)
        chosen = self._noise[self._runs] > 0
        self._subtract(self._runs[chosen], self._nuls[chosen], self._nuls[chosen] + 1, known)

    def unclear(self) -> set[int]:
        """The positions of trees with other bytes than text and known ids."""
        import numpy as np

        return set(np.searchsorted(self._ends, self._firsts[self._noise > 0], "right").tolist())

    def _subtract(self, runs: NDArray[np.int64], begin: NDArray[np.int64], at: NDArray[np.int64], known: _Stored) -> None:
        """Subtract in each of `runs` the bytes from `begin` to the end of the id at `at`, if that is known."""
        import numpy as np

        keys = np.ndarray((len(self._text) - _KEY + 1,), "<u8", self._text, 0, (1,))
        chosen = np.flatnonzero(at + _KEY <= self._high[runs])
        chosen = chosen[known.contain(keys[at[chosen]])]
        end = np.minimum(at[chosen] + self._id_size - known.offset, self._high[runs[chosen]])
        np.subtract.at(self._noise, runs[chosen], self._count[end] - self._count[begin[chosen]])


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
        else:
            return [], [], True
        if parts and len(parts[-1]) == _LONGEST_INSERT:
            add(b"")
        ends.append(len(parts))
    return parts, ends, False


class _Stored:
    """Eight bytes of each id, from `offset` on, for quick look-ups."""

    def __init__(self, ids: Sequence[NDArray[np.uint8]], offset: int) -> None:
        import numpy as np

        self.offset = offset
        keys = np.sort(np.concatenate([part[:, offset : offset + _KEY].copy().view("<u8").ravel() for part in ids]))
        bits = max(len(keys).bit_length() - 2, 1)
        self._shift = np.uint64(64 - bits)
        self._first = np.searchsorted(keys, np.arange(1 << bits, dtype=np.uint64) << self._shift)
        self._keys = np.append(keys, np.uint64(2**64 - 1))

    def contain(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of `keys` are known."""
        import numpy as np

        rows = self._first[keys >> self._shift]
        left = np.flatnonzero(self._keys[rows] < keys)
        for _ in range(_NEIGHBOURS):
            rows[left] += 1
            left = left[self._keys[rows[left]] < keys[left]]
        rows[left] = np.searchsorted(self._keys, keys[left])
        known: NDArray[np.bool_] = (self._keys[rows] == keys) & (rows < len(self._keys) - 1)
        return known


def _rows(ids: bytes, id_size: int) -> NDArray[np.uint8]:
    import numpy as np

    return np.frombuffer(ids, np.uint8).reshape(-1, id_size)


@lru_cache(2)
def _stored(paths: tuple[Path, ...], id_size: int, offset: int) -> _Stored:
    """The ids in these packs. A pack that a repack removed meanwhile is left out: git looks for what it contained."""
    import numpy as np

    ids = [np.zeros((0, id_size), np.uint8)]
    for path in paths:
        try:
            ids.append(Index(path, id_size).ids)
        except OddPack:
            continue
    return _Stored(ids, offset)
