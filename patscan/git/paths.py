"""The names that files had in history, from the paths that commits added."""

from __future__ import annotations

from collections.abc import Iterable

from patscan.git.child import GitError
from patscan.git.repository import Repository
from patscan.git.walk import answers

_ADDED = ("diff-tree", "--stdin", "-r", "--root", "-z", "--raw", "--no-renames", "--diff-filter=A", "--diff-merges=first-parent")
_AT_ONCE = 5000
"""Commits in one call of git: its output is kept in memory."""


def paths(repository: Repository, commits: Iterable[str], unread: list[str]) -> set[bytes]:
    """Every path at which one of `commits` added a file. Commits that git can't read are appended to `unread`."""
    names, added = list(commits), set[bytes]()
    for low in range(0, len(names), _AT_ONCE):
        for answer in answers(repository, _ADDED, names[low : low + _AT_ONCE], unread):
            # Facts that begin with a colon come before each path. A commit's id has no path.
            fields = iter(answer.split(b"\0"))
            added.update(next(fields) for field in fields if field.startswith(b":"))
    return added


def staged(repository: Repository) -> set[bytes]:
    """Every path in the index; empty if git can't read the index."""
    try:
        return set(repository.git("ls-files", "-z", "--full-name").split(b"\0")[:-1])
    except GitError:
        return set()
