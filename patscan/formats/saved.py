"""A saved JSON report, read back: what `patscan.formats.wire` wrote, and nothing that merely looks like it.

A report of masked tokens gives masked tokens (`Secret.masked`), one that was written with ``--show-secrets`` the tokens themselves.
A rule comes back without what only finding needs: its pattern, anchors and examples.
"""

from __future__ import annotations

import re
from base64 import b64decode

from patscan.errors import ExitCode, ReportError
from patscan.formats.document import Value, parsed
from patscan.formats.places import printable
from patscan.formats.wire import SCHEMA
from patscan.kind import Kind
from patscan.model import (
    CONFIDENCES,
    SEVERITIES,
    Address,
    Check,
    Commit,
    Coverage,
    Evidence,
    Exposure,
    Finding,
    Layer,
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

_UNMET = "a demand of the project isn't met; the report's notes say which."
"""The one violation of a saved report whose exit code tells that there was one; its notes hold what each was."""
_MASK = re.compile(r"[^…]*…\(\d+\)")

Rules = dict[str, Rule]


def read(data: bytes, name: str) -> Report:
    """The report in `data`, the content of a file called `name`. Raises `ReportError`."""
    document = parsed(data, name)
    schema = document.found.get("schema") if isinstance(document.found, dict) else None
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
        return f"a report of the form {schema}, and this version of patscan reads {SCHEMA}. Use the version that wrote it."
    return f'not a JSON report of patscan: "schema" must be "{SCHEMA}". `patscan scan --format json` writes one.'


def _rule(rule: Value) -> Rule:
    # Every format shows a rule's texts as they are, for nobody but the user writes a rule file; a report may come from anywhere.
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
        () if checks.found is None else tuple(_check(one) for one in checks.each()),
        None if severity.found is None else severity.one_of(SEVERITIES),
        () if reasons.found is None else reasons.texts(),
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
    made = _finding(finding, rules)
    return made._replace(reason=finding.at("reason").text(), justification=finding.at("justification").text())


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
        None if tips.found is None else tips.texts(),
        exposure.at("reachable").truth_or_none(),
        exposure.at("pushed").truth_or_none(),
        exposure.at("kept_by").text_or_none(),
        None if removed.found is None else tuple(_commit(one) for one in removed.each()),
        exposure.at("at_or_before").truth_or_none() or False,
        None if reflogs.found is None else reflogs.texts(),
    )


def _commit_or_none(commit: Value) -> Commit | None:
    return None if commit.found is None else _commit(commit)


def _commit(commit: Value) -> Commit:
    parents = commit.at("parents")
    return Commit(
        commit.at("commit").text(),
        commit.at("author").text_or_none() or "",
        commit.at("date").text(),
        commit.at("committer").text_or_none() or "",
        commit.at("committed").text_or_none() or "",
        None if parents.found is None else parents.texts(),
    )


def _occurrence(place: Value, token: Finding) -> Occurrence:
    sighting = Sighting(
        Kind(place.at("type").one_of(tuple(Kind))),
        _path(place),
        *(place.at(key).text_or_none() for key in ("commit", "author", "date", "blob", "message", "submodule")),
    )
    layers = tuple(Layer(name) for name in place.at("encodings").texts())
    begin, end, members = place.at("start").number(), place.at("end").number(), place.at("members")
    match = Match(
        token.rule,
        token.secret,
        token.fingerprint,
        Address(
            sighting.blob or sighting.path or sighting.commit or "", begin, end, layers, () if members.found is None else members.texts()
        ),
        Position(*(place.at(key).number() for key in ("line", "column", "end_line", "end_column"))),
        place.at("frame").texts(),
        place.at("frame_line").number(),
        confidence=token.confidence,
    )
    return Occurrence(match, sighting, place.at("at_head").truth_or_none(), place.at("line_hash").text_or_none())


def _path(place: Value) -> str | None:
    if place.at("path_bytes").found is None:
        return place.at("path").text_or_none()
    try:
        return b64decode(place.at("path_bytes").text(), validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        raise place.at("path_bytes").wrong("bytes in base64") from None
