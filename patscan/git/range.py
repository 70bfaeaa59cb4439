"""The commits between a head and a base, and the fetches that make them complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from patscan.counts import counted
from patscan.git.borrowed import Borrowed
from patscan.git.child import GitError
from patscan.tuples import NamedTuple

_FIRST, _OWN, _LAST = 8, 64, 4096
"""Commits of a step that deepens history: the first step, the last one without the base's history, and the last one before all of it."""
_ROUNDS = 5
"""How often missing objects are fetched: fetched trees may name others."""
_OBJECTS = ("--objects", "--no-object-names", "--missing=print")


class Range(NamedTuple):
    """The commits to scan."""

    head: str
    """The commit, or an annotated tag of it; empty: no commits."""
    base: str
    """The commit to compare with; empty: scan everything that `head` reaches."""
    excluded: tuple[str, ...]
    """Commits that aren't new: the base, and the parents of the first new commits."""
    reason: str
    """How the range was chosen, as a sentence."""
    gap: str
    """Why the range is incomplete, and what to set; empty if it is complete."""
    nothing: str
    """Why an empty range is expected; empty if it would be a mistake."""
    notes: tuple[str, ...]
    edge: frozenset[str]
    """Commits whose parents aren't needed or aren't here."""

    def revisions(self) -> list[str]:
        """The arguments for git-rev-list(1)."""
        return [self.head, *(f"^{name}" for name in self.excluded)] if self.head else []


def fetched(borrowed: Borrowed, commit: str, sources: Sequence[str]) -> str:
    """Return `commit`, and fetch it if it isn't here: by its id, or else through the server's refs `sources`. Raises `GitError`."""
    if borrowed.commit(commit):
        return commit
    try:
        borrowed.fetch((commit,), *_depth(borrowed))
    except GitError as error:
        if "unadvertised object" not in str(error) or not _is_below(borrowed, commit, sources):
            raise
    if borrowed.commit(commit) != commit:
        raise GitError("it isn't a commit.")
    return commit


def _is_below(borrowed: Borrowed, commit: str, sources: Sequence[str]) -> bool:
    """Fetch `sources` until they reach `commit`: some servers send only what their refs reach. Raises `GitError`."""
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
    """The object that a ref of the server points to now. Raises `GitError`."""
    return borrowed.fetch((ref,), *_depth(borrowed))


def first_parent(borrowed: Borrowed, merge: str, second: str) -> str:
    """The first parent of `merge` if it has two, and if `second` is empty or the second; otherwise empty."""
    header = borrowed.git("cat-file", "commit", merge).partition("\n\n")[0]
    parents = [line.removeprefix("parent ") for line in header.splitlines() if line.startswith("parent ")]
    return parents[0] if len(parents) == 2 and second in {"", parents[1]} else ""


def reaches(borrowed: Borrowed, tip: str, commit: str) -> bool:
    """Whether `tip` reaches `commit` in the history that is here."""
    return not borrowed.git("rev-list", "--max-count=1", commit, f"^{tip}", "--").strip()


def has_merges(borrowed: Borrowed, head: str, base: str) -> bool:
    """Whether one of the commits that only `head` reaches, and not `base`, is a merge."""
    return bool(borrowed.git("rev-list", "--max-count=1", "--merges", head, f"^{base}", "--").strip())


def before_merge(borrowed: Borrowed, branch: str, head: str) -> str:
    """The tip of a branch before a merge introduced `head`; `head` itself if there was no merge. The branch is now at `branch`.

    Otherwise a job that runs after the merge would find nothing new.
    """
    if not reaches(borrowed, branch, head):
        return branch
    since = set(borrowed.git("rev-list", "--ancestry-path", f"{head}..{branch}", "--").split())
    line = [name for name in borrowed.git("rev-list", "--first-parent", branch, f"^{head}", "--").split() if name in since]
    return borrowed.git("rev-parse", f"{line[-1]}^1").strip() if line else head


def deepened(borrowed: Borrowed, head: str, bases: Sequence[str] = (), is_ancestor: bool = False) -> str:
    """Fetch until history between `head` and `bases`, or below `head`, is complete; return why it can't be, or an empty string.

    With `is_ancestor`, the first steps fetch nothing that only a base reaches.
    """
    if bases and is_ancestor and _cut_length(borrowed, head, bases) is not None:
        _fetch_since(borrowed, head, bases)
    steps = _depths(is_ancestor) if bases else iter([(0, True)])
    while (length := _cut_length(borrowed, head, bases)) is not None:
        if (step := next(steps, None)) is None:
            new = borrowed.git("rev-list", head, *(f"^{base}" for base in bases), "--").split()
            return "" if borrowed.edge().isdisjoint(new) else "the history is cut off on the server too."
        more, both = step
        try:
            borrowed.fetch((*bases, head) if both else (head,), f"--depth={length + more}" if more else "--unshallow")
        except GitError as error:
            return f"the history is cut off, and more of it can't be fetched: {error}"
    return ""


def filled(borrowed: Borrowed, *revisions: str) -> str:
    """Fetch the objects of `revisions` that a partial clone lacks; return why that failed, or an empty string."""
    for _ in range(_ROUNDS):
        listed = borrowed.git("rev-list", *_OBJECTS, *revisions, "--").split()
        missing = [name.removeprefix("?") for name in listed if name.startswith("?")]
        if not missing:
            break
        try:
            borrowed.fetch_objects(missing)
        except GitError as error:
            return f"the clone is partial, and {counted(len(missing), 'missing object')} can't be fetched: {error}"
    return ""


def boundary(borrowed: Borrowed, head: str, bases: Sequence[str]) -> list[str]:
    """The commits that `bases` reach and that are parents of commits that only `head` reaches."""
    listed = borrowed.git("rev-list", "--boundary", head, *(f"^{base}" for base in bases), "--").split()
    return [name.removeprefix("-") for name in listed if name.startswith("-")]


def _depth(borrowed: Borrowed) -> tuple[str, ...]:
    """Fetch only the commit itself if history is already cut off. Otherwise a depth would cut it off."""
    return ("--depth=1",) if borrowed.edge() else ()


def _depths(is_ancestor: bool) -> Iterator[tuple[int, bool]]:
    """For each step, the number of commits to deepen by (0: all), and whether to deepen the bases' history too."""
    more = _FIRST
    while more <= _LAST:
        yield more, not is_ancestor or more > _OWN
        more *= 2
    yield 0, True


def _fetch_since(borrowed: Borrowed, head: str, bases: Sequence[str]) -> None:
    """Fetch what is newer than the oldest of `bases`: nearly always all that is missing, and little else, in one step.

    Dates may be wrong and servers may refuse, so failures are ignored: deepening by numbers of commits follows.
    """
    with suppress(GitError):
        # A merge's other parents may have years of history. Only the absent ones are needed.
        merged = [name for parents in borrowed.parents(_cut(borrowed, head, bases)).values() if len(parents) > 1 for name in parents]
        if absent := borrowed.absent(merged):
            borrowed.fetch(absent, "--depth=1")
        dates = borrowed.dates([*bases, *_cut(borrowed, head, bases)])
        oldest = min(dates[base] for base in bases)
        if newer := [commit for commit, date in dates.items() if commit not in bases and date >= oldest]:
            borrowed.fetch(newer, f"--shallow-since={oldest}")


def _cut(borrowed: Borrowed, head: str, bases: Sequence[str]) -> set[str]:
    """The new commits at which history is cut off, without those whose parents are all here."""
    edge: set[str] = set()
    cut: set[str] = set()
    while edge != (edge := borrowed.edge()):
        cut = edge.intersection(borrowed.git("rev-list", head, *(f"^{base}" for base in bases), "--").split())
        borrowed.join(cut)
    return cut


def _cut_length(borrowed: Borrowed, head: str, bases: Sequence[str]) -> int | None:
    """The number of new commits that are here, while history is cut off among them; ``None`` if they are complete."""
    edge = borrowed.edge()
    if not edge:
        return None
    new = borrowed.git("rev-list", "--parents", head, *(f"^{base}" for base in bases), "--").splitlines()
    parents = {commit: commit_parents for commit, *commit_parents in map(str.split, new)}
    if cut := edge.intersection(parents):
        borrowed.join(cut)
        if edge != borrowed.edge():
            return _cut_length(borrowed, head, bases)
        return len(parents)
    before = {name for commit_parents in parents.values() for name in commit_parents}.difference(parents)
    # A new commit without parents: a base may reach it below the point where the base's history is cut off.
    if not bases or (before.issubset(bases) and all(parents.values())):
        return None
    own = borrowed.git("rev-list", *bases, f"^{head}", "--").split()
    return None if edge.isdisjoint(own) and all(parents.values()) else len(parents)
