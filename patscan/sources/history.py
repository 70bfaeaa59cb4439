"""All objects of a repository, reachable or not, and the names of its refs and files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from patscan.content import Each, Failure, Key, Looked, Piece
from patscan.counts import counted
from patscan.gaps import Gaps
from patscan.git.child import GitError
from patscan.git.connectivity import LINKS
from patscan.git.names import PathShard
from patscan.git.paths import paths, staged
from patscan.git.repository import Repository
from patscan.git.tips import TREE, TipShard, tips
from patscan.git.tips import names as names_in
from patscan.kind import Kind
from patscan.lfs import AGAIN
from patscan.model import Exposure, Sighting, Target
from patscan.sources.completeness import Completeness
from patscan.sources.provenance import Provenance
from patscan.sources.store import Store
from patscan.sources.warnings import report_warnings
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.content import Shard
    from patscan.sources.memory import Memory

REFS = "refs"


class RefShard(NamedTuple):
    """The names of all refs, one in a line."""

    names: bytes

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        yield Piece(REFS, "ref-name", 0, self.names)

    def engines(self) -> tuple[str, ...]:
        """None: reading needs no engine."""
        return ()

    def name(self, key: Key) -> str:
        """All names are one content."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting:
        """The ref whose name contains the match."""
        low = self.names.rfind(b"\n", 0, start) + 1
        return Sighting(Kind.REF_NAME, self.names[low:].split(b"\n", 1)[0].decode("utf-8", "surrogateescape"))


class History:
    """The whole object store of one repository, and its refs."""

    def __init__(self, repository: Repository, mirror: bool = False, memory: Memory | None = None, with_paths: bool = False) -> None:
        """Nothing is read yet. A `mirror` of a server has only pushed commits. `memory` has the results of earlier scans.

        `with_paths` scans the names that files had in all of history, not only at the tips of refs.
        """
        self.gaps = Gaps()
        self.store = Store(repository, memory, self.gaps)
        self._repository, self._with_paths = repository, with_paths
        self._completeness = Completeness(repository, self.store, memory)
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
        """All contents to scan. Afterwards `gaps` has everything that can't be scanned."""
        if not self._with_paths:
            yield from self._tips()
        yield from self._completeness.packed()
        # git is asked here, because the workers are busy with the packs meanwhile.
        self._completeness.look_for_gaps()
        self.target()
        yield RefShard(self._ref_names())
        yield from self._completeness.remaining()
        if self._with_paths:
            yield self._paths(self.store.commits(), staged(self._repository))

    def learn(self, looked: Looked) -> None:
        """Remember results for later scans."""
        self.store.learn(looked)

    def recall(self) -> Iterator[Looked]:
        """The results of earlier scans of the packs."""
        return self.store.recall()

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """These contents, read through git; the names in a tree, one by one; the content of a Git LFS pointer.

        Names that the check of links gave have no content: they tell what is missing.
        """
        listed = sorted(names)
        self._completeness.conclude([name for name in listed if name.startswith(LINKS)])
        trees = [name for name in listed if name.startswith(TREE)]
        if trees:
            yield PathShard(sorted(set(names_in(self._repository, trees))))
        pointers = [name for name in listed if name.startswith(AGAIN)]
        if pointers:
            from patscan.sources.lfs import OBJECTS, contents

            yield from contents(pointers, lambda _: self._repository.objects.parent / OBJECTS, "blob", self.gaps)
        yield from self.store.again(name for name in listed if not name.startswith((TREE, AGAIN, LINKS)))

    def some(self, names: Sequence[str]) -> Iterator[Shard]:
        """These contents, from the packs where possible."""
        return self.store.some(names)

    def read(self, names: Iterable[str]) -> Iterator[Piece]:
        """The contents of these objects."""
        for shard in self.store.some(sorted(names)):
            yield from (piece._replace(key=shard.name(piece.key)) for piece in shard.pieces([]))

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """The paths of these blobs in the tree of HEAD."""
        return self._provenance.paths(names) if names else {}

    def vouched(self, sighting: Sighting) -> Sighting:
        """`sighting`, without an author if history is cut off at its commit."""
        return sighting._replace(author=None) if self._provenance.is_cut_off(sighting) else sighting

    def sightings(self, names: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Sighting]]:
        """The paths and commits of each blob, the first introduction first."""
        return self._provenance.sightings(names, each)

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """The exposure of each token: since when, until when, at which tips, and whether it was pushed."""
        return self._provenance.exposures(places)

    def at_head(self, sighting: Sighting) -> bool | None:
        """Whether HEAD still has this file with this content; ``None`` if the sighting isn't in a file."""
        return self._provenance.at_head(sighting)

    def _tips(self) -> Iterator[Shard]:
        """The names of the files at the tips of refs."""
        self.gaps.note(str(self._repository.path), "names that files had in the past weren't looked at. To look at them, add --paths.")
        try:
            ids, more = tips(self._repository, self.target().head)
        except GitError as error:
            self.gaps.skip("refs", f"the names of the files at their tips weren't looked at: {error}")
            return
        if more:
            reason = f"the names of the files at {counted(more, 'further tip')} weren't looked at. To look at all names, add --paths."
            self.gaps.note(str(self._repository.path), reason)
        if ids:
            yield TipShard(self._repository.path, self._repository.environment, self._repository.id_size, ids)

    def _paths(self, commits: Iterable[str], more: Iterable[bytes] = ()) -> Shard:
        """The names of the files that these commits added, and `more` names."""
        unread: list[str] = []
        added = paths(self._repository, commits, unread)
        if unread:
            self.gaps.skip(
                str(self._repository.path),
                f"{counted(len(unread), 'commit')} can't be read, so the names of their files weren't looked at.",
            )
        return PathShard(sorted(added.union(more)))

    def _ref_names(self) -> bytes:
        if self._names is None:
            warnings: list[str] = []
            self._names = b""
            try:
                self._names = self._repository.git("for-each-ref", "--format=%(refname)", warnings=warnings)
            except GitError as error:
                self.gaps.skip("refs", str(error))
            report_warnings(warnings, str(self._repository.path), self.gaps)
        return self._names
