"""JSON Lines, CSV and JUnit: each line, row or test is one thing, whatever the repository's names hold."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patscan.formats.csv import COLUMNS
from patscan.model import Check, Coverage, Exposure, Note, Position, Skip, Verdict
from tests.formats.parsing import parsed
from tests.formats.reports import COMMIT, finding, occurrence, report, short, written
from tests.formats.test_redaction import hostile_finding, nasty, seeds
from tests.tokens import classic

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", " =1", "\uff1d1", "a;=1", 'a";=1', "a\n=1"]


def loaded(name: str, *args: Any, **changes: Any) -> Any:
    return parsed(name, written(name, report(*args, **changes)))


def test_json_lines_are_the_json_report_in_pieces(rng: random.Random) -> None:
    made = report(finding(classic(rng)), finding(classic(rng)), ignored=(finding(classic(rng), reason="path"),))
    head, *lines = parsed("jsonl", written("jsonl", made))
    whole = json.loads(written("json", made))
    assert [line.pop("type") for line in (head, *lines)] == ["report", "finding", "finding", "ignored"]
    assert head | {"findings": lines[:2], "ignored": lines[2:]} == whole


def test_csv_has_a_row_for_each_place(rng: random.Random) -> None:
    token = classic(rng)
    made = finding(token, occurrence(token, at_head=True), occurrence(token, path="b", at_head=False, encodings=("base64", "hex")))
    first, second = loaded("csv", made)
    assert list(first) == list(COLUMNS)
    assert {
        key: first[key] for key in ("row", "rule", "token", "place", "line", "column", "end_column", "commit", "at_head", "pushed")
    } == {
        "row": "finding",
        "rule": "gitlab-pat",
        "token": "glpat-…(26)",
        "place": "config/app.yml",
        "line": "12",
        "column": "10",
        "end_column": "36",
        "commit": COMMIT,
        "at_head": "yes",
        "pushed": "",
    }
    assert (second["at_head"], second["encodings"]) == ("no", "base64 hex")


def test_csv_says_what_is_ignored_and_what_was_not_looked_at(rng: random.Random) -> None:
    ignored = finding(classic(rng), reason="baseline", justification="a test's own")
    coverage = Coverage(skipped=(Skip("a", "gone."),), notes=(Note("b", "archive."),))
    rows = loaded("csv", ignored=(ignored,), coverage=coverage, interrupted=True)
    assert [row["row"] for row in rows] == ["ignored", "interrupted", "skipped", "note"]
    assert (rows[0]["reason"], rows[0]["justification"]) == ("baseline", "a test's own")
    assert (rows[2]["place"], rows[2]["reason"]) == ("a", "gone.")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str, rng: random.Random) -> None:
    token = classic(rng)
    made = report(hostile_finding(token, text, "blob"), coverage=Coverage(skipped=(Skip(text, text),)))
    for row in parsed("csv", written("csv", made)):
        assert not any(cell.strip().startswith(("=", "+", "-", "@", "\uff1d")) for cell in row.values()), row
    # Where semicolons separate, a quoted cell is still one cell.
    assert ";=" not in "".join(part for i, part in enumerate(written("csv", made).split('"')) if i % 2 == 0)


@settings(max_examples=80, deadline=None)
@given(rng=seeds, text=nasty | st.sampled_from(FORMULAS))
def test_rows_and_tests_are_as_many_as_there_are_things(rng: random.Random, text: str) -> None:
    made = report(hostile_finding(classic(rng), text, "blob"), coverage=Coverage(skipped=(Skip(text, text),)))
    rows = parsed("csv", written("csv", made))
    assert [row["row"] for row in rows] == ["finding", "finding", "skipped"]
    assert all("\n" not in cell for row in rows for cell in row.values())
    suite = parsed("junit", written("junit", made))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "1")
    assert len(suite.findall("testcase/failure")) == 2
    assert len(suite.findall("testcase/error")) == 1


def test_junit(rng: random.Random) -> None:
    token = classic(rng)
    places = [occurrence(token, position=Position(line, 1, line, 27), start=line) for line in (5, 8)]
    ignored = finding(classic(rng), reason="baseline")
    coverage = Coverage(notes=(Note("b", "an <archive>."),))
    suite = loaded("junit", finding(token, *places), ignored=(ignored,), coverage=coverage)[0]
    failed, skipped = suite.findall("testcase")
    assert failed.attrib == {
        "classname": "config/app.yml",
        "name": f"GitLab personal access token glpat-…(26) {short(token)}",
        "file": "config/app.yml",
    }
    message = f"GitLab personal access token glpat-…(26) {short(token)} (certain)"
    assert failed[0].attrib == {"message": message, "type": "gitlab-pat"}
    # Where there is text, ActiveSupport's Hash.from_xml gives the text alone.
    assert (failed[0].text or "").startswith(f"{message}\nconfig/app.yml:5:1, config/app.yml:8:1\n")
    assert skipped[0].attrib == {"message": "baseline"}
    assert (skipped[0].text or "").startswith("baseline\n")
    assert suite.findtext("system-out") == "b: an <archive>."


def test_junit_of_nothing_is_a_test_that_passed() -> None:
    suite = loaded("junit")[0]
    assert suite.attrib == {"name": "patscan", "tests": "1", "failures": "0", "errors": "0", "skipped": "0"}
    assert len(suite.findall("testcase")) == 1
    assert not list(suite[0])


def test_junit_says_in_text_what_was_not_looked_at() -> None:
    (case,) = loaded("junit", coverage=Coverage(skipped=(Skip("a", "gone."),)))[0].findall("testcase")
    assert (case[0].tag, case[0].text) == ("error", "a: gone.")


def test_csv_says_what_gitlab_said_and_where_it_is(rng: random.Random) -> None:
    token = classic(rng)
    facts = {"scopes": ("api", "sudo"), "owner": {"username": "anna", "administrator": True}, "expires": None}
    verdict = Verdict("active", "because", facts, (Check("no-expiry", "high", "It never expires.", ""),), "critical")
    made = finding(token, verdict=verdict, exposure=Exposure(at_head=False, tips=("refs/heads/topic/x",)))
    (row,) = loaded("csv", made)
    expected = {
        "id": short(token),
        "state": "active",
        "state_reason": "because",
        "owner": "anna (administrator)",
        "scopes": "api sudo",
        "expires": "",
        "lifecycle": "no-expiry",
        "thief_severity": "critical",
        "standing": "on branch topic/x",
    }
    assert {key: row[key] for key in expected} == expected
