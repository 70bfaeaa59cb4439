"""How one tree differs from another, or the index from a tree, by git's raw diff; and the contents before the change."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from patscan.content import Failure, Piece
from patscan.git.child import run
from patscan.git.modes import SUBMODULE
from patscan.git.objects import ObjectShard
from patscan.tuples import NamedTuple

_RAW = ("--raw", "-z", "--no-abbrev", "--ignore-submodules=none", "--diff-filter=d")


class Change(NamedTuple):
    """A changed path: mode and blob before (zeros: none) and now, and the status letter (git-diff-index(1), raw output format)."""

    old_mode: str
    mode: str
    old_blob: str
    blob: str
    status: str
    path: str


def changes(folder: Path, environment: Mapping[str, str], command: Sequence[str], trees: Sequence[str]) -> Iterator[Change]:
    """The changes that ``git COMMAND TREES`` lists, without deletions; the command is a diff. Raises `GitError`."""
    words = iter(run((*command, *_RAW, *trees, "--"), folder, environment).split(b"\0")[:-1])
    for head in words:
        old_mode, mode, old_blob, blob, status = head.decode().removeprefix(":").split(" ")
        path = next(words)
        if status[0] in "RC":
            path = next(words)
        yield Change(old_mode, mode, old_blob, blob, status, os.fsdecode(path))


def before(
    folder: Path, environment: Mapping[str, str], changed: Iterable[Change], paths: Container[str]
) -> Iterator[tuple[Sequence[str], Piece]]:
    """The old contents of `paths`, also of renamed ones: the paths of each content, and its pieces."""
    old: dict[str, list[str]] = {}
    for change in changed:
        if change.path in paths and change.status[0] in "MRT" and change.old_mode != SUBMODULE:
            old.setdefault(change.old_blob, []).append(change.path)
    # A content that can't be read excuses no finding, so failures are ignored.
    failed: list[Failure] = []
    if old:
        for piece in ObjectShard(folder, environment, tuple(old)).pieces(failed):
            yield old[str(piece.key)], piece
