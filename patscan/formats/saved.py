"""A saved JSON report, read back: what `patscan.formats.wire` wrote, and nothing that merely looks like it.

A report of masked tokens gives masked tokens (`Secret.masked`), one that was written with ``--show-secrets`` the tokens themselves.
A rule comes back without what only finding needs: its pattern, anchors and examples.
"""

from __future__ import annotations

import re
from base64 import b64decode

from patscan.errors import ExitCode, ReportError
from patscan.formats.document import Value, parsed
from patscan.formats.wire import SCHEMA
from patscan.model import (
    CONFIDENCES,
    SEVERITIES,
    Commit,
    Coverage,
    Evidence,
    Exposure,
    Finding,
    Note,
    Occurrence,
    Origin,
    Position,
    Report,
    Rule,
    Secret,
    Skip,
    Target,
    Verdict,
)

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
    return Rule(
        id=rule.at("id").text(),
        kind=rule.at("kind").text(),
        name=rule.at("name").text(),
        severity=rule.at("severity").one_of(SEVERITIES),
        description=rule.at("description").text(),
        remedy=rule.at("remedy").text(),
        references=rule.at("references").texts(),
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
        tuple(Note(one.at("where").text(), one.at("reason").text()) for one in coverage.at("notes").each()),
        coverage.at("engines").texts(),
    )


def _finding(finding: Value, rules: Rules) -> Finding:
    rule = rules.get(finding.at("rule").text())
    if rule is None:
        raise finding.at("rule").wrong("the id of a rule in tool.rules")
    occurrences = tuple(_occurrence(one) for one in finding.at("occurrences").each())
    if not occurrences:
        raise finding.at("occurrences").wrong("a list of at least one place")
    verdict = finding.at("verdict")
    return Finding(
        rule,
        _secret(finding.at("token").text(), rule),
        finding.at("fingerprint").text(),
        finding.at("confidence").one_of(CONFIDENCES),
        "",
        tuple(_evidence(one) for one in finding.at("evidence").each()),
        occurrences,
        _exposure(finding.at("exposure")),
        Verdict(verdict.at("state").text(), verdict.at("reason").text(), verdict.at("facts").facts()),
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
    tips, removed = exposure.at("tips"), exposure.at("removed")
    return Exposure(
        _commit_or_none(exposure.at("first_seen")),
        _commit_or_none(exposure.at("last_seen")),
        exposure.at("at_head").truth_or_none(),
        None if tips.found is None else tips.texts(),
        exposure.at("reachable").truth_or_none(),
        exposure.at("pushed").truth_or_none(),
        exposure.at("kept_by").text_or_none(),
        None if removed.found is None else tuple(_commit(one) for one in removed.each()),
    )


def _commit_or_none(commit: Value) -> Commit | None:
    return None if commit.found is None else _commit(commit)


def _commit(commit: Value) -> Commit:
    names = (commit.at(key).text() for key in ("commit", "author", "date"))
    return Commit(*names, *(commit.at(key).text_or_none() or "" for key in ("committer", "committed")))


def _occurrence(place: Value) -> Occurrence:
    return Occurrence(
        Origin(
            place.at("type").text(),
            _path(place),
            *(place.at(key).text_or_none() for key in ("commit", "author", "date", "blob", "message", "submodule")),
        ),
        Position(*(place.at(key).number() for key in ("line", "column", "end_line", "end_column"))),
        place.at("start").number(),
        place.at("end").number(),
        place.at("encodings").texts(),
        place.at("frame").texts(),
        place.at("frame_line").number(),
        place.at("at_head").truth_or_none(),
        place.at("line_hash").text_or_none(),
    )


def _path(place: Value) -> str | None:
    if place.at("path_bytes").found is None:
        return place.at("path").text_or_none()
    try:
        return b64decode(place.at("path_bytes").text(), validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        raise place.at("path_bytes").wrong("bytes in base64") from None
