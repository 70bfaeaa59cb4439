"""Reads a saved JSON report, as `patscan.formats.wire` wrote it.

Masked tokens stay masked (`Secret.masked`). A report written with ``--show-secrets`` gives whole tokens. Rules lack the fields that only a
scan needs: pattern, anchors and examples.
"""

from __future__ import annotations

import re

from patscan.errors import ExitCode, ReportError
from patscan.formats import address
from patscan.formats.document import Value, parsed
from patscan.formats.places import printable
from patscan.formats.wire import SCHEMA
from patscan.kind import Kind
from patscan.model import (
    CONFIDENCES,
    SEVERITIES,
    Check,
    Commit,
    Coverage,
    Evidence,
    Exposure,
    Finding,
    Match,
    Note,
    Occurrence,
    Position,
    Report,
    Rule,
    Sighting,
    Skip,
    Target,
    Verdict,
)
from patscan.secret import Secret

_UNMET = "the scan violated a demand of the project. See the notes in the report."
"""Stands for the violations of a saved report, which has only their exit code and notes."""
_MASK = re.compile(r"[^…]*…\(\d+\)")

Rules = dict[str, Rule]


def read(data: bytes, name: str) -> Report:
    """The report in `data`, the content of a file called `name`. Raises `ReportError`."""
    document = parsed(data, name)
    schema = document.content.get("schema") if isinstance(document.content, dict) else None
    if schema != SCHEMA:
        raise ReportError(f"{name}: {_other(schema)}")
    rules = [_rule(rule) for rule in document.at("tool").at("rules").each()]
    known = {rule.id: rule for rule in rules}
    code = document.at("exit_code").number()
    return Report(
        _target(document.at("target")),
        tuple(rules),
        _coverage(document.at("coverage")),
        tuple(_finding(one, known) for one in document.at("findings").each()),
        tuple(_ignored(one, known) for one in document.at("ignored").each()),
        document.at("interrupted").truth(),
        code,
        (_UNMET,) if code == ExitCode.ERROR else (),
    )


def _other(schema: object) -> str:
    if isinstance(schema, str) and re.fullmatch(r"patscan-report/\d+", schema):
        return f"its format is {schema}, and this version of patscan reads {SCHEMA}. Use the version that wrote it."
    return f'not a JSON report of patscan: "schema" must be "{SCHEMA}". `patscan scan --format json` writes one.'


def _rule(rule: Value) -> Rule:
    # Formats don't escape a rule's texts, because rule files are trusted. A saved report isn't.
    return Rule(
        id=printable(rule.at("id").text()),
        kind=printable(rule.at("kind").text()),
        name=printable(rule.at("name").text()),
        severity=rule.at("severity").one_of(SEVERITIES),
        description=printable(rule.at("description").text()),
        remedy=printable(rule.at("remedy").text()),
        references=tuple(map(printable, rule.at("references").texts())),
        prefix=rule.at("prefix").text(),
        anchors=(),
        pattern="",
        lookback=0,
        body=rule.at("body").text(),
        examples=(),
        counter_examples=(),
    )


def _target(target: Value) -> Target:
    return Target(target.at("type").text(), target.at("path").text(), *(target.at(key).text_or_none() for key in Target._fields[2:]))


def _coverage(coverage: Value) -> Coverage:
    return Coverage(
        coverage.at("commits").number(),
        coverage.at("blobs").number(),
        coverage.at("bytes").number(),
        tuple(Skip(one.at("where").text(), one.at("reason").text()) for one in coverage.at("skipped").each()),
        tuple(
            Note(one.at("where").text(), one.at("reason").text(), one.at("kind").text_or_none() or "")
            for one in coverage.at("notes").each()
        ),
        coverage.at("engines").texts(),
        coverage.at("omitted").number(),
    )


def _finding(finding: Value, rules: Rules) -> Finding:
    rule = rules.get(printable(finding.at("rule").text()))
    if rule is None:
        raise finding.at("rule").wrong("the id of a rule in tool.rules")
    token = Finding(
        rule,
        _secret(finding.at("token").text(), rule),
        finding.at("fingerprint").text(),
        finding.at("confidence").one_of(CONFIDENCES),
        "",
        tuple(_evidence(one) for one in finding.at("evidence").each()),
        (),
        _exposure(finding.at("exposure")),
        _verdict(finding.at("verdict")),
    )
    occurrences = tuple(_occurrence(one, token) for one in finding.at("occurrences").each())
    if not occurrences:
        raise finding.at("occurrences").wrong("a list of at least one place")
    return token._replace(occurrences=occurrences)


def _verdict(verdict: Value) -> Verdict:
    severity, reasons, checks = verdict.at("severity"), verdict.at("severity_reasons"), verdict.at("lifecycle")
    return Verdict(
        verdict.at("state").text(),
        verdict.at("reason").text(),
        {key: verdict.at("facts").at(key).fact() for key in verdict.at("facts").members()},
        () if checks.content is None else tuple(_check(one) for one in checks.each()),
        None if severity.content is None else severity.one_of(SEVERITIES),
        () if reasons.content is None else reasons.texts(),
        verdict.at("instance").text_or_none(),
        verdict.at("asked_at").text_or_none(),
    )


def _check(check: Value) -> Check:
    return Check(
        check.at("check").text(),
        check.at("severity").one_of(SEVERITIES),
        check.at("message").text(),
        check.at("reference").text(),
    )


def _ignored(finding: Value, rules: Rules) -> Finding:
    parsed_finding = _finding(finding, rules)
    return parsed_finding._replace(reason=finding.at("reason").text(), justification=finding.at("justification").text())


def _secret(shown: str, rule: Rule) -> Secret:
    return Secret.masked(shown) if _MASK.fullmatch(shown) else Secret(shown.encode(), rule.prefix.encode())


def _evidence(evidence: Value) -> Evidence:
    facts = evidence.facts()
    facts.pop("type", None)
    return Evidence(evidence.at("type").text(), facts)


def _exposure(exposure: Value) -> Exposure:
    tips, removed, reflogs = exposure.at("tips"), exposure.at("removed"), exposure.at("reflogs")
    return Exposure(
        _commit_or_none(exposure.at("first_seen")),
        _commit_or_none(exposure.at("last_seen")),
        exposure.at("at_head").truth_or_none(),
        None if tips.content is None else tips.texts(),
        exposure.at("reachable").truth_or_none(),
        exposure.at("pushed").truth_or_none(),
        exposure.at("kept_by").text_or_none(),
        None if removed.content is None else tuple(_commit(one) for one in removed.each()),
        exposure.at("at_or_before").truth_or_none() or False,
        None if reflogs.content is None else reflogs.texts(),
    )


def _commit_or_none(commit: Value) -> Commit | None:
    return None if commit.content is None else _commit(commit)


def _commit(commit: Value) -> Commit:
    parents = commit.at("parents")
    return Commit(
        commit.at("commit").text(),
        commit.at("author").text_or_none() or "",
        commit.at("date").text(),
        commit.at("committer").text_or_none() or "",
        commit.at("committed").text_or_none() or "",
        None if parents.content is None else parents.texts(),
    )


def _occurrence(place: Value, token: Finding) -> Occurrence:
    sighting = Sighting(
        Kind(place.at("type").one_of(tuple(Kind))),
        address.bytes_or_text(place, "path"),
        *(place.at(key).text_or_none() for key in ("commit", "author", "date", "blob", "message", "submodule")),
    )
    match = Match(
        token.rule,
        token.secret,
        token.fingerprint,
        address.read(place, sighting),
        Position(*(place.at(key).number() for key in ("line", "column", "end_line", "end_column"))),
        place.at("frame").texts(),
        place.at("frame_line").number(),
        confidence=token.confidence,
    )
    return Occurrence(match, sighting, place.at("at_head").truth_or_none(), place.at("line_hash").text_or_none())
