"""Which commits brought what, since when and where still: asked of git, or remembered from an audit of the very same repository."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from patscan.git import attribution
from patscan.git.child import GitError
from patscan.git.exposure import exposures, nameless, who
from patscan.git.names import PATH
from patscan.git.state import state
from patscan.git.traces import fetched
from patscan.kind import Kind
from patscan.model import Commit, Exposure, Sighting

if TYPE_CHECKING:
    from patscan.content import Each
    from patscan.git.holders import Holders
    from patscan.git.repository import Repository
    from patscan.sources.memory import Memory
    from patscan.sources.store import Store

_ENDS = ("first_seen", "last_seen")
_LASTING = 2
"""Files with a token at HEAD: more of them have mostly stood in too many trees for finding those to be worth it."""


class Provenance:
    """What the second look asks of one repository's history."""

    def __init__(self, repository: Repository, mirror: bool, memory: Memory | None, store: Store) -> None:
        """A `mirror` of a server holds only what was pushed there."""
        self._repository, self._mirror, self._memory, self._store = repository, mirror, memory, store
        self._attribution: attribution.Attribution | None = None
        self._blobs: list[str] = []
        self._each: Each = map
        self._standing: set[tuple[str, str | None]] | None = None
        self._cut_off: set[str] | None = None
        self._name: str | None = None
        self._known: Mapping[str, Any] | None = None

    def sightings(self, keys: Iterable[str], each: Each) -> Mapping[str, Sequence[Sighting]]:
        """The paths and commits of each blob, the commit that first brought it first."""
        self._blobs, self._each = sorted(keys), each
        known = self._recall()
        if known and known["contents"] == _digest(self._blobs):
            return attribution.retold(self._repository, self._blobs, known["commits"])
        told = self._ask()
        if told.unread:
            reason = f"{len(told.unread):,} commits can't be read: what they brought has no path, author or date."
            self._store.gaps.note(str(self._repository.path), reason)
        return told.places

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """Since when, until when, at which tips, and whether it was pushed."""
        known = self._recall()
        names = {token: _name(sightings) for token, sightings in places.items()}
        if known and known["contents"] == _digest(self._blobs) and all(name in known["exposures"] for name in names.values()):
            tips = [ref.name for ref in self._repository.refs()]
            # Fewer, if git can't read what a ref points to any more.
            if len(tips) == known["refs"]:
                return self._retold({token: known["exposures"][name] for token, name in names.items()}, tips)
        told = exposures(self._repository, self._ask(), places, self._mirror)
        self._keep({names[token]: exposure for token, exposure in told.items()})
        return told

    def is_cut_off(self, sighting: Sighting) -> bool:
        """Whether history ends at its commit, so that others may have brought what it holds."""
        if self._cut_off is None:
            self._cut_off = self._repository.cut_off()
        return sighting.commit in self._cut_off

    def at_head(self, sighting: Sighting) -> bool | None:
        """Whether a file stands in the tree of HEAD as it was met; ``None`` for what isn't in a file."""
        if sighting.blob is None and sighting.kind is not Kind.PATH:
            return None
        return (sighting.path or "", sighting.blob) in self._at_head()

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """The paths of these blobs in the tree of HEAD."""
        return {blob: path for path, blob in self._tree() if blob in names}

    def _at_head(self) -> set[tuple[str, str | None]]:
        """The files of HEAD with their blobs, and without."""
        if self._standing is None:
            self._standing = {place for path, blob in self._tree() for place in ((path, blob), (path, None))}
        return self._standing

    def _tree(self) -> Iterator[tuple[str, str]]:
        try:
            listed = self._repository.git("ls-tree", "-r", "-z", "--full-tree", "HEAD")
        except GitError:
            return  # no commit yet, or one that can't be read
        for entry in listed.split(b"\0")[:-1]:
            facts, _, path = entry.partition(b"\t")
            yield path.decode("utf-8", "surrogateescape"), facts.split()[2].decode()

    def _ask(self) -> attribution.Attribution:
        if self._attribution is None:
            self._attribution = attribution.attribute(self._repository, self._blobs, self._store.commits, self._holders, self._fetched())
        return self._attribution

    def _fetched(self) -> set[str]:
        try:
            return fetched(self._repository)
        except OSError:
            return set()  # then `exposures` can't tell of a push

    def _holders(self) -> Holders | None:
        """None for paths, which aren't objects, and for what stands in thousands of trees: then git is quicker."""
        at_head = {blob for _, blob in self._at_head()}
        if any(name.startswith(PATH) for name in self._blobs) or len(at_head.intersection(self._blobs)) > _LASTING:
            return None
        return self._store.holders(self._blobs, self._each)

    def _recall(self) -> Mapping[str, Any] | None:
        if self._memory and self._name is None:
            now = state(self._repository, self._store.names())
            self._name = f"{now}-{'mirror' if self._mirror else 'here'}" if now else ""
            self._known = self._memory.recollect(self._name) if now else None
        return self._known

    def _keep(self, told: Mapping[str, Exposure]) -> None:
        """Remember ids and numbers: a ref's or an author's name may hold a token."""
        asked = self._attribution
        if not self._memory or not self._name or asked is None or asked.parents is None or asked.unread:
            return
        numbers = {ref.name: number for number, ref in enumerate(self._repository.refs())}
        if all(commit.committed for exposure in told.values() for commit in _commits(exposure)) and all(
            name in numbers for exposure in told.values() for name in (*(exposure.tips or ()), *filter(_is_ref, exposure.reflogs or ()))
        ):
            lives = {name: _facts(exposure, numbers) for name, exposure in told.items()}
            facts = {"contents": _digest(self._blobs), "commits": attribution.touched(asked), "exposures": lives, "refs": len(numbers)}
            self._memory.remember(self._name, facts)

    def _retold(self, known: Mapping[str, dict[str, Any]], names: Sequence[str]) -> dict[str, Exposure]:
        """What was remembered, with names again; `names` are those of all refs."""
        ids = {commit for facts in known.values() for commit in (*facts["removed"], *(facts[end] for end in _ENDS)) if commit}
        people = who(self._repository, sorted(ids))

        def told(commit: str | None) -> Commit | None:
            return people.get(commit, Commit(commit, "", "")) if commit else None

        def exposure(facts: dict[str, Any]) -> Exposure:
            ends = {end: told(facts[end]) for end in _ENDS}
            if ends["first_seen"] and facts["at_or_before"]:
                ends["first_seen"] = nameless(ends["first_seen"])
            removed = tuple(filter(None, map(told, facts["removed"])))
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
    """Whether a reflog's name was chosen by somebody, and may hold a token."""
    return log != "HEAD" and not log.startswith("stash@")


def _commits(exposure: Exposure) -> list[Commit]:
    return [commit for commit in (exposure.first_seen, exposure.last_seen, *(exposure.removed or ())) if commit]


def _name(sightings: Iterable[Sighting]) -> str:
    """What stands for a token: not what it is, but where it was met."""
    return _digest(sorted({f"{one.kind} {one.blob or one.path or one.commit}" for one in sightings}))


def _digest(names: Iterable[str]) -> str:
    return blake2b("\0".join(names).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
