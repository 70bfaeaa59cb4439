"""GitLab's secret detection report: what its own analyzer's finding of the same token is merged with, and what stays masked."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from patscan import rulebook
from patscan.formats import gitlab
from patscan.model import Check, Commit, Coverage, Exposure, Note, Position, Skip, Verdict
from tests.formats.ingestion import Project, location_print
from tests.formats.parsing import parsed
from tests.formats.reports import COMMIT, PLAIN, REVEAL, RULE, finding, occurrence, report, short, written
from tests.tokens import classic


def loaded(*args: Any, **changes: Any) -> Any:
    return parsed("gitlab", written("gitlab", report(*args, **changes)))


def test_one_token_in_one_file(rng: random.Random) -> None:
    token = classic(rng)
    (vulnerability,) = loaded(finding(token, occurrence(token, message="Add it", at_head=True)))["vulnerabilities"]
    identifiers = vulnerability.pop("identifiers")
    assert identifiers[0] == {
        "type": "gitleaks_rule_id",
        "name": "Gitleaks rule ID gitlab_personal_access_token",
        "value": "gitlab_personal_access_token",
    }
    assert identifiers[1]["value"] == "gitlab-pat"
    assert vulnerability.pop("location") == {
        "commit": {"sha": COMMIT, "author": "Jane Roe <jane@example.com>", "date": "2024-05-01T12:30:00+02:00", "message": "Add it"},
        "file": "config/app.yml",
        "start_line": 12,
    }
    details = vulnerability.pop("details")
    assert {key: detail["value"] for key, detail in details.items()} == {
        "token": f"glpat-…(26) {short(token)}",
        "confidence": "certain",
        "evidence": "checksum right; organization 1, user 42",
        "first_seen": "2024-05-01T12:30:00+02:00 by Jane Roe <jane@example.com>",
        "first_commit": COMMIT,
    }
    assert vulnerability.pop("id")
    assert vulnerability.pop("tracking")
    assert vulnerability == {
        "category": "secret_detection",
        "name": RULE.name,
        "description": f"glpat-…(26) {short(token)}. {RULE.description}",
        "severity": "Critical",
        "solution": RULE.remedy,
        "links": [{"url": reference} for reference in RULE.references],
    }


def test_every_rule_named_exists_and_the_three_revocable_ones_are_right() -> None:
    assert set(gitlab._RULES) <= {rule.id for rule in rulebook.load()}
    # GitLab 19.4 revokes by exactly these.
    assert [gitlab._RULES[f"gitlab-pat{end}"] for end in ("", "-routable", "-routable-versioned")] == [
        "gitlab_personal_access_token",
        "gitlab_personal_access_token_routable",
        "gitlab_personal_access_token_routable_versioned",
    ]


def test_a_kind_that_gitlab_does_not_know_has_our_name(rng: random.Random) -> None:
    token = classic(rng)
    made = finding(token, rule=RULE._replace(id="gitlab-workspace-token"))
    assert loaded(made)["vulnerabilities"][0]["identifiers"][0]["value"] == "gitlab-workspace-token"


def test_one_vulnerability_for_each_file_and_the_same_after_lines_moved(rng: random.Random) -> None:
    token = classic(rng)
    places = [
        occurrence(token, path=path, position=Position(line, 1, line, 27), start=line) for path, line in (("a", 3), ("a", 9), ("b", 1))
    ]
    vulnerabilities = loaded(finding(token, *places))["vulnerabilities"]
    assert [(one["location"]["file"], one["location"]["start_line"]) for one in vulnerabilities] == [("a", 3), ("b", 1)]
    assert vulnerabilities[0]["details"]["other_lines"]["value"] == "9"
    moved = loaded(finding(token, occurrence(token, path="a", position=Position(44, 1, 44, 27), start=3)))["vulnerabilities"]
    assert moved[0]["id"] == vulnerabilities[0]["id"] != vulnerabilities[1]["id"]


def keys(vulnerability: Any) -> set[tuple[str, str]]:
    """What GitLab goes by: each identifier with each fingerprint, that of the location and those in ``tracking``.

    Source: ``Finding#keys`` in lib/gitlab/ci/reports/security/finding.rb, and ``fingerprint_data`` in locations/secret_detection.rb there.
    A report's finding that shares one with another is dropped; one that shares one with a known vulnerability is that one.
    """
    location = vulnerability["location"]
    spot = f"{location.get('file')}:{location.get('start_line')}:{location.get('end_line')}"
    signatures = [one["value"] for item in vulnerability["tracking"]["items"] for one in item["signatures"]]
    return {(identifier["value"], print_) for identifier in vulnerability["identifiers"] for print_ in (spot, *signatures)}


def test_every_token_in_one_line_is_kept(rng: random.Random) -> None:
    document = loaded(*(finding(token, occurrence(token, start=number)) for number, token in enumerate(classic(rng) for _ in range(4))))
    ends = [one["location"].get("end_line") for one in document["vulnerabilities"]]
    assert ends == [None, 12, 13, 14]
    seen: set[tuple[str, str]] = set()
    for one in document["vulnerabilities"]:
        assert seen.isdisjoint(keys(one))
        seen |= keys(one)


def test_a_moved_line_is_the_same_vulnerability(rng: random.Random) -> None:
    token, project = classic(rng), Project()
    (before,) = project.take(loaded(finding(token))["vulnerabilities"]).values()
    (moved,) = project.take(loaded(finding(token, occurrence(token, position=Position(40, 1, 40, 27))))["vulnerabilities"]).values()
    assert before == moved


@pytest.mark.parametrize("tracked", [True, False])
def test_another_token_in_the_same_line_is_a_new_vulnerability_because_of_tracking(rng: random.Random, tracked: bool) -> None:
    token, other, project = classic(rng), classic(rng), Project()
    before, after = loaded(finding(token))["vulnerabilities"], loaded(finding(other))["vulnerabilities"]
    assert location_print(before[0]) == location_print(after[0])
    if not tracked:
        del before[0]["tracking"]
    known = {*project.take(before).values()}
    assert known.isdisjoint(project.take(after).values()) is tracked


def test_two_tokens_that_swap_their_lines_stay_themselves(rng: random.Random) -> None:
    first, second, project = classic(rng), classic(rng), Project()
    lines = [Position(3, 1, 3, 27), Position(4, 1, 4, 27)]
    uuids = [
        project.take(
            loaded(*(finding(token, occurrence(token, position=line)) for token, line in zip(order, lines, strict=True)))["vulnerabilities"]
        )
        for order in ((first, second), (second, first))
    ]
    assert uuids[0] == uuids[1]
    assert len({*uuids[0].values()}) == 2


def test_a_token_over_lines_says_where_it_ends(rng: random.Random) -> None:
    token = classic(rng)
    (vulnerability,) = loaded(finding(token, occurrence(token, position=Position(12, 1, 14, 3))))["vulnerabilities"]
    assert vulnerability["location"]["end_line"] == 14


def test_the_working_tree_has_the_dummy_commit(rng: random.Random) -> None:
    token = classic(rng)
    place = occurrence(token, type="file", commit=None, author=None, date=None, blob=None)
    assert loaded(finding(token, place))["vulnerabilities"][0]["location"]["commit"] == {"sha": "0000000"}


def test_what_is_in_no_file_has_a_path_that_no_file_can_have_and_says_its_place(rng: random.Random) -> None:
    tokens = [classic(rng) for _ in range(3)]
    vulnerabilities = loaded(*(finding(token, occurrence(token, type="commit-message", path=None, blob=None)) for token in tokens))[
        "vulnerabilities"
    ]
    assert {one["location"]["file"] for one in vulnerabilities} == {f".git/commit-message/{COMMIT}"}
    assert vulnerabilities[0]["details"]["place"]["value"] == f"commit {COMMIT} message, line 12"
    assert len(set.union(*map(keys, vulnerabilities))) == sum(len(keys(one)) for one in vulnerabilities)


@pytest.mark.parametrize(
    ("state", "flagged"), [("active", False), ("inactive", True), ("not-found", True), ("error", False), ("unverifiable", False)]
)
def test_what_gitlab_said(rng: random.Random, state: str, flagged: bool) -> None:
    facts = {"scopes": ("api",), "owner": {"username": "anna"}, "expires": "2027-01-31"}
    checks = (Check("no-expiry", "high", "It never expires.", "https://docs.gitlab.com/"),)
    (vulnerability,) = loaded(finding(classic(rng), verdict=Verdict(state, "", facts, checks)))["vulnerabilities"]
    words = "LIVE: api, owner anna, expires 2027-01-31" if state == "active" else state
    assert vulnerability["details"]["gitlab_says"]["value"] == words
    assert vulnerability["details"]["advice"]["value"] == "It never expires."
    assert ("flags" in vulnerability) is flagged


@pytest.mark.parametrize(("at_head", "files"), [(True, ["now"]), (False, ["now", "then"]), (None, ["now", "then"])])
def test_the_tip_counts_and_history_only_if_nothing_stands_there(rng: random.Random, at_head: bool | None, files: list[str]) -> None:
    token = classic(rng)
    places = (occurrence(token, path="now", at_head=at_head), occurrence(token, path="then", at_head=False))
    vulnerabilities = loaded(finding(token, *places))["vulnerabilities"]
    assert [one["location"]["file"] for one in vulnerabilities] == files


def test_the_token_itself_only_where_gitlab_looks_for_it_and_only_when_asked(rng: random.Random) -> None:
    token = classic(rng)
    place = occurrence(token, path=f"x/{token}", author=token, frame=(token,))
    made = report(finding(token, place, exposure=Exposure(Commit(COMMIT, token, "2024-05-01T00:00:00+00:00"), tips=(token,))))
    assert token not in written("gitlab", made, PLAIN)
    revealed = written("gitlab", made, REVEAL)
    assert revealed.count(token) == 1
    assert json.loads(revealed)["vulnerabilities"][0]["raw_source_code_extract"] == token


def test_low_is_flagged_and_medium_is_not(rng: random.Random) -> None:
    vulnerabilities = loaded(*(finding(classic(rng), confidence=word) for word in ("low", "medium", "high")))["vulnerabilities"]
    assert ["flags" in one for one in vulnerabilities] == [True, False, False]


def test_status_and_messages() -> None:
    scan = loaded()["scan"]
    assert (scan["status"], scan["messages"]) == ("success", [])
    coverage = Coverage(skipped=(Skip("a", "gone."),), notes=(Note("b", "an archive."),))
    scan = loaded(coverage=coverage)["scan"]
    assert (scan["status"], [message["level"] for message in scan["messages"]]) == ("failure", ["warn", "info"])
    assert loaded(interrupted=True)["scan"]["status"] == "failure"
    assert loaded(coverage=Coverage(notes=(Note("b", "c"),)))["scan"]["status"] == "success"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00"),
        ("2026-01-31T12:00:00+05:30", "2026-01-31T06:30:00"),
        ("", "2024-05-01T10:30:00"),
        ("yesterday", "2024-05-01T10:30:00"),
    ],
)
def test_the_time_is_the_callers_or_the_newest_commits(rng: random.Random, when: str, expected: str) -> None:
    made = json.loads(written("gitlab", report(finding(classic(rng))), PLAIN._replace(when=when)))
    assert (made["scan"]["start_time"], made["scan"]["end_time"]) == (expected, expected)


@pytest.mark.parametrize("date", [None, "1950-01-01T00:00:00+00:00", "9999-12-31T23:59:59-12:00", "no date"])
def test_without_a_good_date_there_is_still_a_valid_one(rng: random.Random, date: str | None) -> None:
    token = classic(rng)
    loaded(finding(token, occurrence(token, date=date)))
    assert loaded()["scan"]["start_time"] == "1970-01-01T00:00:00"
