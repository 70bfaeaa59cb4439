"""Which commits hold which blobs, for a few blobs and all commits, in one pass over the commits.

git reports how each commit's tree differs from its first parent's. A commit therefore has what its first parent has, with these
changes applied, and commits between two changes share one value. The cost is commits plus changes, not their product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_

from patscan.tuples import NamedTuple


class Change(NamedTuple):
    """A path at which a commit put a wanted blob, or removed one (`blob` is ``None``)."""

    path: bytes
    blob: str | None


TokenSet = int
"""A set of tokens: bit n stands for the token with number n. Every commit has one, and a `frozenset` takes 300 times as much memory."""


def members(tokens: TokenSet) -> Iterator[int]:
    """The numbers of the tokens in a set, in order."""
    bits = f"{tokens:b}"[::-1]
    token = bits.find("1")
    while token >= 0:
        yield token
        token = bits.find("1", token + 1)


def contains(tokens: TokenSet, token: int) -> bool:
    """Whether a set has the token with this number."""
    return bool(tokens >> token & 1)


def union(sets: Iterable[TokenSet]) -> TokenSet:
    """The tokens that are in any of the sets."""
    return reduce(or_, sets, 0)


class Lives(NamedTuple):
    """Where the lives of tokens begin and end: numbers of commits, by the number of the token."""

    introduced: dict[int, list[int]]
    """Commits with a token that none of their parents has."""
    removed: dict[int, list[int]]
    """Commits without a token that one of their parents has."""
    youngest: dict[int, list[int]]
    """Commits with a token that none of their children has."""

    def of(self, token: int) -> Iterator[int]:
        """All commits where the life of one token begins or ends."""
        for commits in self:
            yield from commits.get(token, ())


def lives(parents: Sequence[Sequence[int]], tokens_of: Sequence[TokenSet], marks: bytes | bytearray) -> Lives:
    """The lives of tokens among the marked commits. The parents of a marked commit must be marked too."""
    result = Lives({}, {}, {})
    of_children: dict[int, TokenSet] = {}
    unchanged_in_child = bytearray(len(parents))
    for commit, commit_parents in enumerate(parents):
        tokens = tokens_of[commit]
        if not marks[commit] or (commit_parents and all(tokens_of[parent] == tokens for parent in commit_parents)):
            for parent in commit_parents if marks[commit] else ():
                unchanged_in_child[parent] = 1
            continue
        inherited = union(tokens_of[parent] for parent in commit_parents)
        _note(result.introduced, tokens & ~inherited, commit)
        _note(result.removed, inherited & ~tokens, commit)
        for parent in commit_parents:
            of_children[parent] = of_children.get(parent, 0) | tokens
    for commit, tokens in enumerate(tokens_of):
        if tokens and marks[commit] and not unchanged_in_child[commit]:
            _note(result.youngest, tokens & ~of_children.get(commit, 0), commit)
    return result


def _note(commits: dict[int, list[int]], tokens: TokenSet, commit: int) -> None:
    for token in members(tokens):
        commits.setdefault(token, []).append(commit)


def tokens_by_commit(
    parents: Sequence[Sequence[int]], changes: Mapping[int, Sequence[Change]], tokens_of_blob: Mapping[str, TokenSet]
) -> list[TokenSet]:
    """The tokens in each commit, by the commit's number.

    Each commit must have a higher number than its parents. `tokens_of_blob` gives the tokens of each blob. Commits with equal tokens
    share one value.
    """
    result: list[TokenSet] = []
    shared: dict[TokenSet, TokenSet] = {}
    heirs = Counter(commit_parents[0] for commit_parents in parents if commit_parents)
    trees: dict[int, _Tree] = {}
    for commit, commit_parents in enumerate(parents):
        tree, tokens = _Tree({}), 0
        if commit_parents:
            first = commit_parents[0]
            tree, tokens = trees[first], result[first]
            tree.heirs -= 1
            heirs[first] -= 1
            if not heirs[first]:
                del trees[first]
        if commit in changes:
            tree, tokens = tree.changed(changes[commit], tokens, tokens_of_blob)
            tokens = shared.setdefault(tokens, tokens)
        tree.heirs += heirs[commit]
        if heirs[commit]:
            trees[commit] = tree
        result.append(tokens)
    return result


class _Tree:
    """The wanted blobs of commits, by path. Commits share it until one of them changes it."""

    def __init__(self, blobs: Mapping[bytes, str]) -> None:
        self.blobs = dict(blobs)
        self.heirs = 0
        """The number of commits that will inherit it."""

    def changed(self, changes: Sequence[Change], tokens: TokenSet, tokens_of_blob: Mapping[str, TokenSet]) -> tuple[_Tree, TokenSet]:
        """The tree after `changes`, and its tokens, which were `tokens` before. Without further heirs, this tree itself is changed."""
        tree = _Tree(self.blobs) if self.heirs else self
        lost = [tree.blobs.pop(change.path) for change in changes if change.path in tree.blobs]
        gained = {change.path: change.blob for change in changes if change.blob is not None}
        tree.blobs |= gained
        blobs = tree.blobs if lost else gained
        return tree, union((0 if lost else tokens, *(tokens_of_blob.get(blob, 0) for blob in blobs.values())))


def descendants(parents: Sequence[Sequence[int]], commits: Iterable[int]) -> set[int]:
    """These commits and their descendants."""
    reached = set(commits)
    for commit, commit_parents in enumerate(parents):
        if not reached.isdisjoint(commit_parents):
            reached.add(commit)
    return reached


def marked(parents: Sequence[Sequence[int]], tips: Iterable[int]) -> bytearray:
    """For each commit, 1 if one of `tips` reaches it."""
    marks = bytearray(len(parents))
    for tip in tips:
        marks[tip] = 1
    for commit in range(len(parents) - 1, -1, -1):
        if marks[commit]:
            for parent in parents[commit]:
                marks[parent] = 1
    return marks
