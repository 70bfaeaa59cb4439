"""A saved report gives every format what the scan itself would have given it, and anything else is a sentence."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patscan.errors import ExitCode, ReportError
from patscan.formats import FORMATS
from patscan.formats.saved import read
from patscan.model import Commit, Coverage, Evidence, Exposure, Finding, Note, Report, Skip, Target, Verdict
from patscan.secret import Secret
from tests.formats.reports import PLAIN, REVEAL, finding, occurrence, report, written
from tests.formats.test_redaction import TYPES, encodings_of, hostile_finding, nasty, seeds
from tests.tokens import classic, jwt, routable

WORDS = st.sampled_from([None, True, False])


def reread(made: Report, reveal: bool = False) -> Report:
    return read(written("json", made, REVEAL if reveal else PLAIN).encode(), "saved.json")


def _as_sure(one: Finding) -> Finding:
    sure = (place._replace(match=place.match._replace(confidence=one.confidence)) for place in one.occurrences)
    return one._replace(occurrences=tuple(sure))


def document(rng: random.Random, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(written("json", report(finding(classic(rng)), ignored=(finding(routable(rng), reason="path"),))))
    return made | changes


@settings(max_examples=60, deadline=None)
@given(rng=seeds, text=nasty, kind=st.sampled_from(TYPES), at_head=WORDS, pushed=WORDS, interrupted=st.booleans())
@example(rng=random.Random(1), text="caf\udce9", kind="blob", at_head=None, pushed=None, interrupted=False)
@example(rng=random.Random(2), text="\ud800\udcff", kind="file", at_head=False, pushed=True, interrupted=True)
@example(rng=random.Random(3), text="", kind="author", at_head=True, pushed=False, interrupted=False)
def test_every_format_gives_the_same_bytes(
    rng: random.Random, text: str, kind: str, at_head: bool | None, pushed: bool | None, interrupted: bool
) -> None:
    token = rng.choice([classic, routable, jwt])(rng)
    hostile = hostile_finding(token, f"{text}{rng.choice(['', *encodings_of(token)])}{text}", kind)
    places = tuple(place._replace(at_head=at_head, line_hash=rng.choice([None, "a:1"])) for place in hostile.occurrences)
    seen = Commit("c" * 40, text, "2024-05-01T00:00:00+00:00", rng.choice(["", text]), "")
    one = hostile._replace(occurrences=places, exposure=Exposure(seen, None, at_head, (text,), pushed, pushed, None, (seen,)))
    other = finding(classic(rng), evidence=(), exposure=Exposure(), verdict=Verdict("inactive", text, {"a": 1, "b": True}))
    made = report(
        one,
        other,
        ignored=(one._replace(reason=text, justification=text),),
        coverage=Coverage(1, 2, 3, (Skip(text, text),), (Note(text, text),), ("isal",)),
        target=Target("history", text, text, None),
        interrupted=interrupted,
        exit_code=1,
    )
    back = reread(made)
    for name in FORMATS:
        assert written(name, back) == written(name, made), name


def test_masked_tokens_stay_masked_and_whole_ones_whole(rng: random.Random) -> None:
    token = classic(rng)
    made = report(finding(token))
    assert reread(made).findings[0].secret == Secret.masked("glpat-…(26)")
    assert reread(made, reveal=True).findings[0].secret == Secret(token.encode(), b"glpat-")
    assert token not in written("json", reread(made, reveal=True))
    for name in FORMATS:
        assert written(name, reread(made, reveal=True)) == written(name, made), name
        assert written(name, reread(made), REVEAL) == written(name, made, PLAIN), "who wants tokens gets masks where only masks are known"
    assert written("text", reread(made, reveal=True), REVEAL) == written("text", made, REVEAL)


def test_all_that_a_format_may_ask_for_comes_back(rng: random.Random) -> None:
    token = routable(rng)
    rule = finding(token).rule
    made = report(finding(token, occurrence(token, message="Add it", path="a\udcff"), evidence=(Evidence("routing", {"user": 42}),)))
    back = reread(made)
    secret, rule = Secret.masked(f"glpat-…({len(token)})"), rule._replace(anchors=())
    places = tuple(one._replace(match=one.match._replace(secret=secret, rule=rule)) for one in made.findings[0].occurrences)
    masked = made.findings[0]._replace(secret=secret, rule=rule, occurrences=places)
    # A match's own confidence is its token's.
    assert back.findings == (_as_sure(masked),)
    back = back._replace(findings=(masked,))
    assert back == made._replace(findings=(masked,), rules=(rule,))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hello", "not JSON"),
        (b"[]", "not a JSON report of patscan"),
        (b"null", "not a JSON report of patscan"),
        (b'{"version": "2.1.0", "runs": []}', "not a JSON report of patscan"),
        (b'{"schema": 1}', "not a JSON report of patscan"),
        (b'{"schema": "patscan-report/2"}', "its format is patscan-report/2"),
        (b'{"schema": "patscan-report/1"}', "tool must be an object"),
        (b'{"schema": "patscan-report/1", "tool', "cut off"),
        (b'{"schema": "patscan-report/1", "tool": {}', "cut off"),
        (b'{"schema": "patscan-report/1", "tool": {"a": tr', "cut off"),
        (b'{\n<<<<<<< ours\n"schema": 1\n=======\n>>>>>>> theirs\n}', "merge conflict"),
        (b"\xff\xfe\xff", "not a text in UTF-8"),
        (b'{"schema": "\xff"}', "not a text in UTF-8"),
        (b"[" * 200_000, "brackets"),
        (b'{"a":' * 200_000, "brackets"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number is too long"),
    ],
    ids=range(18),
)
def test_anything_else_is_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ReportError, match=sentence) as caught:
        read(data, "some.json")
    assert str(caught.value).startswith("some.json: ")
    assert str(caught.value).endswith(".")
    assert caught.value.code is ExitCode.ERROR


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("tool", None, "tool must be an object"),
        ("tool.rules", {}, "tool.rules must be a list"),
        ("tool.rules.0.severity", "bad", "tool.rules[0].severity must be one of low, medium, high, critical"),
        ("tool.rules.0.references", [1], "tool.rules[0].references[0] must be a text"),
        ("target.path", 7, "target.path must be a text"),
        ("coverage.bytes", -1, "coverage.bytes must be a whole number from 0"),
        ("coverage.bytes", 1.5, "coverage.bytes must be a whole number from 0"),
        ("coverage.bytes", True, "coverage.bytes must be a whole number from 0"),
        ("coverage.skipped", [3], "coverage.skipped[0] must be an object"),
        ("interrupted", "no", "interrupted must be true or false"),
        ("exit_code", None, "exit_code must be a whole number from 0"),
        ("findings", None, "findings must be a list"),
        ("findings.0.rule", "no-such", "findings[0].rule must be the id of a rule in tool.rules"),
        ("findings.0.token", None, "findings[0].token must be a text"),
        ("findings.0.confidence", ["high"], "findings[0].confidence must be one of"),
        ("findings.0.occurrences", [], "findings[0].occurrences must be a list of at least one place"),
        ("findings.0.occurrences.0.line", "1", "findings[0].occurrences[0].line must be a whole number from 0"),
        ("findings.0.occurrences.0.line", 1 << 70, "findings[0].occurrences[0].line must be a whole number from 0"),
        ("findings.0.occurrences.0.frame", "x", "findings[0].occurrences[0].frame must be a list"),
        ("findings.0.occurrences.0.at_head", 1, "findings[0].occurrences[0].at_head must be true or false"),
        ("findings.0.occurrences.0.path_bytes", "*", "findings[0].occurrences[0].path_bytes must be bytes in base64"),
        ("findings.0.evidence.0.ok", None, "findings[0].evidence[0].ok must be a text, a whole number, true or false"),
        ("findings.0.exposure.tips", "main", "findings[0].exposure.tips must be a list"),
        ("findings.0.exposure.first_seen", 1, "findings[0].exposure.first_seen must be an object"),
        ("findings.0.verdict.facts", [], "findings[0].verdict.facts must be an object"),
        ("ignored.0.reason", None, "ignored[0].reason must be a text"),
    ],
)
def test_a_wrong_type_is_named_with_its_field(path: str, value: object, sentence: str, rng: random.Random) -> None:
    whole = document(rng)
    place: Any = whole
    *way, last = [int(key) if key.isdecimal() else key for key in path.split(".")]
    for key in way:
        place = place[key]
    place[last] = value
    with pytest.raises(ReportError) as caught:
        read(json.dumps(whole).encode(), "some.json")
    assert sentence in str(caught.value)


def values(node: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [way, *(deeper for key, item in inner for deeper in values(item, (*way, key)))]


@settings(max_examples=150, deadline=None)
@given(
    rng=seeds, junk=st.sampled_from([None, 0, -1, 1 << 80, 1.5, "", "x", "\ud800", [], {}, True, [None], {"a": None}]), pick=st.integers(0)
)
def test_a_spoilt_report_is_a_sentence_or_a_report_that_every_format_takes(rng: random.Random, junk: object, pick: int) -> None:
    whole = document(rng)
    ways = values(whole)[1:]
    *way, last = ways[pick % len(ways)]
    place: Any = whole
    for key in way:
        place = place[key]
    place[last] = junk
    try:
        back = read(json.dumps(whole).encode(), "some.json")
    except ReportError:
        return
    for name in FORMATS:
        written(name, back).encode()


def test_other_encodings_of_json_are_read(rng: random.Random) -> None:
    # What PowerShell's > makes of a report.
    text = json.dumps(document(rng))
    assert read(text.encode("utf-16"), "x") == read(text.encode("utf-8-sig"), "x") == read(text.encode(), "x")
