"""Comma-separated values (RFC 4180), for spreadsheets: a row for each place of each token, and for each skip and note.

A spreadsheet takes a cell for a formula by its first character (OWASP, "CSV Injection"). Such a cell gets an apostrophe in front. Every
text is quoted, so that a spreadsheet that separates cells by semicolons doesn't split it.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TextIO

from patscan.formats.places import current, place, printable
from patscan.formats.redaction import shown
from patscan.formats.verdicts import owner, scopes
from patscan.formats.words import ident, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from patscan.formats import Style
    from patscan.model import Finding, Occurrence, Report, Verdict

COLUMNS = (
    *("row", "rule", "kind", "severity", "confidence", "token", "fingerprint", "type", "place", "line", "column", "end_line", "end_column"),
    *("encodings", "commit", "author", "date", "at_head", "first_seen", "pushed", "state", "reason", "justification", "at_or_before"),
    *("id", "state_reason", "owner", "scopes", "expires", "last_used", "instance", "thief_severity", "lifecycle", "standing"),
)
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""The last four are their full-width forms."""

Cell = str | int | bool | None


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` row by row. ``row`` is a row's sort: finding, ignored, skipped, note or interrupted."""
    rows = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([_cell(row.get(column)) for column in COLUMNS] for row in _rows(report, style))


def _cell(value: Cell) -> str | int:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _rows(report: Report, style: Style) -> Iterator[Mapping[str, Cell]]:
    for word, findings in (("finding", report.findings), ("ignored", report.ignored)):
        for finding in findings:
            cells = _finding_cells(finding, style)
            yield from ({"row": word, **cells, **_place_cells(occurrence)} for occurrence in current(finding.occurrences))
    if report.interrupted:
        yield {"row": "interrupted", "reason": "not everything was looked at"}
    for word, remarks in (("skipped", report.coverage.skipped), ("note", report.coverage.notes)):
        yield from ({"row": word, "place": remark.where, "reason": remark.reason} for remark in remarks)


def _finding_cells(finding: Finding, style: Style) -> dict[str, Cell]:
    first = finding.exposure.first_seen
    return {
        "rule": finding.rule.id,
        "kind": finding.rule.kind,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "token": shown(finding.secret, style.reveal),
        "fingerprint": finding.fingerprint,
        "first_seen": first.date if first else None,
        "at_or_before": finding.exposure.at_or_before if first else None,
        "pushed": finding.exposure.pushed,
        "state": finding.verdict.state,
        "reason": finding.reason,
        "justification": finding.justification,
        "id": ident(finding),
        "standing": standing(finding),
        **_verdict_cells(finding.verdict),
    }


def _verdict_cells(verdict: Verdict) -> dict[str, Cell]:
    times: dict[str, Cell] = {key: None if (when := verdict.facts.get(key)) is None else str(when) for key in ("expires", "last_used")}
    return times | {
        "state_reason": verdict.reason,
        "owner": owner(verdict),
        "scopes": " ".join(scopes(verdict)),
        "instance": verdict.instance,
        "thief_severity": verdict.severity,
        "lifecycle": " ".join(check.check for check in verdict.lifecycle),
    }


def _place_cells(occurrence: Occurrence) -> dict[str, Cell]:
    sighting, position = occurrence.sighting, occurrence.position
    return {
        "type": sighting.kind,
        "place": place(occurrence),
        "line": position.line,
        "column": position.column,
        "end_line": position.end_line,
        "end_column": position.end_column,
        "encodings": " ".join(occurrence.encodings),
        "commit": sighting.commit,
        "author": sighting.author,
        "date": sighting.date,
        "at_head": occurrence.at_head,
    }
