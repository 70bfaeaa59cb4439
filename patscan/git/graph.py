"""Which commits hold which blobs, for a few blobs and all commits, in one pass over the commits.

git reports how each commit's tree differs from its first parent's. A commit therefore has what its first parent has, with these
changes applied, and commits between two changes share one value. The cost is commits plus changes, not their product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """A path at which a commit put a wanted blob, or removed one (`blob` is ``None``)."""

    path: bytes
    blob: str | None


TokenSet = frozenset[str]
"""The fingerprints of tokens."""


class Lives(NamedTuple):
    """Where the lives of tokens begin and end: numbers of commits, by token."""

    introduced: dict[str, list[int]]
    """Commits with a token that none of their parents has."""
    removed: dict[str, list[int]]
    """Commits without a token that one of their parents has."""
    youngest: dict[str, list[int]]
    """Commits with a token that none of their children has."""

    def of(self, token: str) -> Iterator[int]:
        """All commits where the life of one token begins or ends."""
        for commits in self:
            yield from commits.get(token, ())


def lives(parents: Sequence[Sequence[int]], tokens_of: Sequence[TokenSet], marks: bytes | bytearray) -> Lives:
    """The lives of tokens among the marked commits. The parents of a marked commit must be marked too."""
    result = Lives({}, {}, {})
    of_children: dict[int, set[str]] = {}
    unchanged_in_child = bytearray(len(parents))
    for commit, commit_parents in enumerate(parents):
        tokens = tokens_of[commit]
        if not marks[commit] or (commit_parents and all(tokens_of[parent] is tokens for parent in commit_parents)):
            for parent in commit_parents if marks[commit] else ():
                unchanged_in_child[parent] = 1
            continue
        inherited: TokenSet = frozenset().union(*(tokens_of[parent] for parent in commit_parents))
        _note(result.introduced, tokens - inherited, commit)
        _note(result.removed, inherited - tokens, commit)
        for parent in commit_parents:
            of_children.setdefault(parent, set()).update(tokens)
    for commit, tokens in enumerate(tokens_of):
        if tokens and marks[commit] and not unchanged_in_child[commit]:
            _note(result.youngest, tokens - of_children.get(commit, set()), commit)
    return result


def _note(commits: dict[str, list[int]], tokens: Iterable[str], commit: int) -> None:
    for token in tokens:
        commits.setdefault(token, []).append(commit)


def tokens_by_commit(
    parents: Sequence[Sequence[int]], changes: Mapping[int, Sequence[Change]], tokens_of_blob: Mapping[str, Iterable[str]]
) -> list[TokenSet]:
    """The tokens in each commit, by the commit's number.

    Each commit must have a higher number than its parents. `tokens_of_blob` gives the tokens of each blob. Commits with equal tokens
    share one value.
    """
    nothing: TokenSet = frozenset()
    trees: list[Mapping[bytes, str]] = []
    result: list[TokenSet] = []
    shared: dict[TokenSet, TokenSet] = {nothing: nothing}
    for commit, commit_parents in enumerate(parents):
        tree: Mapping[bytes, str] = trees[commit_parents[0]] if commit_parents else {}
        commit_tokens = result[commit_parents[0]] if commit_parents else nothing
        if commit in changes:
            tree = _changed(tree, changes[commit])
            commit_tokens = nothing.union(*(tokens_of_blob.get(blob, ()) for blob in tree.values()))
            commit_tokens = shared.setdefault(commit_tokens, commit_tokens)
        trees.append(tree)
        result.append(commit_tokens)
    return result


def _changed(tree: Mapping[bytes, str], changes: Iterable[Change]) -> Mapping[bytes, str]:
    blobs = dict(tree)
    for change in changes:
        if change.blob is None:
            blobs.pop(change.path, None)
        else:
            blobs[change.path] = change.blob
    return blobs


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
