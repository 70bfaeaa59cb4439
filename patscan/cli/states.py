"""The verdicts that a command shows, and those that set its exit code."""

from __future__ import annotations

import argparse

from patscan.counts import counted
from patscan.model import STATES, Finding, Note, Report

OPEN = ("error", "unchecked")
"""States without an answer. They are never hidden."""
_LIVE = ("active", "active-blocked")


def add_states(command: argparse.ArgumentParser) -> None:
    """Add the flags that choose verdicts."""
    words = ", ".join(STATES)
    command.add_argument("--only", action="append", choices=STATES, metavar="STATE", help=f"show only these (repeatable): {words}")
    command.add_argument("--fail-on", action="append", choices=STATES, metavar="STATE", help="exit 1 only for these (repeatable)")


def chosen_states(chosen: argparse.Namespace) -> tuple[str, ...]:
    """The states that make the exit code 1; empty if every state does."""
    return tuple(getattr(chosen, "fail_on", None) or getattr(chosen, "only", None) or ())


def sifted(chosen: argparse.Namespace, report: Report) -> Report:
    """`report` with live tokens first, and with the tokens that ``--only`` hides among the ignored."""
    only = chosen.only or STATES
    hidden = tuple(finding._replace(reason="verdict") for finding in report.findings if finding.verdict.state not in (*only, *OPEN))
    findings = [finding for finding in report.findings if finding.verdict.state in (*only, *OPEN)]
    unverifiable = sum(finding.verdict.state == "unverifiable" for finding in report.findings)
    coverage = report.coverage
    if chosen_states(chosen) and unverifiable:
        note = Note(
            "unverifiable", f"GitLab can't say whether {counted(unverifiable, 'token works', 'tokens work')}. Treat such tokens as live."
        )
        coverage = coverage._replace(notes=(*coverage.notes, note))
    return report._replace(findings=tuple(sorted(findings, key=_is_dead)), ignored=(*report.ignored, *hidden), coverage=coverage)


def _is_dead(finding: Finding) -> bool:
    return finding.verdict.state not in _LIVE
