"""The names that files ever had, as git says what commits brought."""

from __future__ import annotations

from collections.abc import Iterable

from patscan.git.child import GitError
from patscan.git.repository import Repository
from patscan.git.walk import answers

_ADDED = ("diff-tree", "--stdin", "-r", "--root", "-z", "--raw", "--no-renames", "--diff-filter=A", "--diff-merges=first-parent")
_AT_ONCE = 5000
"""Commits asked about in one go: an answer is held in memory."""


def paths(repository: Repository, commits: Iterable[str], unread: list[str]) -> set[bytes]:
    """Every path at which one of `commits` put a file; `unread` takes commits that git can't read."""
    names, found = list(commits), set[bytes]()
    for low in range(0, len(names), _AT_ONCE):
        for answer in answers(repository, _ADDED, names[low : low + _AT_ONCE], unread):
            # Each path follows its own line of facts; a commit's id stands alone.
            fields = iter(answer.split(b"\0"))
            found.update(next(fields) for field in fields if field.startswith(b":"))
    return found


def staged(repository: Repository) -> set[bytes]:
    """Every path in the index; none if there is no index, or one that git can't read."""
    try:
        return set(repository.git("ls-files", "-z", "--full-name").split(b"\0")[:-1])
    except GitError:
        return set()
