"""GitLab's Code Quality report."""

from __future__ import annotations

import random
from typing import Any

import pytest

from patscan.model import Coverage, Position, Skip
from tests.formats.parsing import parsed
from tests.formats.reports import RULE, finding, occurrence, report, short, written
from tests.tokens import classic


def loaded(*args: Any, **changes: Any) -> Any:
    return parsed("codequality", written("codequality", report(*args, **changes)))


def test_nothing_is_an_empty_array() -> None:
    assert written("codequality", report()) == "[]\n"


def test_one_token(rng: random.Random) -> None:
    token = classic(rng)
    (entry,) = loaded(made := finding(token))
    fingerprint = entry.pop("fingerprint")
    assert made.fingerprint not in fingerprint
    assert entry == {
        "description": f"{RULE.name} glpat-…(26) {short(token)} (certain)",
        "check_name": "gitlab-pat",
        "severity": "blocker",
        "location": {"path": "config/app.yml", "lines": {"begin": 12}},
    }


def test_the_fingerprint_knows_token_and_file_and_no_line(rng: random.Random) -> None:
    token, other = classic(rng), classic(rng)
    moved = occurrence(token, position=Position(99, 1, 99, 27), commit="e" * 40)
    prints = [
        loaded(one)[0]["fingerprint"]
        for one in (finding(token), finding(token, moved), finding(other), finding(token, occurrence(token, path="b")))
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


def test_two_lines_of_a_file_are_one_entry(rng: random.Random) -> None:
    token = classic(rng)
    places = [occurrence(token, position=Position(line, 1, line, 27), start=line) for line in (5, 8)]
    assert [entry["location"]["lines"]["begin"] for entry in loaded(finding(token, *places))] == [5]


@pytest.mark.parametrize(
    ("severity", "confidence", "expected"),
    [
        ("critical", "high", "blocker"),
        ("high", "medium", "critical"),
        ("medium", "high", "major"),
        ("low", "certain", "minor"),
        ("high", "low", "info"),
    ],
)
def test_severity(severity: str, confidence: str, expected: str, rng: random.Random) -> None:
    (entry,) = loaded(finding(classic(rng), rule=RULE._replace(severity=severity), confidence=confidence))
    assert entry["severity"] == expected


def test_what_is_in_no_file_stands_under_its_name(rng: random.Random) -> None:
    token = classic(rng)
    (entry,) = loaded(finding(token, occurrence(token, type="ref-name", path="refs/heads/x", blob=None)))
    assert entry["location"]["path"] == "refs/heads/x"
    assert "ref name" in entry["description"]


def test_history_only_is_said(rng: random.Random) -> None:
    token = classic(rng)
    assert "in history only" in loaded(finding(token, occurrence(token, at_head=False)))[0]["description"]


def test_what_was_not_looked_at_is_an_entry() -> None:
    (entry,) = loaded(coverage=Coverage(skipped=(Skip("dir/file", "unreadable."),)))
    assert (entry["check_name"], entry["severity"], entry["location"]["path"]) == ("patscan-incomplete", "info", "dir/file")
