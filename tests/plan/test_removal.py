"""After the plan's commands no token is left, and everything else is as it was.

``PATSCAN_ALL_REMOVALS=1`` tries all 60 repositories; a usual run tries six, in which every place and every layer has its turn.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.plan.planting import Random
from tests.plan.running import command, planned
from tests.repo import Repo

SEEDS = range(60) if os.environ.get("PATSCAN_ALL_REMOVALS") else range(6)
Tree = dict[bytes, tuple[bytes, str]]


def tree(repo: Repo, commit: str) -> Tree:
    entries = (line.partition(b"\t") for line in repo.git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1])
    return {path: (facts.split()[0], facts.split()[2].decode()) for facts, _, path in entries}


def commits(repo: Repo) -> list[str]:
    """All commits but those of notes, whose number grows: notes are hung on the new ids."""
    return repo.line("rev-list", "--exclude=refs/notes/*", "--all").split()


def number_of_refs(repo: Repo) -> int:
    """Without the branches that keep what only linked working trees lead to."""
    return sum("refs/heads/worktree-" not in name for name in repo.line("for-each-ref", "--format=%(refname)").splitlines())


def annotated(repo: Repo) -> set[str]:
    """The commits that have a note."""
    return {line.split()[1] for line in repo.line("notes", "list").splitlines()}


def blobs(repo: Repo, ids: set[str]) -> dict[str, bytes]:
    return {name: repo.git("cat-file", "blob", name) for name in ids}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_left_and_everything_else_is_as_it_was(seed: int, tmp_path: Path) -> None:
    made = Random(tmp_path / "repo", seed)
    repo = made.repo
    done = planned(repo.path, tmp_path)
    assert done.returncode == 0, done.stderr
    old = {commit: tree(repo, commit) for commit in commits(repo)}
    contents, refs, noted, stashed = (
        blobs(repo, set(made.exact)),
        number_of_refs(repo),
        annotated(repo),
        repo.line("stash", "list", "--format=%gd"),
    )
    done = command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout

    left = command("patscan", "history", repo.path, "--no-cache", "--paths", "--submodules", "--no-config", cwd=tmp_path)
    assert left.returncode == 0, left.stdout + left.stderr
    repo.git("fsck", "--full", "--strict")
    assert not repo.line("status", "--porcelain", "--untracked-files=no")
    assert command("git", "-C", repo.path, "submodule", "foreach", "--quiet", "git fsck --full --strict", cwd=tmp_path).returncode == 0
    assert len(commits(repo)) == len(old)

    renamed = dict(line.split() for line in (repo.path / ".git/filter-repo/commit-map").read_text().splitlines()[1:])
    assert number_of_refs(repo) == refs
    assert repo.line("stash", "list", "--format=%gd") == stashed
    assert annotated(repo) == {renamed.get(commit, commit) for commit in noted}
    for commit, before in old.items():
        compare(made, contents, before, tree(repo, renamed.get(commit, commit)))
    for token in made.tokens:
        held = subprocess.run(["grep", "-rlF", "--", token, str(repo.path)], capture_output=True, text=True, check=False)
        assert not held.stdout, held.stdout


def compare(made: Random, contents: dict[str, bytes], before: Tree, after: Tree) -> None:
    """Every file of a commit is as it was, but for those with tokens."""
    named = {path: entry for path, entry in before.items() if not any(form in path for form in forms(made))}
    for path, (mode, blob) in named.items():
        if blob in made.archives:
            assert path not in after or after[path][1] not in made.archives
            continue
        new_mode, new = after[path]
        assert new_mode == mode
        if mode == b"160000":
            made.repo.git("-C", path, "cat-file", "-e", f"{new}^{{commit}}")
            continue
        assert (new != blob) == (blob in made.changed), path
        if blob in contents:
            head, tail = made.exact[blob]
            content = made.repo.git("cat-file", "blob", new)
            assert content.startswith(head)
            assert content.endswith(tail)
            assert b"\0" not in contents[blob][:8192] or len(content) == len(contents[blob])
    moved = [entry for path, entry in before.items() if path not in named]
    assert sorted(moved) == sorted(entry for path, entry in after.items() if path not in before)


def forms(made: Random) -> list[bytes]:
    return [form for token in made.tokens for form in (token.encode(), token.encode().hex().encode())]
