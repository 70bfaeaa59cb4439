"""What was found and yet isn't this commit's fault: it stays in the report, among what is ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from patscan.content import Piece
from patscan.detect.matcher import Matcher
from patscan.errors import TargetError
from patscan.model import Finding, Occurrence, Report, Rule, Secret

COMMITTED = "already committed"
STOOD = "was there before"


def excuse(report: Report, reason: Callable[[Finding, Occurrence], str]) -> Report:
    """`report` with every place for which there is a `reason` apart from those for which there is none (the empty string)."""
    found: list[Finding] = []
    ignored = list(report.ignored)
    for finding in report.findings:
        places: dict[str, list[Occurrence]] = {}
        for occurrence in finding.occurrences:
            places.setdefault(reason(finding, occurrence), []).append(occurrence)
        for why, group in places.items():
            (ignored if why else found).append(finding._replace(reason=why, occurrences=tuple(group)))
    return report._replace(findings=tuple(found), ignored=tuple(ignored))


def committed(report: Report, rules: tuple[Rule, ...], old: Iterable[tuple[str, Piece]]) -> Report:
    """`report` without the tokens that stood in the same file before, by what `old` gives of each path."""
    matcher = Matcher(rules)
    stood: dict[str, set[Secret]] = {}
    with suppress(TargetError):  # what can't be read excuses nothing
        for path, piece in old:
            stood.setdefault(path, set()).update(match.secret for match in matcher.find(piece.data))

    def reason(finding: Finding, occurrence: Occurrence) -> str:
        return COMMITTED if finding.secret in stood.get(occurrence.origin.path or "", ()) else ""

    return excuse(report, reason)
