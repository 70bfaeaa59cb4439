"""What Git LFS keeps beside the repository is looked at in the place of its pointer."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archives.packing import NAME, zipped
from tests.archives.test_commands import written
from tests.cli.test_verify import PAT, saved, verified
from tests.gitlab.loopback import GitLab
from tests.repo import Repo
from tests.tokens import classic


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


def pointer(repo: Repo, data: bytes, stored: bool = True) -> str:
    """What stands in the repository for `data`, which is `stored` as git-lfs does it."""
    content = hashlib.sha256(data).hexdigest()
    if stored:
        file = repo.path / ".git" / "lfs" / "objects" / content[:2] / content[2:4] / content
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{content}\nsize {len(data)}\n"


def places(report: dict[str, Any]) -> list[tuple[str, str | None, int]]:
    return sorted((one["path"], one["member"], one["line"]) for finding in report["findings"] for one in finding["occurrences"])


@pytest.mark.parametrize("command", ["scan", "hook", "history", "push"])
def test_a_content_is_looked_at_under_its_pointers_path(repo: Repo, rng: random.Random, command: str) -> None:
    repo.write("a.bin", pointer(repo, f"x\n{classic(rng)}\n".encode()))
    repo.write("b:c/d.zip", pointer(repo, zipped(classic(rng).encode())))
    repo.write("absent.bin", pointer(repo, b"x", stored=False))
    repo.git("add", "--all")
    if command in {"history", "push"}:
        repo.commit()
        repo.pack()
    for _ in range(2):
        code, report = written(repo, command)
        assert code == 1
        assert report["coverage"]["complete"]
        assert places(report) == [("a.bin", None, 2), ("b:c/d.zip", NAME, 1)]
        (note,) = [note for note in report["coverage"]["notes"] if "git lfs fetch" in note["reason"]]
        assert note["where"] == (repo.line("hash-object", "absent.bin") if command in {"history", "push"} else "absent.bin")
    (repo.path / ".git" / "lfs").rename(repo.path / ".git" / "gone")
    code, report = written(repo, command)
    assert (code, report["findings"]) == (0, [])
    assert [note for note in report["coverage"]["notes"] if "2 more like it" in note["reason"]]


def test_a_link_in_the_store_is_not_followed(repo: Repo, rng: random.Random, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(classic(rng))
    data = b"content"
    repo.write("a.bin", pointer(repo, data))
    content = hashlib.sha256(data).hexdigest()
    file = repo.path / ".git" / "lfs" / "objects" / content[:2] / content[2:4] / content
    file.unlink()
    os.symlink(tmp_path / "outside", file)
    assert written(repo, "scan")[0] == 0


def test_what_only_looks_like_a_pointer_is_a_text(repo: Repo, rng: random.Random) -> None:
    value = classic(rng)
    text = pointer(repo, f"{value}".encode())
    for name, changed in (("a", text + "x"), ("b", text.replace("sha256", "sha1")), ("c", text + f"ext-0-x {'y' * 1000}\n")):
        repo.write(name, changed)
    code, report = written(repo, "scan")
    assert (code, report["coverage"]["notes"]) == (0, [])


@pytest.mark.parametrize("command", ["scan", "history"])
def test_it_is_read_again(repo: Repo, rng: random.Random, gitlab: GitLab, tmp_path: Path, command: str) -> None:
    for name, pack in (("a.bin", lambda data: b"x\n" + data), ("b.zip", zipped)):
        value = classic(rng)
        gitlab.add(PAT, value)
        repo.write(name, pointer(repo, pack(value.encode())))
    repo.commit()
    report = saved(tmp_path / "r.json", command, repo.path)
    assert len(json.loads(report.read_text())["findings"]) == 2
    assert verified(report, gitlab) == [("active", "")] * 2
