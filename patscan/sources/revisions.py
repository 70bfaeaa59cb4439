"""The contents that a range of commits introduces, by objects, not patches: merge resolutions, binary and ``-diff`` files count."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from patscan.counts import counted
from patscan.errors import TargetError, UsageError
from patscan.git.changes import before, changes
from patscan.git.child import GitError
from patscan.git.names import PathShard
from patscan.git.paths import paths
from patscan.git.repository import Repository
from patscan.sources.history import History
from patscan.sources.warnings import report_warnings

if TYPE_CHECKING:
    from patscan.content import Piece, Shard

OBJECTS = ("--objects", "--no-object-names", "--missing=print")
_OPTIONS = re.compile(r"--(?:not|all|(?:branches|tags|remotes|glob|exclude)(?:=.*)?)")
"""Options of git-rev-list(1) that stand for revisions and only select commits."""

_UNKNOWN = ("bad revision", "ambiguous argument", "Invalid revision range", "Invalid symmetric difference")
"""The beginnings of git-rev-list(1)'s messages about an unknown name. Other messages are about the repository."""


class Revisions(History):
    """The objects of a range's commits, without those of the commits just outside it."""

    _flag = "--rev "
    _given = b""

    def __init__(self, repository: Repository, revisions: Sequence[str], mirror: bool = False) -> None:
        """`revisions` in git's own syntax (gitrevisions(7)). Raises `UsageError` for an option that does more than select commits."""
        super().__init__(repository, mirror)
        self._revisions = revisions
        for revision in revisions:
            if not isinstance(revision, str):  # argparse of Python 3.11 makes an empty list of "--"
                raise UsageError("--rev: '--' isn't a revision.")
            if revision.startswith("-") and not _OPTIONS.fullmatch(revision):
                raise UsageError(f"--rev: {revision!r} doesn't select commits. Give revisions as in git rev-list: A..B, --all, --not main.")

    def shards(self) -> Iterator[Shard]:
        """All contents to scan. Raises `UsageError` for a revision that git doesn't know."""
        self.target()
        listed = self._listed(*OBJECTS)
        self._look_for_missing(listed)
        names = [name for name in listed if not name.startswith("?")]
        if not names:
            self._nothing()
        yield from self.again(names)
        if names:
            yield self._paths(self._commits())

    def _paths(self, commits: Iterable[str], more: Iterable[bytes] = ()) -> Shard:
        """The names of added files. If a partial clone lacks trees, the names of new contents are used instead."""
        if not self._repository.is_partial():
            return super()._paths(commits, more)
        unread: list[str] = []
        names = paths(self._repository, commits, unread)
        if unread:
            reason = "can't be compared with parents in this partial clone, so new names of old contents weren't looked at."
            self.gaps.note(self._named, f"{counted(len(unread), 'commit')} {reason}")
            listed = self._repository.git("rev-list", "--objects", "--missing=allow-any", *self._revisions, "--", stdin=self._given)
            names |= {line.partition(b" ")[2] for line in listed.splitlines()} - {b""}
        return PathShard(sorted(names.union(more)))

    def _look_for_missing(self, listed: Sequence[str]) -> None:
        if missing := sum(name.startswith("?") for name in listed):
            self.gaps.skip(self._named, f"the range lacks {counted(missing, 'object')}: never fetched, or lost. See: git fsck")
        if self._repository.shallow and self._repository.boundary().intersection(listed):
            self.gaps.skip(self._named, "the range crosses the edge of a shallow clone. Get all commits with: git fetch --unshallow")

    def _nothing(self) -> None:
        self.gaps.skip(self._named, "the range selects nothing, so nothing was looked at.")

    def _commits(self) -> list[str]:
        return self._listed()

    @property
    def _named(self) -> str:
        return " ".join(self._revisions)

    def _listed(self, *options: str) -> list[str]:
        warnings: list[str] = []
        try:
            listed = self._repository.git("rev-list", *options, *self._revisions, "--", stdin=self._given, warnings=warnings)
        except GitError as error:
            reason = str(error).partition("git rev-list: ")[2] or str(error)
            if reason.startswith(_UNKNOWN):
                raise UsageError(f"{self._flag}{self._named}: {reason}") from error
            raise TargetError(f"{self._repository.path}: git can't list the objects of the range: {reason} See: git fsck") from error
        report_warnings(warnings, self._named or str(self._repository.path), self.gaps)
        return listed.decode().split()


class Between(Revisions):
    """The contents that the commits between two revisions introduce, as for ``pre-commit run --from-ref OLD --to-ref NEW``."""

    _flag = ""

    def __init__(self, repository: Repository, old: str, new: str) -> None:
        """Raises `UsageError` for a revision that looks like an option."""
        super().__init__(repository, [f"{old}..{new}"])
        self._ends = (old, new)

    def before(self, paths: Container[str]) -> Iterator[tuple[Sequence[str], Piece]]:
        """The contents of these paths at the old revision: the paths of each content, and its pieces."""
        folder, environment = self._repository.path, self._repository.environment
        return before(folder, environment, changes(folder, environment, ("diff-tree", "-r", "--find-renames"), self._ends), paths)

    def _nothing(self) -> None:
        self.gaps.note(self._named, "the range introduces nothing, so nothing was looked at.")
