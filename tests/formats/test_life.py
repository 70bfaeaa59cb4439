"""What GitLab said of a token, in the formats that people and dashboards read."""

from __future__ import annotations

import json
import random

import pytest

from patscan.model import Check, Verdict
from tests.formats.reports import finding, report, written
from tests.tokens import classic

CHECK = Check("no-expiry", "high", "It never expires.", "https://docs.gitlab.com/")
LIVE = Verdict(
    "active", "", {"scopes": ("api",), "owner": {"username": "anna"}, "expires": "2027-01-20"}, (CHECK,), "critical", ("api: all",)
)
DEAD = Verdict("inactive", "it was revoked", {}, (), "low", ("it no longer works",))


@pytest.mark.parametrize("name", ["text", "json", "jsonl", "sarif", "gitlab", "junit", "markdown"])
def test_state_and_owner_are_told(name: str, rng: random.Random) -> None:
    live = written(name, report(finding(classic(rng), verdict=LIVE)))
    for word in ("active" if name in {"json", "jsonl", "sarif"} else "LIVE", "anna", "2027-01-20"):
        assert word in live
    assert name == "markdown" or "It never expires." in live
    dead = written(name, report(finding(classic(rng), verdict=DEAD)))
    assert "inactive" in dead
    assert "LIVE" not in dead


@pytest.mark.parametrize(
    ("name", "live", "dead"), [("csv", '"critical"', '"low"'), ("gitlab", '"Critical"', '"Low"'), ("codequality", '"blocker"', '"minor"')]
)
def test_the_severity_is_that_of_the_answer(name: str, live: str, dead: str, rng: random.Random) -> None:
    assert live in written(name, report(finding(classic(rng), verdict=LIVE)))
    text = written(name, report(finding(classic(rng), verdict=DEAD)))
    assert dead in text
    assert live not in text


def test_sarif_ranks_by_it(rng: random.Random) -> None:
    ranks = []
    for verdict in (LIVE, Verdict(), DEAD):
        (result,) = json.loads(written("sarif", report(finding(classic(rng), verdict=verdict))))["runs"][0]["results"]
        ranks.append(result["rank"])
        assert result["properties"].get("thiefSeverity") == verdict.severity
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == 3


def test_nothing_is_told_of_what_was_not_asked(rng: random.Random) -> None:
    text = written("text", report(finding(classic(rng))))
    assert "GitLab  " not in text
    assert "harm" not in text
