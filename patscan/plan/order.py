"""The order of tokens by urgency."""

from __future__ import annotations

from collections.abc import Iterable

from patscan.model import CONFIDENCES, SEVERITIES, Finding

_STATES = ("active", "active-blocked", "error", "unchecked", "unverifiable", "not-found", "inactive")
"""GitLab's verdicts, the most urgent first. A token in an unknown state may be alive."""
_PUSHED = (True, None, False)


def by_urgency(findings: Iterable[Finding]) -> list[Finding]:
    """`findings` with live tokens first, then pushed ones, then the most harmful."""
    return sorted(findings, key=_rank)


def is_dead(finding: Finding) -> bool:
    """Whether GitLab says that the token is revoked or expired."""
    return finding.verdict.state == "inactive"


def _rank(finding: Finding) -> tuple[int, int, int, int, str]:
    state = finding.verdict.state
    return (
        _STATES.index(state) if state in _STATES else 0,
        _PUSHED.index(finding.exposure.pushed),
        -SEVERITIES.index(finding.severity),
        -CONFIDENCES.index(finding.confidence),
        finding.fingerprint,
    )
