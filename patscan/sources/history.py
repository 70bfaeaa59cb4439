"""Every object a repository holds, reachable or not, and the names of its refs."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from patscan.content import Each, Failure, Key, Looked, Piece
from patscan.gaps import Gaps
from patscan.git.child import GitError
from patscan.git.names import PathShard
from patscan.git.paths import paths, staged
from patscan.git.repository import Repository
from patscan.git.tips import TREE, TipShard, tips
from patscan.git.tips import names as names_in
from patscan.kind import Kind
from patscan.lfs import AGAIN
from patscan.model import Exposure, Sighting, Target
from patscan.sources.provenance import Provenance
from patscan.sources.store import Store
from patscan.sources.warnings import tell

if TYPE_CHECKING:
    from patscan.content import Shard
    from patscan.sources.memory import Memory

REFS = "refs"
_FOLLOWED = 60_000
"""Objects up to which git is asked whether any is missing that another refers to: it takes half a second, while the workers read.

Of more objects it takes as long as everything else; then it is asked only about what stands at the ends of history.
"""


class RefShard(NamedTuple):
    """The names of all refs, one in a line."""

    names: bytes

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        yield Piece(REFS, "ref-name", 0, self.names)

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()

    def name(self, key: Key) -> str:
        """All names are one content."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting:
        """The ref whose name holds the match."""
        low = self.names.rfind(b"\n", 0, start) + 1
        return Sighting(Kind.REF_NAME, self.names[low:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape"))


class History:
    """The whole object store of one repository, and its refs."""

    def __init__(self, repository: Repository, mirror: bool = False, memory: Memory | None = None, with_paths: bool = False) -> None:
        """Look at nothing yet. A `mirror` of a server holds only what was pushed there; `memory` is of earlier scans.

        `with_paths`: the names that files ever had, not only those at the tips of refs.
        """
        self.gaps = Gaps()
        self.store = Store(repository, memory, self.gaps)
        self._repository, self._with_paths = repository, with_paths
        self._provenance = Provenance(repository, mirror, memory, self.store)
        self._target: Target | None = None
        self._names: bytes | None = None

    def target(self) -> Target:
        """What this is, for the report."""
        if self._target is None:
            repository = self._repository
            self._target = Target("history", str(repository.path), repository.remote(), repository.head())
        return self._target

    def shards(self) -> Iterator[Shard]:
        """The first look's work. Afterwards `gaps` says what stands in the way of completeness."""
        if not self._with_paths:
            yield from self._tips()
        yield from self.store.packed()
        # Asked here, because the workers are busy with the packs meanwhile.
        self._look_for_gaps()
        self.target()
        yield RefShard(self._ref_names())
        yield from self.store.others()
        if self._with_paths:
            yield self._paths(self.store.commits(), staged(self._repository))

    def learn(self, looked: Looked) -> None:
        """For later scans."""
        self.store.learn(looked)

    def recall(self) -> Iterator[Looked]:
        """What earlier scans saw of the packs."""
        return self.store.recall()

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """These contents once more, by git's own reading; of a tree its names, one by one; of a Git LFS pointer what it stands for."""
        listed = sorted(names)
        trees = [name for name in listed if name.startswith(TREE)]
        if trees:
            yield PathShard(sorted(set(names_in(self._repository, trees))))
        pointers = [name for name in listed if name.startswith(AGAIN)]
        if pointers:
            from patscan.sources.lfs import OBJECTS, contents

            yield from contents(pointers, lambda _: self._repository.objects.parent / OBJECTS, "blob", self.gaps)
        yield from self.store.again(name for name in listed if not name.startswith((TREE, AGAIN)))

    def some(self, names: Sequence[str]) -> Iterator[Shard]:
        """These contents, out of their packs where they were read from those."""
        return self.store.some(names)

    def read(self, names: Iterable[str]) -> Iterator[Piece]:
        """The contents of these objects."""
        for shard in self.store.some(sorted(names)):
            yield from (piece._replace(key=shard.name(piece.key)) for piece in shard.pieces([]))

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """The paths of these blobs in the tree of HEAD."""
        return self._provenance.paths(names) if names else {}

    def vouched(self, sighting: Sighting) -> Sighting:
        """`origin` without an author where history is cut off before its commit."""
        return sighting._replace(author=None) if self._provenance.is_cut_off(sighting) else sighting

    def sightings(self, names: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Sighting]]:
        """The paths and commits of each blob, the commit that first brought it first."""
        return self._provenance.sightings(names, each)

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """Since when, until when, at which tips, and whether it was pushed."""
        return self._provenance.exposures(places)

    def at_head(self, sighting: Sighting) -> bool | None:
        """Whether a file stands in the tree of HEAD as it was met; ``None`` for what isn't in a file."""
        return self._provenance.at_head(sighting)

    def _look_for_gaps(self) -> None:
        where = str(self._repository.path)
        for folder in self._repository.object_folders():
            if not os.path.isdir(folder):
                self.gaps.skip(str(folder), "an object folder that this repository borrows from and that isn't there.")
        # git passes over such a folder without a word.
        for folder, reason in self._repository.unreadable_refs():
            self.gaps.skip(str(folder), f"refs that can't be read: {reason}.")
        if self._repository.shallow:
            self.gaps.skip(where, "a shallow clone: older commits aren't here. Get them with: git fetch --unshallow")
        partial = self._repository.is_partial()
        lacking = self._repository.lacking
        if not partial and self.store.count() > _FOLLOWED:
            lacking = self._repository.lacking_at_tips
            reason = "too many objects to ask git whether one of an older commit is missing: `git fsck --connectivity-only` tells."
            self.gaps.note(where, reason)
        warnings: list[str] = []
        try:
            missing = lacking(warnings)
        except GitError as error:
            self.gaps.skip(where, f"what it lacks can't be told: {error}")
            return
        tell(warnings, where, self.gaps)
        if missing and partial:
            reason = f"a partial clone: {missing:,} objects were never fetched. Get them with: git fetch --refetch --no-filter"
            self.gaps.skip(where, reason)
        elif missing:
            self.gaps.skip(where, f"{missing:,} objects are missing that others refer to. See: git fsck --connectivity-only")

    def _tips(self) -> Iterator[Shard]:
        """The names of the files at the tips of all refs."""
        self.gaps.note(str(self._repository.path), "names that files had in the past weren't looked at; --paths looks at them.")
        try:
            ids, more = tips(self._repository, self.target().head)
        except GitError as error:
            self.gaps.skip("refs", f"the names of the files at their tips weren't looked at: {error}")
            return
        if more:
            reason = f"the names of the files at the tips of {more:,} further refs weren't looked at; --paths looks at all names."
            self.gaps.note(str(self._repository.path), reason)
        if ids:
            yield TipShard(self._repository.path, self._repository.environment, self._repository.id_size, ids)

    def _paths(self, commits: Iterable[str], more: Iterable[bytes] = ()) -> Shard:
        """The names of the files that these commits brought, and some more."""
        unread: list[str] = []
        found = paths(self._repository, commits, unread)
        if unread:
            self.gaps.skip(str(self._repository.path), f"{len(unread):,} commits can't be read, nor the names of their files.")
        return PathShard(sorted(found.union(more)))

    def _ref_names(self) -> bytes:
        if self._names is None:
            warnings: list[str] = []
            self._names = b""
            try:
                self._names = self._repository.git("for-each-ref", "--format=%(refname)", warnings=warnings)
            except GitError as error:
                self.gaps.skip("refs", str(error))
            tell(warnings, str(self._repository.path), self.gaps)
        return self._names
