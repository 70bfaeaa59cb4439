"""The JSON report, ``patscan-report/1``: the wire format, written field by field so that inner types may change without it.

Every other format can be made from it. Its text is ASCII. What is no Unicode text in a repository becomes U+FFFD; a path that is
not UTF-8 has its bytes in ``path_bytes`` as well, base64. ``null`` says: not looked at, or there is none.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, TextIO

from patscan import __version__
from patscan.formats.places import SURROGATE, as_bytes
from patscan.formats.redaction import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from patscan.formats import Style
    from patscan.model import Commit, Coverage, Exposure, Fact, Finding, Note, Occurrence, Report, Rule, Skip, Target, Verdict

SCHEMA = "patscan-report/1"


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report`, one finding at a time."""
    margin = "\n  "
    stream.write("{\n")
    stream.writelines(f'  "{key}": {indented(value, margin)},\n' for key, value in head(report).items())
    stream.write('  "findings": ')
    write_items(stream, (finding(one, style) for one in report.findings), margin)
    stream.write(',\n  "ignored": ')
    write_items(stream, (ignored(one, style) for one in report.ignored), margin)
    stream.write("\n}\n")


def head(report: Report) -> dict[str, Any]:
    """All of the document but its findings."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "patscan", "version": __version__, "rules": [_rule(rule) for rule in report.rules]},
        "target": _target(report.target),
        "coverage": _coverage(report.coverage, report.interrupted),
        "interrupted": report.interrupted,
        "exit_code": report.exit_code,
    }


def write_items(stream: TextIO, items: Iterable[dict[str, Any]], margin: str = "\n") -> None:
    """A list, item by item: what `indented` makes of it, without the whole of it in memory."""
    inner, comma = f"{margin}  ", ""
    stream.write("[")
    for item in items:
        stream.write(f"{comma}{inner}{indented(item, inner)}")
        comma = ","
    stream.write(f"{margin}]" if comma else "]")


def indented(value: Any, margin: str = "\n") -> str:
    """What ``json.dumps`` makes of `value` with an indent of 2, but quickly: with an indent, it leaves its C part unused."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if not value or not isinstance(value, dict | list):
        return json.dumps(value)
    inner = f"{margin}  "
    if isinstance(value, list):
        return f"[{inner}{f',{inner}'.join([indented(item, inner) for item in value])}{margin}]"
    items = [f"{encode_basestring_ascii(key)}: {indented(item, inner)}" for key, item in value.items()]
    return f"{{{inner}{f',{inner}'.join(items)}{margin}}}"


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


def finding(finding: Finding, style: Style) -> dict[str, Any]:
    """One finding."""
    return {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule.id,
        "kind": finding.rule.kind,
        "severity": finding.rule.severity,
        "confidence": finding.confidence,
        "token": shown(finding.secret, style.reveal),
        "evidence": [{"type": evidence.type, **evidence.facts} for evidence in finding.evidence],
        "exposure": _exposure(finding.exposure),
        "verdict": _verdict(finding.verdict),
        "occurrences": [_occurrence(occurrence) for occurrence in finding.occurrences],
    }


def ignored(one: Finding, style: Style) -> dict[str, Any]:
    """One finding that isn't counted, and why."""
    return {**finding(one, style), "reason": one.reason, "justification": one.justification}


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
        "facts": _json(verdict.facts),
        "lifecycle": [check._asdict() for check in verdict.lifecycle],
        "severity": verdict.severity,
        "severity_reasons": list(verdict.severity_reasons),
        "instance": verdict.instance,
        "asked_at": verdict.asked_at,
    }


def _json(fact: Fact) -> Any:
    if isinstance(fact, tuple):
        return [_json(item) for item in fact]
    return {key: _json(value) for key, value in fact.items()} if isinstance(fact, Mapping) else fact


def _occurrence(occurrence: Occurrence) -> dict[str, Any]:
    sighting, position = occurrence.sighting, occurrence.position
    return {
        "type": sighting.kind,
        **_path(sighting.path),
        "submodule": sighting.submodule,
        "line": position.line,
        "column": position.column,
        "end_line": position.end_line,
        "end_column": position.end_column,
        "start": occurrence.start,
        "end": occurrence.end,
        "encodings": list(occurrence.encodings),
        **_member(occurrence.match.address.members),
        "commit": sighting.commit,
        "author": sighting.author,
        "date": sighting.date,
        "message": sighting.message,
        "blob": sighting.blob,
        "at_head": occurrence.at_head,
        "frame": list(occurrence.frame),
        "frame_line": occurrence.frame_line,
        "line_hash": occurrence.line_hash,
    }


def _member(members: tuple[str, ...]) -> dict[str, Any]:
    """The path inside the archive for a reader; for a program each archive's, of which a compressed stream has none."""
    listed = [SURROGATE.sub("\ufffd", member) for member in members]
    return {"member": "!/".join(filter(None, listed)) or None} | ({"members": listed} if listed else {})


def _path(path: str | None) -> dict[str, Any]:
    if path is None or not SURROGATE.search(path):
        return {"path": path}
    return {"path": SURROGATE.sub("\ufffd", path), "path_bytes": b64encode(as_bytes(path)).decode()}
