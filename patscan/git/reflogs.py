"""Read reflogs from the files of git's default ref storage (git-reflog(1), gitrepository-layout(5))."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from patscan.git.repository import Repository
from patscan.tuples import NamedTuple

_PARTS = 3
"""Parts of a line: the old id, the new id, and the rest, which ends in a tab and the message."""


class Entry(NamedTuple):
    """One change of a ref: the old id, the new id (zeros: none), and git's message."""

    old: str
    new: str
    message: str


def reflogs(repository: Repository) -> Mapping[str, list[Entry]]:
    """The entries of each reflog, oldest first, by the name that ``git reflog`` takes in this working tree."""
    common, here = repository.common_dir, repository.git_dir
    logs = {f"refs/{name}": path for name, path in _files(common / "logs" / "refs")}
    heads = {f"worktrees/{folder.name}/HEAD": folder for folder in sorted((common / "worktrees").glob("*"))}
    heads = {"main-worktree/HEAD": common, **heads} | {"HEAD": here}
    logs |= {name: folder / "logs" / "HEAD" for name, folder in heads.items() if name == "HEAD" or folder != here}
    return {name: entries for name, path in logs.items() if (entries := list(_entries(path)))}


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(place, name)
            yield path.relative_to(folder).as_posix(), path


def _entries(path: Path) -> Iterator[Entry]:
    if path.is_symlink() or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            for line in file:
                parts = line.decode("utf-8", "surrogateescape").rstrip("\n").split(" ", 2)
                if len(parts) == _PARTS:
                    yield Entry(parts[0], parts[1], parts[2].partition("\t")[2])
    except OSError:
        return
