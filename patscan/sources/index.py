"""The changes that the next commit introduces: the index that git uses, compared with HEAD."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.content import Each, Piece, Shard
from patscan.errors import TargetError
from patscan.gaps import Gaps
from patscan.git.changes import Change, before, changes
from patscan.git.child import GitError, run
from patscan.git.modes import SUBMODULE, SYMLINK
from patscan.git.names import PathShard
from patscan.git.objects import ObjectShard
from patscan.kind import Kind
from patscan.lfs import pointer
from patscan.model import Sighting, Target
from patscan.sources.present import Present

if TYPE_CHECKING:
    from patscan.sources.files import Files

_NEW = ("A", "U")
"""The status of a path whose name is new: added or unmerged."""
_DIFF = ("diff-index", "--cached", "--ita-invisible-in-index")


class Index(Present):
    """The staged contents, and named files of the working tree that aren't staged."""

    def __init__(self, folder: Path, environment: Mapping[str, str], names: Sequence[str] = ()) -> None:
        """The index of the repository around `folder`. `environment` may contain ``GIT_INDEX_FILE``."""
        self._folder, self._environment, self._names = folder, environment, names
        self.gaps = Gaps()
        self._blobs: dict[str, list[Change]] = {}
        self._files: Files | None = None
        self._base = "HEAD"
        self._prefix = ""

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("index", str(self._folder))

    def shards(self) -> Iterator[Shard]:
        """Every staged blob once, the new names, then the files. Raises `TargetError` if git can't list what is staged."""
        changed = self._changes("--no-renames")
        for change in changed:
            self._keep(change)
        if self._blobs:
            yield ObjectShard(self._folder, self._environment, tuple(self._blobs))
        unstaged = self._unstaged({change.path for change in changed})
        named = [change.path for change in changed if change.status in _NEW] + [self._in_repository(name) for name in unstaged]
        yield PathShard([os.fsencode(name) for name in named])
        if unstaged:
            yield from self._whole(unstaged).shards()
        elif not changed:
            if not run(("rev-parse", "--git-dir"), self._folder, self._environment):
                raise TargetError(f"{self._folder}: git gives no answer, so patscan can't see what is staged. See: git --version")
            self.gaps.note(str(self._folder), "nothing is staged.")

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """The contents of Git LFS pointers, staged or in files."""
        staged, in_files = ([name for name in names if (pointer(name)[1] in self._blobs) is known] for known in (True, False))
        if staged:
            from patscan.sources.lfs import OBJECTS, contents

            folder = Path(os.fsdecode(run(("rev-parse", "--git-common-dir"), self._folder, self._environment)).removesuffix("\n"))
            paths = {name: self._blobs[name][0].path for name in self._blobs}
            yield from contents(staged, lambda _: self._folder / folder / OBJECTS, "blob", self.gaps, paths)
        if self._files:
            yield from self._files.again(in_files)

    def read(self, names: Iterable[str]) -> Iterator[Piece]:
        """The contents of these blobs and files."""
        blobs, files = ([name for name in names if (name in self._blobs) is staged] for staged in (True, False))
        if blobs:
            yield from ObjectShard(self._folder, self._environment, blobs).pieces([])
        if self._files:
            yield from self._files.read(files)

    def sightings(self, names: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Sighting]]:
        """The paths that each blob is staged under."""
        paths = [name for name in names if name not in self._blobs]
        staged = {name: [_sighting(change) for change in self._blobs[name]] for name in names if name in self._blobs}
        return {**super().sightings(paths, each), **staged}

    def before(self, paths: Container[str]) -> Iterator[tuple[Sequence[str], Piece]]:
        """The contents of these staged paths in HEAD, also of renamed ones: the paths of each content, and its pieces."""
        yield from before(self._folder, self._environment, self._changes("--find-renames"), paths)

    def _keep(self, change: Change) -> None:
        if change.status == "U":
            self.gaps.skip(change.path, "unmerged. Resolve the conflict, then: git add")
        elif change.mode == SUBMODULE:
            self.gaps.note(change.path, "a submodule: only its commit's id is staged. To look at its files, run patscan in it.")
        else:
            self._blobs.setdefault(change.blob, []).append(change)

    def _changes(self, renames: str) -> list[Change]:
        """How the index differs from HEAD. Raises `TargetError`."""
        try:
            return list(changes(self._folder, self._environment, (*_DIFF, renames), [self._base]))
        except GitError as error:
            if self._base != "HEAD":
                from patscan.git.repository import hint

                raise TargetError(hint(self._folder, str(error))) from error
        # There is no commit yet, or HEAD is broken: everything that is staged counts as new.
        self._base = run(("hash-object", "-t", "tree", "--stdin"), self._folder, self._environment).decode().strip()
        return self._changes(renames)

    def _unstaged(self, staged: set[str]) -> list[str]:
        """The named files that aren't staged."""
        if self._names and not os.path.exists(self._folder / ".git"):
            self._prefix = os.fsdecode(run(("rev-parse", "--show-prefix"), self._folder, self._environment)).removesuffix("\n")
        return [name for name in self._names if self._in_repository(name) not in staged]

    def _in_repository(self, name: str) -> str:
        """A path relative to the repository's top folder, as in git's listing of the index."""
        return os.path.normpath(os.path.join(self._prefix, name))

    def _whole(self, names: Sequence[str]) -> Files:
        from patscan.sources.files import Files

        # An absolute path can't be confused with an object's id. The report uses git's name for it.
        named = {os.fspath(self._folder.absolute() / name): self._in_repository(name) for name in names}
        self._files = Files([Path(path) for path in named], self._environment, everything=True, names=named, gaps=self.gaps)
        return self._files


def _sighting(change: Change) -> Sighting:
    return Sighting(Kind.SYMLINK if change.mode == SYMLINK else Kind.INDEX, change.path, blob=change.blob)
