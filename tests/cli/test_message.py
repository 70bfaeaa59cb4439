"""The message of a commit: what git keeps of it, in any encoding, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests import tokens
from tests.cli.hooked import git, hooked, hooks, kind, patscan
from tests.repo import Repo

__all__ = ["hooked", "hooks", "kind"]

SCISSORS = "# ------------------------ >8 ------------------------"


def editor(folder: Path, text: str) -> str:
    """An editor that puts `text` before what git wrote."""
    (folder / "said").write_text(text)
    script = folder / "editor"
    script.write_text(f'#!/bin/sh\ncat "{folder}/said" "$1" > "{folder}/new" && cp "{folder}/new" "$1"\n')
    script.chmod(0o755)
    return str(script)


def test_a_message_without_a_token_passes(hooked: Repo, tmp_path: Path) -> None:
    assert git(hooked, "commit", "--allow-empty", "-m", "fine").code == 0
    assert git(hooked, "commit", "--allow-empty", GIT_EDITOR=editor(tmp_path, "fine\n")).code == 0
    assert git(hooked, "commit", "--allow-empty", "--allow-empty-message", "-m", "").code == 0


@pytest.mark.parametrize("options", [["-m"], ["-m", "title", "-m"], ["--cleanup=verbatim", "-m"]])
def test_a_token_in_a_message_blocks(hooked: Repo, rng: random.Random, options: list[str]) -> None:
    outcome = git(hooked, "commit", "--allow-empty", *options, f"see {tokens.routable(rng)}")
    assert outcome.code
    assert f"COMMIT_EDITMSG:{3 if 'title' in options else 1}:5" in outcome.text
    assert "commit blocked" in outcome.text


def test_a_token_in_a_merges_message_blocks(hooked: Repo, rng: random.Random) -> None:
    hooked.commit({"a.txt": "one\n"})
    hooked.git("checkout", "-q", "-b", "topic")
    hooked.commit({"b.txt": "one\n"})
    hooked.git("checkout", "-q", "main")
    outcome = git(hooked, "merge", "--no-ff", "-m", tokens.routable(rng), "topic")
    assert outcome.code
    assert "MERGE_MSG:1:1" in outcome.text


def test_comments_are_no_part_of_what_somebody_edited(hooked: Repo, rng: random.Random, tmp_path: Path, kind: str) -> None:
    outcome = git(hooked, "commit", "--allow-empty", GIT_EDITOR=editor(tmp_path, f"fine\n# not {tokens.routable(rng)}\n"))
    assert outcome.code == 0, outcome.text
    assert kind == "framework" or "Ignored: 1 comment line" in outcome.text
    assert b"gl" not in hooked.git("log", "-1", "--format=%B")


def test_a_comment_is_kept_where_nobody_edits(hooked: Repo, rng: random.Random) -> None:
    """git-commit(1): --cleanup=whitespace is the default then."""
    assert git(hooked, "commit", "--allow-empty", "-m", f"fine\n# {tokens.routable(rng)}").code


@pytest.mark.parametrize(("mark", "blocked"), [("#", False), (";", True), ("auto", True)])
def test_what_a_comment_is(repo: Repo, rng: random.Random, mark: str, blocked: bool) -> None:
    """Under ``auto`` git's choice can't be known, so everything counts."""
    repo.git("config", "core.commentChar", mark)
    repo.write("message", f"fine\n# {tokens.routable(rng)}\n")
    assert bool(patscan(repo.path, "message", "message").code) is blocked


@pytest.mark.parametrize("cleanup", ["whitespace", "verbatim", "scissors", "strip"])
def test_git_is_told_to_keep_comments(repo: Repo, rng: random.Random, cleanup: str) -> None:
    repo.git("config", "commit.cleanup", cleanup)
    repo.write("message", f"fine\n# {tokens.routable(rng)}\n")
    assert bool(patscan(repo.path, "message", "message").code) is (cleanup != "strip")


def test_nothing_below_the_scissors_counts(hooked: Repo, rng: random.Random, tmp_path: Path) -> None:
    """``git commit -v`` puts the diff there; it shows the token that this commit takes out."""
    hooked.commit({"a.txt": f"{tokens.routable(rng)}\n"})
    hooked.write("a.txt", "gone\n")
    outcome = git(hooked, "commit", "-a", "-v", GIT_EDITOR=editor(tmp_path, "fine\n"))
    assert outcome.code == 0, outcome.text
    outcome = git(hooked, "commit", "--amend", "-v", GIT_EDITOR=editor(tmp_path, f"{tokens.routable(rng)}\n"))
    assert outcome.code
    assert "COMMIT_EDITMSG:1:1" in outcome.text


def test_scissors_that_git_did_not_put_there_cut_nothing(hooked: Repo, rng: random.Random) -> None:
    outcome = git(hooked, "commit", "--allow-empty", "-m", f"fine\n{SCISSORS}\n{tokens.routable(rng)}")
    assert outcome.code
    assert "COMMIT_EDITMSG:3:1" in outcome.text


def test_scissors_in_an_edited_message_cut_nothing_without_gits_own_words(
    hooked: Repo, rng: random.Random, tmp_path: Path, kind: str
) -> None:
    """Without ``-v`` git takes that line for a comment like any other, and keeps what is below it."""
    text = f"fine\n{SCISSORS}\n{tokens.routable(rng)}\n"
    outcome = git(hooked, "commit", "--allow-empty", GIT_EDITOR=editor(tmp_path, text))
    assert outcome.code
    assert "COMMIT_EDITMSG:3:1" in outcome.text
    hooked.git("config", "commit.cleanup", "scissors")
    assert git(hooked, "commit", "--allow-empty", GIT_EDITOR=editor(tmp_path, text)).code == 0


def test_no_comment_and_no_path_hides_a_token_in_a_message(hooked: Repo, rng: random.Random) -> None:
    """The push would find it."""
    hooked.write(".patscan.toml", "ignore-paths = ['*MSG']\n")
    outcome = git(hooked, "commit", "--allow-empty", "-m", f"see {tokens.routable(rng)} # patscan:ignore -- why")
    assert outcome.code
    assert "COMMIT_EDITMSG:1:5" in outcome.text
    assert "accept" not in outcome.text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1", "shift_jis", "iso2022_jp", "cp1252"])
def test_a_message_in_another_encoding(repo: Repo, rng: random.Random, encoding: str) -> None:
    word = "日本" if encoding in {"shift_jis", "iso2022_jp"} else "né"
    repo.git("config", "i18n.commitEncoding", encoding)
    for text, code in ((f"{word} {tokens.routable(rng)}", 1), (f"{word}\n# {tokens.routable(rng)}", 0), (f"{word}\n{SCISSORS}\n", 0)):
        below = f"# Below it\n{tokens.routable(rng)}" if SCISSORS in text else ""
        repo.write("message", f"\n{text}{below}\n".encode(encoding))
        outcome = patscan(repo.path, "message", "message")
        assert outcome.code == code, outcome.text
        assert code == 0 or "message:2:" in outcome.text


def test_a_message_that_can_not_be_read(repo: Repo) -> None:
    for name in ("none", "."):
        outcome = patscan(repo.path, "message", name)
        assert outcome.code == 3
        assert "can't be read" in outcome.text
    assert patscan(repo.path, "message").code == 2


def test_outside_of_a_repository(tmp_path: Path, rng: random.Random) -> None:
    (tmp_path / "message").write_text(tokens.routable(rng))
    assert patscan(tmp_path, "message", "message").code == 1
    (tmp_path / "message").write_text("fine")
    assert patscan(tmp_path, "message", "message").code == 0
