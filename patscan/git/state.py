"""A digest of everything in a repository that attribution and exposure depend on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from patscan.digests import blake2b
from patscan.git.child import GitError
from patscan.git.repository import Repository
from patscan.git.traces import settings

_FILES = ("HEAD", "FETCH_HEAD", "index", "shallow", "info/grafts")
"""Files that are read, in the folder of every working tree."""
_FOLDERS = ("logs", "reftable")
"""Folders whose files are compared by size and time, because reflogs can be long."""


def state(repository: Repository, objects: Iterable[str]) -> str | None:
    """A digest of refs, reflogs, indexes, remotes and `objects` (names of packs and loose objects); ``None`` if refs can't be read."""
    digest = blake2b(digest_size=16)
    try:
        digest.update(repository.git("for-each-ref", "--format=%(refname) %(objectname) %(symref)"))
    except GitError:
        return None
    for part in (*objects, settings(repository), *_files(repository)):
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()


def _files(repository: Repository) -> Iterator[str]:
    trees = [repository.git_dir, repository.common_dir, *sorted((repository.common_dir / "worktrees").glob("*"))]
    index = repository.environment.get("GIT_INDEX_FILE")
    for file in [*(tree / name for tree in trees for name in _FILES), *([repository.path / index] if index else [])]:
        yield f"{file} {_content(file)}"
    for folder in (tree / name for tree in trees for name in _FOLDERS):
        for place, _, names in os.walk(folder):
            yield from (f"{place} {name} {_stamp(Path(place, name))}" for name in sorted(names))


def _content(file: Path) -> str:
    try:
        return blake2b(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _stamp(file: Path) -> str:
    try:
        status = file.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
