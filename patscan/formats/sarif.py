"""SARIF 2.1.0 (OASIS, docs.oasis-open.org/sarif), for code scanning dashboards; the only door to sarif_om. Never shows a token."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

import attr
import sarif_om as om

from patscan import HOME, __version__
from patscan.formats.places import SHORT, as_bytes, current, in_file, name, printable
from patscan.formats.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan.formats import Style
    from patscan.model import Finding, Note, Occurrence, Position, Report, Rule, Skip

_VERSION = "2.1.0"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"certain": "error", "high": "error", "medium": "warning", "low": "note"}


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` as a log of one run. Tokens stay masked even with ``--show-secrets``: dashboards keep what they are given."""
    log = om.SarifLog(version=_VERSION, runs=[_run(redacted(report) if style.reveal else report)])
    json.dump({"$schema": _SCHEMA, "version": _VERSION} | _plain(log), stream, indent=2)
    stream.write("\n")


def _plain(value: Any) -> Any:
    """A sarif_om object as JSON values, by the names of the schema."""
    if attr.has(type(value)):
        fields = {field.metadata["schema_property_name"]: getattr(value, field.name) for field in attr.fields(type(value))}
        # None and -1 are the schema's "not set"; any other value stays, even a default: without its level, a result
        # would take the level of its rule.
        return {key: _plain(item) for key, item in fields.items() if item is not None and item != -1}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _run(report: Report) -> om.Run:
    rules = list({finding.rule.id: finding.rule for finding in report.findings}.values())
    numbers = {rule.id: number for number, rule in enumerate(rules)}
    return om.Run(
        tool=om.Tool(driver=_driver(rules)),
        invocations=[_invocation(report)],
        column_kind="unicodeCodePoints",
        results=[result for finding in report.findings for result in _results(finding, numbers[finding.rule.id])],
    )


def _driver(rules: list[Rule]) -> om.ToolComponent:
    return om.ToolComponent(
        name="patscan",
        version=__version__,
        semantic_version=__version__,
        information_uri=HOME,
        rules=[_rule(rule) for rule in rules],
    )


def _rule(rule: Rule) -> om.ReportingDescriptor:
    return om.ReportingDescriptor(
        id=rule.id,
        short_description=om.MultiformatMessageString(text=rule.name),
        full_description=om.MultiformatMessageString(text=rule.description),
        help=om.MultiformatMessageString(text=rule.remedy),
        help_uri=rule.references[0] if rule.references else None,
    )


def _invocation(report: Report) -> om.Invocation:
    coverage = report.coverage
    notifications = [_notification(skip, "error") for skip in coverage.skipped] + [_notification(note, "note") for note in coverage.notes]
    if report.interrupted:
        text = "The scan was interrupted: not everything was looked at."
        notifications.append(om.Notification(message=om.Message(text=text), level="error"))
    return om.Invocation(
        execution_successful=coverage.complete and not report.interrupted,
        tool_execution_notifications=notifications,
    )


def _notification(remark: Skip | Note, level: str) -> om.Notification:
    return om.Notification(message=om.Message(text=printable(f"{remark.where}: {remark.reason}")), level=level)


def _results(finding: Finding, rule_index: int) -> Iterator[om.Result]:
    """One result for each place that still counts."""
    for occurrence in current(finding.occurrences):
        yield om.Result(
            rule_id=finding.rule.id,
            rule_index=rule_index,
            level=_LEVELS[finding.confidence],
            message=om.Message(text=_message(finding, occurrence)),
            locations=[_location(occurrence)],
            partial_fingerprints={"patscan/v1": finding.fingerprint},
        )


def _message(finding: Finding, occurrence: Occurrence) -> str:
    """Its first sentence is what dashboards show as the title."""
    origin = occurrence.origin
    commit = f", in commit {origin.commit[:SHORT]}" if origin.commit and in_file(origin) else ""
    place = f"{name(origin, SHORT)}, line {occurrence.position.line}{commit}"
    return printable(f"{finding.rule.name} '{finding.secret}' ({finding.confidence}). Found in {place}.")


def _location(occurrence: Occurrence) -> om.Location:
    """A file and a region; what isn't in a file has only a name, for there is nothing to open (SARIF 2.1.0 section 3.28.2)."""
    origin = occurrence.origin
    if not in_file(origin):
        return om.Location(logical_locations=[om.LogicalLocation(fully_qualified_name=printable(name(origin)))])
    return om.Location(
        physical_location=om.PhysicalLocation(
            artifact_location=om.ArtifactLocation(uri=_uri(origin.path or "")),
            region=_region(occurrence.position),
        )
    )


def _region(position: Position) -> om.Region:
    """Lines and columns from 1, the end column one past the last character (SARIF 2.1.0 section 3.30.8)."""
    return om.Region(
        start_line=position.line,
        start_column=position.column,
        end_line=position.end_line,
        end_column=position.end_column,
    )


def _uri(path: str) -> str:
    """`path` as a URI reference, its very bytes percent-encoded (RFC 3986 section 2.1)."""
    quoted = quote(as_bytes(path.replace(os.sep, "/")), safe="/")
    return f"file:///{quoted.lstrip('/')}" if os.path.isabs(path) else quoted
