"""Whether a file is git's: one of a repository's own, or one that it tracks. A report must not take its place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from patscan.git.child import GitError, run

_OUTSIDE = ("is outside repository", "must be run in a work tree", "not a git repository")


def in_git_folder(file: Path) -> bool:
    """Whether `file`, a path without links, is or lies in a folder that holds a repository's own files."""
    named = any(part.casefold() == ".git" for part in file.parts)
    return named or any((folder / "HEAD").is_file() and (folder / "objects").is_dir() for folder in file.parents)


def is_tracked(file: Path, here: Mapping[str, str], elsewhere: Mapping[str, str]) -> bool:
    """Whether `file` is in the index of the repository that it lies in, or of the one that the environment `here` names.

    Raises `GitError` for a file that is there and of which git can't say it; a new file takes nothing's place.
    """
    if any((folder / ".git").exists() for folder in file.parents) and _is_listed(file, file.parent, elsewhere):
        return True
    return "GIT_DIR" in here and _is_listed(file, Path(), here)


def _is_listed(file: Path, folder: Path, environment: Mapping[str, str]) -> bool:
    try:
        return bool(run(("ls-files", "-z", "--", str(file)), folder, environment))
    except GitError as error:
        if any(sentence in str(error) for sentence in _OUTSIDE) or not os.path.lexists(file):
            return False
        raise
