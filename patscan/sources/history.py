"""Every object a repository holds, reachable or not, and the names of its refs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from patscan.content import Each, Key, Looked, Piece
from patscan.git import attribution
from patscan.git.child import GitError
from patscan.git.names import PATH, PathShard, path_of
from patscan.git.paths import paths, staged
from patscan.git.repository import Repository
from patscan.git.tips import TREE, TipShard, names, tips
from patscan.model import Exposure, Note, Origin, Skip, Target
from patscan.sources.provenance import Provenance
from patscan.sources.store import Store

if TYPE_CHECKING:
    from patscan.content import Shard
    from patscan.sources.memory import Memory

REFS = "refs"
_FOLLOWED = 60_000
"""Objects up to which git is asked whether one is missing that another refers to: it takes half a second, while the workers read."""


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
    """The whole object store of one repository, and its refs."""

    def __init__(self, repository: Repository, mirror: bool = False, memory: Memory | None = None, with_paths: bool = False) -> None:
        """Look at nothing yet. A `mirror` of a server holds only what was pushed there; `memory` is of earlier scans.

        `with_paths`: the names that files ever had, not only those at the tips of refs.
        """
        self.skips: list[Skip] = []
        self.notes: list[Note] = []
        self.store = Store(repository, memory, self.skips, self.notes)
        self._repository, self._with_paths = repository, with_paths
        self._provenance = Provenance(repository, mirror, memory, self.store)
        self._target: Target | None = None

    def target(self) -> Target:
        """What this is, for the report."""
        if self._target is None:
            repository = self._repository
            self._target = Target("history", str(repository.path), repository.remote(), repository.head())
        return self._target

    def shards(self) -> Iterator[Shard]:
        """The first look's work. Afterwards `skips` and `notes` say what stands in the way of completeness."""
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

    def again(self, keys: Iterable[Key]) -> Iterator[Shard]:
        """These contents once more, by git's own reading."""
        return self.store.again(keys)

    def name(self, key: Key) -> str:
        """The object id behind a key; ``refs`` for the ref names."""
        return self.store.name(key)

    def read(self, keys: Iterable[str]) -> Iterator[Piece]:
        """The contents of these keys, for the second look."""
        contents = sorted(keys)
        if REFS in contents:
            contents.remove(REFS)
            yield Piece(REFS, "ref-name", 0, self._ref_names())
        named = {path_of(key) for key in contents if key.startswith(PATH)}
        named.update(names(self._repository, [key for key in contents if key.startswith(TREE)]))
        yield from PathShard(sorted(named)).pieces([])
        yield from self.store.read([key for key in contents if not key.startswith((PATH, TREE))])

    def within(self, piece: Piece, start: int) -> Origin | None:
        """Where a match in a ref name, a commit or a tag was met; ``None`` in a blob."""
        content = bytes(piece.data) if piece.kind not in {"blob", "path"} else b""
        if piece.kind == "ref-name":
            low = content.rfind(b"\n", 0, start) + 1
            return Origin("ref-name", content[low:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape"))
        if piece.offset and content:
            return Origin(f"{piece.kind}-message", None, str(piece.key))
        return attribution.signed(piece.kind, str(piece.key), content, start) if content else None

    def origins(self, keys: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Origin]]:
        """The paths and commits of each blob, the commit that first brought it first."""
        return self._provenance.origins(keys, each)

    def exposures(self, places: Mapping[str, Sequence[Origin]]) -> Mapping[str, Exposure]:
        """Since when, until when, at which tips, and whether it was pushed."""
        return self._provenance.exposures(places)

    def at_head(self, origin: Origin) -> bool | None:
        """Whether a file stands in the tree of HEAD as it was met; ``None`` for what isn't in a file."""
        return self._provenance.at_head(origin)

    def _look_for_gaps(self) -> None:
        where = str(self._repository.path)
        for folder in self._repository.object_folders():
            if not folder.is_dir():
                self.skips.append(Skip(str(folder), "an object folder that this repository borrows from and that isn't there."))
        if self._repository.shallow:
            self.skips.append(Skip(where, "a shallow clone: older commits aren't here. Get them with: git fetch --unshallow"))
        partial = self._repository.is_partial()
        if not partial and self.store.count() > _FOLLOWED:
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

    def _tips(self) -> Iterator[Shard]:
        """The names of the files at the tips of all refs."""
        self.notes.append(Note(str(self._repository.path), "names that files had in the past weren't looked at; --paths looks at them."))
        try:
            ids, more = tips(self._repository, self.target().head)
        except GitError as error:
            self.skips.append(Skip("refs", f"the names of the files at their tips weren't looked at: {error}"))
            return
        if more:
            reason = f"the names of the files at the tips of {more:,} further refs weren't looked at; --paths looks at all names."
            self.notes.append(Note(str(self._repository.path), reason))
        if ids:
            yield TipShard(self._repository.path, self._repository.environment, self._repository.id_size, ids)

    def _paths(self, commits: Iterable[str], more: Iterable[bytes] = ()) -> Shard:
        """The names of the files that these commits brought, and some more."""
        unread: list[str] = []
        found = paths(self._repository, commits, unread)
        if unread:
            self.skips.append(Skip(str(self._repository.path), f"{len(unread):,} commits can't be read, nor the names of their files."))
        return PathShard(sorted(found.union(more)))

    def _ref_names(self) -> bytes:
        try:
            return self._repository.git("for-each-ref", "--format=%(refname)")
        except GitError as error:
            self.skips.append(Skip("refs", str(error)))
            return b""
