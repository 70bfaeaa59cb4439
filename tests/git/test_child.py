"""Starting git: what fails, with which sentence, and what a child may and may not see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from patscan.errors import ExitCode, PatscanError, TargetError
from patscan.git import child
from tests.repo import Repo


def test_a_folder_that_is_gone_is_not_a_missing_git(tmp_path: Path, environment: Mapping[str, str]) -> None:
    with pytest.raises(TargetError) as caught:
        child.run(("version",), tmp_path / "gone", environment)
    assert str(caught.value) == f"{tmp_path / 'gone'}: no such folder."


def test_a_file_is_no_folder_to_start_in(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError) as caught:
        child.run(("version",), tmp_path / "file", environment)
    assert str(caught.value) == f"{tmp_path / 'file'}: can't start git there: Not a directory."


@pytest.mark.parametrize("kind", ["nothing", "folder", "text"])
def test_what_is_called_git_and_can_not_run_is_no_git(kind: str, tmp_path: Path, environment: Mapping[str, str]) -> None:
    if kind == "folder":
        (tmp_path / "git").mkdir()
    elif kind == "text":
        (tmp_path / "git").write_text("no program")
    with pytest.raises(PatscanError) as caught:
        child.run(("version",), tmp_path, {**environment, "PATH": str(tmp_path)})
    assert str(caught.value).startswith("git was not found.")
    assert caught.value.code == ExitCode.ERROR


def test_what_git_says_is_one_sentence(repo: Repo, environment: Mapping[str, str]) -> None:
    with pytest.raises(child.GitError) as caught:
        child.run(("cat-file", "-p", "nothing"), repo.path, environment)
    assert str(caught.value) == f"{repo.path}: git cat-file: Not a valid object name nothing."
    assert caught.value.code == ExitCode.INCOMPLETE


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (b"", "no reason given."),
        (b"\n \n", "no reason given."),
        (b"hint: first\nerror: the reason\nfatal: the consequence\n", "the reason."),
        (b"fatal: it ends in a full stop.\n", "it ends in a full stop."),
        (b"fatal: unknown repository extension found:\n\tsomethingnew\n", "unknown repository extension found: somethingnew."),
        (b"fatal: no text: \xff\xfe\n", "no text: \ufffd\ufffd."),
        (b"warning: only this\n", "warning: only this."),
    ],
)
def test_the_first_complaint_counts(message: bytes, sentence: str) -> None:
    assert child.sentence(message) == sentence


def test_questions_larger_than_any_pipe_are_answered(repo: Repo, environment: Mapping[str, str]) -> None:
    """More goes in and more comes out than pipes hold at a time."""
    name = repo.line("hash-object", "-w", "--stdin", stdin=b"x" * 1000)
    answers = child.run(("cat-file", "--batch"), repo.path, environment, f"{name}\n".encode() * 20_000)
    assert answers.count(b"x" * 1000) == 20_000


def test_a_child_sees_the_environment_it_is_given_and_no_other(
    repo: Repo, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/not/there")
    assert child.run(("rev-parse", "--git-dir"), repo.path, environment) == b".git\n"


@pytest.mark.parametrize("name", ["GIT_ALLOW_PROTOCOL", "GIT_NO_LAZY_FETCH", "GIT_TERMINAL_PROMPT", "GIT_NO_REPLACE_OBJECTS"])
def test_the_environment_can_not_loosen_what_keeps_git_quiet(name: str, repo: Repo, environment: Mapping[str, str]) -> None:
    asked = ("-c", f'alias.show-it=!printf %s "${name}"', "show-it")
    assert child.run(asked, repo.path, {**environment, name: "ext:ssh:file"}) == child.run(asked, repo.path, environment)
