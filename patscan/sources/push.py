"""What is about to be pushed: every object and ref name that the remote doesn't have, by what is known of it here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from patscan.git.repository import Repository
from patscan.model import Target
from patscan.sources.history import RefShard
from patscan.sources.revisions import OBJECTS, Revisions

if TYPE_CHECKING:
    from patscan.content import Shard

EVERYTHING = ("--exclude=refs/stash", "--exclude=refs/remotes/*", "--all")
"""What may be pushed, where nobody says what is."""


class Update(NamedTuple):
    """A ref as git's pre-push hook is told of it (githooks(5)); an id of zeros is none."""

    local: str
    new: str
    remote: str
    old: str


class Remote(NamedTuple):
    """Where the push goes: its name for people, and the options of git-rev-list(1) that name its refs here; none: they aren't."""

    shown: str
    tracked: tuple[str, ...]


class Push(Revisions):
    """The objects that some updates send. A token that was added and removed inside the push is in one of them."""

    _flag = ""

    def __init__(self, repository: Repository, updates: Sequence[Update], remote: Remote, more: Sequence[str] = ()) -> None:
        """`more`: further revisions that may be pushed, as options of git-rev-list(1)."""
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
            self.gaps.note(self._named, "nothing is sent: the push deletes, or is up to date.")
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
        """How many objects are sent; asks git. Raises `UsageError` for a ref that is gone."""
        return len(self._listed(*OBJECTS)) if self._sent or self._more else 0

    def _listed(self, *options: str) -> list[str]:
        if self._objects is None:
            self._objects = super()._listed(*options, "--stdin")
        return self._objects

    def _commits(self) -> list[str]:
        return super()._listed("--stdin")

    def _nothing(self) -> None:
        self.gaps.note(self._named, "the remote has all of it.")

    def _ref_names(self) -> bytes:
        return "".join(f"{name}\n" for name in dict.fromkeys(update.remote for update in self._sent)).encode("utf-8", "surrogateescape")


def _stored(repository: Repository, ids: Iterable[str]) -> list[str]:
    """Those of `ids` that are here; what somebody else pushed needn't be."""
    asked = "".join(f"{name}\n" for name in sorted(ids)).encode()
    if not asked:
        return []
    answers = repository.git("cat-file", "--batch-check", stdin=asked).decode().splitlines()
    return [line.split()[0] for line in answers if not line.endswith(" missing")]
