"""GitLab's Code Quality report (docs.gitlab.com, "Code Quality", "Code Quality report format"): shown in merge requests in every tier.

There is an entry for each token in each file, because the fingerprint must not depend on the line. The format demands a path: a place
that is no file (a commit's message, a ref's name) and a skip have their name there. Ignored findings are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from patscan.formats.ascii_json import write_items
from patscan.formats.places import by_place, identity, name, printable, slashed
from patscan.formats.words import headline, skips

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
            # Not the token's fingerprint, by which a reader of the report could confirm a guessed token.
            fingerprint = identity(finding.fingerprint, place)
            yield _entry(headline(finding, first), finding.rule.id, fingerprint, severity, place, first.position.line)
    for where, reason in skips(report):
        yield _entry(f"Not looked at: {printable(reason)}", "patscan-incomplete", identity(where, reason), "info", where, 1)


def _entry(text: str, check: str, fingerprint: str, severity: str, place: str, line: int) -> dict[str, Any]:
    location = {"path": slashed(place) or ".", "lines": {"begin": line}}
    return {"description": text, "check_name": check, "fingerprint": fingerprint, "severity": severity, "location": location}
