"""Verdicts that need no request. Imports nothing that uses the network."""

from __future__ import annotations

from datetime import datetime

from patscan.dates import moment
from patscan.model import Finding, Verdict

_VISIBLE = range(0x21, 0x7F)
"""ASCII that a header can carry: no blanks and no control characters."""
_DOUBTS = {
    "edge": "it may be cut at the wrong place",
    "truncated": "it is cut off",
    "prefix": "an instance's prefix may belong to it",
}


def verdict(finding: Finding, now: datetime) -> Verdict | None:
    """The verdict on a token that needn't or mustn't be sent; ``None`` if GitLab has to be asked."""
    if not len(finding.secret):
        unread = finding.verdict.reason if finding.verdict.state == "unchecked" else ""
        return Verdict("unchecked", unread or "the report has only its mask, so there is nothing to send")
    for evidence in finding.evidence:
        if evidence.type == "checksum" and evidence.facts.get("ok") is False:
            return Verdict("unverifiable", "its checksum is wrong, so GitLab didn't create it; it wasn't sent")
        if evidence.type == "truncated":
            return Verdict("unverifiable", "a part of it is missing, so GitLab can't know it; it wasn't sent")
        if evidence.type == "jwt" and (end := moment(evidence.facts.get("expires"))) and end <= now:
            return Verdict("inactive", f"it expired at {evidence.facts['expires']}, by its own claim; it wasn't sent")
    if not all(byte in _VISIBLE for byte in finding.secret.reveal()):
        return Verdict("unverifiable", "it contains characters that no request can carry")
    return None


def doubted(finding: Finding, verdict: Verdict) -> Verdict:
    """`verdict`, but ``unverifiable`` instead of ``not-found`` for a token that may be cut at the wrong place."""
    if verdict.state != "not-found":
        return verdict
    for evidence in finding.evidence:
        if (evidence.type == "edge" and "cut" in str(evidence.facts.get("text"))) or (
            evidence.type == "prefix" and "may" in str(evidence.facts.get("text"))
        ):
            return Verdict("unverifiable", f"GitLab doesn't know it as it was read, but {_DOUBTS[evidence.type]}", verdict.facts)
    return verdict
