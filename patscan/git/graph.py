"""Which commits hold which blobs, for a few blobs and all commits, in one pass over the commits.

git says how each commit's tree differs from its first parent's. So what a commit holds is what its first parent holds, changed; and
commits between two changes share one value. The cost follows the commits and the changes, not their product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """One path that a commit set to a wanted blob, or took one away from (``blob`` is ``None``)."""

    path: bytes
    blob: str | None


Held = frozenset[str]
"""Tokens, by what stands for them."""


class Lives(NamedTuple):
    """The ends of the lives of tokens: numbers of commits, by token."""

    brought: dict[str, list[int]]
    """Commits that hold a token which none of their parents holds."""
    removed: dict[str, list[int]]
    """Commits that don't hold a token which one of their parents holds."""
    youngest: dict[str, list[int]]
    """Commits that hold a token which no commit made on them holds any more, or that nothing was made on."""

    def of(self, token: str) -> Iterator[int]:
        """The commits at all ends of one token's life."""
        for told in self:
            yield from told.get(token, ())


def lives(parents: Sequence[Sequence[int]], held: Sequence[Held], marks: bytes | bytearray) -> Lives:
    """The lives of tokens among the marked commits, which must include the parents of each."""
    told = Lives({}, {}, {})
    passed_on: dict[int, set[str]] = {}
    kept = bytearray(len(parents))
    for commit, above in enumerate(parents):
        mine = held[commit]
        if not marks[commit] or (above and all(held[parent] is mine for parent in above)):
            for parent in above if marks[commit] else ():
                kept[parent] = 1
            continue
        before: Held = frozenset().union(*(held[parent] for parent in above))
        _note(told.brought, mine - before, commit)
        _note(told.removed, before - mine, commit)
        for parent in above:
            passed_on.setdefault(parent, set()).update(mine)
    for commit, mine in enumerate(held):
        if mine and marks[commit] and not kept[commit]:
            _note(told.youngest, mine - passed_on.get(commit, set()), commit)
    return told


def _note(told: dict[str, list[int]], tokens: Iterable[str], commit: int) -> None:
    for token in tokens:
        told.setdefault(token, []).append(commit)


def held_by(parents: Sequence[Sequence[int]], changes: Mapping[int, Sequence[Change]], tokens: Mapping[str, Iterable[str]]) -> list[Held]:
    """The tokens that each commit holds, in a graph whose commits follow their parents; `tokens` says what each blob holds.

    Commits that hold the same share one value.
    """
    nothing: Held = frozenset()
    trees: list[Mapping[bytes, str]] = []
    held: list[Held] = []
    known: dict[Held, Held] = {nothing: nothing}
    for commit, above in enumerate(parents):
        tree: Mapping[bytes, str] = trees[above[0]] if above else {}
        mine = held[above[0]] if above else nothing
        if commit in changes:
            tree = _changed(tree, changes[commit])
            mine = nothing.union(*(tokens.get(blob, ()) for blob in tree.values()))
            mine = known.setdefault(mine, mine)
        trees.append(tree)
        held.append(mine)
    return held


def _changed(tree: Mapping[bytes, str], changes: Iterable[Change]) -> Mapping[bytes, str]:
    blobs = dict(tree)
    for change in changes:
        if change.blob is None:
            blobs.pop(change.path, None)
        else:
            blobs[change.path] = change.blob
    return blobs


def descendants(parents: Sequence[Sequence[int]], commits: Iterable[int]) -> set[int]:
    """These commits, and all that are made on them."""
    reached = set(commits)
    for commit, commit_parents in enumerate(parents):
        if not reached.isdisjoint(commit_parents):
            reached.add(commit)
    return reached


def marked(parents: Sequence[Sequence[int]], tips: Iterable[int]) -> bytearray:
    """For each commit, 1 if one of `tips` is it or is made on it."""
    marks = bytearray(len(parents))
    for tip in tips:
        marks[tip] = 1
    for commit in range(len(parents) - 1, -1, -1):
        if marks[commit]:
            for parent in parents[commit]:
                marks[parent] = 1
    return marks
