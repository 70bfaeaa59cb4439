"""The JSON report, ``patscan-report/1``. It is written field by field, so that inner types may change without it.

Every other format can be derived from it. It is ASCII. Text that isn't Unicode becomes U+FFFD; a path that isn't UTF-8 also has its
bytes in ``path_bytes``, in base64. ``null`` means: not looked at, or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from patscan import __version__
from patscan.formats.address import address, text
from patscan.formats.ascii_json import indented, write_items
from patscan.formats.redaction import shown
from patscan.formats.verdicts import plain

if TYPE_CHECKING:
    from patscan.formats import Style
    from patscan.model import Commit, Coverage, Exposure, Finding, Note, Occurrence, Report, Rule, Skip, Target, Verdict

SCHEMA = "patscan-report/1"


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` finding by finding."""
    margin = "\n  "
    stream.write("{\n")
    stream.writelines(f'  "{key}": {indented(value, margin)},\n' for key, value in head(report).items())
    stream.write('  "findings": ')
    write_items(stream, (finding(one, style, report.target) for one in report.findings), margin)
    stream.write(',\n  "ignored": ')
    write_items(stream, (ignored(one, style, report.target) for one in report.ignored), margin)
    stream.write("\n}\n")


def head(report: Report) -> dict[str, Any]:
    """The document without its findings."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "patscan", "version": __version__, "rules": [_rule(rule) for rule in report.rules]},
        "target": _target(report.target),
        "coverage": _coverage(report.coverage, report.interrupted),
        "interrupted": report.interrupted,
        "exit_code": report.exit_code,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "kind": rule.kind,
        "name": rule.name,
        "severity": rule.severity,
        "description": rule.description,
        "remedy": rule.remedy,
        "references": list(rule.references),
        "prefix": rule.prefix,
        "body": rule.body,
    }


def _target(target: Target) -> dict[str, Any]:
    fields = {"type": target.type, "path": target.path, "remote": target.remote, "head": target.head}
    decided = {"platform": target.platform, "event": target.event, "base": target.base, "reason": target.reason}
    return fields | (decided if target.type == "ci" else {})


def _coverage(coverage: Coverage, interrupted: bool) -> dict[str, Any]:
    return {
        "complete": coverage.complete and not interrupted,
        "commits": coverage.commits,
        "blobs": coverage.blobs,
        "bytes": coverage.bytes,
        "skipped": [_remark(skip) for skip in coverage.skipped],
        "notes": [_remark(note) for note in coverage.notes],
        "engines": list(coverage.engines),
        "omitted": coverage.omitted,
    }


def _remark(remark: Skip | Note) -> dict[str, Any]:
    kind = getattr(remark, "kind", "")
    return {"where": remark.where, "reason": remark.reason} | ({"kind": kind} if kind else {})


def finding(finding: Finding, style: Style, target: Target) -> dict[str, Any]:
    """One finding."""
    return {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule.id,
        "kind": finding.rule.kind,
        "severity": finding.severity,
        "rule_severity": finding.rule.severity,
        "confidence": finding.confidence,
        "token": shown(finding.secret, style.reveal),
        "evidence": [{"type": evidence.type, **evidence.facts} for evidence in finding.evidence],
        "exposure": _exposure(finding.exposure),
        "verdict": _verdict(finding.verdict),
        "occurrences": [_occurrence(occurrence, target) for occurrence in finding.occurrences],
    }


def ignored(one: Finding, style: Style, target: Target) -> dict[str, Any]:
    """One ignored finding, with the reason."""
    return {**finding(one, style, target), "reason": one.reason, "justification": one.justification}


def _exposure(exposure: Exposure) -> dict[str, Any]:
    return {
        "first_seen": _commit(exposure.first_seen),
        "last_seen": _commit(exposure.last_seen),
        "at_head": exposure.at_head,
        "tips": None if exposure.tips is None else list(exposure.tips),
        "reachable": exposure.reachable,
        "pushed": exposure.pushed,
        "kept_by": exposure.kept_by,
        "removed": None if exposure.removed is None else [_commit(commit) for commit in exposure.removed],
        "at_or_before": exposure.at_or_before,
        "reflogs": None if exposure.reflogs is None else list(exposure.reflogs),
    }


def _commit(commit: Commit | None) -> dict[str, Any] | None:
    if commit is None:
        return None
    return {
        "commit": commit.id,
        "author": commit.author or None,
        "date": commit.date,
        "committer": commit.committer or None,
        "committed": commit.committed or None,
        "parents": None if commit.parents is None else list(commit.parents),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state,
        "reason": verdict.reason,
        "facts": plain(verdict.facts),
        "lifecycle": [check._asdict() for check in verdict.lifecycle],
        "severity": verdict.severity,
        "severity_reasons": list(verdict.severity_reasons),
        "instance": verdict.instance,
        "asked_at": verdict.asked_at,
    }


def _occurrence(occurrence: Occurrence, target: Target) -> dict[str, Any]:
    sighting, position = occurrence.sighting, occurrence.position
    return {
        "type": sighting.kind,
        **text("path", sighting.path),
        "submodule": sighting.submodule,
        "line": position.line,
        "column": position.column,
        "end_line": position.end_line,
        "end_column": position.end_column,
        "start": occurrence.start,
        "end": occurrence.end,
        "encodings": list(occurrence.encodings),
        "member": "!/".join(filter(None, occurrence.match.address.members)) or None,
        "commit": sighting.commit,
        "author": sighting.author,
        "date": sighting.date,
        "message": sighting.message,
        "blob": sighting.blob,
        "at_head": occurrence.at_head,
        "frame": list(occurrence.frame),
        "frame_line": occurrence.frame_line,
        "line_hash": occurrence.line_hash,
        "address": address(occurrence, target),
    }
