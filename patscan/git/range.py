"""The commits between a head and what it is compared with, and what a server has to give so that they are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from patscan.git.borrowed import Borrowed
from patscan.git.child import GitError

_FIRST, _OWN, _LAST = 8, 64, 4096
"""Commits by which the history is deepened the first time, the last time without the base's own, and the last time before all of it."""
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
        borrowed.fetch((source,), *_depth(borrowed))
        for more, _ in _depths(is_ancestor=False):
            if borrowed.commit(commit) or not borrowed.edge():
                break
            borrowed.fetch((source,), f"--deepen={more}" if more else "--unshallow")
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


def has_merges(borrowed: Borrowed, head: str, base: str) -> bool:
    """Whether a merge is among what `head` brings."""
    return bool(borrowed.git("rev-list", "--max-count=1", "--merges", head, f"^{base}", "--").strip())


def before_merge(borrowed: Borrowed, branch: str, head: str) -> str:
    """What a branch, now at the commit `branch`, had before a merge brought `head`; `head` itself if no merge did.

    A job that runs after the merge would find nothing new otherwise.
    """
    if not reaches(borrowed, branch, head):
        return branch
    since = set(borrowed.git("rev-list", "--ancestry-path", f"{head}..{branch}", "--").split())
    line = [name for name in borrowed.git("rev-list", "--first-parent", branch, f"^{head}", "--").split() if name in since]
    return borrowed.git("rev-parse", f"{line[-1]}^1").strip() if line else head


def deepened(borrowed: Borrowed, head: str, bases: Sequence[str] = (), is_ancestor: bool = False) -> str:
    """Fetch until no history is cut off between `head` and `bases`, or below `head`; returns why that can't be.

    As long as a base may be an ancestor of the head, nothing is fetched that only the base leads to.
    """
    steps = _depths(is_ancestor) if bases else iter([(0, True)])
    while (length := _cut_length(borrowed, head, bases)) is not None:
        if (step := next(steps, None)) is None:
            new = borrowed.git("rev-list", head, *(f"^{base}" for base in bases), "--").split()
            return "" if borrowed.edge().isdisjoint(new) else "the history is cut off on the server, too."
        more, both = step
        try:
            borrowed.fetch((*bases, head) if both else (head,), f"--depth={length + more}" if more else "--unshallow")
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


def boundary(borrowed: Borrowed, head: str, bases: Sequence[str]) -> list[str]:
    """The commits right before those that `head` brings, known to `bases`."""
    listed = borrowed.git("rev-list", "--boundary", head, *(f"^{base}" for base in bases), "--").split()
    return [name.removeprefix("-") for name in listed if name.startswith("-")]


def _depth(borrowed: Borrowed) -> tuple[str, ...]:
    """No more than the commit itself where history is cut off anyway; elsewhere a depth would cut it off."""
    return ("--depth=1",) if borrowed.edge() else ()


def _depths(is_ancestor: bool) -> Iterator[tuple[int, bool]]:
    """By how many commits to deepen the history in each step, 0 for all of it, and whether the bases' own, too."""
    more = _FIRST
    while more <= _LAST:
        yield more, not is_ancestor or more > _OWN
        more *= 2
    yield 0, True


def _cut_length(borrowed: Borrowed, head: str, bases: Sequence[str]) -> int | None:
    """How many commits `head` brings as far as they are here; ``None`` if that is all of them."""
    edge = borrowed.edge()
    if not edge:
        return None
    new = borrowed.git("rev-list", "--parents", head, *(f"^{base}" for base in bases), "--").splitlines()
    parents = {commit: above for commit, *above in map(str.split, new)}
    if cut := edge.intersection(parents):
        borrowed.join(sorted(cut))
        if edge != borrowed.edge():
            return _cut_length(borrowed, head, bases)
        return len(parents)
    before = {name for above in parents.values() for name in above}.difference(parents)
    # A first commit among those that are new: the base may lead to it, below where its own history is cut off.
    if not bases or (before.issubset(bases) and all(parents.values())):
        return None
    own = borrowed.git("rev-list", *bases, f"^{head}", "--").split()
    return None if edge.isdisjoint(own) and all(parents.values()) else len(parents)
