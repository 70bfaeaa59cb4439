"""SARIF 2.1.0 (OASIS, docs.oasis-open.org/sarif), for code scanning dashboards. Never shows a token. docs/sarif.md explains the fields."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote

import sarif_om as om

from patscan import HOME, __version__
from patscan.formats.places import as_bytes, printable
from patscan.formats.sarif_json import dumped, plain
from patscan.formats.sarif_places import ROOT, base, padded, root_of
from patscan.formats.sarif_results import Results, level, reported
from patscan.formats.sarif_rules import described, unlinked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan.formats import Style
    from patscan.model import Coverage, Report, Target

_VERSION = "2.1.0"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SHOWN = 5_000
"""Results of a run that GitHub shows."""
_URL = re.compile(r"((?:https?|ssh|git)://)(?:[^/@]*@)?([A-Za-z0-9._~-]+(?::\d+)?)(/.*)", re.DOTALL)
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_NOTIFICATIONS = {
    "skipped": ("NotScanned", "Content that should have been scanned and wasn't.", "Make it readable, and scan again."),
    "note": ("ScannedPlainly", "Content that was scanned without unpacking it, or without a fast path.", "No action is needed."),
    "interrupted": ("ScanInterrupted", "The scan ended before everything was looked at.", "Scan again."),
    "bounds": (
        "LeftOut",
        "Results that this log leaves out, or that GitHub doesn't show.",
        "Read the JSON report, which has everything.",
    ),
    "policy": ("HiddenByThisRepository", "Findings that the repository's own files hide.", "Check whether they should."),
}
"""The name, the meaning and the remedy of each kind; GitHub demands all three."""


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report`, which must be redacted, as a log of one run with one result per line."""
    findings = reported(report)
    rules = {(finding.rule.id, level(finding)): finding.rule for finding in findings}
    results = Results(root_of(report), list(rules))
    stream.write(f'{{\n  "$schema": "{_SCHEMA}",\n  "version": "{_VERSION}",\n  "runs": [\n    {{\n')
    stream.writelines(
        f'      "{key}": {dumped(value)},\n'
        for key, value in plain(_run(report, [described(rule, grade) for (_, grade), rule in rules.items()], style)).items()
    )
    stream.write('      "results": [')
    stream.writelines(f"{',' if number else ''}\n        {dumped(result)}" for number, result in enumerate(results.of(findings)))
    # After the results, because notifications count the results that were left out.
    stream.write(f'\n      ],\n      "invocations": {dumped([_invocation(report, results)])}\n    }}\n  ]\n}}\n')


def _run(report: Report, rules: list[om.ReportingDescriptor], style: Style) -> om.Run:
    """The run without its results and its invocation."""
    return om.Run(
        tool=om.Tool(driver=_driver(rules)),
        automation_details=_automation(f"patscan/{report.target.type}" if style.category is None else style.category),
        column_kind="unicodeCodePoints",
        original_uri_base_ids={ROOT: base(root_of(report))},
        version_control_provenance=_provenance(report.target),
        redaction_tokens=_masks(report) or None,
        properties={"coverage": _coverage(report.coverage), "ignored": Counter(sorted(finding.reason for finding in report.ignored))},
    )


def _automation(category: str) -> om.RunAutomationDetails | None:
    """The run's name, with a slash at its end because no run number follows (section 3.17.3). ``None`` lets the uploader name it."""
    return om.RunAutomationDetails(id=f"{printable(category).rstrip('/')}/") if category.strip("/") else None


def _masks(report: Report) -> list[str]:
    """The masks of tokens and of their bodies, as `patscan.formats.redaction` writes them."""
    masks = {str(finding.secret) for finding in (*report.findings, *report.ignored)}
    return sorted({*masks, *map(padded, masks), *(f"…{mask.rpartition('…')[2]}" for mask in masks)})


def _driver(rules: list[om.ReportingDescriptor]) -> om.ToolComponent:
    return om.ToolComponent(
        name="patscan",
        version=__version__,
        semantic_version=__version__,
        information_uri=HOME,
        rules=rules,
        notifications=[_remark(key, *texts) for key, texts in _NOTIFICATIONS.items()],
    )


def _remark(key: str, name: str, meaning: str, remedy: str) -> om.ReportingDescriptor:
    text, help_text = (om.MultiformatMessageString(text=words) for words in (meaning, remedy))
    return om.ReportingDescriptor(id=key, name=name, short_description=text, full_description=text, help=help_text)


def _provenance(target: Target) -> list[om.VersionControlDetails] | None:
    """The repository and the commit scanned, if its remote is a URL. A local path has no meaning elsewhere."""
    match = _URL.fullmatch(target.remote or "")
    if not match:
        return None
    path = _STRAY_PERCENT.sub("%25", quote(as_bytes(match[3]), safe="/:@?&=+,;~%"))
    uri = f"{match[1]}{match[2]}{path}"
    return [om.VersionControlDetails(repository_uri=uri, revision_id=target.head, mapped_to=om.ArtifactLocation(uri_base_id=ROOT))]


def _coverage(coverage: Coverage) -> dict[str, object]:
    return {"commits": coverage.commits, "blobs": coverage.blobs, "bytes": coverage.bytes, "engines": list(coverage.engines)}


def _invocation(report: Report, results: Results) -> om.Invocation:
    return om.Invocation(
        execution_successful=report.coverage.complete and not report.interrupted,
        exit_code=report.exit_code,
        tool_execution_notifications=[
            om.Notification(
                message=om.Message(text=unlinked(text)),
                level=level,
                descriptor=om.ReportingDescriptorReference(id=key, index=list(_NOTIFICATIONS).index(key)),
            )
            for key, level, text in _notifications(report, results)
        ],
    )


def _notifications(report: Report, results: Results) -> Iterator[tuple[str, str, str]]:
    """The notifications: kind, level, text."""
    for where, reason in report.coverage.skipped:
        yield "skipped", "error", f"{where}: {reason}"
    for where, reason, kind in report.coverage.notes:
        yield "policy" if kind == "policy" else "note", "note", f"{where}: {reason}"
    if report.interrupted:
        yield "interrupted", "error", "The scan was interrupted: not everything was looked at."
    if results.left_out:
        yield (
            "bounds",
            "warning",
            f"{results.left_out:,} of {results.total:,} results are left out: GitHub takes no more. The JSON report has all.",
        )
    elif results.total > _SHOWN:
        yield "bounds", "note", f"GitHub shows {_SHOWN:,} of the {results.total:,} results, the worst first."
    if results.unrelated:
        yield "bounds", "note", f"{results.unrelated:,} related locations are left out. The JSON report has all."
