"""What is known of a token without any request. Imports nothing that reaches the network."""

from __future__ import annotations

from datetime import datetime

from patscan.dates import moment
from patscan.model import Finding, Verdict

_VISIBLE = range(0x21, 0x7F)
"""ASCII that a header can carry: nothing blank, no control character."""
_DOUBTS = {
    "edge": "it may have been cut at the wrong place",
    "truncated": "it is cut off",
    "prefix": "an instance's prefix may belong to it",
}


def verdict(finding: Finding, now: datetime) -> Verdict | None:
    """The verdict on a token that needn't or mustn't be sent; ``None`` if it must be asked."""
    if not len(finding.secret):
        unread = finding.verdict.reason if finding.verdict.state == "unchecked" else ""
        return Verdict("unchecked", unread or "the report holds its mask only, so there is nothing to send")
    for evidence in finding.evidence:
        if evidence.type == "checksum" and evidence.facts.get("ok") is False:
            return Verdict("unverifiable", "its checksum is wrong, so GitLab didn't make it; it wasn't sent")
        if evidence.type == "truncated":
            return Verdict("unverifiable", "a part of it is missing, so GitLab couldn't know it; it wasn't sent")
        if evidence.type == "jwt" and (end := moment(evidence.facts.get("expires"))) and end <= now:
            return Verdict("inactive", f"it says itself that it expired at {evidence.facts['expires']}; it wasn't sent")
    if not all(byte in _VISIBLE for byte in finding.secret.reveal()):
        return Verdict("unverifiable", "it holds characters that no request can carry")
    return None


def doubted(finding: Finding, verdict: Verdict) -> Verdict:
    """`verdict`, unless it is that GitLab doesn't know a token of which we may not have the right characters."""
    if verdict.state != "not-found":
        return verdict
    for evidence in finding.evidence:
        if (evidence.type == "edge" and "cut" in str(evidence.facts.get("text"))) or (
            evidence.type == "prefix" and "may" in str(evidence.facts.get("text"))
        ):
            return Verdict("unverifiable", f"GitLab doesn't know it as it was read, but {_DOUBTS[evidence.type]}", verdict.facts)
    return verdict
