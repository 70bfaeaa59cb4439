"""Whether a repository has everything that its refs, reflogs and indexes lead to."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from patscan.counts import counted
from patscan.digests import blake2b
from patscan.git.child import GitError
from patscan.git.connectivity import BY_PACKED, BY_UNPACKED, CHECKED, UNREADABLE, Packs, linked
from patscan.sources.warnings import report_warnings

if TYPE_CHECKING:
    from patscan.content import Shard
    from patscan.git.repository import Repository
    from patscan.sources.memory import Memory
    from patscan.sources.store import Store

_FOLLOWED = 60_000
"""The most objects for which git is asked at once. That takes half a second, while the workers read."""
_REMEMBERED = 10_000
"""The most ids of objects outside the packs that are remembered."""


class Completeness:
    """Looks for missing objects. In a large repository workers check what packs name, and git is asked only if something is absent."""

    def __init__(self, repository: Repository, store: Store, memory: Memory | None) -> None:
        """`store` has the repository's objects. `memory` has the results of earlier scans."""
        self._repository, self._store, self._memory, self._gaps = repository, store, memory, store.gaps
        self._is_partial = False
        self._is_done = True
        self._packs = Packs((), repository.id_size)
        self._checksums: list[str] = []
        """Those of the packs, the largest pack's last."""
        self._closed = set[bytes]()
        self._elsewhere = set[str]()
        self._at_tips = set[str]()
        self._given = 0
        self._warnings = list[str]()

    def packed(self) -> Iterator[Shard]:
        """The contents of packs, and everything else in them that names objects."""
        self._is_partial = self._repository.is_partial()
        self._is_done = self._store.count() <= _FOLLOWED
        if self._is_done:
            yield from self._store.packed()
            return
        self._packs = Packs(tuple(self._store.packs()), self._repository.id_size, frozenset(self._repository.cut_off()))
        self._recall()
        yield from self._counted(linked(shard, self._packs) for shard in self._store.packed())
        yield from self._counted(self._store.links(self._packs, self._closed))

    def remaining(self) -> Iterator[Shard]:
        """All other contents."""
        shards = self._store.remaining()
        yield from shards if self._is_done else self._counted(linked(shard, self._packs) for shard in shards)

    def look_for_gaps(self) -> None:
        """Ask git what is missing; in a large repository only at the ends of history."""
        where = str(self._repository.path)
        for folder in self._repository.object_folders():
            if not os.path.isdir(folder):
                self._gaps.skip(
                    str(folder), "the repository borrows objects from this folder, which doesn't exist. See objects/info/alternates."
                )
        # git ignores such a folder silently.
        for folder, reason in self._repository.unreadable_refs():
            self._gaps.skip(str(folder), f"the refs in this folder can't be read: {reason}.")
        if self._repository.shallow:
            self._gaps.skip(where, "a shallow clone: older commits aren't here. Get them with: git fetch --unshallow")
        if self._is_done:
            self._report(self._asked(self._repository.lacking))
        else:
            self._at_tips = self._asked(self._repository.lacking_at_tips)

    def conclude(self, names: Sequence[str]) -> None:
        """Report what is missing. `names` are those of the failures that the check of links gave."""
        if self._is_done:
            return
        self._is_done = True
        is_read = UNREADABLE not in names and names.count(CHECKED) == self._given and not self._store.lost
        named_by_packs = _ids(names, BY_PACKED) | self._elsewhere
        missing = self._store.absent(named_by_packs | _ids(names, BY_UNPACKED)) | self._at_tips
        if is_read:
            self._remember(named_by_packs)
        # Perhaps nothing leads to an object that names a missing one. In a partial clone it is reported all the same.
        if not is_read or (missing and not self._is_partial):
            missing = self._asked(self._repository.lacking)
        self._report(missing)

    def _counted(self, shards: Iterable[Shard]) -> Iterator[Shard]:
        for shard in shards:
            self._given += 1
            yield shard

    def _asked(self, question: Callable[[list[str]], set[str]]) -> set[str]:
        """What git answers. If it can't, that is reported."""
        warnings: list[str] = []
        try:
            missing = question(warnings)
        except GitError as error:
            self._gaps.skip(str(self._repository.path), f"git can't list missing objects: {error}")
            self._is_done = True
            return set()
        new = [warning for warning in warnings if warning not in self._warnings]
        report_warnings(new, str(self._repository.path), self._gaps)
        self._warnings += new
        return missing

    def _report(self, missing: Collection[str]) -> None:
        where = str(self._repository.path)
        if missing and self._is_partial:
            reason = f"a partial clone without {counted(len(missing), 'object')}. Get all with: git fetch --refetch --no-filter"
            self._gaps.skip(where, reason)
        elif missing:
            self._gaps.skip(
                where,
                f"{counted(len(missing), 'object is', 'objects are')} missing that others refer to. See: git fsck --connectivity-only",
            )

    def _recall(self) -> None:
        """Take over what an earlier scan learned of some of the packs."""
        from patscan.git.pack_index import index_of

        indexes = [index for path in self._packs.paths if (index := index_of(path, self._repository.id_size))]
        self._checksums = [index.checksum.hex() for index in sorted(indexes, key=lambda index: len(index.ids))]
        for checksum in self._checksums if self._memory else ():
            facts = self._memory.recollect(self._name(checksum)) if self._memory else None
            if facts and set(self._checksums).issuperset(facts["packs"]):
                self._closed.update(map(bytes.fromhex, facts["packs"]))
                self._elsewhere.update(facts["elsewhere"])

    def _remember(self, elsewhere: Collection[str]) -> None:
        """Remember that the packs name only objects in each other and these, under the pack that lasts longest: the largest."""
        if self._memory and self._checksums and len(elsewhere) <= _REMEMBERED:
            facts = {"packs": self._checksums, "elsewhere": sorted(elsewhere)}
            self._memory.remember(self._name(self._checksums[-1]), facts)

    def _name(self, checksum: str) -> str:
        return f"{blake2b(' '.join([checksum, *sorted(self._packs.cut_off)]).encode(), digest_size=16).hexdigest()}-links"


def _ids(names: Iterable[str], mark: str) -> set[str]:
    return {name.removeprefix(mark) for name in names if name.startswith(mark)}
