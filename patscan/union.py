"""Merge the reports of several repositories. A token in several of them is one finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from patscan.dates import instant
from patscan.kind import Kind
from patscan.model import Commit, Coverage, Exposure, Finding, Occurrence, Report
from patscan.stages import order

_KEEPERS = ("ref", "stash", "reflog", "no ref", "index", "nothing")


def union(report: Report, submodules: Mapping[str, Report]) -> Report:
    """`report` merged with the reports of its submodules, by their paths. Each path becomes a prefix of the submodule's places."""
    reports = [report, *(_under(path, other) for path, other in submodules.items())]
    return report._replace(
        coverage=_sum(one.coverage for one in reports),
        findings=_grouped(finding for one in reports for finding in one.findings),
        ignored=_grouped(finding for one in reports for finding in one.ignored),
        interrupted=any(one.interrupted for one in reports),
        violations=tuple(sentence for one in reports for sentence in one.violations),
    )


def _sum(coverages: Iterable[Coverage]) -> Coverage:
    total = Coverage()
    for coverage in coverages:
        total = total.plus(coverage)
    return total


def _under(path: str, report: Report) -> Report:
    coverage = report.coverage
    return report._replace(
        coverage=coverage._replace(
            skipped=tuple(skip._replace(where=f"{path}: {skip.where}") for skip in coverage.skipped),
            notes=tuple(note._replace(where=f"{path}: {note.where}") for note in coverage.notes),
        ),
        findings=tuple(_prefixed(path, finding) for finding in report.findings),
        ignored=tuple(_prefixed(path, finding) for finding in report.ignored),
        violations=tuple(f"{path}: {sentence}" for sentence in report.violations),
    )


def _prefixed(path: str, finding: Finding) -> Finding:
    tips = finding.exposure.tips
    return finding._replace(
        occurrences=tuple(_placed_under(path, occurrence) for occurrence in finding.occurrences),
        exposure=finding.exposure._replace(tips=None if tips is None else tuple(f"{path}: {tip}" for tip in tips)),
    )


def _placed_under(path: str, occurrence: Occurrence) -> Occurrence:
    sighting = occurrence.sighting
    if sighting.path is None:
        # A message is placed at its submodule. A blob without a path must not become a file there.
        inside = None if sighting.blob else path
    else:
        inside = f"{path}: {sighting.path}" if sighting.kind is Kind.REF_NAME else f"{path}/{sighting.path}"
    return occurrence._replace(sighting=sighting._replace(path=inside, submodule=path))


def _grouped(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    tokens: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        key = finding.fingerprint, finding.reason, finding.justification
        tokens[key] = _joined(tokens[key], finding) if key in tokens else finding
    return tuple(sorted(tokens.values(), key=order))


def _joined(one: Finding, other: Finding) -> Finding:
    return one._replace(occurrences=one.occurrences + other.occurrences, exposure=_merged(one.exposure, other.exposure))


def _merged(one: Exposure, other: Exposure) -> Exposure:
    """Merge two exposures. An unknown (``None``) value doesn't override a known one."""
    kept = [exposure.kept_by for exposure in (one, other) if exposure.kept_by]
    return Exposure(
        first_seen=min(filter(None, (one.first_seen, other.first_seen)), key=_when, default=None),
        last_seen=max(filter(None, (one.last_seen, other.last_seen)), key=_when, default=None),
        at_head=_either(one.at_head, other.at_head),
        tips=(one.tips or ()) + (other.tips or ()),
        reachable=_either(one.reachable, other.reachable),
        pushed=_either(one.pushed, other.pushed),
        kept_by=min(kept, key=_KEEPERS.index, default=None),
        removed=(one.removed or ()) + (other.removed or ()),
        at_or_before=one.at_or_before or other.at_or_before,
        reflogs=(one.reflogs or ()) + (other.reflogs or ()),
    )


def _either(one: bool | None, other: bool | None) -> bool | None:
    return None if one is None and other is None else bool(one or other)


def _when(commit: Commit) -> float:
    return instant(commit.date)
