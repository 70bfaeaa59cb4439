"""Tokens in archives, read again from a saved report."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.archives.packing import CONTAINERS, STREAMS, tarred, zipped
from tests.cli.test_verify import PAT, saved, verified
from tests.gitlab.loopback import GitLab
from tests.repo import Repo
from tests.tokens import classic


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


def twins(data: bytes) -> bytes:
    """Two members of one name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", b"x" * 100)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", data)
    return file.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    **STREAMS,
    **CONTAINERS,
    "zip of tar.gz": lambda data: zipped(gzip.compress(tarred(b"\n" * 3_000_000 + data)), "a/b.tar.gz"),
    "program": lambda data: b"MZ" + bytes(2_000_000) + zipped(data),
    "twins": twins,
    "layers": lambda data: zipped(base64.b64encode(b"[x] " + data + b" [y]")),
}


@pytest.mark.parametrize("command", ["scan", "history"])
def test_members_are_read_again(command: str, repo: Repo, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    for name, pack in PACKED.items():
        value = classic(rng)
        gitlab.add(PAT, value)
        repo.write(f"{name}.bin", pack(f"a\nTOKEN={value}\n".encode()))
    repo.commit()
    report = saved(tmp_path / "r.json", command, repo.path)
    assert verified(report, gitlab) == [("active", "")] * len(PACKED)


def test_a_changed_place_is_reported(repo: Repo, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    value = classic(rng)
    gitlab.add(PAT, value)
    repo.write("a.zip", zipped(value.encode()))
    report = saved(tmp_path / "r.json", "scan", repo.path)
    for data, reason in (
        (zipped(classic(rng).encode()), "has changed since"),
        (zipped(value.encode(), "another"), "no member with the name"),
        (zipped(value.encode())[:60], "cut off"),
        (b"no archive", "no member with the name"),
    ):
        repo.write("a.zip", data)
        ((state, why),) = verified(report, gitlab)
        assert (state, reason in why) == ("unchecked", True), why
    assert gitlab.requests == []


def test_a_bomb_in_the_place_of_an_archive_is_a_sentence(repo: Repo, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    repo.write("a.gz", gzip.compress(classic(rng).encode()))
    report = saved(tmp_path / "r.json", "scan", repo.path)
    changed = json.loads(report.read_text())
    address = changed["findings"][0]["occurrences"][0]["address"]
    address["start"], address["end"] = address["start"] + (1 << 33), address["end"] + (1 << 33)
    report.write_text(json.dumps(changed))
    repo.write("a.gz", gzip.compress(bytes(300 << 20)))
    ((state, why),) = verified(report, gitlab)
    assert state == "unchecked"
    assert "times its size" in why
