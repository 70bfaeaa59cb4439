"""The reflogs and stash entries that reach a token which no ref reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from patscan.git.graph import TokenSet, members, union
from patscan.git.reflogs import Entry

STASH = "refs/stash"


def keepers(
    logs: Mapping[str, Sequence[Entry]],
    number: Mapping[str, int],
    parents: Sequence[Sequence[int]],
    tokens_at: Callable[[int], TokenSet],
    reachable: bytes | bytearray,
) -> dict[int, tuple[str, ...]]:
    """The names of the reflogs and stash entries that reach each token, by its number, through commits that aren't `reachable`.

    `tokens_at` gives the tokens of a commit.
    """
    reached: dict[int, TokenSet] = {}
    for commit, commit_parents in enumerate(parents):
        if not reachable[commit]:
            reached[commit] = tokens_at(commit) | union(reached[parent] for parent in commit_parents if parent in reached)
    names: dict[int, dict[str, None]] = {}
    for name, commits in _starts(logs):
        for token in members(union(reached.get(number.get(commit, -1), 0) for commit in commits)):
            names.setdefault(token, {})[name] = None
    return {token: tuple(sorted(some, key=_order)) for token, some in names.items()}


def stashed(logs: Mapping[str, Sequence[Entry]]) -> list[str]:
    """The commits in the stash, newest first: stash@{0}, stash@{1}…"""
    return [entry.new for entry in reversed(logs.get(STASH, ()))]


def _starts(logs: Mapping[str, Sequence[Entry]]) -> Iterator[tuple[str, set[str]]]:
    for place, commit in enumerate(stashed(logs)):
        yield f"stash@{{{place}}}", {commit}
    for name, entries in logs.items():
        if name != STASH:
            yield name, {commit for entry in entries for commit in (entry.old, entry.new)}


def _order(name: str) -> tuple[bool, bool, int, str]:
    """HEAD, then refs, then the stash from its last entry: dropping an entry renumbers the later ones."""
    is_entry = name.startswith("stash@")
    return is_entry, name != "HEAD", -int(name[len("stash@{") : -1]) if is_entry else 0, name
