"""GitHub Actions' workflow commands (docs.github.com, "Workflow commands for GitHub Actions"): annotations of lines.

GitHub shows ten errors and ten warnings of a step as annotations. The step's log has all of them, the worst first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from patscan.counts import counted
from patscan.formats.advice import remedy
from patscan.formats.logs import harmless
from patscan.formats.places import in_file, listed, name, slashed
from patscan.formats.words import by_reason, headline, prominent, skips

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from patscan.formats import Style
    from patscan.model import Finding, Occurrence, Report

_LEVELS = {"certain": "error", "high": "error", "medium": "warning", "low": "notice"}
_MESSAGE = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_MESSAGE, (":", "%3A"), (",", "%2C"))


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report`, one command per line. Text of the repository is escaped, because GitHub executes lines that are commands."""
    stream.writelines(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    if report.target.reason:
        yield f"patscan: {harmless(report.target.reason)}"
    for finding in report.findings:
        for occurrence in listed(finding.occurrences):
            yield _command(_LEVELS[finding.confidence], _text(finding, occurrence), _place(finding, occurrence))
    for where, reason in skips(report):
        yield _command("warning", f"{where}: {reason}", {"title": "patscan: not looked at"})
    notes = prominent(report)
    for note in notes:
        yield _command("notice", f"{note.where}: {note.reason}", {"title": f"patscan: {note.kind}"})
    if rest := len(report.coverage.notes) - len(notes):
        text = f"{counted(rest, 'note')}: the JSON report lists them."
        yield _command("notice", text, {"title": "patscan: notes"})
    if report.ignored:
        yield _command("notice", f"Ignored: {', '.join(by_reason(report.ignored))}.", {"title": "patscan: ignored"})
    gaps = ", but not everything could be looked at" if any(skips(report)) else ""
    yield f"patscan: {counted(len(report.findings), 'token')} found{gaps}."


def _text(finding: Finding, occurrence: Occurrence) -> str:
    place = "" if in_file(occurrence.sighting) else f" Found in {name(occurrence.sighting)}, line {occurrence.position.line}."
    return f"{headline(finding, occurrence)}.{place} {remedy(finding)}"


def _place(finding: Finding, occurrence: Occurrence) -> Mapping[str, str | int]:
    position = occurrence.position
    title: dict[str, str | int] = {"title": f"patscan: {finding.rule.name}"}
    if not in_file(occurrence.sighting):
        return title
    lines: dict[str, str | int] = {"file": slashed(name(occurrence.sighting)), "line": position.line, "endLine": position.end_line}
    # GitHub takes columns only for a region within one line.
    if position.line == position.end_line:
        lines |= {"col": position.column, "endColumn": position.end_column}
    return lines | title


def _command(level: str, message: str, properties: Mapping[str, str | int]) -> str:
    written = ",".join([f"{key}={value if type(value) is int else _escaped(str(value), _PROPERTY)}" for key, value in properties.items()])
    return f"::{level}{' ' if written else ''}{written}::{_escaped(message, _MESSAGE)}"


def _escaped(text: str, escapes: Sequence[tuple[str, str]]) -> str:
    # ``str.translate`` takes ten times as long for a text with a mask, whose ellipsis isn't ASCII.
    text = harmless(text)
    for char, escape in escapes:
        text = text.replace(char, escape)
    return text
