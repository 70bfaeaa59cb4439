"""Every way of committing: with a token it is blocked and named at the right line of the right content, without one it passes."""

from __future__ import annotations

import base64
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tokens
from tests.cli.hooked import PATSCAN, ROOT, Hooks, Outcome, config, git, hooked, hooks, kind, patscan, run
from tests.repo import Repo

__all__ = ["hooked", "hooks", "kind"]

Way = Callable[[Repo, str], tuple[Outcome, str]]
"""Commits a content that holds the given word; gives what git said, and the place that must be named."""
CLEAN = "nothing"


def first(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.write("a.txt", f"one\nkey = {word}\n")
    repo.git("add", "a.txt")
    return git(repo, "commit", "-m", "first"), "a.txt:2:7"


def added(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.write("deep/b c.txt", f"\n\n{word}")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "deep/b c.txt:3:1"


def modified(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\ntwo\n"})
    repo.write("a.txt", f"one\n{word}\ntwo\n")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "a.txt:2:1"


def all_tracked(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.write("a.txt", f"one\n{word}\n")
    return git(repo, "commit", "-a", "-m", "more"), "a.txt:2:1"


def by_path(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n", "b.txt": "one\n"})
    repo.write("a.txt", f"{word}\n")
    repo.write("b.txt", "two\n")
    repo.git("add", "b.txt")
    return git(repo, "commit", "-m", "more", "a.txt"), "a.txt:1:1"


def include(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n", "b.txt": "one\n"})
    repo.write("a.txt", f"x {word}\n")
    repo.write("b.txt", "two\n")
    repo.git("add", "b.txt")
    return git(repo, "commit", "-m", "more", "--include", "a.txt"), "a.txt:1:3"


def patch(repo: Repo, word: str) -> tuple[Outcome, str]:
    lines = [f"{number}\n" for number in range(30)]
    repo.commit({"a.txt": "".join(lines)})
    repo.write("a.txt", "".join([f"{word}\n", *lines, "unstaged\n"]))
    return git(repo, "commit", "-p", "-m", "more", stdin=b"y\nn\n"), "a.txt:1:1"


def from_file(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.write("a.txt", f"{word}\n")
    return git(repo, "commit", "-m", "more", "--pathspec-from-file=-", stdin=b"a.txt\n"), "a.txt:1:1"


def amended(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.commit({"a.txt": "two\n"})
    repo.write("a.txt", f"two\n{word}\n")
    return git(repo, "commit", "-a", "--amend", "--no-edit"), "a.txt:2:1"


def fixed_up(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.write("a.txt", f"one\n{word}\n")
    return git(repo, "commit", "-a", "--fixup", "HEAD"), "a.txt:2:1"


def renamed(repo: Repo, word: str) -> tuple[Outcome, str]:
    lines = "".join(f"line {number}\n" for number in range(50))
    repo.commit({"a.txt": lines})
    repo.git("mv", "a.txt", "b.txt")
    repo.write("b.txt", f"{lines}{word}\n")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "b.txt:51:1"


def executable(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.sh": "#!/bin/sh\n"})
    repo.write("a.sh", f"#!/bin/sh\nKEY={word}\n")
    (repo.path / "a.sh").chmod(0o755)
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "a.sh:2:5"


def linked(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    (repo.path / "link").symlink_to(f"to/{word}")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "link:1:4"


def retyped(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    (repo.path / "a.txt").unlink()
    (repo.path / "a.txt").symlink_to(f"to/{word}")
    return git(repo, "commit", "-a", "-m", "more"), "a.txt:1:4"


def wide(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.write("a.reg", f"one\r\n{word}\r\n".encode("utf-16"))
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "a.reg:2:1"


def binary(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.write("a.bin", b"\0\1\2\n\0" + word.encode() + b"\0\xff")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "a.bin:2:2"


def without_diff(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({".gitattributes": "* -diff\n"})
    repo.write("a.lock", f"{word}\n")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "a.lock:1:1"


def encoded(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.write("a.yaml", f"data:\n  key: {base64.b64encode(f'key={word}.'.encode()).decode()}\n")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "a.yaml:2:"


def merged(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"b.txt": f"{word}\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"a.txt": "two\n"})
    return git(repo, "merge", "--no-edit", "topic"), "b.txt:1:1"


def resolved(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"a.txt": "two\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"a.txt": "three\n"})
    assert git(repo, "merge", "topic").code
    repo.write("a.txt", f"four\n{word}\n")
    repo.git("add", "a.txt")
    return git(repo, "commit", "--no-edit"), "a.txt:2:1"


def squashed(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"b.txt": f"{word}\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "--squash", "topic")
    return git(repo, "commit", "-m", "squash"), "b.txt:1:1"


def picked(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"b.txt": f"{word}\n"})
    repo.git("checkout", "-q", "main")
    repo.git("cherry-pick", "-n", "topic")
    return git(repo, "commit", "-m", "pick"), "b.txt:1:1"


def in_a_worktree(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.git("worktree", "add", "-q", "-b", "topic", "../tree")
    other = repo.path.parent / "tree"
    (other / "a.txt").write_text(f"one\n{word}\n")
    return run(other, "git", "commit", "-a", "-m", "more"), "a.txt:2:1"


def sparse(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"in/a.txt": "one\n", "out/b.txt": "one\n"})
    repo.git("sparse-checkout", "set", "in")
    blob = repo.line("hash-object", "-w", "--stdin", stdin=f"{word}\n".encode())
    repo.git("update-index", "--cacheinfo", f"100644,{blob},out/b.txt")
    repo.git("update-index", "--skip-worktree", "out/b.txt")
    assert not (repo.path / "out").exists()
    return git(repo, "commit", "-m", "more"), "out/b.txt:1:1"


def cleaned_on_disk(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.write("a.txt", f"one\n{word}\n")
    repo.git("add", "a.txt")
    repo.write("a.txt", "one\n\n\ngone\n")
    return git(repo, "commit", "-m", "more"), "a.txt:2:1"


def deleted_on_disk(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.write("b.txt", f"{word}\n")
    repo.git("add", "b.txt")
    (repo.path / "b.txt").unlink()
    return git(repo, "commit", "-m", "more"), "b.txt:1:1"


def intended(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.write("b.txt", f"{word}\n")
    repo.git("add", "-N", "b.txt")
    return git(repo, "commit", "-a", "-m", "more"), "b.txt:1:1"


def from_a_folder(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"deep/a.txt": "one\n"})
    repo.write("deep/a.txt", f"{word}\n")
    return run(repo.path / "deep", "git", "commit", "-m", "more", "a.txt"), "deep/a.txt:1:1"


def detached(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.git("checkout", "-q", "--detach")
    repo.write("a.txt", f"{word}\n")
    return git(repo, "commit", "-a", "-m", "more"), "a.txt:1:1"


def beside_a_submodule(repo: Repo, word: str) -> tuple[Outcome, str]:
    base = repo.commit({"a.txt": "one\n"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{base},sub")
    repo.write("b.txt", f"{word}\n")
    repo.git("add", "b.txt")
    return git(repo, "commit", "-m", "more"), "b.txt:1:1"


def split(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "one\n"})
    repo.git("update-index", "--split-index")
    repo.write("a.txt", f"{word}\n")
    repo.git("add", "a.txt")
    return git(repo, "commit", "-m", "more"), "a.txt:1:1"


def with_a_hostile_name(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"--exit-zero": "one\n", "--quiet": "one\n", '"$(touch owned)\n;b': "one\n"})
    repo.write("--exit-zero", f"{word}\n")
    repo.write("--quiet", "two\n")
    repo.write('"$(touch owned)\n;b', "two\n")
    outcome = git(repo, "commit", "-a", "-m", "more")
    assert not (repo.path / "owned").exists()
    return outcome, "--exit-zero:1:1"


def with_a_steering_name(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.write("\x1b[31m\u202e.txt", f"{word}\n")
    repo.git("add", "--all")
    return git(repo, "commit", "-m", "more"), "\\x1b[31m\\u202e.txt:1:1"


WAYS: list[Way] = [
    *(first, added, modified, all_tracked, by_path, include, patch, from_file, amended, fixed_up, renamed, executable, linked, retyped),
    *(wide, binary, without_diff, encoded, merged, resolved, squashed, picked, in_a_worktree, sparse, cleaned_on_disk, deleted_on_disk),
    *(intended, from_a_folder, detached, beside_a_submodule, split, with_a_hostile_name, with_a_steering_name),
]


@pytest.mark.parametrize("way", WAYS)
def test_without_a_token_every_way_passes(hooked: Repo, kind: str, way: Way) -> None:
    outcome, _ = way(hooked, CLEAN)
    assert outcome.code == 0, outcome.text
    assert "Passed" in outcome.text if kind == "framework" else "no token in" in outcome.text


@pytest.mark.parametrize("way", WAYS)
def test_with_a_token_every_way_is_blocked_and_the_place_is_named(hooked: Repo, rng: random.Random, way: Way) -> None:
    token = tokens.routable(rng)
    outcome, place = way(hooked, token)
    assert outcome.code, outcome.text
    assert place in outcome.text
    assert "commit blocked" in outcome.text
    assert "certain: checksum right" in outcome.text
    assert token[8:16] not in outcome.text[outcome.text.index(place) :]


def test_a_name_that_is_no_text(repo: Repo, hooks: Hooks, rng: random.Random) -> None:
    """The framework dies of it; git's own hook doesn't."""
    hooks.into(repo, "git")
    repo.write(b"\xff.txt", tokens.routable(rng))
    repo.git("add", "--all")
    outcome = git(repo, "commit", "-m", "more")
    assert outcome.code
    assert "\\xff.txt:1:1" in outcome.text


def test_what_is_only_on_disk_or_only_staged_for_later_does_not_block(hooked: Repo, rng: random.Random) -> None:
    token = tokens.routable(rng)
    hooked.commit({"a.txt": "one\n", "b.txt": "one\n"})
    hooked.write("a.txt", "two\n")
    hooked.write("b.txt", f"{token}\n")
    hooked.git("add", "--all")
    assert git(hooked, "commit", "-m", "only a", "a.txt").code == 0
    hooked.git("rm", "-q", "--cached", "b.txt")
    hooked.write("a.txt", "three\n")
    hooked.git("add", "a.txt")
    hooked.write("a.txt", f"{token}\n")
    assert git(hooked, "commit", "-m", "what is staged").code == 0
    hooked.git("add", "-N", "b.txt")
    assert "nothing is staged" in patscan(hooked.path, "hook").text
    hooked.git("rm", "-q", "-f", "--cached", "a.txt")
    assert git(hooked, "commit", "-m", "without what is only intended").code == 0


@pytest.mark.parametrize("change", ["line", "rename", "mode"])
def test_a_token_that_stood_in_the_file_before_is_told_and_does_not_block(hooked: Repo, rng: random.Random, kind: str, change: str) -> None:
    old, new = tokens.routable(rng), tokens.routable(rng)
    lines = "".join(f"line {number}\n" for number in range(30))
    hooked.commit({"a.txt": f"{lines}{old}\n"})
    if change == "rename":
        hooked.git("mv", "a.txt", "b.txt")
    path = hooked.path / ("b.txt" if change == "rename" else "a.txt")
    path.write_text(f"first\n{lines}{old}\n")
    path.chmod(0o755 if change == "mode" else 0o644)
    hooked.git("add", "--all")
    judged = patscan(hooked.path, "hook", "--format", "json")
    assert judged.code == 0
    assert '"already committed"' in judged.text
    assert patscan(hooked.path, "hook", "--whole-files").code == 1
    outcome = git(hooked, "commit", "-m", "more")
    assert outcome.code == 0
    assert kind == "framework" or "Ignored: 1 already committed" in outcome.text
    path.write_text(f"{new}\nfirst\n{lines}{old}\n")
    outcome = git(hooked, "commit", "-a", "-m", "another")
    assert outcome.code
    assert f"{path.name}:1:1" in outcome.text
    assert "patscan: 1 token in 1 staged file" in outcome.text


def test_a_copy_into_another_file_is_this_commits_fault(hooked: Repo, rng: random.Random) -> None:
    token = tokens.routable(rng)
    hooked.commit({"a.txt": f"{token}\n"})
    hooked.write("b.txt", f"{token}\n")
    hooked.git("add", "--all")
    outcome = git(hooked, "commit", "-m", "copy")
    assert outcome.code
    assert "b.txt:1:1" in outcome.text


def test_a_commit_of_nothing_passes_and_says_so(hooked: Repo, kind: str) -> None:
    hooked.commit({"a.txt": "one\n"})
    outcome = git(hooked, "commit", "--allow-empty", "-m", "empty")
    assert outcome.code == 0
    assert kind == "framework" or "nothing is staged" in outcome.text
    hooked.git("rm", "-q", "a.txt")
    assert git(hooked, "commit", "-m", "gone").code == 0


@pytest.mark.parametrize("staged", [False, True])
def test_all_files_are_looked_at_with_and_without_something_staged(repo: Repo, rng: random.Random, tmp_path: Path, staged: bool) -> None:
    repo.commit({"a.txt": f"{tokens.routable(rng)}\n", "b.txt": "one\n", "-c": f"\n{tokens.routable(rng)}\n"})
    if staged:
        repo.write("b.txt", "two\n")
        repo.git("add", "--all")
    outcome = framework(repo, tmp_path, "--all-files")
    assert outcome.code
    assert "a.txt:1:1" in outcome.text
    assert "-c:2:1" in outcome.text
    assert framework(repo, tmp_path, "--files", "b.txt").code == 0


def test_a_range_is_looked_at(repo: Repo, rng: random.Random, tmp_path: Path) -> None:
    first = repo.commit({"a.txt": f"{tokens.routable(rng)}\n", "b.txt": "one\n"})
    second = repo.commit({"b.txt": f"one\n{tokens.routable(rng)}\n"})
    third = repo.commit({"b.txt": "two\n"})
    fourth = repo.commit({"a.txt": (repo.path / "a.txt").read_text() + "more\n"})
    for old, new, blocked in ((first, second, True), (first, third, True), (second, third, False), (third, fourth, False)):
        outcome = framework(repo, tmp_path, "--from-ref", old, "--to-ref", new)
        assert bool(outcome.code) is blocked, outcome.text
        assert not blocked or "b.txt:2:1" in outcome.text
    gone = framework(repo, tmp_path, "--from-ref", "HEAD~1", "--to-ref", fourth[:-1] + "g")
    assert gone.code


def framework(repo: Repo, folder: Path, *arguments: str) -> Outcome:
    command = (sys.executable, "-m", "pre_commit", "run", "patscan", "--config", str(config(folder)), *arguments)
    return run(repo.path, *command, PRE_COMMIT_HOME=str(folder / "home"))


def no_repository(repo: Repo) -> None:
    (repo.path / ".git").rename(repo.path / "git")


def corrupt_index(repo: Repo) -> None:
    (repo.path / ".git" / "index").write_bytes(b"DIRC\0\0\0\2\0\0\0\1garbage")


def unmerged(repo: Repo) -> None:
    blob = repo.line("hash-object", "-w", "--stdin", stdin=b"x")
    entries = "".join(f"100644 {blob} {stage}\tb.txt\n" for stage in (1, 2, 3))
    repo.git("update-index", "--index-info", stdin=entries.encode())


def lost_blob(repo: Repo) -> None:
    repo.write("b.txt", "lost\n")
    repo.git("add", "b.txt")
    blob = repo.line("rev-parse", ":b.txt")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def corrupt_blob(repo: Repo) -> None:
    repo.write("b.txt", "lost\n")
    repo.git("add", "b.txt")
    blob = repo.line("rev-parse", ":b.txt")
    path = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"garbage")


@pytest.mark.parametrize("spoil", [no_repository, corrupt_index, unmerged, lost_blob, corrupt_blob])
def test_what_can_not_be_looked_at_is_never_clean(repo: Repo, spoil: Callable[[Repo], None]) -> None:
    repo.commit({"a.txt": "one\n"})
    spoil(repo)
    outcome = patscan(repo.path, "hook")
    assert outcome.code == 3, outcome.text
    assert "not looked at" in outcome.text
    assert patscan(repo.path, "hook", "--allow-incomplete").code == 0


@pytest.mark.parametrize("head", ["ref: refs/heads/none\n", "ref: refs/heads/main\n"])
def test_without_a_sound_head_everything_that_is_staged_is_new(repo: Repo, rng: random.Random, head: str) -> None:
    repo.commit({"a.txt": f"{tokens.routable(rng)}\n"})
    (repo.path / ".git" / "HEAD").write_text(head)
    (repo.path / ".git" / "refs" / "heads" / "main").write_text("0123456789" * 4 + "\n")
    outcome = patscan(repo.path, "hook")
    assert outcome.code == 1
    assert "a.txt:1:1" in outcome.text


def test_a_locked_index_is_read_all_the_same(repo: Repo, rng: random.Random) -> None:
    repo.write("a.txt", tokens.routable(rng))
    repo.git("add", "a.txt")
    (repo.path / ".git" / "index.lock").write_bytes(b"")
    assert patscan(repo.path, "hook").code == 1


def test_names_that_are_not_there_and_folders(repo: Repo, rng: random.Random) -> None:
    repo.commit({"in/a.txt": f"{tokens.routable(rng)}\n"})
    assert patscan(repo.path, "hook", "none.txt").code == 3
    assert "in/a.txt:1:1" in patscan(repo.path, "hook", "in").text
    assert "in/a.txt:1:1" in patscan(repo.path / "in", "hook", "a.txt").text
    repo.write(".patscan.toml", "ignore-paths = ['/a.txt']\n")
    repo.git("add", ".patscan.toml")
    assert patscan(repo.path / "in", "hook", "a.txt").code == 1
    repo.write(".patscan.toml", "ignore-paths = ['/in/a.txt']\n")
    repo.git("add", ".patscan.toml")
    assert patscan(repo.path / "in", "hook", "a.txt").code == 0


def test_sha256(tmp_path: Path, rng: random.Random) -> None:
    repo = Repo(tmp_path / "wide", "--object-format=sha256")
    repo.write("a.txt", "one\n")
    repo.git("add", "a.txt")
    assert patscan(repo.path, "hook").code == 0
    repo.write("a.txt", tokens.routable(rng))
    repo.git("add", "a.txt")
    assert patscan(repo.path, "hook").code == 1


def test_what_lies_in_the_repository_is_not_imported(repo: Repo, hooks: Hooks) -> None:
    hooked = hooks.into(repo, "git")  # the framework itself imports it
    for name in ("patscan", "argparse", "hyperscan", "subprocess"):
        hooked.write(f"{name}.py", "open('owned', 'w')\n")
    hooked.git("add", "--all")
    assert git(hooked, "commit", "-m", "more").code == 0
    assert not (hooked.path / "owned").exists()


def test_a_blocked_commit_is_told_in_ten_lines_with_all_that_is_needed(repo: Repo, rng: random.Random) -> None:
    repo.write("a.txt", f"one\n  {tokens.routable(rng)}\n")
    repo.git("add", "a.txt")
    outcome = patscan(repo.path, "hook")
    assert outcome.code == 1
    assert len(outcome.text.splitlines()) <= 10
    for part in ("a.txt:2:3", "personal access token", "glpat-…(5", "certain", "remove it", "https://docs.gitlab.com/", "patscan:ignore"):
        assert part in outcome.text
    assert "--no-verify" in outcome.text
    assert "SKIP=patscan" in outcome.text
    assert "\x1b" not in outcome.text
    repo.write("b.txt", "".join(f"{tokens.routable(rng)}\n" for _ in range(30)))
    repo.git("add", "b.txt")
    outcome = patscan(repo.path, "hook")
    assert len(outcome.text.splitlines()) <= 10
    assert "31 tokens" in outcome.text


def test_colours_are_for_terminals(repo: Repo, rng: random.Random) -> None:
    repo.write("a.txt", tokens.routable(rng))
    repo.git("add", "a.txt")
    for variables, colored in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        shown = on_a_terminal(repo.path, {"TERM": "xterm", **variables})
        assert (b"\x1b[" in shown) is colored
        assert len(shown.splitlines()) <= 10


def on_a_terminal(folder: Path, variables: dict[str, str]) -> bytes:
    leader, follower = os.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    subprocess.run([*PATSCAN, "hook"], cwd=folder, env=env, stdin=follower, stdout=follower, stderr=follower, check=False)
    os.close(follower)
    shown = os.read(leader, 1 << 16)
    os.close(leader)
    return shown


def test_many_files_and_a_large_one(repo: Repo, rng: random.Random) -> None:
    for number in range(300):
        repo.write(f"{number}.txt", f"{number}\n" * 100)
    repo.write("large", b"x\n" * (35 << 20) + tokens.routable(rng).encode())
    repo.git("add", "--all")
    outcome = patscan(repo.path, "hook")
    assert outcome.code == 1
    assert f"large:{(35 << 20) + 1}:1" in outcome.text
    assert "1 token in 301 staged files" in outcome.text


def test_a_clean_commit_imports_nothing_heavy(repo: Repo) -> None:
    repo.commit({"a.txt": "one\n"})
    repo.write("a.txt", "two\n")
    repo.git("add", "a.txt")
    outcome = run(repo.path, sys.executable, "-X", "importtime", "-P", "-m", "patscan", "hook")
    assert outcome.code == 0
    imported = set(re.findall(r"^import time:.*\| +(\S+)$", outcome.text, re.MULTILINE))
    assert "patscan.sources.index" in imported
    heavy = {
        "git",
        "sarif_om",
        "pygments",
        "numpy",
        "dulwich",
        "rich",
        "hyperscan",
        "socket",
        "ssl",
        "http.client",
        "urllib.request",
        "asyncio",
    }
    assert not imported & heavy


def test_nothing_of_the_environment_of_another_commit_is_taken(repo: Repo, rng: random.Random) -> None:
    """git's own variable is honoured, whatever lies in the usual place."""
    repo.commit({"a.txt": "one\n"})
    other = repo.path / ".git" / "other-index"
    blob = repo.line("hash-object", "-w", "--stdin", stdin=tokens.routable(rng).encode())
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},b.txt", GIT_INDEX_FILE=str(other))
    assert patscan(repo.path, "hook").code == 0
    assert patscan(repo.path, "hook", GIT_INDEX_FILE=str(other)).code == 1
