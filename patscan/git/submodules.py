"""The submodules of a repository (gitsubmodules(7))."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from patscan.errors import TargetError
from patscan.git.child import GitError, run
from patscan.git.modes import SUBMODULE
from patscan.git.repository import Repository, open_repository
from patscan.tuples import NamedTuple


class Submodule(NamedTuple):
    """A submodule and its path. `repository` is ``None`` if it isn't here, or if it can't be opened because of `problem`."""

    path: str
    repository: Repository | None
    problem: str = ""


def has_submodules(repository: Repository) -> bool:
    """Whether the repository contains repositories of submodules."""
    return any((folder / "modules").is_dir() for folder in {repository.git_dir, repository.common_dir})


def submodules(repository: Repository, environment: Mapping[str, str], under: str = "", top: Path | None = None) -> Iterator[Submodule]:
    """All submodules, recursively, also those that HEAD no longer has. `environment` must not name a repository.

    Paths begin with `under`. `top` is the folder of the working tree, if git can't find it.
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
    """The repositories under ``modules``, each with its name, which may contain slashes."""
    for base in sorted({repository.git_dir / "modules", repository.common_dir / "modules"}):
        for place, folders, files in os.walk(base) if not base.is_symlink() else ():
            if "HEAD" in files and "objects" in folders:
                yield os.path.relpath(place, base), Path(place)
                folders.clear()


def _place(folder: Path, top: Path, name: str, environment: Mapping[str, str]) -> str:
    """The path of a submodule in the working tree, from its configuration; its name, if that path lies outside."""
    try:
        tree = os.fsdecode(run(("config", "--file", "config", "core.worktree"), folder, _at(folder, environment))).removesuffix("\n")
    except GitError:
        return name
    path = os.path.relpath(os.path.normpath(folder / tree), top)
    return name if path.startswith("..") or path == "." else path.replace(os.sep, "/")


def _at(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Set the working tree too: git fails if the configured one is gone."""
    return {**environment, "GIT_DIR": str(folder), "GIT_WORK_TREE": str(folder)}


def _top(repository: Repository) -> Path:
    try:
        return Path(os.fsdecode(repository.git("rev-parse", "--show-toplevel")).removesuffix("\n"))
    except GitError:
        return repository.git_dir  # a bare repository has no working tree


def _links(repository: Repository) -> Iterator[str]:
    """The paths of submodules in the index, or in HEAD if the repository is bare."""
    command = ("ls-tree", "-r", "-z", "--full-tree", "HEAD") if repository.bare else ("ls-files", "-s", "-z", "--full-name")
    try:
        listed = repository.git(*command)
    except GitError:
        return
    for entry in listed.split(b"\0")[:-1]:
        facts, _, path = entry.partition(b"\t")
        if facts.startswith(SUBMODULE.encode()):
            yield os.fsdecode(path)
