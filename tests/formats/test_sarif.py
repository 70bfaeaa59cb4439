"""SARIF 2.1.0: what the standard requires, checked by hand; positions, URIs and levels."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from patscan import HOME, __version__
from patscan.model import Coverage, Note, Position, Skip
from tests.formats.reports import COMMIT, REVEAL, RULE, finding, occurrence, report, secret, written
from tests.tokens import classic, routable


@pytest.fixture
def token(rng: random.Random) -> str:
    return classic(rng)


def run_of(*findings: Any, **changes: Any) -> Any:
    return json.loads(written("sarif", report(*findings, **changes)))["runs"][0]


def result_at(token: str, **changes: Any) -> Any:
    (result,) = run_of(finding(token, occurrence(token, **changes)))["results"]
    return result


def uri_of(token: str, path: str) -> str:
    uri: str = result_at(token, path=path)["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    return uri


def test_the_log() -> None:
    text = written("sarif", report())
    assert text.startswith('{\n  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",\n  "version": "2.1.0",\n  "runs": [\n')
    assert json.loads(text)["runs"] == [
        {
            "tool": {
                "driver": {
                    "name": "patscan",
                    "contents": ["localizedData", "nonLocalizedData"],
                    "informationUri": HOME,
                    "language": "en-US",
                    "rules": [],
                    "semanticVersion": __version__,
                    "version": __version__,
                }
            },
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": []}],
            "language": "en-US",
            "newlineSequences": ["\r\n", "\n"],
            "results": [],
        }
    ]


def test_a_result(token: str) -> None:
    assert run_of(finding(token))["results"] == [
        {
            "message": {
                "text": "GitLab personal access token 'glpat-…(26)' (certain). Found in config/app.yml, line 12, in commit 1a2b3c4d5e."
            },
            "kind": "fail",
            "level": "error",
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "config/app.yml"},
                        "region": {"startLine": 12, "startColumn": 10, "endLine": 12, "endColumn": 36},
                    }
                }
            ],
            "partialFingerprints": {"patscan/v1": secret(token).fingerprint},
            "ruleId": "gitlab-pat",
            "ruleIndex": 0,
        }
    ]


def test_only_rules_that_found_something(rng: random.Random) -> None:
    other = RULE._replace(id="gitlab-other", references=())
    run = run_of(
        finding(routable(rng)), finding(classic(rng), rule=other), finding(routable(rng)), rules=(RULE, other, RULE._replace(id="unused"))
    )
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["gitlab-pat", "gitlab-other"]
    assert [(result["ruleId"], result["ruleIndex"]) for result in run["results"]] == [
        ("gitlab-pat", 0),
        ("gitlab-other", 1),
        ("gitlab-pat", 0),
    ]
    assert rules[0] == {
        "id": "gitlab-pat",
        "shortDescription": {"text": RULE.name},
        "fullDescription": {"text": RULE.description},
        "help": {"text": RULE.remedy},
        "helpUri": "https://docs.gitlab.com/security/tokens/",
    }
    assert "helpUri" not in rules[1]


@pytest.mark.parametrize(("confidence", "level"), [("certain", "error"), ("high", "error"), ("medium", "warning"), ("low", "note")])
def test_confidence_is_the_level_and_always_written(confidence: str, level: str, token: str) -> None:
    (result,) = run_of(finding(token, confidence=confidence))["results"]
    assert result["level"] == level


def test_one_result_a_place_in_its_newest_version(token: str) -> None:
    places = [
        occurrence(token, blob="a" * 40, date="2024-01-01T00:00:00+00:00"),
        occurrence(token, blob="b" * 40, date="2024-02-01T00:00:00+00:00", position=Position(3, 1, 3, 27)),
        occurrence(token, blob="b" * 40, date="2024-02-01T00:00:00+00:00", position=Position(9, 1, 9, 27)),
        occurrence(token, path="b.yml"),
    ]
    results = run_of(finding(token, *places))["results"]
    located = [result["locations"][0]["physicalLocation"] for result in results]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in located] == [
        ("config/app.yml", 3),
        ("config/app.yml", 9),
        ("b.yml", 12),
    ]


@pytest.mark.parametrize(
    ("changes", "called"),
    [
        ({"type": "commit-message", "path": None}, f"commit {COMMIT} message"),
        ({"type": "author", "path": None}, f"commit {COMMIT} author line"),
        ({"type": "tag-message", "path": None}, f"tag {COMMIT} message"),
        ({"type": "ref-name", "path": "refs/heads/x"}, "refs/heads/x"),
        ({"type": "stdin", "path": "-"}, "<stdin>"),
        ({"type": "blob", "path": None, "blob": "b" * 40}, f"blob {'b' * 40}"),
    ],
)
def test_what_is_in_no_file_has_a_name_only(changes: dict[str, Any], called: str, token: str) -> None:
    assert result_at(token, **changes)["locations"] == [{"logicalLocations": [{"fullyQualifiedName": called}]}]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/main.py", "src/main.py"),
        ("a b/c%20#?.txt", "a%20b/c%2520%23%3F.txt"),
        ("c:d/e", "c%3Ad/e"),
        ("../up.txt", "../up.txt"),
        ("ü/日.txt", "%C3%BC/%E6%97%A5.txt"),
        ("a\nb\\c", "a%0Ab%5Cc"),
        ("caf\udce9", "caf%E9"),
        ("/srv/a b.txt", "file:///srv/a%20b.txt"),
    ],
)
def test_uris_are_percent_encoded_bytes(path: str, uri: str, token: str) -> None:
    assert uri_of(token, path) == uri
    assert unquote_to_bytes(uri).removeprefix(b"file://") == path.encode("utf-8", "surrogateescape")


def test_gaps_are_notifications() -> None:
    coverage = Coverage(skipped=(Skip("a\n", "gone."),), notes=(Note("b.zip", "an archive."),))
    assert run_of(coverage=coverage, interrupted=True)["invocations"] == [
        {
            "executionSuccessful": False,
            "toolExecutionNotifications": [
                {"message": {"text": "a\\n: gone."}, "level": "error"},
                {"message": {"text": "b.zip: an archive."}, "level": "note"},
                {"message": {"text": "The scan was interrupted: not everything was looked at."}, "level": "error"},
            ],
        }
    ]
    assert run_of(coverage=Coverage(notes=coverage.notes))["invocations"][0]["executionSuccessful"] is True


def test_ignored_are_no_results(token: str) -> None:
    run = run_of(ignored=(finding(token, reason="placeholder"),))
    assert run["results"] == run["tool"]["driver"]["rules"] == []


def test_no_token_even_when_revealed(token: str) -> None:
    made = report(finding(token, occurrence(token, path=f"x/{token}.txt", frame=(token,))))
    assert token.partition("-")[2] not in written("sarif", made, REVEAL)
    assert written("sarif", made, REVEAL) == written("sarif", made)
