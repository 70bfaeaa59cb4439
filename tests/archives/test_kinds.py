"""Every kind of archive, stored and compressed, nested twice: in files, in the index, in history and on standard input."""

from __future__ import annotations

import json
import random
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.archives.packing import CONTAINERS, NAME, STREAMS, tarred, zipped
from tests.cli.hooked import patscan
from tests.repo import Repo
from tests.tokens import classic

KINDS = {**STREAMS, **CONTAINERS}
TEXT = "# settings\n# of the application\nTOKEN={}\n"
NESTED = {f"{outer} of {inner}": (outer, inner) for outer, inner in product(KINDS, KINDS)}


def packed(rng: random.Random) -> dict[str, tuple[bytes, str | None]]:
    """Contents by their file's name, each with a token of its own in its third line, and what is said of the member."""
    files: dict[str, tuple[bytes, str | None]] = {}
    for name, pack in KINDS.items():
        files[f"{name}.bin"] = pack(TEXT.format(classic(rng)).encode()), NAME if name in CONTAINERS else None
    for name, (outer, inner) in NESTED.items():
        members = "!/".join(NAME for kind in (outer, inner) if kind in CONTAINERS) or None
        files[f"{name}.bin"] = KINDS[outer](KINDS[inner](TEXT.format(classic(rng)).encode())), members
    return files


def places(report: dict[str, Any]) -> dict[str, list[tuple[str | None, int, int]]]:
    """Member, line and column of every token in a file."""
    listed: dict[str, list[tuple[str | None, int, int]]] = {}
    for finding in report["findings"]:
        for place in finding["occurrences"]:
            listed.setdefault(place["path"], []).append((place["member"], place["line"], place["column"]))
    return listed


@pytest.mark.parametrize("command", ["scan", "hook", "history"])
def test_every_kind_in_every_other(repo: Repo, rng: random.Random, command: str) -> None:
    files = packed(rng)
    for name, (data, _) in files.items():
        repo.write(name, data)
    repo.git("add", "--all")
    if command == "history":
        repo.commit()
    done = patscan(repo.path, command, "--format", "json", "--quiet", "--report", "json=../report.json")
    report = json.loads((repo.path.parent / "report.json").read_text())
    assert done.code == 1, done.text
    assert report["coverage"]["complete"]
    assert not [note for note in report["coverage"]["notes"] if "partly" in note["reason"] or "broken" in note["reason"]]
    assert places(report) == {name: [(member, 3, 7)] for name, (_, member) in files.items()}


def test_standard_input(tmp_path: Path, rng: random.Random) -> None:
    done = patscan(tmp_path, "scan", "-", "--format", "json", stdin=STREAMS["gzip"](zipped(TEXT.format(classic(rng)).encode())))
    place = json.loads(done.text)["findings"][0]["occurrences"][0]
    assert done.code == 1
    assert (place["type"], place["member"], place["line"]) == ("stdin", NAME, 3)


def test_a_tar_that_begins_like_a_pointer_of_git_lfs(tmp_path: Path, rng: random.Random) -> None:
    """A tar begins with the name of its first member."""
    (tmp_path / "x.tar").write_bytes(tarred(TEXT.format(classic(rng)).encode(), "version.env"))
    done = patscan(tmp_path, "scan", "--format", "json", ".")
    assert places(json.loads(done.text)) == {"x.tar": [("version.env", 3, 7)]}
