"""The summary in Markdown: short, and nothing in it but text."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given, settings

from patscan.model import Commit, Coverage, Exposure, Note, Skip, Target
from tests.formats.reports import RULE, finding, occurrence, report, short, written
from tests.formats.test_redaction import hostile_finding, nasty, seeds
from tests.tokens import classic

LIMIT = 65_536
"""Characters in a comment on GitHub."""
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)")


def test_one_token(rng: random.Random) -> None:
    token = classic(rng)
    made = report(finding(token, occurrence(token, at_head=False)), ignored=(finding(classic(rng), reason="baseline"),))
    assert written("markdown", made) == (
        "### patscan: 1 leaked token\n"
        "\n"
        f"- **certain** `glpat-…(26) {short(token)}` GitLab personal access token in `config/app.yml` line 12 (`in history only`),"
        " since `2024-05-01`\n"
        "\n"
        "**What to do**\n"
        "\n"
        f"- GitLab personal access token: {RULE.remedy}\n"
        "\n"
        "Ignored: `1 baseline`.\n"
    )


def test_nothing() -> None:
    assert written("markdown", report()) == "### patscan: no token found\n"


def test_an_incomplete_scan_is_never_green() -> None:
    made = report(coverage=Coverage(skipped=(Skip("a|b", "gone."),), notes=(Note("c", "d"),)))
    assert written("markdown", made) == (
        "### patscan: no token found in what could be looked at\n"
        "\n"
        "**Incomplete:** 1 thing could not be looked at:\n"
        "\n"
        "- `a|b`: `gone.`\n"
        "\n"
        "1 note: see the JSON report.\n"
    )


@pytest.mark.parametrize("char", ["x", "`", "|", "\u202e", "\udcff", "<", "é"])
def test_the_longest_fits_in_a_comment_and_says_what_is_left_out(char: str, rng: random.Random) -> None:
    name = char * 5000
    rule = RULE._replace(remedy="&" * 5000, name="*" * 300)
    findings = []
    for number in range(200):
        token = classic(rng)
        places = [occurrence(token, path=f"{place}{name}") for place in range(5)]
        seen = Commit("c" * 40, name, name)
        findings.append(finding(token, *places, rule=rule._replace(id=f"r{number}"), exposure=Exposure(seen)))
    output = written("markdown", report(*findings, coverage=Coverage(skipped=tuple(Skip(name, name) for _ in range(500)))))
    assert len(output) < LIMIT
    assert "and 170 more tokens: see the JSON report" in output
    assert "and 3 more places" in output
    assert "and 490 more things: see the JSON report" in output


@settings(max_examples=150, deadline=None)
@given(rng=seeds, text=nasty)
@example(rng=random.Random(1), text="@everyone <img src=x onerror=alert(1)> [a](javascript:b) #1 !2 | ``` ~~~")
@example(rng=random.Random(1), text="`")
@example(rng=random.Random(1), text="a``b`c```")
@example(rng=random.Random(1), text=" ")
@example(rng=random.Random(1), text="\n\n# heading\n- item")
def test_what_a_repository_says_stands_in_code(rng: random.Random, text: str) -> None:
    place = f"{text}{rng.choice(['', '`', 'x'])}"
    made = report(hostile_finding(classic(rng), place, "blob"), coverage=Coverage(skipped=(Skip(text, text),)))
    output = written("markdown", made)
    assert output.count("\n") == written(
        "markdown", report(hostile_finding(classic(rng), "x", "blob"), coverage=Coverage(skipped=(Skip("x", "x"),)))
    ).count("\n")
    for line in output.split("\n"):
        outside = SPAN.sub("", line)
        assert re.fullmatch(r"[A-Za-z0-9 .,:;()*#'/-]*", outside), (line, outside)


def test_a_bot_finds_the_comment_that_it_wrote_and_people_what_was_decided() -> None:
    target = Target("ci", ".", platform="GitLab CI", event="merge request", reason="what !7 brings <b>")
    lines = written("markdown", report(target=target)).splitlines()
    assert lines == ["<!-- patscan-report -->", "### patscan: no token found", "", "what !7 brings &#60;b&#62;".replace("!", "&#33;")]
