"""Whether a file belongs to git: it lies in a repository's folder, or it is tracked. A report must not overwrite it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from patscan.git.child import GitError, run

_OUTSIDE = ("is outside repository", "must be run in a work tree", "not a git repository")


def in_git_folder(file: Path) -> bool:
    """Whether `file`, a path without links, lies in a repository's folder such as ``.git``, or is one."""
    named = any(part.casefold() == ".git" for part in file.parts)
    return named or any((folder / "HEAD").is_file() and (folder / "objects").is_dir() for folder in file.parents)


def is_tracked(file: Path, here: Mapping[str, str], elsewhere: Mapping[str, str]) -> bool:
    """Whether `file` is in the index of the repository around it, or of the one that the environment `here` names.

    `elsewhere` is an environment that names no repository. Raises `GitError` if git can't answer for an existing file.
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
