"""GitLab's Code Quality report (docs.gitlab.com, "Code Quality", "Code Quality report format"): shown in merge requests in every tier.

An entry for each token in each file, for the fingerprint knows no line. The format demands a path: what stands in no file (a commit's
message, a ref's name) has its name there, and so has what couldn't be looked at. Ignored findings have no place in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from patscan.formats.places import by_place, identity, name, printable, slashed
from patscan.formats.wire import write_items
from patscan.formats.words import headline, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan.formats import Style
    from patscan.model import Report

_SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` as an array of entries, one at a time."""
    write_items(stream, _entries(report))
    stream.write("\n")


def _entries(report: Report) -> Iterator[dict[str, Any]]:
    for finding in report.findings:
        severity = _SEVERITIES[finding.severity] if finding.confidence != "low" else "info"
        for first, *_ in by_place(finding.occurrences):
            place = name(first.sighting)
            # Not the fingerprint of the token alone: the report may be read by people who may only guess tokens.
            fingerprint = identity(finding.fingerprint, place)
            yield _entry(headline(finding, first), finding.rule.id, fingerprint, severity, place, first.position.line)
    for where, reason in unseen(report):
        yield _entry(f"Not looked at: {printable(reason)}", "patscan-incomplete", identity(where, reason), "info", where, 1)


def _entry(text: str, check: str, fingerprint: str, severity: str, place: str, line: int) -> dict[str, Any]:
    location = {"path": slashed(place) or ".", "lines": {"begin": line}}
    return {"description": text, "check_name": check, "fingerprint": fingerprint, "severity": severity, "location": location}
