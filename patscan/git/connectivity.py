"""Whether a repository has every object that its objects name. git's own check reads each tree whole; this one reads what packs store.

A pack stores most trees as deltas, which contain only what differs from the base. Everything that a delta inserts must be an id that is
stored, or text: a mode and a name. A tree of which that can't be said is read whole. Ids are compared by eight of their bytes.

A pack that git didn't write can hide a name here, by deltas that put an id together from parts of others. Where such deltas are seen, git
is asked; and their author could as well have left the name out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.content import Failure, Key, Piece, Shard
from patscan.git.entries import COMMIT, TAG, PackShard
from patscan.git.inserted import Ids, Inserted, rows
from patscan.git.modes import SUBMODULE
from patscan.git.objects import ObjectShard
from patscan.git.pack_index import Index, OddPack
from patscan.git.trees import looks_like_git
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.model import Sighting

LINKS = "links:"
"""The beginning of the names of all failures here."""
BY_PACKED, BY_UNPACKED = f"{LINKS}packed:", f"{LINKS}unpacked:"
"""Stand before the id of an object that no pack contains, and that an object in a pack, or one that git read, names."""
CHECKED, UNREADABLE = f"{LINKS}checked", f"{LINKS}unreadable"
"""A shard was checked; something can't be read, so that git must check everything."""
_BLOCK, _LONGEST = 8 << 20, 16 << 20
"""Bytes that a pack stores for the trees of one step, and the most that it may store for one tree."""
_REBUILT = 4 << 30
"""The most bytes of trees that are rebuilt at once."""
_FIRST = 8
"""The number of trees that are read whole before the others of a step, which may name the same submodules."""
_HEADER = re.compile(rb"(?:tree|object) ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)")
"""The first lines of a commit or a tag."""
_ENTRY = re.compile(rb"([0-7]+) [^\0]+\0")
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
        named = rows(ids, self.id_size)
        for name in np.unique(named[~_stored(self.paths, self.id_size, 0).contain(named)], axis=0):
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
        read, known = 0, len(failed)
        for piece in self.shard.pieces(failed):
            kind = piece[1]
            if kind != "blob" and not piece.offset:
                read += kind != "tree"
                ids += self._named(piece)
            if kind != "tree" and self.is_looked_at:
                yield piece
        if len(failed) > known if self.expected is None else read < self.expected:
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
            for part in _blocks(self.shard.size):
                failed += self._check(part)
        except (OSError, ValueError):
            # A repack removed the pack.
            failed.append(_UNREADABLE)
        failed.append(_CHECKED)

    def _check(self, part: slice) -> Iterator[Failure]:
        """Check some trees: read whole those that contain other bytes than known ids, modes and names."""
        stored, id_size = self.shard.raw(_LONGEST, part), self.packs.id_size
        are_deltas = [parent >= 0 for parent in self.shard.parent[part]]
        if stored is None or not looks_like_git(list(compress(stored, are_deltas))):
            yield _UNREADABLE
            return
        inserted = Inserted(stored, are_deltas, id_size)
        if inserted.is_broken:
            yield _UNREADABLE
            return
        for offset in (0, 1):
            inserted.explain(_stored(self.packs.paths, id_size, offset))
        inserted.explain_copied()
        done, some = set[int](), _FIRST
        while chosen := sorted(inserted.unclear() - done)[:some]:
            named, submodules = set[bytes](), set[bytes]()
            for tree in self.shard.rebuilt([part.start + place for place in chosen], _REBUILT):
                if tree is None or not _add_entries(tree, id_size, named, submodules):
                    yield _UNREADABLE
                    return
            yield from self.packs.absent(b"".join(named))
            # Other trees name the same submodules.
            inserted.explain(Ids([rows(b"".join(named | submodules), id_size)]))
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


def _blocks(sizes: Iterable[int]) -> Iterator[slice]:
    """Parts of a sequence with these sizes, each with about `_BLOCK` bytes."""
    low = high = filled = 0
    for size in sizes:
        if filled + size > _BLOCK and filled:
            yield slice(low, high)
            low, filled = high, 0
        high, filled = high + 1, filled + size
    yield slice(low, high)


def _add_entries(tree: bytes, id_size: int, named: set[bytes], submodules: set[bytes]) -> bool:
    """Add the id of each entry to one of two sets. Returns whether the tree is whole."""
    at = 0
    while entry := _ENTRY.match(tree, at):
        at = entry.end() + id_size
        (submodules if entry[1].endswith(_SUBMODULE) else named).add(tree[entry.end() : at])
    return at == len(tree)


@lru_cache(2)
def _stored(paths: tuple[Path, ...], id_size: int, offset: int) -> Ids:
    """The ids in these packs. A pack that a repack removed meanwhile is left out: git looks for what it contained."""
    ids = []
    for path in paths:
        with suppress(OddPack):
            ids.append(Index(path, id_size).ids)
    return Ids(ids or [rows(b"", id_size)], offset)
