"""All objects of one repository: its packs in their stored order, everything else through git."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.content import Each, Looked
from patscan.gaps import Gaps
from patscan.git import walk
from patscan.git.child import GitError
from patscan.git.objects import ObjectShard
from patscan.git.repository import Repository

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from patscan.content import Shard
    from patscan.git.connectivity import Packs
    from patscan.git.pack_index import Index
    from patscan.git.packs import Pack
    from patscan.git.trees import TreeContents
    from patscan.sources.memory import Memory

_LOOSE_AT_ONCE = 2000
_SHARDS = 64
_SMALLEST, _LARGEST = 256 << 10, 4 << 20
"""Compressed bytes of a shard: large enough to make the transfer cheap, small enough that all processors finish together."""


class Store:
    """The object folders of a repository: its own and its alternates."""

    def __init__(self, repository: Repository, memory: Memory | None, gaps: Gaps) -> None:
        """Nothing is read yet. `gaps` gets what can't be read, or only in another way."""
        self.gaps = gaps
        self._repository, self._memory = repository, memory
        if memory:
            memory.gaps = gaps
        self._packs: list[tuple[int, Pack]] = []
        self._unscanned: dict[Path, NDArray[np.bool_]] = {}
        """The entries of each pack that `packed` leaves out, if there are any."""
        self.lost = 0
        """The number of remembered packs that can't be opened any more."""
        self._unread: list[Path] | None = None
        self._remembered: list[Path] = []
        self._git_reads: list[str] = []
        self._strays: list[str] = []
        self._circles: list[str] = []
        self._elsewhere: list[str] | None = None

    def prepare(self) -> None:
        """Import what reading packs needs, if there is one to read."""
        if self.unread():
            from patscan.git import packs

            packs.prepare()

    def packed(self) -> Iterator[Shard]:
        """The contents of packs, also of those that a concurrent ``git gc`` writes meanwhile."""
        known, left = set[Path](), self.unread()
        while left:
            for path in left:
                yield from self._pack_shards(path)
            known.update(left)
            left = [path for path in self.packs() if path not in known and path not in self._remembered]

    def links(self, packs: Packs, closed: Collection[bytes]) -> Iterator[Shard]:
        """What `packed` doesn't read of commits, tags and trees, to be checked. Packs with a checksum in `closed` needn't be."""
        from patscan.git.connectivity import Trees, linked
        from patscan.git.entries import COMMIT, TAG, TREE

        scanned = len(self._packs)
        self._open_remembered()
        for number, (first, pack) in enumerate(self._packs):
            if pack.index.checksum in closed:
                continue
            unscanned = self._unscanned.get(pack.path)
            if unscanned is not None or number >= scanned:
                skipped = None if unscanned is None else ~unscanned
                yield from (linked(shard, packs, False) for shard in pack.shards(skipped, first, _LARGEST, (COMMIT, TAG)))
            yield from (Trees(shard, packs) for shard in pack.shards(None, first, _LARGEST, (TREE,)))

    def remaining(self) -> Iterator[Shard]:
        """All other contents. Call it after `packed`."""
        self._git_reads = [*self._strays, *self._unpacked({*self._loose(), *self._git_reads})]
        self._elsewhere = [*self._git_reads, *self._circles]
        yield from self.again(self._git_reads)

    def unread(self) -> list[Path]:
        """The packs that must be read, because no complete results are remembered."""
        if self._unread is None:
            packs = self.packs()
            for folder in self._repository.object_folders():
                self._note_lonely(self._entries(folder / "pack", r".*\.(?:pack|idx)"))
            self._unread = self._memory.unknown(packs, self._repository.id_size) if self._memory else packs
            self._remembered = [path for path in packs if path not in self._unread]
        return self._unread

    def learn(self, looked: Looked) -> None:
        """Remember results for later scans."""
        if self._memory:
            self._memory.learn(looked)

    def recall(self) -> Iterator[Looked]:
        """The results of earlier scans of the packs."""
        if self._memory:
            yield from self._memory.recalled

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """These contents, read through git."""
        listed = sorted(set(names))
        for low in range(0, len(listed), _LOOSE_AT_ONCE):
            yield ObjectShard(self._repository.path, self._repository.environment, listed[low : low + _LOOSE_AT_ONCE])

    def some(self, names: Sequence[str]) -> Iterator[Shard]:
        """These contents, from the open packs where possible, because git rejects some packs completely."""
        left = list(names)
        for first, pack in self._packs:
            places = pack.places(left) if left else {}
            left = [name for name in left if name not in places]
            if places:
                yield from pack.chosen(list(places.values()), first, _LARGEST)
        yield from self.again(left)

    def commits(self) -> Iterator[str]:
        """The ids of all commits that are stored, reachable or not."""
        self._open_remembered()
        for _, pack in self._packs:
            yield from pack.commits()
        command = ("cat-file", "--batch-check=%(objecttype) %(objectname)")
        for listed in walk.answers(self._repository, command, self._git_reads, []):
            yield from (line[7:].decode() for line in listed.splitlines() if line.startswith(b"commit "))

    def search_trees(self, blobs: Sequence[str], each: Each) -> TreeContents | None:
        """Which trees of all packs hold these blobs; ``None`` if git must be asked. See `patscan.git.trees`."""
        from concurrent.futures import BrokenExecutor

        from patscan.git.trees import search_trees

        self._open_remembered()
        # A partial clone may lack trees, which git may need for every commit.
        lacking = any(pack.path.with_suffix(".promisor").exists() for _, pack in self._packs)
        if self._elsewhere is None or lacking or self.lost:
            return None
        try:
            return search_trees([pack for _, pack in self._packs], blobs, self._elsewhere, each)
        except (BrokenExecutor, MemoryError, OSError):
            return None

    def count(self) -> int:
        """The approximate number of objects."""
        entry = self._repository.id_size + 8
        packed = sum(_size(path.with_suffix(".idx")) // entry for path in self.packs())
        return packed + 256 * len(self._entries(self._repository.objects / "17", r"[0-9a-f]+"))

    def packs(self) -> list[Path]:
        """The packs that have an index."""
        listed = [path for folder in self._repository.object_folders() for path in self._entries(folder / "pack", r".*\.(?:pack|idx)")]
        return [path for path in listed if path.suffix == ".pack" and path.with_suffix(".idx") in listed]

    def absent(self, names: Collection[str]) -> set[str]:
        """Those of `names` (object ids in hex) that are stored nowhere. Call it after `remaining`."""
        return set(self._unpacked(set(names))).difference(self._git_reads, self._loose())

    def names(self) -> Iterator[str]:
        """The names of all packs, which depend on their contents, and the ids of all loose objects."""
        for folder in self._repository.object_folders():
            yield from (path.name for path in self._entries(folder / "pack", r".*\.idx"))
        yield from self._loose()

    def _pack_shards(self, path: Path) -> Iterator[Shard]:
        from patscan.git.pack_index import OddPack

        known = self._indexes()
        try:
            first, pack = self._open(path)
        except OddPack as odd:
            if path.exists():
                self._leave_to_git(path, str(odd))
            else:
                self.gaps.note(str(path), "removed by a repack during the scan. The new pack was read instead.")
            return
        strays, circles = pack.strays(), pack.cyclic()
        self._strays, self._circles = self._strays + strays, self._circles + circles
        for name in circles:
            self.gaps.skip(name, "corrupt: its delta is based on itself, so it can't be read. Try: git fsck")
        skipped = pack.stored_in(known)
        if self._memory and not strays and not circles:
            skipped = self._memory.watch(pack, first, skipped, known)
        if skipped is not None and skipped.any():
            self._unscanned[path] = skipped
        yield from pack.shards(skipped, first, min(max(pack.compressed // _SHARDS, _SMALLEST), _LARGEST))

    def _open(self, path: Path) -> tuple[int, Pack]:
        """A pack, and the number of its first entry among those of all packs. Raises `OddPack`."""
        from patscan.git.packs import Pack

        first = self._packs[-1][0] + len(self._packs[-1][1]) if self._packs else 0
        self._packs.append((first, Pack(path, self._repository.id_size)))
        return self._packs[-1]

    def _open_remembered(self) -> None:
        """Open the packs that needn't be read because their results are remembered."""
        from patscan.git.pack_index import OddPack

        while self._remembered:
            try:
                self._open(self._remembered.pop())
            except OddPack:  # it is gone by now
                self.lost += 1

    def _indexes(self) -> list[Index]:
        """The indexes of all open or remembered packs."""
        return [*(self._memory.indexes if self._memory else ()), *(pack.index for _, pack in self._packs)]

    def _note_lonely(self, listed: list[Path]) -> None:
        for path in listed:
            other = {".pack": ".idx", ".idx": ".pack"}.get(path.suffix)
            if other and path.with_suffix(other) not in listed:
                self.gaps.skip(str(path), f"there is no {other} file beside it, so it can't be read, not by git either. Try: git fsck")

    def _leave_to_git(self, path: Path, reason: str) -> None:
        """Let git read a pack that isn't read here. If git can't list its objects, it is a skip."""
        self.gaps.note(str(path), f"{reason} It was read through git instead.")
        try:
            listed = self._repository.git(
                "show-index",
                f"--object-format={'sha256' if self._repository.id_size == 32 else 'sha1'}",
                stdin=path.with_suffix(".idx").read_bytes(),
            )
        except (GitError, OSError) as error:
            self.gaps.skip(str(path), f"its index can't be read: {error}")
            return
        self._git_reads += [line.split()[1].decode() for line in listed.splitlines()]

    def _loose(self) -> list[str]:
        names = []
        for folder in self._repository.object_folders():
            for part in self._entries(folder, r"[0-9a-f]{2}"):
                names += [part.name + file.name for file in self._entries(part, rf"[0-9a-f]{{{self._repository.id_size * 2 - 2}}}")]
        return names

    def _unpacked(self, names: set[str]) -> list[str]:
        """Those of `names` that aren't in an open or remembered pack."""
        from patscan.git.pack_index import unlisted

        return unlisted(sorted(names), self._indexes())

    def _entries(self, folder: Path, pattern: str) -> list[Path]:
        """The entries of `folder` whose names match `pattern`, sorted."""
        match: Callable[[str], object] = re.compile(pattern, re.DOTALL).fullmatch
        try:
            return sorted(path for path in folder.iterdir() if match(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.gaps.skip(str(folder), f"can't be read: {error.strerror or error}.")
            return []


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
