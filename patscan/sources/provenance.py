"""Sightings and exposure: from git, or remembered from an audit of the unchanged repository."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from patscan.counts import counted
from patscan.digests import blake2b
from patscan.git import attribution
from patscan.git.child import GitError
from patscan.git.exposure import commits_by_id, exposures, nameless
from patscan.git.names import PATH
from patscan.git.state import state
from patscan.git.traces import fetched
from patscan.kind import Kind
from patscan.model import Commit, Exposure, Sighting

if TYPE_CHECKING:
    from patscan.content import Each
    from patscan.git.repository import Repository
    from patscan.git.trees import TreeContents
    from patscan.sources.memory import Memory
    from patscan.sources.store import Store

_ENDS = ("first_seen", "last_seen")
_LASTING = 2
"""The most files with a token at HEAD for which trees are searched. More files usually are in so many trees that git is quicker."""


class Provenance:
    """Answers questions about the history of one repository."""

    def __init__(self, repository: Repository, mirror: bool, memory: Memory | None, store: Store) -> None:
        """A `mirror` of a server has only pushed commits."""
        self._repository, self._mirror, self._memory, self._store = repository, mirror, memory, store
        self._attribution: attribution.Attribution | None = None
        self._blobs: list[str] = []
        self._each: Each = map
        self._head_files: set[tuple[str, str | None]] | None = None
        self._cut_off: set[str] | None = None
        self._name: str | None = None
        self._known: Mapping[str, Any] | None = None

    def sightings(self, keys: Iterable[str], each: Each) -> Mapping[str, Sequence[Sighting]]:
        """The paths and commits of each blob, the first introduction first."""
        self._blobs, self._each = sorted(keys), each
        known = self._recall()
        if known and known["contents"] == _digest(self._blobs):
            return attribution.recalled_places(self._repository, self._blobs, known["commits"])
        attributed = self._attribute()
        if attributed.unread:
            reason = f"{counted(len(attributed.unread), 'commit')} can't be read: tokens that they introduced have no path, author or date."
            self._store.gaps.note(str(self._repository.path), reason)
        return attributed.places

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """The exposure of each token: since when, until when, at which tips, and whether it was pushed."""
        known = self._recall()
        names = {token: _name(sightings) for token, sightings in places.items()}
        # Tokens with the same sightings have the same exposure: a file with a thousand tokens costs as much as one with a single token.
        distinct = {names[token]: sightings for token, sightings in places.items()}
        if known and known["contents"] == _digest(self._blobs) and known["exposures"].keys() >= distinct.keys():
            tips = [ref.name for ref in self._repository.refs()]
            # There are fewer refs if git can't read the target of one any more.
            if len(tips) == known["refs"]:
                restored = self._restored({name: known["exposures"][name] for name in distinct}, tips)
                return {token: restored[name] for token, name in names.items()}
        result = exposures(self._repository, self._attribute(), distinct, self._mirror)
        self._keep(result)
        return {token: result[name] for token, name in names.items()}

    def is_cut_off(self, sighting: Sighting) -> bool:
        """Whether history is cut off at its commit, so that an earlier commit may have introduced the content."""
        if self._cut_off is None:
            self._cut_off = self._repository.cut_off()
        return sighting.commit in self._cut_off

    def at_head(self, sighting: Sighting) -> bool | None:
        """Whether HEAD still has this file with this content; ``None`` if the sighting isn't in a file."""
        if sighting.blob is None and sighting.kind is not Kind.PATH:
            return None
        return (sighting.path or "", sighting.blob) in self._at_head()

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """The paths of these blobs in the tree of HEAD."""
        return {blob: path for path, blob in self._tree() if blob in names}

    def _at_head(self) -> set[tuple[str, str | None]]:
        """The files of HEAD, each as (path, blob) and as (path, ``None``)."""
        if self._head_files is None:
            self._head_files = {place for path, blob in self._tree() for place in ((path, blob), (path, None))}
        return self._head_files

    def _tree(self) -> Iterator[tuple[str, str]]:
        try:
            listed = self._repository.git("ls-tree", "-r", "-z", "--full-tree", "HEAD")
        except GitError:
            return  # no commit yet, or an unreadable one
        for entry in listed.split(b"\0")[:-1]:
            facts, _, path = entry.partition(b"\t")
            yield path.decode("utf-8", "surrogateescape"), facts.split()[2].decode()

    def _attribute(self) -> attribution.Attribution:
        if self._attribution is None:
            self._attribution = attribution.attribute(
                self._repository, self._blobs, self._store.commits, self._search_trees, self._fetched()
            )
        return self._attribution

    def _fetched(self) -> set[str]:
        try:
            return fetched(self._repository)
        except OSError:
            return set()  # then `exposures` reports pushes as unknown

    def _search_trees(self) -> TreeContents | None:
        """Search the packs' trees; ``None`` for paths, which aren't objects, and for blobs in so many trees that git is quicker."""
        at_head = {blob for _, blob in self._at_head()}
        if any(name.startswith(PATH) for name in self._blobs) or len(at_head.intersection(self._blobs)) > _LASTING:
            return None
        return self._store.search_trees(self._blobs, self._each)

    def _recall(self) -> Mapping[str, Any] | None:
        if self._memory and self._name is None:
            now = state(self._repository, self._store.names())
            self._name = f"{now}-{'mirror' if self._mirror else 'here'}" if now else ""
            self._known = self._memory.recollect(self._name) if now else None
        return self._known

    def _keep(self, exposures_by_name: Mapping[str, Exposure]) -> None:
        """Remember ids and numbers only: the name of a ref or an author may contain a token."""
        attributed = self._attribution
        if not self._memory or not self._name or attributed is None or attributed.parents is None or attributed.unread:
            return
        numbers = {ref.name: number for number, ref in enumerate(self._repository.refs())}
        if all(commit.committed for exposure in exposures_by_name.values() for commit in _commits(exposure)) and all(
            name in numbers
            for exposure in exposures_by_name.values()
            for name in (*(exposure.tips or ()), *filter(_is_ref, exposure.reflogs or ()))
        ):
            lives = {name: _facts(exposure, numbers) for name, exposure in exposures_by_name.items()}
            facts = {
                "contents": _digest(self._blobs),
                "commits": attribution.changing_commits(attributed),
                "exposures": lives,
                "refs": len(numbers),
            }
            self._memory.remember(self._name, facts)

    def _restored(self, known: Mapping[str, dict[str, Any]], names: Sequence[str]) -> dict[str, Exposure]:
        """Restore remembered exposures. `names` are the names of all refs."""
        ids = {commit for facts in known.values() for commit in (*facts["removed"], *(facts[end] for end in _ENDS)) if commit}
        people = commits_by_id(self._repository, sorted(ids))

        def commit_of(commit: str | None) -> Commit | None:
            return people.get(commit, Commit(commit, "", "")) if commit else None

        def exposure(facts: dict[str, Any]) -> Exposure:
            ends = {end: commit_of(facts[end]) for end in _ENDS}
            if ends["first_seen"] and facts["at_or_before"]:
                ends["first_seen"] = nameless(ends["first_seen"])
            removed = tuple(filter(None, map(commit_of, facts["removed"])))
            tips = tuple(names[number] for number in facts["tips"])
            logs = tuple(names[log] if isinstance(log, int) else log for log in facts["reflogs"])
            return Exposure(**facts | ends | {"removed": removed, "tips": tips, "reflogs": logs})

        return {token: exposure(facts) for token, facts in known.items()}


def _facts(exposure: Exposure, numbers: Mapping[str, int]) -> dict[str, Any]:
    ends = {end: commit and commit.id for end, commit in zip(_ENDS, (exposure.first_seen, exposure.last_seen), strict=True)}
    removed, tips = [commit.id for commit in exposure.removed or ()], [numbers[tip] for tip in exposure.tips or ()]
    logs = [numbers.get(log, log) for log in exposure.reflogs or ()]
    return exposure._asdict() | ends | {"removed": removed, "tips": tips, "reflogs": logs}


def _is_ref(log: str) -> bool:
    """Whether a reflog belongs to a ref: a person chose its name, which may contain a token."""
    return log != "HEAD" and not log.startswith("stash@")


def _commits(exposure: Exposure) -> list[Commit]:
    return [commit for commit in (exposure.first_seen, exposure.last_seen, *(exposure.removed or ())) if commit]


def _name(sightings: Iterable[Sighting]) -> str:
    """A digest that identifies a token by its sightings, not by its value."""
    return _digest(sorted({f"{one.kind} {one.blob or one.path or one.commit}" for one in sightings}))


def _digest(names: Iterable[str]) -> str:
    return blake2b("\0".join(names).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
