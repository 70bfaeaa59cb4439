"""Files and folders. A symlink's target text is scanned; the link is never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from patscan.content import Each, Key, Piece, Shard, windows
from patscan.git.names import PATH, PathShard, path_of
from patscan.model import Note, Origin, Skip, Target
from patscan.sources.present import Present

_AT_ONCE = 500
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


class FileShard(NamedTuple):
    """Some paths, each read when it is looked at."""

    paths: Sequence[str]

    def pieces(self, failed: list[tuple[Key, str]]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        for path in self.paths:
            try:
                yield from _read(path)
            except OSError as error:
                failed.append((path, f"can't be read: {error.strerror or error}."))

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()


def _read(path: str) -> Iterator[Piece]:
    try:
        file = os.open(path, os.O_RDONLY | _NOFOLLOW)
    except OSError:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            yield Piece(path, "symlink", 0, os.fsencode(os.readlink(path)))
            return
        raise
    try:
        # A pipe, a socket or a device has no content of its own and might never end; a folder is a submodule git named.
        if stat.S_ISREG(os.fstat(file).st_mode):
            for offset, data, last in windows(lambda size: _exactly(file, size)):
                yield Piece(path, "file", offset, data, last)
    finally:
        os.close(file)


def _exactly(file: int, size: int) -> bytes:
    """Up to `size` bytes; fewer only at the end. A small file takes one call and one more that says it is the end."""
    data = os.read(file, min(size, 1 << 16))
    if len(data) < 1 << 16:
        more = os.read(file, 1 << 16) if data and len(data) < size else b""
        if not more:
            return data
        data += more
    parts, have = [data], len(data)
    while have < size and (part := os.read(file, min(size - have, 8 << 20))):
        parts.append(part)
        have += len(part)
    return b"".join(parts)


class Files(Present):
    """Files and folders of a working tree, or anywhere."""

    def __init__(self, paths: Sequence[Path], environment: Mapping[str, str], everything: bool = False, with_names: bool = True) -> None:
        """`everything`: what git ignores, too; `with_names`: a name is content, too.

        A path that doesn't exist is a skip, and the others are looked at.
        """
        self._paths = [path for path in paths if os.path.lexists(path)]
        self._environment, self._everything, self._with_names = environment, everything, with_names
        self.skips = [Skip(str(path), "no such file or folder.") for path in paths if not os.path.lexists(path)]
        self.notes: list[Note] = []
        self._listed: list[str] | None = None

    def count(self) -> int:
        """How many files there are; lists them."""
        if self._listed is None:
            self._listed = list(dict.fromkeys(self._files()))
        return len(self._listed)

    def target(self) -> Target:
        """What this is, for the report."""
        return Target("files", " ".join(str(path) for path in self._paths))

    def shards(self) -> Iterator[Shard]:
        """Every file and every file's name once, some hundred in a shard."""
        files = self._listed if self.count() and self._listed else []
        for low in range(0, len(files), _AT_ONCE):
            yield FileShard(tuple(files[low : low + _AT_ONCE]))
            if self._with_names:
                yield PathShard(tuple(map(os.fsencode, files[low : low + _AT_ONCE])))

    def read(self, keys: Iterable[str]) -> Iterator[Piece]:
        """The contents of these paths, for the second look."""
        failed: list[tuple[Key, str]] = []
        contents = list(keys)
        yield from FileShard(tuple(key for key in contents if not key.startswith(PATH))).pieces(failed)
        yield from PathShard([path_of(key) for key in contents if key.startswith(PATH)]).pieces(failed)
        self.skips += [Skip(str(path), reason) for path, reason in failed]

    def within(self, piece: Piece, start: int) -> Origin | None:
        """A file's content says nothing of where it was met."""
        return Origin(piece.kind, str(piece.key).removeprefix(PATH))

    def origins(self, keys: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Origin]]:
        """Each file was met under its path."""
        return {}

    def _files(self) -> Iterator[str]:
        for path in self._paths:
            if path.is_symlink() or not path.is_dir():
                if self._is_named_well(path):
                    yield os.fspath(path)
            elif self._everything or (listed := self._of_git(path)) is None:
                yield from self._walk(path)
            else:
                yield from listed

    def _is_named_well(self, path: Path) -> bool:
        """Whether a path that the user named is a file or a link to one; others are a skip, for they weren't named for nothing."""
        mode = _mode(path)
        if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            self.skips.append(Skip(str(path), "neither a file nor a folder. What comes out of a pipe is read from standard input: -"))
            return False
        if path.is_symlink():
            self.notes.append(Note(str(path), "a link: its own text was looked at, not what it leads to."))
        return True

    def _of_git(self, folder: Path) -> list[str] | None:
        """What git tracks or would track below `folder`; ``None`` if it isn't git's or git won't say."""
        if not _in_git(folder):
            return None
        from patscan.git.child import GitError, run

        try:
            listed = run(("ls-files", "-z", "--cached", "--others", "--exclude-standard"), folder, self._environment)
        except GitError as error:
            self.notes.append(Note(str(folder), f"{error} Ignore rules weren't applied: every file was looked at."))
            return None
        names = [os.path.normpath(os.path.join(folder, os.fsdecode(name))) for name in listed.split(b"\0")[:-1]]
        inner = [name for name in names if os.path.isdir(name) and not os.path.islink(name) and os.path.exists(os.path.join(name, ".git"))]
        # A submodule, or a repository somebody put here, lists its own files.
        deeper = [file for name in inner for file in self._of_git(Path(name)) or self._walk(Path(name))]
        return [name for name in names if name not in inner and self._has_content(name)] + deeper

    def _walk(self, folder: Path) -> Iterator[str]:
        def unreadable(error: OSError) -> None:
            self.skips.append(Skip(str(error.filename), f"can't be read: {error.strerror}."))

        for here, folders, files in os.walk(folder, onerror=unreadable):
            # A repository's own store is `patscan history`'s: compressed, it shows nothing here.
            folders[:] = sorted(name for name in folders if name != ".git")
            links = [name for name in folders if os.path.islink(os.path.join(here, name))]
            names = (os.path.normpath(os.path.join(here, name)) for name in sorted((*files, *links)))
            yield from (name for name in names if self._has_content(name))

    def _has_content(self, path: str) -> bool:
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return False  # git still tracks a file that was deleted; that is no gap
        except OSError:
            return True  # reading it will say why
        if stat.S_ISDIR(mode):
            self.notes.append(Note(path, "a submodule whose files aren't here."))
        elif not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            self.notes.append(Note(path, "neither a file nor a link; it has no content to look at."))
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _mode(path: Path) -> int:
    """The kind of what a path leads to; 0 if it leads nowhere."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _in_git(folder: Path) -> bool:
    """Whether a ``.git`` stands here or above: asked without starting git, which a plain folder needn't wait for."""
    folder = folder.absolute()
    return any((place / ".git").exists() for place in (folder, *folder.parents))
