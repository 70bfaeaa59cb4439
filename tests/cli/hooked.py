"""Repositories whose git calls patscan: by git's own hooks, or by the pre-commit framework with the options that are shipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.repo import IDENTITY, Repo

ROOT = Path(__file__).parent.parent.parent
STAGES = ("pre-commit", "pre-merge-commit", "commit-msg", "pre-push")
PATSCAN = (sys.executable, "-P", "-m", "patscan")
KINDS = ("git", "framework")


class Outcome(NamedTuple):
    """What a command gave: its exit code, and all it printed."""

    code: int
    text: str

    def check(self) -> None:
        assert "Traceback" not in self.text, self.text


def run(folder: Path, *command: str | bytes, stdin: bytes = b"", **environment: str) -> Outcome:
    env = {**os.environ, **IDENTITY, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        command, cwd=folder, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, check=False, timeout=300
    )
    outcome = Outcome(done.returncode, done.stdout.decode("utf-8", "replace"))
    outcome.check()
    return outcome


def patscan(folder: Path, *arguments: str | bytes, stdin: bytes = b"", **environment: str) -> Outcome:
    return run(folder, *PATSCAN, *arguments, stdin=stdin, **environment)


def git(repo: Repo, *arguments: str | bytes, stdin: bytes = b"", **environment: str) -> Outcome:
    """git with its hooks: what they say is part of what it says."""
    return run(repo.path, "git", *arguments, stdin=stdin, **environment)


class Hooks(NamedTuple):
    """Folders of ready hooks, to be copied: the framework takes half a second to write its own."""

    git: Path
    framework: Path

    def into(self, repo: Repo, kind: str) -> Repo:
        for hook in (self.framework if kind == "framework" else self.git).iterdir():
            shutil.copy(hook, repo.path / ".git" / "hooks")
        return repo


def config(folder: Path) -> Path:
    """The shipped hooks, run from this checkout: all their options, but no environment to be made for them."""
    shipped = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    here = " ".join(PATSCAN)
    hooks = [{**hook, "language": "system", "entry": hook["entry"].replace("patscan", here, 1)} for hook in shipped]
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    return file


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    folder = tmp_path_factory.mktemp("hooks")
    own, framework = Repo(folder / "own"), Repo(folder / "framework")
    assert patscan(own.path, "install-hooks").code == 0
    types = [word for stage in STAGES for word in ("--hook-type", stage)]
    home = folder / "home"
    file = config(folder)
    made = run(framework.path, sys.executable, "-m", "pre_commit", "install", "--config", str(file), *types, PRE_COMMIT_HOME=str(home))
    assert made.code == 0, made.text
    for hook in STAGES:
        script = framework.path / ".git" / "hooks" / hook
        script.write_text(script.read_text().replace(os.path.relpath(file, framework.path), str(file)))
    for repo in (own, framework):
        for sample in (repo.path / ".git" / "hooks").glob("*.sample"):
            sample.unlink()
    return Hooks(own.path / ".git" / "hooks", framework.path / ".git" / "hooks")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    return str(request.param)


@pytest.fixture
def hooked(repo: Repo, hooks: Hooks, kind: str) -> Repo:
    return hooks.into(repo, kind)
