"""Files and folders. A symlink's target text is scanned; the link is never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from pathlib import Path

from patscan.content import OVERLAP, Failure, Key, Piece, Shard
from patscan.errors import TargetError
from patscan.gaps import Gaps
from patscan.git.names import PathShard
from patscan.kind import Kind
from patscan.model import Sighting, Target
from patscan.sources.present import Present
from patscan.sources.warnings import report_warnings
from patscan.tuples import NamedTuple

_AT_ONCE = 500
_WINDOW = 8 << 20
"""Bytes of a file that are looked at together. The allocator keeps blocks of this size; larger ones cost a page fault a page."""
_HERE = os.path.join(os.curdir, "")
"""The beginning of paths that are listed in the current folder."""
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


class FileShard(NamedTuple):
    """Some paths, each read when it is looked at."""

    paths: Sequence[str]
    names: Mapping[str, str] = {}
    """The names of some of them in the report."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        for path in self.paths:
            try:
                yield from _read(path)
            except OSError as error:
                failed.append(Failure(path, f"can't be read: {error.strerror or error}."))

    def engines(self) -> tuple[str, ...]:
        """None: reading needs no engine."""
        return ()

    def name(self, key: Key) -> str:
        """A key is the file's path."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting:
        """The file, or the link whose text it is."""
        path = str(piece.key)
        return Sighting(Kind(piece.kind), self.names.get(path, path))


def _read(path: str) -> Iterator[Piece]:
    try:
        file = os.open(path, os.O_RDONLY | _NOFOLLOW)
    except OSError:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            yield Piece(path, "symlink", 0, os.fsencode(os.readlink(path)))
            return
        raise
    try:
        # A pipe, a socket or a device has no content and may never end. A folder is a submodule in git's listing.
        if stat.S_ISREG(os.fstat(file).st_mode):
            for offset, data, last in _windows(file):
                yield Piece(path, "file", offset, data, last)
    finally:
        os.close(file)


def _windows(file: int) -> Iterator[tuple[int, bytes, bool]]:
    """See `content.windows`. The bytes that neighbours share are read twice, which takes less time than joining buffers."""
    offset, data = 0, _window(file, 1 << 16)
    while len(data) == _WINDOW:
        os.lseek(file, -OVERLAP, os.SEEK_CUR)
        more = _window(file, _WINDOW)
        if len(more) <= OVERLAP:
            break
        yield offset, data, False
        offset += _WINDOW - OVERLAP
        data = more
    yield offset, data, True


def _window(file: int, first: int) -> bytes:
    """The next `_WINDOW` bytes, fewer only at the end of the file.

    The first call asks for `first` bytes: a small file takes two calls, a large one a single buffer.
    """
    parts, size = [], 0
    while size < _WINDOW and (part := os.read(file, min(first if size < first else _WINDOW, _WINDOW - size))):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


class Files(Present):
    """Files and folders of a working tree, or anywhere."""

    def __init__(
        self,
        paths: Sequence[Path],
        environment: Mapping[str, str],
        everything: bool = False,
        names: Mapping[str, str] | None = None,
        gaps: Gaps | None = None,
    ) -> None:
        """`everything` includes files that git ignores. A path that doesn't exist is a skip.

        Names are scanned too, unless `names` maps files to their names in the report. `gaps` are those of an enclosing source.
        """
        self._names = names
        absent = {path: problem for path in paths if (problem := _absent(path))}
        self._paths = [path for path in paths if path not in absent]
        self._environment, self._everything = environment, everything
        self.gaps = Gaps() if gaps is None else gaps
        for path, problem in absent.items():
            self.gaps.skip(str(path), problem)
        self._listed: list[str] | None = None
        self._stores: dict[Path, Path | None] = {}

    def count(self) -> int:
        """How many files there are; lists them."""
        if self._listed is None:
            self._listed = list(dict.fromkeys(self._files()))
        return len(self._listed)

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("files", " ".join(str(path) for path in self._paths))

    def shards(self) -> Iterator[Shard]:
        """Every file and every file's name once, a few hundred in a shard."""
        files = self._listed if self.count() and self._listed else []
        for low in range(0, len(files), _AT_ONCE):
            yield FileShard(tuple(files[low : low + _AT_ONCE]), self._names or {})
            if self._names is None:
                yield PathShard(tuple(map(os.fsencode, files[low : low + _AT_ONCE])))

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """The contents of Git LFS pointers."""
        asked = list(names)
        if asked:
            from patscan.sources.lfs import contents

            yield from contents(asked, self._linked, "file", self.gaps, self._names)

    def _linked(self, path: str) -> Path | None:
        """The folder of Git LFS contents in the repository around a file."""
        from patscan.git.child import run
        from patscan.git.variables import without_repository
        from patscan.sources.lfs import OBJECTS

        folders = Path(path).absolute().parents
        top = next((folder for folder in folders if os.path.exists(folder / ".git")), None)
        if top and top not in self._stores:
            self._stores[top] = None
            with suppress(TargetError):
                common = run(("rev-parse", "--git-common-dir"), top, without_repository(self._environment))
                self._stores[top] = top / os.fsdecode(common).removesuffix("\n") / OBJECTS
        return self._stores[top] if top else None

    def read(self, names: Iterable[str]) -> Iterator[Piece]:
        """The contents of these paths. Files that can't be read any more are left out."""
        return FileShard(tuple(names)).pieces([])

    def _files(self) -> Iterator[str]:
        for path in self._paths:
            if os.path.islink(path) or not os.path.isdir(path):
                if self._is_named_well(path):
                    yield os.fspath(path)
            elif self._everything or (listed := self._of_git(path, self._environment)) is None:
                yield from self._walk(path)
            else:
                yield from listed

    def _is_named_well(self, path: Path) -> bool:
        """Whether a path that the user named leads to a file or a folder, or nowhere. Anything else is a skip, because it was asked for."""
        mode = _mode(path)
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            self.gaps.skip(str(path), "neither a file nor a folder. To scan a pipe, read it from standard input: -")
            return False
        if os.path.islink(path):
            self.gaps.note(str(path), "a link: its own text was looked at, not its target.")
        return True

    def _of_git(self, folder: Path, environment: Mapping[str, str]) -> list[str] | None:
        """The files that git tracks or would track below `folder`; ``None`` outside a repository, or if git fails."""
        if not _in_git(folder):
            return None
        from patscan.git.child import run

        warnings: list[str] = []
        try:
            if elsewhere := _working_tree_elsewhere(folder, environment):
                self.gaps.note(str(folder), f"{elsewhere} Ignore rules weren't applied: every file of this folder was looked at.")
                return None
            listed = run(("ls-files", "-z", "--cached", "--others", "--exclude-standard"), folder, environment, warnings=warnings)
        except TargetError as error:
            self.gaps.note(str(folder), f"{error} Ignore rules weren't applied: every file was looked at.")
            return None
        report_warnings(warnings, str(folder), self.gaps)
        names = [os.path.normpath(os.path.join(folder, os.fsdecode(name))) for name in listed.split(b"\0")[:-1]]
        # git lists a submodule or a nested repository as one entry. Its own git lists the files.
        inner = {name: list(self._inside(name)) for name in names if os.path.isdir(name) and not os.path.islink(name)}
        deeper = [file for files in inner.values() for file in files]
        return [name for name in names if not inner.get(name) and self._has_content(name)] + deeper

    def _inside(self, name: str) -> Iterable[str]:
        """The files of a folder that git lists as one entry; none if it is empty."""
        from patscan.git.variables import without_repository

        is_repository = os.path.lexists(os.path.join(name, ".git"))
        listed = self._of_git(Path(name), without_repository(self._environment)) if is_repository else None
        return listed or self._walk(Path(name))

    def _walk(self, folder: Path) -> Iterator[str]:
        """Every file below `folder`. `os.walk` isn't used, because it is recursive before Python 3.12."""
        waiting = [os.fspath(folder)]
        while waiting:
            here = waiting.pop()
            try:
                with os.scandir(here) as listed:
                    entries = sorted(((entry.name, entry, entry.is_dir(follow_symlinks=False)) for entry in listed), key=itemgetter(0))
            except OSError as error:
                self.gaps.skip(here, f"can't be read: {error.strerror}.")
                continue
            # `patscan history` scans a repository's own store, which is compressed.
            waiting += [entry.path for name, entry, is_folder in reversed(entries) if is_folder and name != ".git"]
            for _, entry, is_folder in entries:
                path = entry.path.removeprefix(_HERE)
                # The listing already tells most files, without a call for each.
                if not is_folder and (entry.is_file(follow_symlinks=False) or entry.is_symlink() or self._has_content(path)):
                    yield path

    def _has_content(self, path: str) -> bool:
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return False  # a deleted file that git still tracks isn't a gap
        except OSError:
            return True  # reading it reports the error
        if stat.S_ISDIR(mode):
            self.gaps.note(path, "a submodule whose files aren't here.")
        elif not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            self.gaps.note(path, "neither a file nor a link; it has no content to look at.")
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _absent(path: Path) -> str:
    """Why a path can't be scanned; empty if it exists."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "no such file or folder."
    except OSError as error:
        return f"can't be read: {error.strerror or error}."
    return ""


def _mode(path: Path) -> int:
    """The mode of the file behind a path; 0 if there is none."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _in_git(folder: Path) -> bool:
    """Whether `folder` or a parent contains ``.git``. Starting git for a plain folder would take longer."""
    folder = folder.absolute()
    return any(os.path.exists(place / ".git") for place in (folder, *folder.parents))


def _working_tree_elsewhere(folder: Path, environment: Mapping[str, str]) -> str:
    """A sentence if the repository's ``core.worktree`` names a working tree that doesn't contain `folder`; otherwise empty."""
    from patscan.git.child import GitError, run

    try:
        inside, top = run(("rev-parse", "--is-inside-work-tree", "--show-toplevel"), folder, environment).split(b"\n", 1)
    except (GitError, ValueError):
        return ""  # bare or broken: listing the files reports it
    return "" if inside == b"true" else f"core.worktree names {os.fsdecode(top).rstrip()} as the working tree, which wasn't looked at."
