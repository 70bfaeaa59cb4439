"""A repository or a folder that is named is the one that is read, whatever git's variables say; without a name they hold."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cli.hooked import PATSCAN, git, patscan
from tests.repo import Repo
from tests.tokens import classic


@pytest.fixture
def leaky(tmp_path: Path, rng: random.Random) -> Repo:
    other = Repo(tmp_path / "leaky")
    other.commit({"leak.env": classic(rng)})
    # Tracked and ignored: a git that reads another repository's index leaves it out.
    other.commit({".gitignore": "leak.env\n"})
    return other


@pytest.mark.parametrize("command", ["history", "scan"])
def test_a_name_beats_the_environment(repo: Repo, leaky: Repo, command: str) -> None:
    repo.commit({"a": "nothing\n"})
    index = {"GIT_INDEX_FILE": str(repo.path / ".git" / "index")} if command == "scan" else {}
    done = patscan(repo.path, command, str(leaky.path), GIT_DIR=str(repo.path / ".git"), **index)
    assert done.code == 1, done.text
    assert "leak.env:1:1" in done.text


def test_a_baseline_of_a_named_repository(repo: Repo, leaky: Repo) -> None:
    repo.commit({"a": "nothing\n"})
    done = patscan(repo.path, "baseline", "write", str(leaky.path), "--history", GIT_DIR=str(repo.path / ".git"))
    assert "1 added" in done.text


@pytest.mark.parametrize("arguments", [("history",), ("history", ".")])
def test_without_a_name_git_says_which(repo: Repo, leaky: Repo, arguments: tuple[str, ...]) -> None:
    repo.commit({"a": "nothing\n"})
    done = patscan(repo.path, *arguments, GIT_DIR=str(leaky.path / ".git"))
    assert done.code == 1, done.text


def test_a_hook_in_a_linked_worktree(repo: Repo, leaky: Repo) -> None:
    repo.commit({"a": "nothing\n"})
    repo.git("worktree", "add", "-q", "../linked", "-b", "topic")
    hook = repo.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\nexec {" ".join(PATSCAN)} history "{leaky.path}"\n')
    hook.chmod(0o755)
    linked = Repo(repo.path.parent / "linked")
    linked.write("b", "more\n")
    linked.git("add", "b")
    done = git(linked, "commit", "-m", "topic")
    assert done.code == 1, done.text
    assert "leak.env:1:1" in done.text


def test_a_submodule_lists_its_own_files(repo: Repo, leaky: Repo) -> None:
    repo.commit({"a": "nothing\n"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(leaky.path), "inner")
    done = patscan(repo.path, "scan", GIT_DIR=str(repo.path / ".git"))
    assert done.code == 1, done.text
    assert "inner/leak.env:1:1" in done.text
