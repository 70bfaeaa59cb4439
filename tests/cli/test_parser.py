"""Help that fits the terminal, and errors that name what was meant."""

from __future__ import annotations

import pytest

from patscan.cli.parser import COMMANDS
from tests.cli.test_main import patscan


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("command", ["", *COMMANDS, "rules check", "baseline write"])
def test_help_is_as_wide_as_the_terminal(command: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = patscan(*command.split(), "--help")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert width <= 60 or max(map(len, lines)) > 50


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["histroy"], "there is no 'histroy'. Did you mean history?"),
        (["install-hook"], "Did you mean install-hooks?"),
        (["rules", "chek"], "Did you mean check?"),
        (["history", "--jbos", "2"], "there is no flag --jbos. Did you mean --jobs?"),
        (["history", "--min-confidense=low"], "there is no flag --min-confidense. Did you mean --min-confidence?"),
        (["scan", "--format", "jsno"], "there is no 'jsno'. Did you mean json?"),
        (["--versoin"], "Did you mean --version?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_misspelt_word_is_an_error_that_names_the_right_one(arguments: list[str], meant: str) -> None:
    done = patscan(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert meant in done.stderr


def test_a_word_like_no_other_is_answered_with_all_there_are() -> None:
    done = patscan("xyzzy")
    assert "Did you mean" not in done.stderr
    assert all(command in done.stderr for command in COMMANDS)
