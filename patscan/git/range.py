"""The commits between a head and what it is compared with, and what a server has to give so that they are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from patscan.git.borrowed import Borrowed
from patscan.git.child import GitError

_FIRST, _LAST = 32, 4096
"""Commits by which the history is deepened the first time, and the last time before all of it is fetched."""
_ROUNDS = 5
"""How often missing objects are asked for: trees that come may name others."""
_OBJECTS = ("--objects", "--no-object-names", "--missing=print")


class Range(NamedTuple):
    """What is looked at."""

    head: str
    """The commit, or the annotated tag on it; empty: nothing."""
    base: str
    """The commit that it is compared with; empty: everything that it reaches."""
    excluded: tuple[str, ...]
    """What isn't new: the base, and the parents of the first new commits."""
    reason: str
    """What was decided, as a sentence."""
    gap: str
    """Why it isn't all, and what to set; empty if it is."""
    nothing: str
    """Why it is no mistake that nothing is new; empty if it would be one."""
    notes: tuple[str, ...]
    edge: frozenset[str]
    """Commits below which no history is needed, or none is here."""

    def revisions(self) -> list[str]:
        """The same for git-rev-list(1)."""
        return [self.head, *(f"^{name}" for name in self.excluded)] if self.head else []


def fetched(borrowed: Borrowed, commit: str, sources: Sequence[str]) -> str:
    """The id `commit`, fetched if it isn't here, by its id or else by the server's refs `sources`. Raises `GitError`."""
    if borrowed.commit(commit):
        return commit
    try:
        borrowed.fetch((commit,), *_depth(borrowed))
    except GitError as error:
        if "unadvertised object" not in str(error) or not _is_below(borrowed, commit, sources):
            raise
    if borrowed.commit(commit) != commit:
        raise GitError("it is no commit.")
    return commit


def _is_below(borrowed: Borrowed, commit: str, sources: Sequence[str]) -> bool:
    """Fetch `sources` until they lead to `commit`: a plain server gives nothing but what it has refs for. Raises `GitError`."""
    for source in sources:
        for options in (_depth(borrowed), *_deepenings(borrowed)):
            borrowed.fetch((source,), *options)
            if borrowed.commit(commit):
                return True
    return False


def tip(borrowed: Borrowed, ref: str) -> str:
    """The object that a ref of the server leads to now. Raises `GitError`."""
    return borrowed.fetch((ref,), *_depth(borrowed))


def first_parent(borrowed: Borrowed, merge: str, second: str) -> str:
    """The first parent of a merge of two, the second of which is `second` if that is known; empty for any other commit."""
    header = borrowed.git("cat-file", "commit", merge).partition("\n\n")[0]
    parents = [line.removeprefix("parent ") for line in header.splitlines() if line.startswith("parent ")]
    return parents[0] if len(parents) == 2 and second in {"", parents[1]} else ""


def reaches(borrowed: Borrowed, tip: str, commit: str) -> bool:
    """Whether `tip` leads to `commit`, as far as the history is here."""
    return not borrowed.git("rev-list", "--max-count=1", commit, f"^{tip}", "--").strip()


def before_merge(borrowed: Borrowed, branch: str, head: str) -> str:
    """What a branch, now at the commit `branch`, had before a merge brought `head`; `head` itself if no merge did.

    A job that runs after the merge would find nothing new otherwise.
    """
    if not reaches(borrowed, branch, head):
        return branch
    since = set(borrowed.git("rev-list", "--ancestry-path", f"{head}..{branch}", "--").split())
    line = [name for name in borrowed.git("rev-list", "--first-parent", branch, f"^{head}", "--").split() if name in since]
    return borrowed.git("rev-parse", f"{line[-1]}^1").strip() if line else head


def deepened(borrowed: Borrowed, head: str, base: str = "") -> str:
    """Fetch until no history is cut off between `head` and `base`, or below `head`; returns why that can't be."""
    steps = _deepenings(borrowed) if base else iter([("--unshallow",)])
    while not _is_whole(borrowed, head, base):
        options = next(steps, None)
        if options is None:
            return ""
        try:
            borrowed.fetch((head, base) if base else (head,), *options)
        except GitError as error:
            return f"the history is cut off, and more of it can't be fetched: {error}"
    return ""


def filled(borrowed: Borrowed, *revisions: str) -> str:
    """Fetch what a partial clone lacks of the objects of `revisions`; returns why that can't be."""
    for _ in range(_ROUNDS):
        listed = borrowed.git("rev-list", *_OBJECTS, *revisions, "--").split()
        missing = [name.removeprefix("?") for name in listed if name.startswith("?")]
        if not missing:
            break
        try:
            borrowed.fetch_objects(missing)
        except GitError as error:
            return f"the clone is partial: {len(missing):,} objects were never fetched, and can't be: {error}"
    return ""


def boundary(borrowed: Borrowed, head: str, base: str) -> list[str]:
    """The commits right before those that `head` brings, known to `base`."""
    listed = borrowed.git("rev-list", "--boundary", head, f"^{base}", "--").split()
    return [name.removeprefix("-") for name in listed if name.startswith("-")]


def _depth(borrowed: Borrowed) -> tuple[str, ...]:
    """No more than the commit itself where history is cut off anyway; elsewhere a depth would cut it off."""
    return ("--depth=1",) if borrowed.edge() else ()


def _deepenings(borrowed: Borrowed) -> Iterator[tuple[str, ...]]:
    """Options of git-fetch(1) that get more history, as long as there is more."""
    step = _FIRST
    while borrowed.edge() and step <= _LAST:
        yield (f"--deepen={step}",)
        step *= 2
    if borrowed.edge():
        yield ("--unshallow",)


def _is_whole(borrowed: Borrowed, head: str, base: str) -> bool:
    edge = borrowed.edge()
    if not edge:
        return True
    if not base:
        return edge.isdisjoint(borrowed.git("rev-list", head, "--").split())
    # The base's own side counts, too: below what is cut off there the two may meet. So does a first commit on the head's side.
    for line in borrowed.git("rev-list", "--left-right", "--parents", f"{head}...{base}", "--").splitlines():
        commit, *parents = line.split()
        if commit[1:] in edge or (commit.startswith("<") and not parents):
            return False
    return True
