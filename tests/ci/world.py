"""A server's repository with a token in each place that matters to a CI job, and checkouts of it as runners make them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests import tokens
from tests.repo import Repo

ROOT = Path(__file__).parents[2]
ZEROS = "0" * 40
GONE = "deadbeef" * 5
"""A commit that nobody has."""
FULL = 0
DEPTHS = (1, 2, 20, 50, FULL)
CI_VARIABLES = ("CI", "GITHUB", "GITLAB", "GITEA", "PATSCAN", "RUNNER")


class World(NamedTuple):
    """The server's repository, its commits by name, and its tokens by where they stand."""

    server: Repo
    commits: Mapping[str, str]
    tokens: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"file://{self.server.path}"


def world(folder: Path, leaky: bool) -> World:
    """Without leaks, ``in`` and ``tag`` are words: what is new is clean, what was there before is not."""
    rng = random.Random("world")
    made = {name: tokens.classic(rng) for name in ("old", "gone", "in", "after", "later", "dropped", "tag")}
    if not leaky:
        made |= {"in": "a word", "tag": "another word", "dropped": "a third word"}
    repo = Repo(folder / "server")
    commits: dict[str, str] = {}

    def line(prefix: str, numbers: range, special: Mapping[int, dict[str, str]]) -> None:
        for number in numbers:
            commits[f"{prefix}{number}"] = repo.commit({f"{prefix}.txt": f"{number}\n", **special.get(number, {})}, f"{prefix}{number}")

    line("m", range(1, 41), {3: {"old.txt": f"{made['old']}\n"}, 5: {"gone.txt": made["gone"]}, 6: {"gone.txt": "nothing\n"}})
    repo.git("checkout", "-q", "-b", "topic")
    line("t", range(1, 4), {})
    repo.git("checkout", "-q", "-b", "dropped")
    line("d", range(1, 3), {1: {"d1.txt": made["dropped"]}})
    repo.git("checkout", "-q", "topic")
    line("t", range(4, 13), {4: {"in.txt": made["in"]}, 5: {"in.txt": "nothing\n"}, 8: {"old.txt": f"more\n{made['old']}\n"}})
    repo.git("tag", "-a", "-m", made["tag"], "v1")
    repo.git("branch", "other")
    repo.git("checkout", "-q", "main")
    line("m", range(41, 46), {43: {"after.txt": made["after"]}})
    repo.git("checkout", "-q", "--detach")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    commits["merge"] = repo.line("rev-parse", "HEAD")
    for ref in ("refs/merge-requests/7/merge", "refs/pull/7/merge", "refs/heads/merged"):
        repo.git("update-ref", ref, commits["merge"])
    repo.git("update-ref", "refs/pull/7/head", commits["t12"])
    repo.git("checkout", "-q", "topic")
    line("t", range(13, 14), {13: {"later.txt": made["later"]}})
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-D", "dropped")
    repo.git("config", "uploadpack.allowFilter", "true")
    return World(repo, commits, made)


def checkout(folder: Path, url: str, commit: str, depth: int = FULL, refspec: str = "", *options: str) -> Path:
    """What a runner does: a fetch of one commit, or of everything, and a detached HEAD."""
    folder.mkdir()
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", url], check=True)
    cut = [f"--depth={depth}"] if depth else []
    wanted = refspec or (commit if depth else "+refs/heads/*:refs/remotes/origin/*")
    subprocess.run([*git, "fetch", "-q", "--no-tags", *cut, *options, "origin", wanted], check=True)
    if not depth:
        subprocess.run([*git, "fetch", "-q", "--no-tags", *options, "origin", commit], check=True)
    subprocess.run([*git, "checkout", "-q", "--detach", commit], check=True)
    return folder


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    def report(self) -> dict[str, Any]:
        assert self.out, self.err
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed


def ci(folder: Path, variables: Mapping[str, str], *flags: str) -> Ran:
    """``patscan ci`` with these variables, and no others of a CI server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(CI_VARIABLES)}
    command = [sys.executable, "-P", "-m", "patscan", "ci", *flags]
    env = {**kept, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in out + err, err
    return Ran(done.returncode, out, err)


def tokens_of(findings: list[dict[str, Any]]) -> set[str]:
    return {finding["token"] for finding in findings}


def gitlab(world: World, commit: str, source: str = "push", **variables: str) -> dict[str, str]:
    return {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": source,
        "CI_COMMIT_SHA": world.commits.get(commit, commit),
        "CI_COMMIT_BEFORE_SHA": ZEROS,
        "CI_DEFAULT_BRANCH": "main",
        **{name: world.commits.get(value, value) for name, value in variables.items()},
    }


def request(
    world: World, commit: str = "t12", kind: str = "detached", source: str = "merge_request_event", **variables: str
) -> dict[str, str]:
    """GitLab's variables of a merge request."""
    merged = (
        {}
        if kind == "detached"
        else {
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "t12",
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "m45",
        }
    )
    common = {
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_EVENT_TYPE": kind,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "m40",
    }
    return gitlab(world, commit, source, **{**common, **merged, **variables})


def github(world: World, folder: Path, event: str, commit: str, ref: str, payload: object) -> dict[str, str]:
    """GitHub's variables, and the event file in `folder`."""
    file = folder / "event.json"
    file.write_text(json.dumps(payload))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_SHA": world.commits.get(commit, commit),
        "GITHUB_REF": ref,
    }


def pull_request(world: World, base: str = "m40", head: str = "t12") -> dict[str, Any]:
    ends = {"base": {"sha": world.commits[base], "ref": "main"}, "head": {"sha": world.commits[head], "ref": "topic"}}
    return {"number": 7, "pull_request": ends, "repository": {"default_branch": "main"}}


def pushed(world: World, before: str, after: str) -> dict[str, Any]:
    ends = {"before": world.commits.get(before, before), "after": world.commits.get(after, after)}
    return {**ends, "repository": {"default_branch": "main"}}
