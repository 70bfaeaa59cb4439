"""The same store read twice: by patscan's reader and by git."""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from patscan.content import Failure, Piece, Shard
from patscan.git.objects import ObjectShard
from patscan.git.repository import open_repository
from patscan.model import Note, Skip
from patscan.sources.history import History

Contents = dict[str, tuple[str, bytes]]


class Reading(NamedTuple):
    """What the reader gave: kind and bytes by id; what it couldn't give; and the objects that git was asked for."""

    contents: Contents
    skips: list[Skip]
    notes: list[Note]
    through_git: set[str]
    twice: list[str]


def by_patscan(path: Path, environment: Mapping[str, str]) -> Reading:
    """Every content of the repository, through the shards that a scan would hand out, failed ones asked for again as a scan does."""
    source = History(open_repository(path, environment))
    reading = Reading({}, source.gaps.skips, source.gaps.notes, set(), [])
    again = _take(source.shards(), reading)
    left = _take(source.again(again), reading)
    assert not left
    # Names of the past are another matter.
    return reading._replace(notes=[note for note in reading.notes if "--paths" not in note.reason])


def _take(shards: Iterable[Shard], reading: Reading) -> list[str]:
    again: list[str] = []
    for shard in shards:
        sent = pickle.loads(pickle.dumps(shard))  # noqa: S301 - as an executor would
        failed: list[Failure] = []
        for name, kind, data in whole(sent, sent.pieces(failed)):
            if kind not in {"ref-name", "tree"}:
                if name in reading.contents:
                    reading.twice.append(name)
                reading.contents[name] = kind, data
        again += [name for name, _, retry in failed if retry]
        reading.skips.extend(Skip(name, reason) for name, reason, retry in failed if not retry)
        if isinstance(sent, ObjectShard):
            reading.through_git.update(sent.ids)
    return again


def whole(shard: Shard, pieces: Iterable[Piece]) -> Iterable[tuple[str, str, bytes]]:
    """Pieces put together; neighbours must agree where they overlap and leave no gap."""
    name, kind, data, done = "", "", b"", True
    for piece in pieces:
        if not piece.offset:
            assert done, f"{name} wasn't finished"
            name, kind, data = shard.name(piece.key), piece.kind, b""
        assert (shard.name(piece.key), piece.kind) == (name, kind)
        assert piece.offset <= len(data), f"{name} has a gap"
        assert data[piece.offset :] == piece.data[: len(data) - piece.offset], f"{name} disagrees with itself"
        data, done = data[: piece.offset] + bytes(piece.data), piece.last
        if done:
            yield name, kind, data


def by_git(path: Path) -> Contents:
    """Every blob, commit and tag that git lists, read by git."""
    out = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch", "--unordered"], cwd=path, capture_output=True, check=True
    ).stdout
    contents, place = {}, 0
    while place < len(out):
        end = out.index(b"\n", place)
        name, kind, size = out[place:end].decode().split()
        if kind != "tree":
            contents[name] = kind, out[end + 1 : end + 1 + int(size)]
        place = end + int(size) + 2
    return contents


def agree(path: Path, environment: Mapping[str, str]) -> Reading:
    """Assert that the reader gives what git gives, each object once, without a gap; what it gave."""
    reading = by_patscan(path, environment)
    git = by_git(path)
    assert reading.contents.keys() == git.keys()
    assert [name for name in git if reading.contents[name] != git[name]] == []
    assert reading.skips == []
    assert reading.twice == []
    return reading
