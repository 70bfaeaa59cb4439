"""What lies in the cache folder: a pipe is no file, and a repository of another digest is no damage."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.cli.hooked import patscan
from tests.repo import Repo
from tests.tokens import classic


def audited(repo: Repo, content: str) -> None:
    repo.commit({"a": content})
    repo.pack()
    patscan(repo.path, "history")


@pytest.mark.parametrize("pattern", ["*.rules", "v2/*/*.seen", "v2/*/*.facts"])
def test_a_pipe_in_the_place_of_a_file(repo: Repo, rng: random.Random, no_foreign_cache: Path, pattern: str) -> None:
    audited(repo, classic(rng))
    (file,) = no_foreign_cache.glob(pattern)
    file.unlink()
    os.mkfifo(file)
    try:
        done = patscan(repo.path, "history")
    except subprocess.TimeoutExpired:
        pytest.fail("waited for the pipe")
    assert done.code == 1, done.text
    assert "read again" in " ".join(done.text.split())


def test_a_repository_of_another_digest(tmp_path: Path) -> None:
    audited(Repo(tmp_path / "long", "--object-format=sha256"), "one\n")
    short = Repo(tmp_path / "short")
    short.commit({"a": "two\n"})
    short.pack()
    done = patscan(short.path, "history")
    assert done.code == 0
    assert "damaged" not in done.text
