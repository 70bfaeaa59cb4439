"""SARIF 2.1.0: what the standard and GitHub require, checked by hand; places, messages, fingerprints, bounds."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patscan import HOME, __version__
from patscan.detect import linehash
from patscan.formats import sarif, sarif_results, sarif_rules
from patscan.model import Check, Coverage, Evidence, Exposure, Note, Position, Report, Skip, Target, Verdict
from patscan.secret import Secret
from tests.formats.reports import BLOB, COMMIT, PLAIN, REVEAL, RULE, finding, occurrence, report, secret, short, written
from tests.formats.sarif_checks import check
from tests.tokens import classic, routable

NAME = "GitLab personal access token"
OTHER = "5e4d3c2b1a" * 4


@pytest.fixture
def token(rng: random.Random) -> str:
    return classic(rng)


def run_of(*findings: Any, **changes: Any) -> Any:
    log = json.loads(written("sarif", report(*findings, **changes)))
    check(log)
    return log["runs"][0]


def result_at(token: str, **changes: Any) -> Any:
    (result,) = run_of(finding(token, occurrence(token, **changes)))["results"]
    return result


def physical(result: Any) -> Any:
    return result["locations"][0]["physicalLocation"]


def artifact_of(token: str, path: str, target: str = "/srv/app") -> Any:
    made = report(finding(token, occurrence(token, path=path)), target=Target("files", target))
    log = json.loads(written("sarif", made))
    check(log)
    return physical(log["runs"][0]["results"][0])["artifactLocation"]


def test_the_log_of_nothing() -> None:
    run = run_of()
    assert run["results"] == run["tool"]["driver"]["rules"] == []
    assert "redactionTokens" not in run
    text = written("sarif", report())
    assert text.startswith('{\n  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",\n  "version": "2.1.0",\n  "runs": [\n    {\n')
    assert text.isascii()


def test_the_run(token: str) -> None:
    ignored = (finding(token, reason="placeholder"), finding(token, reason="length"), finding(token, reason="length"))
    run = run_of(finding(token), ignored=ignored, exit_code=1)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"], driver["semanticVersion"]) == ("patscan", __version__, __version__)
    assert driver["informationUri"] == HOME
    assert run["automationDetails"] == {"id": "patscan/history/"}
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///srv/app/"
    assert run["versionControlProvenance"] == [
        {"repositoryUri": "https://gitlab.com/acme/app.git", "revisionId": COMMIT, "mappedTo": {"uriBaseId": "SRCROOT"}}
    ]
    assert run["redactionTokens"] == ["glpat-" + "*" * 20, str(secret(token)), "…(26)"]
    assert run["properties"] == {
        "coverage": {"commits": 203_352, "blobs": 262_343, "bytes": 8_260_000_000, "engines": ["hyperscan", "isal"]},
        "ignored": {"length": 2, "placeholder": 1},
    }
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1, "toolExecutionNotifications": []}]


@pytest.mark.parametrize("remote", [None, "git@gitlab.com:acme/app.git", "/srv/app.git", "../app", "javascript:alert(1)", "https://x"])
def test_only_a_url_is_a_provenance(remote: str | None) -> None:
    assert "versionControlProvenance" not in run_of(target=Target("history", "/srv/app", remote, COMMIT))


def test_a_remote_is_percent_encoded_and_names_no_user() -> None:
    run = run_of(target=Target("history", "/srv/app", 'https://jane:pw@gitlab.com:8443/a b/"\udce9%20[%]', None))
    assert run["versionControlProvenance"][0]["repositoryUri"] == "https://gitlab.com:8443/a%20b/%22%EF%BF%BD%20%5B%25%5D"


def test_a_rule(token: str) -> None:
    (rule,) = run_of(finding(token))["tool"]["driver"]["rules"]
    del rule["messageStrings"]
    assert rule == {
        "id": "gitlab-pat",
        "name": "PersonalAccessToken",
        "shortDescription": {"text": f"{NAME}."},
        "fullDescription": {"text": f"{RULE.remedy} {RULE.description}"},
        "help": {
            "text": "\n".join([RULE.remedy, *RULE.references]),
            "markdown": f"# {NAME}\n\n{RULE.description}\n\n## What to do\n\n{RULE.remedy}\n\n"
            f"- <{RULE.references[0]}>\n- <{RULE.references[1]}>",
        },
        "helpUri": RULE.references[0],
        "defaultConfiguration": {"enabled": True, "level": "error"},
        "properties": {
            "tags": ["security", "secret", "gitlab", "personal-access-token", "external/cwe/cwe-798"],
            "precision": "very-high",
            "security-severity": "9.5",
        },
    }


def test_only_rules_that_found_something(rng: random.Random) -> None:
    other = RULE._replace(id="gitlab-other", name="of {braces}", description="x" * 2000, references=(), severity="medium", body="opaque")
    findings = (finding(routable(rng)), finding(classic(rng), rule=other), finding(routable(rng)))
    run = run_of(*findings, rules=(RULE, other, RULE._replace(id="unused")))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["gitlab-pat", "gitlab-other"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1, 0]
    assert rules[1]["helpUri"] == HOME
    assert rules[1]["fullDescription"]["text"] == f"{RULE.remedy} {'x' * 2000}"[:1023] + "…"
    assert rules[1]["properties"]["security-severity"] == "5.5"


def test_a_result(token: str) -> None:
    made = finding(token, occurrence(token, at_head=True, line_hash="271789c17abda88f:1"))
    (result,) = run_of(made)["results"]
    assert result == {
        "message": {
            "text": f"{NAME} 'glpat-…(26) {short(token)}'. Confidence 'certain', state 'unchecked'.",
            "id": "tip",
            "arguments": [f"glpat-…(26) {short(token)}", "certain", "unchecked"],
        },
        "kind": "fail",
        "level": "error",
        "rank": 90.0,
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "config/app.yml", "uriBaseId": "SRCROOT"},
                    "region": {"startLine": 12, "startColumn": 10, "endLine": 12, "endColumn": 36, "snippet": {"text": "glpat-…(26)"}},
                    "contextRegion": {
                        "startLine": 11,
                        "endLine": 13,
                        "snippet": {"text": "deploy:\n  token: glpat-********************\n  url: https://gitlab.example.com"},
                    },
                }
            }
        ],
        "partialFingerprints": {"patscan/v1": secret(token).fingerprint, "primaryLocationLineHash": "271789c17abda88f:1"},
        "properties": {
            "confidence": "certain",
            "evidence": ["checksum right", "organization 1, user 42"],
            "commit": COMMIT,
            "authorDate": "2024-05-01T12:30:00+02:00",
            "blob": BLOB,
            "firstSeen": "2024-05-01T12:30:00+02:00",
            "state": "unchecked",
            "id": short(token),
        },
        "ruleId": "gitlab-pat",
        "ruleIndex": 0,
        "suppressions": [],
    }


@pytest.mark.parametrize(
    ("confidence", "state", "level"),
    [
        ("certain", "unchecked", "error"),
        ("high", "not-found", "error"),
        ("medium", "unchecked", "warning"),
        ("low", "error", "note"),
        ("medium", "active", "error"),
        ("low", "active-blocked", "error"),
        ("certain", "inactive", "note"),
    ],
)
def test_the_level_is_what_gitlab_said_or_what_we_believe(confidence: str, state: str, level: str, token: str) -> None:
    (result,) = run_of(finding(token, confidence=confidence, verdict=Verdict(state, "because", {"user": "jane"})))["results"]
    assert result["level"] == level
    assert result["properties"]["stateFacts"] == {"user": "jane"}
    assert result["message"]["arguments"][1] == confidence
    assert result["message"]["arguments"][2].startswith("LIVE" if state.startswith("active") else state)


def test_a_result_for_each_file_and_line_at_the_tip_and_none_for_what_history_holds_besides(token: str) -> None:
    places = [
        occurrence(token, at_head=True, position=Position(3, 1, 3, 27)),
        occurrence(token, at_head=True, position=Position(3, 40, 3, 66), start=160),
        occurrence(token, at_head=True, position=Position(9, 1, 9, 27), start=400),
        occurrence(token, at_head=True, path="b.yml"),
        occurrence(token, at_head=False, path="old.yml", commit=OTHER, blob=OTHER),
        occurrence(token, at_head=False, type="commit-message", path=None, blob=None, commit=OTHER),
    ]
    results = run_of(finding(token, *places))["results"]
    located = [(physical(one)["artifactLocation"]["uri"], physical(one)["region"]["startLine"]) for one in results]
    assert located == [("config/app.yml", 3), ("config/app.yml", 9), ("b.yml", 12)]
    first, *rest = results
    assert [place["physicalLocation"]["artifactLocation"]["uri"] for place in first["relatedLocations"]] == [
        "config/app.yml",
        "old.yml",
        f".git/commit-message/{OTHER}",
    ]
    assert all("relatedLocations" not in result for result in rest)
    assert {result["message"]["id"] for result in results} == {"tip"}


def test_what_stands_only_in_history_says_so_and_where(token: str) -> None:
    places = [
        occurrence(token, at_head=False, type="commit-message", path=None, blob=None, date="2025-01-01T00:00:00+00:00"),
        occurrence(token, at_head=False, date="2024-01-01T00:00:00+00:00"),
        occurrence(token, at_head=False, date="2024-03-01T00:00:00+00:00", path="moved.yml", commit=OTHER, blob=OTHER, line_hash="ab:1"),
    ]
    (result,) = run_of(finding(token, *places))["results"]
    text = f"{NAME} 'glpat-…(26) {short(token)}', 'in history only'. Commit '5e4d3c2b1a of 2024-03-01' introduced it."
    assert result["message"]["text"].startswith(text)
    assert physical(result)["artifactLocation"]["uri"] == f".git/blob/{OTHER}/moved.yml"
    assert all("region" not in place["physicalLocation"] for place in result["relatedLocations"][:2])
    assert {key: result["properties"][key] for key in ("commit", "authorDate", "blob")} == {
        "commit": OTHER,
        "authorDate": "2024-03-01T00:00:00+00:00",
        "blob": OTHER,
    }
    assert [place["message"]["text"] for place in result["relatedLocations"]] == [
        "The same token: commit '5e4d3c2b1a' of '2024-03-01T00:00:00+00:00', blob '5e4d3c2b1a'.",
        "The same token: commit '1a2b3c4d5e' of '2024-01-01T00:00:00+00:00', blob '9f8e7d6c5b'.",
        "The same token: commit '1a2b3c4d5e' of '2025-01-01T00:00:00+00:00'.",
    ]
    assert result["partialFingerprints"]["primaryLocationLineHash"] == "ab:1"


def test_where_no_history_was_asked_the_newest_version_of_a_file_counts(token: str) -> None:
    places = [
        occurrence(token, blob="a" * 40, date="2024-01-01T00:00:00+00:00"),
        occurrence(token, blob="b" * 40, date="2024-02-01T00:00:00+00:00", position=Position(3, 1, 3, 27)),
    ]
    (result,) = run_of(finding(token, *places))["results"]
    assert physical(result)["region"]["startLine"] == 3


@pytest.mark.parametrize(
    ("changes", "uri", "called", "title"),
    [
        ({"type": "commit-message", "path": None}, f"commit-message/{COMMIT}", f"commit {COMMIT} message", "in a commit message"),
        ({"type": "author", "path": None}, f"author/{COMMIT}", f"commit {COMMIT} author line", "in the author line of a commit"),
        ({"type": "tag-message", "path": None}, f"tag-message/{COMMIT}", f"tag {COMMIT} message", "in the message of a tag"),
        ({"type": "path", "path": "a b.txt"}, "path/a%20b.txt", "a b.txt", "in the name of a file"),
        ({"type": "author", "path": "sub"}, f"author/{COMMIT}", f"sub: commit {COMMIT} author line", "in the author line of a commit"),
        ({"type": "ref-name", "path": "refs/heads/x"}, "ref-name/refs/heads/x", "refs/heads/x", "in the name of a ref"),
        (
            {"type": "blob", "path": None, "blob": OTHER, "commit": None},
            f"blob/{OTHER}",
            f"blob {OTHER}",
            "in content that no commit refers to",
        ),
    ],
)
def test_what_is_in_no_file_has_a_place_that_no_file_can_have(
    changes: dict[str, Any], uri: str, called: str, title: str, token: str
) -> None:
    result = result_at(token, **changes)
    assert physical(result)["artifactLocation"] == {"uri": f".git/{uri}", "uriBaseId": "SRCROOT"}
    assert result["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": called, "kind": changes["type"]}]
    assert result["message"]["text"].startswith(f"{NAME} 'glpat-…(26) {short(token)}', {title}. ")
    assert result["partialFingerprints"]["primaryLocationLineHash"] == f"{secret(token).fingerprint[:16]}:1"


def test_a_ref_name_is_one_line_wherever_it_was_listed(token: str) -> None:
    place = physical(result_at(token, type="ref-name", path="refs/heads/x", position=Position(42, 12, 42, 38)))
    assert (place["region"]["startLine"], place["region"]["startColumn"], place["region"]["endColumn"]) == (1, 12, 38)
    assert "contextRegion" not in place


def test_standard_input_and_staged_files(token: str) -> None:
    result = result_at(token, type="stdin", path="-", commit=None, date=None, blob=None)
    assert physical(result)["artifactLocation"]["uri"] == "stdin"
    assert result["message"]["id"] == "tip"
    staged = result_at(token, type="index", commit=None, date=None, at_head=False)
    assert staged["message"]["text"].startswith(f"{NAME} 'glpat-…(26) {short(token)}', staged but never committed. ")
    assert physical(staged)["artifactLocation"]["uri"] == "config/app.yml"


def test_a_large_file_at_the_tip_leaves_its_line_hash_to_github(token: str) -> None:
    assert result_at(token, at_head=True)["partialFingerprints"] == {"patscan/v1": secret(token).fingerprint}
    assert "primaryLocationLineHash" in result_at(token, at_head=False)["partialFingerprints"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/main.py", "src/main.py"),
        ("a b/c%20#?.txt", "a%20b/c%2520%23%3F.txt"),
        ("c:d/e", "c%3Ad/e"),
        ("ü/日.txt", "%C3%BC/%E6%97%A5.txt"),
        ("a\nb\\c\0\u202e", "a%0Ab%5Cc%00%E2%80%AE"),
        ("caf\udce9", "caf%E9"),
        ("..hidden", "..hidden"),
    ],
)
def test_uris_are_percent_encoded_bytes_below_the_root(path: str, uri: str, token: str) -> None:
    assert artifact_of(token, path, ".")["uri"] == uri
    assert unquote_to_bytes(uri) == path.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("target", "path", "artifact"),
    [
        ("/srv/app", "/srv/app/a b.txt", {"uri": "a%20b.txt", "uriBaseId": "SRCROOT"}),
        ("/srv/app", "/srv/apple/x", {"uri": "file:///srv/apple/x"}),
        ("/srv/app/x", "/srv/app/x", {"uri": "file:///srv/app/x"}),
        ("/srv/a /srv/b", "/srv/a/x y", {"uri": "file:///srv/a/x%20y"}),
        (".", "/etc/x", {"uri": "file:///etc/x"}),
        ("..", "../up.txt", {"uri": "../up.txt"}),
    ],
)
def test_what_is_outside_has_a_uri_of_its_own(target: str, path: str, artifact: Any, token: str) -> None:
    assert artifact_of(token, path, target) == artifact


def test_a_root_that_is_not_told_is_only_described(token: str) -> None:
    for target in (Target("files", "src"), Target("files", "/srv/a /srv/b"), Target("history", "https://gitlab.com/a/b.git")):
        run = run_of(finding(token, occurrence(token, path="/srv/a/x")), target=target)
        assert list(run["originalUriBaseIds"]["SRCROOT"]) == ["description"]


def test_a_context_that_shows_no_more_is_left_out(token: str) -> None:
    mask = str(secret(token))
    assert "contextRegion" not in physical(result_at(token, frame=(mask, ""), frame_line=12))
    assert "contextRegion" not in physical(result_at(token, frame=(), frame_line=12))
    context = physical(result_at(token, frame=("x", f" {mask}", ""), frame_line=11))["contextRegion"]
    assert (context["startLine"], context["endLine"]) == (11, 12)


def test_a_token_that_spans_lines_is_within_its_context(token: str) -> None:
    place = physical(result_at(token, position=Position(12, 10, 14, 5)))
    assert (place["contextRegion"]["startLine"], place["contextRegion"]["endLine"]) == (11, 15)


def test_what_somebody_suppressed_is_a_suppressed_result_and_nothing_else_that_is_ignored(token: str) -> None:
    reasons = ("inline comment", "baseline", "path", "placeholder", "checksum", "confidence", "length", "narrowed")
    ignored = tuple(finding(token, reason=reason, justification="a\tfake" if reason == "baseline" else "") for reason in reasons)
    results = run_of(finding(token), ignored=ignored)["results"]
    assert [result["suppressions"] for result in results] == [
        [],
        [{"kind": "inSource"}],
        [{"kind": "external", "justification": "a\\tfake"}],
        [{"kind": "external"}],
    ]


def test_gaps_are_notifications() -> None:
    coverage = Coverage(skipped=(Skip("a\n", "gone."),), notes=(Note("[b](http://evil.example)", "an archive."),))
    (invocation,) = run_of(coverage=coverage, interrupted=True, exit_code=130)["invocations"]
    assert invocation == {
        "executionSuccessful": False,
        "exitCode": 130,
        "toolExecutionNotifications": [
            {"message": {"text": "a\\n: gone."}, "level": "error", "descriptor": {"id": "skipped", "index": 0}},
            {"message": {"text": "[b]\\(http://evil.example): an archive."}, "level": "note", "descriptor": {"id": "note", "index": 1}},
            {
                "message": {"text": "The scan was interrupted: not everything was looked at."},
                "level": "error",
                "descriptor": {"id": "interrupted", "index": 2},
            },
        ],
    }
    assert run_of(coverage=Coverage(notes=coverage.notes))["invocations"][0]["executionSuccessful"] is True


def bounds(run: Any) -> list[str]:
    notifications = run["invocations"][0]["toolExecutionNotifications"]
    return [one["message"]["text"] for one in notifications if one["descriptor"]["id"] == "bounds"]


def test_githubs_limits_are_kept_and_what_they_cost_is_said(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [finding(token, occurrence(token, path=f"{number}.txt")) for number in range(5)]
    assert bounds(run_of(*made)) == []
    monkeypatch.setattr("patscan.formats.sarif._SHOWN", 4)
    assert bounds(run_of(*made)) == ["GitHub shows 4 of the 5 results, the worst first."]
    monkeypatch.setattr(sarif_results, "_MOST", 3)
    run = run_of(*made)
    assert [physical(result)["artifactLocation"]["uri"] for result in run["results"]] == ["0.txt", "1.txt", "2.txt"]
    assert bounds(run) == ["2 of 5 results are left out: GitHub takes no more. The JSON report has all."]


def test_related_locations_are_bounded_too(token: str) -> None:
    places = [occurrence(token, at_head=False, path=f"{number}.txt") for number in range(120)]
    run = run_of(finding(token, *places))
    assert len(run["results"][0]["relatedLocations"]) == 100
    assert bounds(run) == ["20 related locations are left out. The JSON report has all."]


def test_masked_secrets_of_a_saved_report_will_do(token: str) -> None:
    made = finding(token, occurrence(token, at_head=True))
    saved = made._replace(secret=Secret.masked(str(made.secret)))
    assert written("sarif", report(saved)) == written("sarif", report(made))


def test_no_token_even_when_revealed(token: str) -> None:
    made = report(finding(token, occurrence(token, path=f"x/{token}.txt", frame=(token,))))
    assert token.partition("-")[2] not in written("sarif", made, REVEAL)
    assert written("sarif", made, REVEAL) == written("sarif", made)


def test_the_page_about_it_has_the_numbers() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sarif.md").read_text("utf-8")
    bounds = f"{sarif_results._MOST:,} results a run", f"shows {sarif._SHOWN:,} of them", f"keeps {sarif_results._MOST_RELATED}\nrelated"
    for phrase in (*bounds, f"end at {sarif_rules._LONGEST:,} characters", f"up to {linehash.LARGEST >> 20} MiB"):
        assert phrase in page
    for sighting in set(sarif_rules.MESSAGES) & {"commit-message", "author", "tag-message", "ref-name", "path"}:
        assert f"`.git/{sighting}/" in page


HOSTILE = st.text(
    st.sampled_from("a/.\n\r\t\"'\\\0\x1b[]()<>&{}`*_#|%:~ é日😀\u202e\u2028\ufeff\udce9\ud800") | st.characters(), max_size=12
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hostile_reports_are_valid_and_show_nothing(data: st.DataObject, rng: random.Random) -> None:
    token = data.draw(st.sampled_from([classic(rng), routable(rng)]))
    forms = [
        token,
        base64.b64encode(token.encode()).decode(),
        token.encode().hex(),
        token.replace("-", "%2D").replace("_", "%5F").replace(".", "%2E"),
    ]

    def text() -> str:
        return data.draw(HOSTILE) + data.draw(st.sampled_from(["", *forms])) + data.draw(HOSTILE)

    kind = data.draw(
        st.sampled_from(["blob", "symlink", "index", "commit-message", "author", "tag-message", "ref-name", "path", "file", "stdin"])
    )
    place = occurrence(
        token,
        type=kind,
        path="x" + text(),
        author=text(),
        message=text(),
        frame=(text(), str(secret(token)), text()),
        at_head=data.draw(st.sampled_from([True, False, None])),
    )
    made = finding(
        token,
        place,
        reason=data.draw(st.sampled_from(["", "baseline"])),
        justification=text(),
        evidence=(Evidence("context", {"text": text()}),),
        exposure=Exposure(tips=(text(),)),
        verdict=Verdict("error", text(), {"name": text()}),
    )
    target = Target("history", "/" + text(), "https://gitlab.com/" + text(), COMMIT)
    coverage = Coverage(skipped=(Skip(text(), text()),), notes=(Note(text(), text()),))
    whole: Report = report(target=target, coverage=coverage, **{"ignored" if made.reason else "findings": (made,)})
    out = written("sarif", whole, REVEAL)
    assert out == written("sarif", whole)
    out.encode("ascii")
    log = json.loads(out)
    check(log)
    json.dumps(log, ensure_ascii=False).encode()
    body = token.partition("-")[2]
    for form in (body, base64.b64encode(token.encode()).decode()[8:-4], body.encode().hex()):
        assert not any(form[at : at + 8] in out for at in range(len(form) - 7))


@pytest.mark.parametrize(("category", "details"), [(None, "patscan/history/"), ("app", "app/"), ("a/b/", "a/b/"), ("", None), ("/", None)])
def test_a_category_names_the_run_and_an_empty_one_leaves_that_to_the_uploader(category: str | None, details: str | None) -> None:
    run = json.loads(written("sarif", report(), PLAIN._replace(category=category)))["runs"][0]
    assert run.get("automationDetails", {}).get("id") == details


@pytest.mark.parametrize(
    ("confidence", "state", "rule", "score", "rank"),
    [
        ("certain", "unchecked", "gitlab-pat", "9.5", 90),
        ("medium", "unchecked", "gitlab-pat/medium", "5.5", 50),
        ("low", "unchecked", "gitlab-pat/low", "2.5", 20),
        ("medium", "active", "gitlab-pat", "9.5", 100),
        ("certain", "inactive", "gitlab-pat/low", "2.5", 5),
    ],
)
def test_a_reader_of_rules_alone_sees_how_bad_it_is(confidence: str, state: str, rule: str, score: str, rank: int, token: str) -> None:
    run = run_of(finding(token, confidence=confidence, verdict=Verdict(state)), finding(token))
    (result, _), rules = run["results"], run["tool"]["driver"]["rules"]
    assert (result["ruleId"], result["rank"]) == (rule, rank)
    assert rules[result["ruleIndex"]]["properties"]["security-severity"] == score


def test_the_columns_of_the_region_fit_the_masked_context(rng: random.Random) -> None:
    first, second = classic(rng), classic(rng)
    line = f"a: {secret(first)} b: {secret(second)}"
    place = occurrence(second, frame=(line,), frame_line=12, position=Position(12, 34, 12, 60))
    where = physical(run_of(finding(first), finding(second, place))["results"][1])
    text, region = where["contextRegion"]["snippet"]["text"], where["region"]
    assert text == f"a: glpat-{'*' * 20} b: glpat-{'*' * 20}"
    assert text[region["startColumn"] - 1 : region["endColumn"] - 1] == "glpat-" + "*" * 20


def test_a_context_that_is_cut_keeps_its_masks(token: str) -> None:
    place = occurrence(token, frame=(f"cut {secret(token)}",), frame_line=12, position=Position(12, 5000, 12, 5026))
    assert physical(run_of(finding(token, place))["results"][0])["contextRegion"]["snippet"]["text"] == "cut glpat-…(26)"


def test_a_note_is_no_file_of_the_root(token: str) -> None:
    place = occurrence(token, type="note", path=OTHER)
    (result,) = run_of(finding(token, place))["results"]
    assert physical(result)["artifactLocation"]["uri"] == f".git/note/{OTHER}"
    assert ", in a git note." in result["message"]["text"]


def test_what_gitlab_said_is_in_message_and_properties(token: str) -> None:
    facts = {"scopes": ("api",), "owner": {"username": "anna"}, "expires": "2027-01-31"}
    checks = (Check("no-expiry", "high", "It never expires.", "https://docs.gitlab.com/"),)
    (result,) = run_of(finding(token, verdict=Verdict("active", "", facts, checks)))["results"]
    assert "state 'LIVE: api, owner anna, expires 2027-01-31'." in result["message"]["text"]
    assert result["properties"]["lifecycle"][0]["check"] == "no-expiry"
    assert result["properties"]["stateFacts"]["owner"] == {"username": "anna"}


def test_tips_are_told(token: str) -> None:
    made = finding(token, occurrence(token, at_head=False), exposure=Exposure(at_head=False, tips=("refs/heads/topic/x",), reachable=True))
    (result,) = run_of(made)["results"]
    assert result["properties"]["tips"] == ["refs/heads/topic/x"]
    assert ", 'on branch topic/x'. Commit" in result["message"]["text"]
