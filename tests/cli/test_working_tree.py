"""Which files are a repository's: submodules without a repository, and working trees that lie elsewhere."""

from __future__ import annotations

import random
import shutil

from tests.cli.hooked import patscan
from tests.repo import Repo
from tests.tokens import classic


def with_submodule(repo: Repo, content: str) -> None:
    """`repo` with the commit of a submodule at ``inner``, whose ``.git`` is gone."""
    inner = Repo(repo.path / "inner")
    inner.commit({"leak": content})
    repo.commit({"a": "x\n"})
    assert repo.line("ls-files", "-s", "inner").startswith("160000")
    shutil.rmtree(repo.path / "inner" / ".git")


def test_files_of_a_submodule_that_has_no_repository(repo: Repo, rng: random.Random) -> None:
    with_submodule(repo, classic(rng))
    done = patscan(repo.path, "scan")
    assert done.code == 1, done.text
    assert "inner/leak:1:1" in done.text


def test_a_submodule_without_files(repo: Repo) -> None:
    with_submodule(repo, "x\n")
    (repo.path / "inner" / "leak").unlink()
    done = patscan(repo.path, "scan")
    assert done.code == 0
    assert "inner: a submodule whose files aren't here" in done.text


def test_a_working_tree_elsewhere(repo: Repo, rng: random.Random) -> None:
    repo.commit({"leak": classic(rng)})
    other = repo.path.parent / "other"
    other.mkdir()
    repo.git("config", "core.worktree", "../../other")
    done = patscan(repo.path, "scan")
    assert done.code == 1, done.text
    assert "leak:1:1" in done.text
    text = " ".join(done.text.split())
    assert f"core.worktree names {other} as the working tree, which wasn't looked at" in text
