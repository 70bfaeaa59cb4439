"""The lives of tokens against the definition, commit by commit, on random graphs."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from patscan.git.graph import Change, lives, marked, members, tokens_by_commit

BLOBS = {"one": 0b01, "two": 0b10, "both": 0b11}
TOKENS = (0, 1)
PATHS = [b"p", b"q"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[list[int]], list[dict[bytes, str]]]:
    """Commits after their parents, and the wanted part of each one's tree."""
    parents, trees = [], []
    for commit in range(draw(st.integers(0, 12))):
        commit_parents = draw(st.lists(st.integers(0, commit - 1), max_size=3, unique=True)) if commit else []
        inherited = dict(trees[commit_parents[0]]) if commit_parents and draw(st.booleans()) else {}
        trees.append(inherited | draw(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(list(BLOBS)), max_size=2)))
        parents.append(commit_parents)
    return parents, trees


def changes(parents: list[list[int]], trees: list[dict[bytes, str]]) -> dict[int, list[Change]]:
    result = {}
    for commit, tree in enumerate(trees):
        before = trees[parents[commit][0]] if parents[commit] else {}
        listed = [Change(path, tree.get(path)) for path in PATHS if tree.get(path) != before.get(path)]
        if listed:
            result[commit] = listed
    return result


@given(graphs())
def test_every_commit_holds_what_its_tree_holds(graph) -> None:
    parents, trees = graph
    commit_tokens = tokens_by_commit(parents, changes(parents, trees), BLOBS)
    result = lives(parents, commit_tokens, bytes([1] * len(parents)))
    has = [{token for blob in tree.values() for token in TOKENS if BLOBS[blob] >> token & 1} for tree in trees]
    assert [list(members(tokens)) for tokens in commit_tokens] == [sorted(tokens) for tokens in has]
    children = [[child for child, commit_parents in enumerate(parents) if commit in commit_parents] for commit in range(len(parents))]
    for token in TOKENS:
        holders = [commit for commit, tokens in enumerate(has) if token in tokens]
        assert result.introduced.get(token, []) == [
            commit for commit in holders if all(token not in has[commit_parents] for commit_parents in parents[commit])
        ]
        assert result.removed.get(token, []) == [
            commit
            for commit, tokens in enumerate(has)
            if token not in tokens and any(token in has[commit_parents] for commit_parents in parents[commit])
        ]
        assert result.youngest.get(token, []) == [
            commit for commit in holders if all(token not in has[child] for child in children[commit])
        ]


@given(graphs(), st.data())
def test_marks_are_ancestors(graph, data: st.DataObject) -> None:
    parents, _ = graph
    tips = data.draw(st.lists(st.sampled_from(range(len(parents))), max_size=3)) if parents else []
    expected = set(tips)
    for commit in range(len(parents) - 1, -1, -1):
        if commit in expected:
            expected.update(parents[commit])
    assert [commit for commit, mark in enumerate(marked(parents, tips)) if mark] == sorted(expected)


@given(st.sets(st.integers(0, 300)))
def test_members_of_a_set(tokens: set[int]) -> None:
    assert list(members(sum(1 << token for token in tokens))) == sorted(tokens)


def test_a_history_that_gets_a_token_in_each_commit_takes_little_memory() -> None:
    """A set of names and a copy of the tree for each commit took 120 MB here."""
    count = 1500
    parents: list[tuple[int, ...]] = [(), *((commit,) for commit in range(count - 1))]
    added = {commit: [Change(b"%d" % commit, str(commit))] for commit in range(count)}
    tracemalloc.start()
    try:
        commit_tokens = tokens_by_commit(parents, added, {str(token): 1 << token for token in range(count)})
        result = lives(parents, commit_tokens, bytes([1] * count))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.introduced == {token: [token] for token in range(count)}
    assert result.youngest == {token: [count - 1] for token in range(count)}
    assert peak < 5_000_000
