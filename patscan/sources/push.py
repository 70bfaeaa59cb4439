"""The contents of a push: all objects and ref names that the remote isn't known to have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from patscan.git.repository import Repository
from patscan.model import Target
from patscan.sources.history import RefShard
from patscan.sources.revisions import OBJECTS, Revisions
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.content import Shard

EVERYTHING = ("--exclude=refs/stash", "--exclude=refs/remotes/*", "--all")
"""The revisions that a push may contain if it isn't known which."""


class Update(NamedTuple):
    """An update of a ref, as git passes it to the pre-push hook (githooks(5)). An id of zeros means none."""

    local: str
    new: str
    remote: str
    old: str


class Remote(NamedTuple):
    """The destination of a push: its name in reports, and the options of git-rev-list(1) that select its refs here, if any."""

    shown: str
    tracked: tuple[str, ...]


class Push(Revisions):
    """The objects that some updates send, also contents that one commit of the push adds and a later one removes."""

    _flag = ""

    def __init__(self, repository: Repository, updates: Sequence[Update], remote: Remote, more: Sequence[str] = ()) -> None:
        """`more` are further revisions that may be pushed, as options of git-rev-list(1)."""
        self._sent = [update for update in updates if update.new.strip("0")]
        known = _stored(repository, {update.old for update in updates if update.old.strip("0")})
        super().__init__(repository, [*more, *(("--not", *remote.tracked) if remote.tracked else ())])
        self._remote, self._more, self.known = remote, more, known
        self._objects: list[str] | None = None
        self._given = "".join([*(f"{update.new}\n" for update in self._sent), *(f"^{old}\n" for old in known)]).encode()

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("push", str(self._repository.path), self._remote.shown or None)

    def shards(self) -> Iterator[Shard]:
        """The refs' names and all objects."""
        if not self._sent and not self._more:
            self.gaps.note(self._named, "nothing is sent: the push only deletes refs, or the remote is up to date.")
            return
        yield RefShard(self._ref_names())
        yield from super().shards()

    def held(self) -> set[str]:
        """The ids of all objects that the remote is known to have."""
        given = "".join(f"{old}\n" for old in self.known).encode()
        options = ("--objects", "--no-object-names", "--stdin", *self._remote.tracked)
        return set(self._repository.git("rev-list", *options, "--", stdin=given).decode().split())

    @property
    def _named(self) -> str:
        return f"the push to {self._remote.shown}" if self._remote.shown else "the push"

    def count(self) -> int:
        """The number of objects that are sent, from git. Raises `UsageError` if a ref is gone."""
        return len(self._listed(*OBJECTS)) if self._sent or self._more else 0

    def _listed(self, *options: str) -> list[str]:
        if self._objects is None:
            self._objects = super()._listed(*options, "--stdin")
        return self._objects

    def _commits(self) -> list[str]:
        return super()._listed("--stdin")

    def _nothing(self) -> None:
        self.gaps.note(self._named, "the remote already has all objects of the push, so nothing was looked at.")

    def _ref_names(self) -> bytes:
        return "".join(f"{name}\n" for name in dict.fromkeys(update.remote for update in self._sent)).encode("utf-8", "surrogateescape")


def _stored(repository: Repository, ids: Iterable[str]) -> list[str]:
    """Those of `ids` that are here. Commits that other people pushed may be absent."""
    asked = "".join(f"{name}\n" for name in sorted(ids)).encode()
    if not asked:
        return []
    answers = repository.git("cat-file", "--batch-check", stdin=asked).decode().splitlines()
    return [line.split()[0] for line in answers if not line.endswith(" missing")]
