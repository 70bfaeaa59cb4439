"""Read regular files below one folder by untrusted paths. No link is followed, and no pipe or device is opened."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path, PurePath

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_HIDDEN = re.compile(r"…\\\([0-9]+\\\)")
"""A mask in an escaped path: it stands for a token, or for its part after the prefix."""
_MOST = 200_000
"""Files that are listed."""


class Unreadable(Exception):
    """Why a file can't be read, as a sentence."""


class Folder:
    """A folder or a file that may be read."""

    def __init__(self, place: Path, named: Sequence[str]) -> None:
        """`named` are the names of `place` that paths in a report may begin with."""
        self._place, self._named = place, [os.path.normpath(name) for name in named]
        self._listed: list[str] | None = None

    def spans(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end` of each file that `path` can mean: a mask matches any text but a slash. Raises `Unreadable`."""
        refused = ""
        for inside in self._inside(path):
            try:
                yield self._span(inside, start, end)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except NotImplementedError:
                refused = f"{path}: this system can't open it without following links."
            except ValueError:
                refused = f"{path}: not a valid path."
            except OSError as error:
                refused = f"{path}: can't be read: {(error.strerror or str(error)).lower()}."
        if refused:
            raise Unreadable(refused)

    def names(self) -> list[bytes]:
        """The paths of all files below the folder, as many as are listed."""
        if self._listed is None:
            self._listed = list(islice(self._walk(), _MOST))
        return [os.fsencode(name) for name in self._listed]

    def _inside(self, path: str) -> Iterator[str]:
        """The paths inside the folder that `path` can mean; none if it leads out of the folder."""
        path = os.path.normpath(path)
        for name in dict.fromkeys((*self._named, ".")):
            inside = "." if path == name else path if name == "." else path.removeprefix(name.rstrip(os.sep) + os.sep)
            if (name != "." and inside == path) or os.path.isabs(inside) or ".." in PurePath(inside).parts:
                continue
            if "…" not in inside:
                yield inside
                continue
            pattern = re.compile(_HIDDEN.sub("[^/]*", re.escape(inside)), re.DOTALL)
            self.names()
            yield from (listed for listed in self._listed or () if pattern.fullmatch(listed))

    def _span(self, inside: str, start: int, end: int) -> bytes:
        """The bytes from `start` to `end` of a file. Each folder is opened relative to its parent, so none can be replaced by a link.

        Raises `OSError`.
        """
        place = os.fspath(self._place)
        with ExitStack() as stack:
            if inside == ".":
                if os.path.islink(place):
                    return os.fsencode(os.readlink(place))[start:end]
                if os.path.isdir(place):
                    raise FileNotFoundError
                return _read(_opened(stack, place, None, _FLAGS), start, end)
            *folders, last = PurePath(inside).parts
            here = _opened(stack, place, None, os.O_RDONLY | _DIRECTORY)
            for folder in folders:
                here = _opened(stack, folder, here, _FLAGS | _DIRECTORY)
            if stat.S_ISLNK(os.stat(last, dir_fd=here, follow_symlinks=False).st_mode):
                return os.fsencode(os.readlink(last, dir_fd=here))[start:end]
            return _read(_opened(stack, last, here, _FLAGS), start, end)

    def _walk(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self._place):
            folders[:] = [name for name in folders if name != ".git"]
            yield from (os.path.relpath(os.path.join(folder, name), self._place) for name in files)


def _opened(stack: ExitStack, name: str, folder: int | None, flags: int) -> int:
    number = os.open(name, flags, dir_fd=folder)
    stack.callback(os.close, number)
    return number


def _read(file: int, start: int, end: int) -> bytes:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError(0, "not a regular file")
    os.lseek(file, start, os.SEEK_SET)
    return os.read(file, end - start)
