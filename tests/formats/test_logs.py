"""No text of a repository is a command to a CI server that reads the log, nor to a terminal: one property for each way of commanding."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patscan import formats
from patscan.formats.logs import harmless
from patscan.model import Commit, Coverage, Exposure, Note, Skip, Target, Verdict
from tests.formats.reports import PLAIN, finding, occurrence, report, secret, written
from tests.tokens import classic

LOGS = ("text", "brief", "markdown", "github")
COMMANDS = (
    "##[debug]",
    "##[group]x",
    "##vso[task.setvariable variable=x]",
    "##teamcity[message",
    "::error::x",
    "::stop-commands::x",
    ":",
    "#",
)
PLATFORMS = {
    "GitHub and Azure, older": re.compile(r"##\["),
    "Azure": re.compile(r"##vso\[", re.IGNORECASE),
    "TeamCity": re.compile(r"##teamcity\[", re.IGNORECASE),
    "GitHub": re.compile(r"(?:\s|\x1b\[[0-9;]*m)*::"),
    "GitLab": re.compile(r"section_(?:start|end):\d+:\w+\r\x1b"),
}
"""What each obeys; only GitHub's stands at a line's start (actions/runner, src/Runner.Common/ActionCommand.cs)."""

texts = st.lists(st.one_of(st.sampled_from(COMMANDS), st.text("#:[ \n\rvso\x1b", max_size=3)), max_size=5).map("".join)


def commands(name: str, output: str) -> list[tuple[str, str]]:
    """The commands that somebody would obey in `output`, but those that the format `name` is made of."""
    own = re.compile(r"::(?:error|warning|notice)[ :]") if name == "github" else re.compile(r"(?!)")
    return [
        (platform, line)
        for line in output.split("\n")
        for platform, pattern in PLATFORMS.items()
        if (pattern.match(line) if platform == "GitHub" else pattern.search(line)) and not (platform == "GitHub" and own.match(line))
    ]


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 99), text=texts, width=st.sampled_from((40, 80)), color=st.booleans())
@example(seed=1, text="##[debug]x", width=80, color=True)
@example(seed=1, text="::error::x", width=40, color=False)
def test_nothing_of_a_repository_is_a_command(name: str, seed: int, text: str, width: int, color: bool) -> None:
    token = classic(random.Random(seed))
    place = occurrence(token, path=text or "x", author=text, frame=(text, f"{text}{secret(token)}", text), message=text)
    exposure = Exposure(Commit("c" * 40, text, "2024-05-01T00:00:00+00:00"), None, False, (f"refs/heads/{text}",), True, True)
    made = report(
        finding(
            token, place, occurrence(token, path=f"x/{text}"), exposure=exposure, verdict=Verdict("active", text, {"owner": {"name": text}})
        ),
        finding(classic(random.Random(seed + 100)), place),
        ignored=(finding(token, reason=text or "x"),),
        coverage=Coverage(1, 1, 1, (Skip(text, text),), (Note(text, f"{'word ' * 9}{text}", "policy"),)),
        target=Target("ci", text, text, "HEAD", reason=text),
    )
    assert commands(name, written(name, made, PLAIN._replace(width=width, color=color, every=True))) == []


@pytest.mark.parametrize("text", ["a b.txt", "# heading", "## two [words]", "a::b", "C#[x]", "#123", "##", "[##]"])
def test_what_is_no_command_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_a_file_that_is_called_like_a_command_is_still_named(rng: random.Random) -> None:
    text = written("text", report(finding(token := classic(rng), occurrence(token, path="##[debug]x"))))
    assert "\n    #\\x23[debug]x:12:10  GitLab" in text


def test_every_format_that_is_read_in_a_log_is_among_these() -> None:
    assert set(LOGS) < set(formats.FORMATS)
