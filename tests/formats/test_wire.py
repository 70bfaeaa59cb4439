"""The JSON contract ``patscan-report/1``."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from patscan import __version__
from patscan.model import Check, Commit, Coverage, Exposure, Fact, Note, Skip, Verdict
from patscan.secret import Secret
from tests.formats.reports import BLOB, COMMIT, REVEAL, RULE, finding, occurrence, report, secret, written
from tests.tokens import classic, routable

PLACE = (
    "type path submodule line column end_line end_column start end encodings member commit author date message blob at_head "
    "frame frame_line line_hash"
)
KEYS = {
    "": "schema tool target coverage interrupted exit_code findings ignored",
    "tool": "name version rules",
    "tool.rules": "id kind name severity description remedy references prefix body",
    "target": "type path remote head",
    "coverage": "complete commits blobs bytes skipped notes engines omitted",
    "coverage.skipped": "where reason",
    "coverage.notes": "where reason",
    "findings": "fingerprint rule kind severity confidence token evidence exposure verdict occurrences",
    "findings.exposure": "first_seen last_seen at_head tips reachable pushed kept_by removed at_or_before reflogs",
    "findings.exposure.first_seen": "commit author date committer committed parents",
    "findings.exposure.last_seen": "commit author date committer committed parents",
    "findings.verdict": "state reason facts lifecycle severity severity_reasons instance asked_at",
    "findings.occurrences": PLACE,
    "ignored": "fingerprint rule kind severity confidence token evidence exposure verdict occurrences reason justification",
    "ignored.occurrences": PLACE,
}


@pytest.fixture
def token(rng: random.Random) -> str:
    return routable(rng)


def loaded(*args: Any, **changes: Any) -> Any:
    return json.loads(written("json", report(*args, **changes)))


def test_keys_are_the_contract(token: str) -> None:
    seen = Commit(COMMIT, "Jane", "2024-05-01")
    made = finding(token, exposure=Exposure(seen, seen))
    coverage = Coverage(skipped=(Skip("a", "b"),), notes=(Note("c", "d"),))
    document = loaded(made, ignored=(finding(token, reason="placeholder"),), coverage=coverage)
    for path, keys in KEYS.items():
        place = document
        for key in filter(None, path.split(".")):
            place = place[key]
            place = place[0] if isinstance(place, list) else place
        assert list(place) == keys.split(), path


def test_a_finding(token: str) -> None:
    assert loaded(finding(token))["findings"] == [
        {
            "fingerprint": secret(token).fingerprint,
            "rule": "gitlab-pat",
            "kind": "personal-access-token",
            "severity": "critical",
            "confidence": "certain",
            "token": str(secret(token)),
            "evidence": [{"type": "checksum", "ok": True}, {"type": "routing", "organization": 1, "user": 42}],
            "exposure": {
                "first_seen": {"commit": COMMIT, "author": "Jane Roe <jane@example.com>", "date": "2024-05-01T12:30:00+02:00"}
                | {"committer": None, "committed": None, "parents": None},
                "last_seen": None,
                "at_head": None,
                "tips": None,
                "reachable": None,
                "pushed": None,
                "kept_by": None,
                "removed": None,
                "at_or_before": False,
                "reflogs": None,
            },
            "verdict": {
                "state": "unchecked",
                "reason": "",
                "facts": {},
                "lifecycle": [],
                "severity": None,
                "severity_reasons": [],
                "instance": None,
                "asked_at": None,
            },
            "occurrences": [
                {
                    "type": "blob",
                    "path": "config/app.yml",
                    "submodule": None,
                    "line": 12,
                    "column": 10,
                    "end_line": 12,
                    "end_column": 10 + len(token),
                    "start": 120,
                    "end": 120 + len(token),
                    "encodings": [],
                    "member": None,
                    "commit": COMMIT,
                    "author": "Jane Roe <jane@example.com>",
                    "date": "2024-05-01T12:30:00+02:00",
                    "message": None,
                    "blob": BLOB,
                    "at_head": None,
                    "frame": ["deploy:", f"  token: {secret(token)}", "  url: https://gitlab.example.com"],
                    "frame_line": 11,
                    "line_hash": None,
                }
            ],
        }
    ]


def test_the_rest(token: str) -> None:
    document = loaded(ignored=(finding(token, reason="placeholder"),))
    assert document["ignored"][0].pop("reason") == "placeholder"
    assert not document["ignored"][0].pop("justification")
    assert document["ignored"] == loaded(finding(token))["findings"]
    del document["ignored"]
    assert document == {
        "schema": "patscan-report/1",
        "tool": {
            "name": "patscan",
            "version": __version__,
            "rules": [
                {
                    "id": "gitlab-pat",
                    "kind": "personal-access-token",
                    "name": "GitLab personal access token",
                    "severity": "critical",
                    "description": RULE.description,
                    "remedy": RULE.remedy,
                    "references": list(RULE.references),
                    "prefix": "glpat-",
                    "body": "routable",
                }
            ],
        },
        "target": {"type": "history", "path": "/srv/app", "remote": "https://gitlab.com/acme/app.git", "head": COMMIT},
        "coverage": {
            "complete": True,
            "commits": 203_352,
            "blobs": 262_343,
            "bytes": 8_260_000_000,
            "skipped": [],
            "notes": [],
            "engines": ["hyperscan", "isal"],
            "omitted": 0,
        },
        "interrupted": False,
        "exit_code": 0,
        "findings": [],
    }


@pytest.mark.parametrize("count", [0, 1, 2])
def test_streamed_as_if_written_at_once(count: int, rng: random.Random) -> None:
    made = report(*(finding(classic(rng)) for _ in range(count)), ignored=tuple(finding(classic(rng)) for _ in range(count)))
    text = written("json", made)
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_complete_means_complete() -> None:
    assert loaded(interrupted=True)["coverage"]["complete"] is False
    assert loaded(interrupted=True)["interrupted"] is True
    assert loaded(coverage=Coverage(skipped=(Skip("a", "gone"),)))["coverage"]["complete"] is False
    assert loaded(coverage=Coverage(notes=(Note("a", "an archive"),)))["coverage"]["complete"] is True


def test_path_that_is_no_utf8_keeps_its_bytes(token: str) -> None:
    raw = b"caf\xe9/\xff.txt"
    place = loaded(finding(token, occurrence(token, path=raw.decode("utf-8", "surrogateescape"))))["findings"][0]["occurrences"][0]
    assert place["path"] == "caf\ufffd/\ufffd.txt"
    assert base64.b64decode(place["path_bytes"]) == raw


def test_path_that_is_utf8_needs_no_bytes(token: str) -> None:
    place = loaded(finding(token, occurrence(token, path="café/日本.txt")))["findings"][0]["occurrences"][0]
    assert place["path"] == "café/日本.txt"
    assert "path_bytes" not in place


def test_no_lone_surrogate_is_written(token: str) -> None:
    text = written("json", report(finding(token, occurrence(token, author="J\udce9r\ud800me", frame=("\udcff \U0001f600",)))))
    text.encode("ascii")
    place = json.loads(text)["findings"][0]["occurrences"][0]
    assert (place["author"], place["frame"]) == ("J\ufffdr\ufffdme", ["\ufffd \U0001f600"])


def test_verdict_and_exposure_once_known(token: str) -> None:
    facts: dict[str, Fact] = {"scopes": ("api",), "owner": {"id": 7, "bot": False}, "groups": ({"id": 1, "access": None},)}
    check = Check("no-expiry", "high", "It never expires.", "https://docs.gitlab.com/")
    when = "2026-11-21T12:00:00+00:00"
    verdict = Verdict("active", "GitLab knows it.", facts, (check,), "critical", ("api: all",), "https://gitlab.example.com", when)
    exposure = Exposure(None, None, False, ("refs/heads/main",), True, False)
    document = loaded(finding(token, verdict=verdict, exposure=exposure))["findings"][0]
    assert document["verdict"] == {
        "state": "active",
        "reason": "GitLab knows it.",
        "facts": {"scopes": ["api"], "owner": {"id": 7, "bot": False}, "groups": [{"id": 1, "access": None}]},
        "lifecycle": [check._asdict()],
        "severity": "critical",
        "severity_reasons": ["api: all"],
        "instance": "https://gitlab.example.com",
        "asked_at": when,
    }
    assert document["exposure"] == {
        "first_seen": None,
        "last_seen": None,
        "at_head": False,
        "tips": ["refs/heads/main"],
        "reachable": True,
        "pushed": False,
        "kept_by": None,
        "removed": None,
        "at_or_before": False,
        "reflogs": None,
    }


def test_whole_token_when_asked(token: str) -> None:
    made = finding(token, secret=Secret(token.encode() + b"\xff", b"glpat-"))
    (shown,) = json.loads(written("json", report(made), REVEAL))["findings"]
    assert shown["token"] == token + "\\xff"
