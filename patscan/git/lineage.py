"""Whether a branch of the server has a commit, and where one forked off. For that, commits are fetched without their trees and files.

GitLab and GitHub send commits alone (``uploadpack.allowFilter``, git-config(1)).
"""

from __future__ import annotations

from contextlib import suppress

from patscan.git.borrowed import Borrowed
from patscan.git.child import GitError

_MARGIN = 30 * 86_400
"""Seconds before the commit's date: dates don't always grow from parent to child."""
_DEPTH = 50
"""Generations. A date alone cuts history off at each merge of an older branch."""
_COMMITS = "--filter=tree:0"


def is_on_branch(borrowed: Borrowed, ref: str, commit: str) -> bool | None:
    """Whether the server's branch `ref` reaches `commit`; ``None`` if the server sends no commits without files. Raises `GitError`.

    Nearly always the branch's last commits are enough. All of them are fetched only if they don't lead to `commit`.
    """
    since = borrowed.dates([commit])[commit] - _MARGIN
    for part in (f"--shallow-since={since}", f"--depth={_DEPTH}"):
        recent = borrowed.beside()
        with suppress(GitError):  # no commit of the branch may be that young
            tip = recent.fetch((ref,), _COMMITS, part)
            if recent.commit(commit):
                return True
            if _has_files(recent, tip):
                return None
    whole = borrowed.beside()
    whole.fetch((ref,), _COMMITS)
    return bool(whole.commit(commit))


def fork_point(borrowed: Borrowed, ref: str, head: str) -> str:
    """A commit that both `head` and the server's branch `ref` reach, usually the last one; empty if the server doesn't tell."""
    for part in ((f"--depth={_DEPTH}",), ()):
        with suppress(GitError):
            commits = borrowed.beside()
            commits.fetch((head, ref), _COMMITS, *part)
            if _has_files(commits, head):
                break
            return commits.git("merge-base", "refs/patscan/0", "refs/patscan/1").strip()
    return ""


def _has_files(commits: Borrowed, tip: str) -> bool:
    """Whether the server has sent trees all the same."""
    return "?" not in commits.git("rev-list", "--max-count=1", "--objects", "--no-object-names", "--missing=print", tip, "--")
