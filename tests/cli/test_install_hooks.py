"""git's own hooks: written where git looks, beside what was there before, and taken away without a trace."""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from tests import tokens
from tests.cli.hooked import ROOT, STAGES, git, patscan, run
from tests.repo import Repo


def listed(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".sample")}


def existing(repo: Repo, name: str, body: str) -> Path:
    hook = repo.path / ".git" / "hooks" / name
    hook.write_text(f"#!/bin/sh\n{body}\n")
    hook.chmod(0o755)
    return hook


def test_installed_twice_and_taken_away_nothing_is_left(repo: Repo) -> None:
    folder = repo.path / ".git" / "hooks"
    existing(repo, "pre-push", "true")
    before = listed(folder)
    assert patscan(repo.path, "install-hooks").code == 0
    once = listed(folder)
    assert set(STAGES) <= set(once)
    assert all(os.access(folder / stage, os.X_OK) for stage in STAGES)
    outcome = patscan(repo.path, "install-hooks")
    assert outcome.code == 0
    assert "runs after pre-push.before-patscan" in outcome.text
    assert listed(folder) == once
    for _ in range(2):
        assert patscan(repo.path, "install-hooks", "--uninstall").code == 0
        assert listed(folder) == before


def test_what_was_there_before_keeps_running_with_its_arguments_and_its_input(repo: Repo, rng: random.Random) -> None:
    repo.git("init", "-q", "--bare", "../origin.git")
    repo.git("remote", "add", "origin", "../origin.git")
    existing(repo, "pre-commit", "echo before >> ../seen")
    existing(repo, "commit-msg", 'cat "$1" >> ../seen')
    existing(repo, "pre-push", 'echo "$1" >> ../seen; cat >> ../seen')
    assert patscan(repo.path, "install-hooks").code == 0
    repo.write("a.txt", "one\n")
    repo.git("add", "a.txt")
    assert git(repo, "commit", "-m", "said").code == 0
    repo.git("commit", "-q", "--no-verify", "--allow-empty", "-m", tokens.routable(rng))
    assert git(repo, "push", "origin", "main").code
    seen = (repo.path.parent / "seen").read_text()
    assert seen.startswith("before\nsaid\norigin\nrefs/heads/main ")


def test_what_was_there_before_can_say_no(repo: Repo) -> None:
    existing(repo, "pre-commit", "exit 7")
    existing(repo, "pre-push", "exit 7")
    patscan(repo.path, "install-hooks")
    assert git(repo, "commit", "--allow-empty", "-m", "x").code
    repo.git("init", "-q", "--bare", "../origin.git")
    repo.commit({"a.txt": "one\n"})
    assert git(repo, "push", "../origin.git", "main").code


def test_a_hook_that_is_not_executable_stays_off(repo: Repo) -> None:
    existing(repo, "pre-commit", "exit 7").chmod(0o644)
    patscan(repo.path, "install-hooks")
    assert git(repo, "commit", "--allow-empty", "-m", "x").code == 0


def test_two_old_hooks_are_one_too_many(repo: Repo) -> None:
    existing(repo, "pre-commit", "true")
    existing(repo, "pre-commit.before-patscan", "true")
    before = listed(repo.path / ".git" / "hooks")
    outcome = patscan(repo.path, "install-hooks")
    assert outcome.code == 2
    assert "Move one of them away" in outcome.text
    assert listed(repo.path / ".git" / "hooks") == before


@pytest.mark.parametrize("where", ["relative", "absolute", "it's odd"])
def test_the_folder_that_git_is_told_of(repo: Repo, rng: random.Random, where: str) -> None:
    folder = repo.path.parent / "elsewhere" if where == "absolute" else repo.path / where
    repo.git("config", "core.hooksPath", str(folder) if where == "absolute" else where)
    (repo.path / "deep").mkdir()
    assert patscan(repo.path / "deep", "install-hooks").code == 0
    assert set(STAGES) <= set(listed(folder))
    repo.write("a.txt", tokens.routable(rng))
    repo.git("add", "a.txt")
    outcome = git(repo, "commit", "-m", "x")
    assert outcome.code
    assert "a.txt:1:1" in outcome.text


def test_an_empty_folder_is_one_where_git_runs_nothing(repo: Repo) -> None:
    repo.git("config", "core.hooksPath", "")
    outcome = patscan(repo.path, "install-hooks")
    assert outcome.code == 2
    assert "core.hooksPath is empty" in outcome.text


def test_huskys_own_hooks_are_left_alone(repo: Repo) -> None:
    """They find a project's hook by their own name, so under another one they would run nothing."""
    repo.git("config", "core.hooksPath", ".husky/_")
    outcome = patscan(repo.path, "install-hooks")
    assert outcome.code == 2
    assert "into .husky/pre-commit" in outcome.text
    assert not (repo.path / ".husky").exists()
    assert patscan(repo.path, "install-hooks", "--uninstall").code == 0


def test_a_worktree_shares_the_hooks(repo: Repo, rng: random.Random) -> None:
    repo.commit({"a.txt": "one\n"})
    repo.git("worktree", "add", "-q", "../tree")
    tree = repo.path.parent / "tree"
    assert patscan(tree, "install-hooks").code == 0
    assert set(STAGES) <= set(listed(repo.path / ".git" / "hooks"))
    (tree / "a.txt").write_text(tokens.routable(rng))
    assert run(tree, "git", "commit", "-a", "-m", "x").code


def test_a_patscan_that_is_gone_blocks_and_says_how_to_go_without(repo: Repo, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for part in ("patscan", "rules"):
        shutil.copytree(ROOT / part, copy / part)
    assert patscan(repo.path, "install-hooks", PYTHONPATH=str(copy)).code == 0
    assert git(repo, "commit", "--allow-empty", "-m", "x", PYTHONPATH=str(copy)).code == 0
    shutil.rmtree(copy)
    outcome = git(repo, "commit", "--allow-empty", "-m", "x")
    assert outcome.code
    assert "nothing was looked at" in outcome.text
    assert "git commit --no-verify" in outcome.text
    assert sys.executable in outcome.text


def test_outside_of_a_repository_and_where_nothing_can_be_written(repo: Repo, tmp_path: Path) -> None:
    assert patscan(tmp_path, "install-hooks").code == 3
    shutil.rmtree(repo.path / ".git" / "hooks")
    (repo.path / ".git" / "hooks").write_text("a file")
    outcome = patscan(repo.path, "install-hooks")
    assert outcome.code == 2
    assert "can't be written" in outcome.text


@pytest.mark.parametrize("older", [False, True])
def test_a_removed_environment_says_how_to_remove_the_hook_by_hand(repo: Repo, older: bool) -> None:
    if older:
        existing(repo, "pre-commit", "true")
    before = listed(repo.path / ".git" / "hooks").get("pre-commit")
    patscan(repo.path, "install-hooks")
    hook = repo.path / ".git" / "hooks" / "pre-commit"
    hook.write_text(hook.read_text().replace(f"python={sys.executable}", "python=/nowhere/python"))
    outcome = git(repo, "commit", "--allow-empty", "-m", "x")
    assert outcome.code
    assert "Run: patscan install-hooks" in outcome.text
    command = outcome.text.split("to remove this hook by hand: ")[1].splitlines()[0]
    assert run(repo.path, "sh", "-c", command).code == 0
    assert listed(repo.path / ".git" / "hooks").get("pre-commit") == before
    assert git(repo, "commit", "--allow-empty", "--no-verify", "-m", "x").code == 0


def test_the_pages_lines_remove_all_hooks_by_hand_and_nobody_elses(repo: Repo) -> None:
    folder = repo.path / ".git" / "hooks"
    existing(repo, "pre-push", "true")
    existing(repo, "post-commit", "true")
    before = listed(folder)
    patscan(repo.path, "install-hooks")
    existing(repo, "commit-msg", "true")  # written over ours by somebody else
    page = (ROOT / "docs" / "hooks.md").read_text("utf-8").split("## Taking the hooks away")[1]
    lines = page.split("```sh\n")[1].split("```")[0]
    assert run(repo.path, "sh", "-euc", lines).code == 0
    assert listed(folder) == {**before, "commit-msg": b"#!/bin/sh\ntrue\n"}
