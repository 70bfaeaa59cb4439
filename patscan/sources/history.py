"""Every object a repository holds, reachable or not, and the names of its refs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from patscan.content import Key, Looked, Piece
from patscan.git import attribution
from patscan.git.child import GitError
from patscan.git.objects import ObjectShard
from patscan.git.repository import Repository
from patscan.model import Exposure, Note, Origin, Skip, Target

if TYPE_CHECKING:
    from patscan.content import Shard
    from patscan.git.entries import PackShard
    from patscan.git.pack_index import Index
    from patscan.git.packs import Pack
    from patscan.sources.memory import Memory

REFS = "refs"
_LOOSE_AT_ONCE = 2000
_FOLLOWED = 60_000
"""Objects up to which git is asked whether one is missing that another refers to: it takes half a second, while the workers read."""
_SHARDS = 64
_SMALLEST, _LARGEST = 256 << 10, 4 << 20
"""Compressed bytes in a shard: large enough that handing it over costs nothing, small enough that both processors end together."""


class RefShard(NamedTuple):
    """The names of all refs, one in a line."""

    names: bytes

    def pieces(self, failed: list[tuple[Key, str]]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        yield Piece(REFS, "ref-name", 0, self.names)

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()


class History:
    """The whole object store of one repository: its packs in their own order, everything else through git."""

    def __init__(self, repository: Repository, mirror: bool = False, memory: Memory | None = None) -> None:
        """Look at nothing yet. A `mirror` of a server holds only what was pushed there; `memory` is of earlier scans."""
        self._memory = memory
        self._unread: list[Path] | None = None
        self._mirror = mirror
        self._attribution: attribution.Attribution | None = None
        self._repository = repository
        self._packs: list[tuple[int, Pack]] = []
        self.skips: list[Skip] = []
        self.notes: list[Note] = []
        self._git_reads: list[str] = []
        self._strays: list[str] = []
        self._remembered: list[Path] = []
        self._target: Target | None = None

    def target(self) -> Target:
        """What this is, for the report."""
        if self._target is None:
            repository = self._repository
            self._target = Target("history", str(repository.path), repository.remote(), repository.head())
        return self._target

    def shards(self) -> Iterator[Shard]:
        """The first look's work. Afterwards `skips` and `notes` say what stands in the way of completeness."""
        for path in self.unread():
            yield from self._pack_shards(path)
        # Asked here, because the workers are busy with the packs meanwhile.
        self._look_for_gaps()
        self.target()
        yield RefShard(self._ref_names())
        self._git_reads = [*self._strays, *self._unpacked({*self._loose(), *self._git_reads})]
        yield from self.again(self._git_reads)

    def unread(self) -> list[Path]:
        """The packs that have to be read, for they aren't remembered as a whole."""
        if self._unread is None:
            packs = [path for folder in self._repository.object_folders() for path in self._packs_in(folder)]
            self._unread = self._memory.unknown(packs, self._repository.id_size) if self._memory else packs
            self._remembered = [path for path in packs if path not in self._unread]
        return self._unread

    def learn(self, looked: Looked) -> None:
        """For later scans."""
        if self._memory:
            self._memory.learn(looked)

    def recall(self) -> Iterator[Looked]:
        """What earlier scans saw of the packs."""
        if self._memory:
            self.notes += self._memory.notes
            yield from self._memory.recalled

    def again(self, keys: Iterable[Key]) -> Iterator[Shard]:
        """These contents once more, by git's own reading."""
        names = sorted({self.name(key) for key in keys})
        for low in range(0, len(names), _LOOSE_AT_ONCE):
            yield ObjectShard(self._repository.path, self._repository.environment, names[low : low + _LOOSE_AT_ONCE])

    def name(self, key: Key) -> str:
        """The object id behind a key; ``refs`` for the ref names."""
        if isinstance(key, str):
            return key
        first, pack = next((first, pack) for first, pack in reversed(self._packs) if first <= key)
        return pack.name(key - first)

    def read(self, keys: Iterable[str]) -> Iterator[Piece]:
        """The contents of these keys, for the second look."""
        names = sorted(keys)
        if REFS in names:
            names.remove(REFS)
            yield Piece(REFS, "ref-name", 0, self._ref_names())
        failed: list[tuple[Key, str]] = []
        if names:
            self._open_remembered()
        for name, shard in self._packed(names):
            # What the first look made, this one can make: nothing need be asked of git, which refuses some packs as a whole.
            pieces = [piece._replace(key=name) for piece in shard.pieces([])]
            if pieces:
                names.remove(name)
            yield from pieces
        yield from ObjectShard(self._repository.path, self._repository.environment, names).pieces(failed)
        self.skips += [Skip(str(name), reason) for name, reason in failed]

    def _packed(self, names: Sequence[str]) -> Iterator[tuple[str, PackShard]]:
        """Those of `names` that a pack holds, each with what it is made of."""
        left = list(names)
        for first, pack in self._packs:
            places = pack.places(left)
            left = [name for name in left if name not in places]
            yield from ((name, pack.one(number, first)) for name, number in places.items())

    def within(self, piece: Piece, start: int) -> Origin | None:
        """Where a match in a ref name, a commit or a tag was met; ``None`` in a blob."""
        content = bytes(piece.data) if piece.kind != "blob" else b""
        if piece.kind == "ref-name":
            low = content.rfind(b"\n", 0, start) + 1
            return Origin("ref-name", content[low:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape"))
        if piece.offset and content:
            return Origin(f"{piece.kind}-message", None, str(piece.key))
        return attribution.signed(piece.kind, str(piece.key), content, start) if content else None

    def origins(self, keys: Iterable[str]) -> Mapping[str, Sequence[Origin]]:
        """The paths and commits of each blob, the commit that first brought it first."""
        self._attribution = attribution.attribute(self._repository, keys, self._commits)
        if unread := self._attribution.unread:
            self.notes.append(
                Note(str(self._repository.path), f"{unread:,} commits can't be read: what they brought has no path, author or date.")
            )
        return self._attribution.places

    def exposures(self, places: Mapping[str, Sequence[Origin]]) -> Mapping[str, Exposure]:
        """Since when, until when, at which tips, and whether it was pushed."""
        from patscan.git.exposure import exposures

        told = self._attribution or attribution.attribute(self._repository, (), self._commits)
        return exposures(self._repository, told, places, self._mirror)

    def _look_for_gaps(self) -> None:
        where = str(self._repository.path)
        for folder in self._repository.object_folders():
            if not folder.is_dir():
                self.skips.append(Skip(str(folder), "an object folder that this repository borrows from and that isn't there."))
        if self._repository.shallow:
            self.skips.append(Skip(where, "a shallow clone: older commits aren't here. Get them with: git fetch --unshallow"))
        partial = self._repository.is_partial()
        if not partial and self._count() > _FOLLOWED:
            self.notes.append(Note(where, "too many objects to ask git whether one is missing: `git fsck --connectivity-only` tells."))
            return
        try:
            missing = self._repository.lacking()
        except GitError as error:
            self.skips.append(Skip(where, f"what it lacks can't be told: {error}"))
            return
        if missing and partial:
            reason = f"a partial clone: {missing:,} objects were never fetched. Get them with: git fetch --refetch --no-filter"
            self.skips.append(Skip(where, reason))
        elif missing:
            self.skips.append(Skip(where, f"{missing:,} objects are missing that others refer to. See: git fsck --connectivity-only"))

    def _count(self) -> int:
        """How many objects there are, roughly."""
        return sum(len(index.ids) for index in self._indexes()) + 256 * len(self._entries(self._repository.objects / "17", r"[0-9a-f]+"))

    def _ref_names(self) -> bytes:
        try:
            return self._repository.git("for-each-ref", "--format=%(refname)")
        except GitError as error:
            self.skips.append(Skip("refs", str(error)))
            return b""

    def _packs_in(self, folder: Path) -> list[Path]:
        """The packs in a folder that have an index."""
        listed = self._entries(folder / "pack", r".*\.(?:pack|idx)")
        self._note_lonely(listed)
        return [path for path in listed if path.suffix == ".pack" and path.with_suffix(".idx") in listed]

    def _pack_shards(self, path: Path) -> Iterator[Shard]:
        from patscan.git.pack_index import OddPack

        known = self._indexes()
        try:
            first, pack = self._open(path)
        except OddPack as odd:
            self._leave_to_git(path, str(odd))
            return
        strays, circles = pack.strays(), pack.made_of_themselves()
        self._strays += strays
        self.skips += [Skip(name, "a delta that is made of itself: nobody can read it.") for name in circles]
        skipped = pack.held_by(known)
        if self._memory and not strays and not circles:
            skipped = self._memory.watch(pack, first, skipped, known)
        yield from pack.shards(skipped, first, min(max(pack.compressed // _SHARDS, _SMALLEST), _LARGEST))

    def _open(self, path: Path) -> tuple[int, Pack]:
        """A pack, and the number of its first entry among those of all packs. Raises `OddPack`."""
        from patscan.git.packs import Pack

        first = self._packs[-1][0] + len(self._packs[-1][1]) if self._packs else 0
        self._packs.append((first, Pack(path, self._repository.id_size)))
        return self._packs[-1]

    def _open_remembered(self) -> None:
        """What an earlier scan made it worthless to open is needed after all."""
        from patscan.git.pack_index import OddPack

        while self._remembered:
            # One that is gone by now holds nothing.
            with suppress(OddPack):
                self._open(self._remembered.pop())

    def _indexes(self) -> list[Index]:
        """Of all packs that are read here or remembered."""
        return [*(self._memory.indexes if self._memory else ()), *(pack.index for _, pack in self._packs)]

    def _note_lonely(self, listed: list[Path]) -> None:
        for path in listed:
            other = {".pack": ".idx", ".idx": ".pack"}.get(path.suffix)
            if other and path.with_suffix(other) not in listed:
                self.skips.append(Skip(str(path), f"no {other} beside it, so git can't use it either. Try: git fsck"))

    def _leave_to_git(self, path: Path, reason: str) -> None:
        """Git lists what it finds in a pack that isn't read here; what it can't list is a skip."""
        self.notes.append(Note(str(path), f"{reason} Read through git instead."))
        try:
            listed = self._repository.git(
                "show-index",
                f"--object-format={'sha256' if self._repository.id_size == 32 else 'sha1'}",
                stdin=path.with_suffix(".idx").read_bytes(),
            )
        except (GitError, OSError) as error:
            self.skips.append(Skip(str(path), f"its index can't be read: {error}"))
            return
        self._git_reads += [line.split()[1].decode() for line in listed.splitlines()]

    def _loose(self) -> list[str]:
        names = []
        for folder in self._repository.object_folders():
            for part in self._entries(folder, r"[0-9a-f]{2}"):
                names += [part.name + file.name for file in self._entries(part, rf"[0-9a-f]{{{self._repository.id_size * 2 - 2}}}")]
        return names

    def _unpacked(self, names: set[str]) -> list[str]:
        """Those that aren't in a pack that is read here."""
        from patscan.git.pack_index import unlisted

        return unlisted(sorted(names), self._indexes())

    def _commits(self) -> Iterator[str]:
        """The ids of all commits that are stored, reachable or not."""
        self._open_remembered()
        for _, pack in self._packs:
            yield from pack.commits()
        command = ("cat-file", "--batch-check=%(objecttype) %(objectname)")
        for listed in attribution.answers(self._repository, command, self._git_reads, []):
            yield from (line[7:].decode() for line in listed.splitlines() if line.startswith(b"commit "))

    def _entries(self, folder: Path, pattern: str) -> list[Path]:
        """What lies in `folder` under a name that `pattern` matches, sorted."""
        match: Callable[[str], object] = re.compile(pattern, re.DOTALL).fullmatch
        try:
            return sorted(path for path in folder.iterdir() if match(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.skips.append(Skip(str(folder), f"can't be read: {error.strerror or error}."))
            return []
