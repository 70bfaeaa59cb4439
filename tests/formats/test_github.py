"""GitHub's workflow commands: what its runner makes of them, and that nothing of a repository becomes one."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings

from patscan.model import Coverage, Position, Skip
from tests.formats.parsing import commands
from tests.formats.reports import RULE, finding, occurrence, report, short, written
from tests.formats.test_redaction import hostile_finding, nasty, seeds
from tests.tokens import classic


def test_the_very_line(rng: random.Random) -> None:
    token = classic(rng)
    made = report(finding(token, occurrence(token, path="a,b:c%.yml"), rule=RULE._replace(remedy="Revoke it: 100% now.")))
    assert written("github", made) == (
        "::error file=a%2Cb%3Ac%25.yml,line=12,endLine=12,col=10,endColumn=36,title=patscan%3A GitLab personal access token::"
        f"GitLab personal access token glpat-…(26) {short(token)} (certain). Revoke it: 100%25 now.\npatscan: 1 token found.\n"
    )


@pytest.mark.parametrize(("confidence", "level"), [("certain", "error"), ("high", "error"), ("medium", "warning"), ("low", "notice")])
def test_levels(confidence: str, level: str, rng: random.Random) -> None:
    assert commands(written("github", report(finding(classic(rng), confidence=confidence))))[0].name == level


def test_columns_only_in_one_line(rng: random.Random) -> None:
    token = classic(rng)
    (annotation,) = commands(written("github", report(finding(token, occurrence(token, position=Position(3, 1, 5, 2))))))
    assert annotation.properties.keys() == {"file", "line", "endLine", "title"}


def test_what_is_in_no_file_is_named_in_the_message(rng: random.Random) -> None:
    token = classic(rng)
    (annotation,) = commands(written("github", report(finding(token, occurrence(token, type="ref-name", path="refs/heads/x", blob=None)))))
    assert annotation.properties.keys() == {"title"}
    assert "Found in refs/heads/x, line 12." in annotation.message


def test_history_only_is_said(rng: random.Random) -> None:
    token = classic(rng)
    (annotation,) = commands(written("github", report(finding(token, occurrence(token, at_head=False)))))
    assert "; in history only in commit 1a2b3c4d5e" in annotation.message


@settings(max_examples=100, deadline=None)
@given(rng=seeds, text=nasty)
@example(rng=random.Random(1), text="\n::set-output name=a::b\n::stop-commands::x")
@example(rng=random.Random(1), text="##[set-env name=PATH]/evil")
@example(rng=random.Random(1), text="::error::%0A::warning::")
@example(rng=random.Random(1), text="\r\n::add-mask::a")
def test_no_text_becomes_a_command(rng: random.Random, text: str) -> None:
    made = report(
        hostile_finding(classic(rng), text, "blob"),
        ignored=(finding(classic(rng), reason=text),),
        coverage=Coverage(skipped=(Skip(text, text),)),
    )
    assert [command.name for command in commands(written("github", made))] == ["error", "error", "warning", "notice"]
