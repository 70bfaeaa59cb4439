"""The repositories inside a repository: submodules, each with a history of its own (gitsubmodules(7))."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from patscan.errors import TargetError
from patscan.git.child import GitError, run
from patscan.git.repository import Repository, open_repository

_LINK = b"160000"
"""The mode of an entry that is another repository's commit."""


class Submodule(NamedTuple):
    """A submodule and the path it stands at. Without a repository it isn't here, or `problem` says why it can't be opened."""

    path: str
    repository: Repository | None
    problem: str = ""


def has_submodules(repository: Repository) -> bool:
    """Whether repositories of submodules lie here."""
    return any((folder / "modules").is_dir() for folder in {repository.git_dir, repository.common_dir})


def submodules(repository: Repository, environment: Mapping[str, str], under: str = "", top: Path | None = None) -> Iterator[Submodule]:
    """All submodules, also those that no commit at hand refers to any more, and theirs; `environment` tells git of no repository.

    Their paths begin with `under`; `top` is the working tree that they stand in, if it isn't the one that git finds.
    """
    top = top or _top(repository)
    links = {path: top / path / ".git" for path in _links(repository)}
    places = {_place(folder, top, name, environment): folder for name, folder in _absorbed(repository)}
    # Before git 1.7.8 a submodule's repository lay in its working tree.
    places |= {path: folder for path, folder in links.items() if path not in places and folder.is_dir() and not folder.is_symlink()}
    for path in sorted({*links, *places}):
        try:
            inner = open_repository(places[path], _at(places[path], environment)) if path in places else None
        except TargetError as error:
            yield Submodule(under + path, None, str(error))
            continue
        yield Submodule(under + path, inner)
        if inner:
            yield from submodules(inner, environment, f"{under}{path}/", top / path)


def _absorbed(repository: Repository) -> Iterator[tuple[str, Path]]:
    """The repositories under ``modules`` by their names, which may hold slashes."""
    for base in sorted({repository.git_dir / "modules", repository.common_dir / "modules"}):
        for place, folders, files in os.walk(base) if not base.is_symlink() else ():
            if "HEAD" in files and "objects" in folders:
                yield os.path.relpath(place, base), Path(place)
                folders.clear()


def _place(folder: Path, top: Path, name: str, environment: Mapping[str, str]) -> str:
    """Where a submodule stands in the working tree, as its own configuration says; its name, if that leads elsewhere."""
    try:
        told = os.fsdecode(run(("config", "--file", "config", "core.worktree"), folder, _at(folder, environment))).removesuffix("\n")
    except GitError:
        return name
    path = os.path.relpath(os.path.normpath(folder / told), top)
    return name if path.startswith("..") or path == "." else path.replace(os.sep, "/")


def _at(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """A working tree that a configuration names, and that may be gone, would stop git."""
    return {**environment, "GIT_DIR": str(folder), "GIT_WORK_TREE": str(folder)}


def _top(repository: Repository) -> Path:
    try:
        return Path(os.fsdecode(repository.git("rev-parse", "--show-toplevel")).removesuffix("\n"))
    except GitError:
        return repository.git_dir  # bare: nothing stands anywhere


def _links(repository: Repository) -> Iterator[str]:
    """The paths at which the index, or without one HEAD, has a submodule."""
    command = ("ls-tree", "-r", "-z", "--full-tree", "HEAD") if repository.bare else ("ls-files", "-s", "-z", "--full-name")
    try:
        listed = repository.git(*command)
    except GitError:
        return
    for entry in listed.split(b"\0")[:-1]:
        facts, _, path = entry.partition(b"\t")
        if facts.startswith(_LINK):
            yield os.fsdecode(path)
