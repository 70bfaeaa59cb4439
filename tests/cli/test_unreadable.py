"""What can't be read, or lies too deep, is said and never passed over; no traceback, no waiting."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.hooked import PATSCAN, ROOT, Outcome, patscan
from tests.repo import IDENTITY, Repo
from tests.tokens import classic

_DROP, _OVERRIDE, _SEARCH = 24, 1, 2
"""PR_CAPBSET_DROP, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (linux/prctl.h, linux/capability.h)."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what root may not do is Linux's")


def as_anybody(folder: Path, *arguments: str) -> Outcome:
    """patscan without root's right to read everything."""
    environment = {**os.environ, **IDENTITY, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*PATSCAN, *arguments], cwd=folder, capture_output=True, env=environment, check=False, preexec_fn=_bounded)
    outcome = Outcome(done.returncode, (done.stdout + done.stderr).decode())
    outcome.check()
    return outcome


def _bounded() -> None:
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (_OVERRIDE, _SEARCH):
            libc.prctl(_DROP, capability)


@pytest.fixture
def shut(tmp_path: Path) -> Iterator[Path]:
    """A folder that can't be read, beside a file that can."""
    (tmp_path / "open").write_text("fine\n")
    folder = tmp_path / "shut"
    folder.mkdir()
    (folder / "a").write_text("unseen\n")
    folder.chmod(0)
    yield folder
    folder.chmod(0o755)


@pytest.mark.parametrize("names", [("shut",), (".",), ("shut/a",), ("shut/none",), ("open", "shut")])
def test_a_folder(shut: Path, names: tuple[str, ...]) -> None:
    done = as_anybody(shut.parent, "scan", *names)
    assert done.code == 3, done.text
    assert "can't be read: Permission denied" in done.text


def test_a_repository(shut: Path) -> None:
    done = as_anybody(shut.parent, "history", "shut")
    assert done.code == 3, done.text
    assert "Permission denied" in done.text


def test_an_untracked_folder(repo: Repo) -> None:
    repo.commit({"a": "x\n"})
    repo.write("new/b", "y\n")
    (repo.path / "new").chmod(0)
    done = as_anybody(repo.path, "scan")
    (repo.path / "new").chmod(0o755)
    assert done.code == 3, done.text
    assert "could not open directory 'new/': Permission denied" in done.text


@pytest.mark.parametrize("unreadable", ["refs/heads/topic", "refs/heads/topic/one"])
def test_refs(repo: Repo, unreadable: str) -> None:
    repo.commit({"a": "x\n"})
    repo.git("branch", "topic/one")
    place = repo.path / ".git" / unreadable
    place.chmod(0)
    done = as_anybody(repo.path, "history")
    place.chmod(0o755)
    assert done.code == 3, done.text
    assert unreadable in done.text


def nested(folder: Path, name: str, depth: int, content: str) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    with open(os.open("leak", os.O_CREAT | os.O_WRONLY, dir_fd=here), "w", encoding="utf-8") as file:
        file.write(content)
    os.close(here)


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    subprocess.run(["rm", "-rf", str(tmp_path / "d"), str(tmp_path / ("d" * 200))], check=True)


def test_1500_nested_folders_are_looked_at(deep: Path, rng: random.Random) -> None:
    nested(deep, "d", 1500, classic(rng))
    assert patscan(deep, "scan").code == 1


def test_3000_nested_folders_are_too_many_for_a_path(deep: Path) -> None:
    nested(deep, "d", 3000, "x")
    done = patscan(deep, "scan")
    assert done.code == 3
    assert "File name too long" in done.text


def test_a_path_of_12000_bytes_in_a_repository(deep: Path) -> None:
    Repo(deep).commit({"a": "x\n"})
    nested(deep, "d" * 200, 60, "x")
    done = patscan(deep, "scan")
    assert done.code == 3
    assert "could not open directory" in done.text
    assert len(done.text) < 2000


@pytest.mark.parametrize("command", ["history", "hook", "push", "install-hooks"])
def test_a_git_that_prints_nothing(repo: Repo, tmp_path: Path, command: str) -> None:
    silent = tmp_path / "bin" / "git"
    silent.parent.mkdir()
    silent.write_text("#!/bin/sh\n")
    silent.chmod(0o755)
    done = patscan(repo.path, command, PATH=f"{silent.parent}:{os.environ['PATH']}")
    assert done.code == 3, done.text
    assert "git --version" in done.text
