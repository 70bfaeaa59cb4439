"""Which verdicts are shown, which make a command fail, and what they have to do with its exit code."""

from __future__ import annotations

import argparse

from patscan.model import STATES, Finding, Note, Report

OPEN = ("error", "unchecked")
"""States that say nothing of a token: they are never hidden."""
_LIVE = ("active", "active-blocked")


def add_states(command: argparse.ArgumentParser) -> None:
    """The flags that choose among verdicts."""
    words = ", ".join(STATES)
    command.add_argument("--only", action="append", choices=STATES, metavar="STATE", help=f"show only these (repeatable): {words}")
    command.add_argument("--fail-on", action="append", choices=STATES, metavar="STATE", help="exit 1 for these only (repeatable)")


def chosen_states(chosen: argparse.Namespace) -> tuple[str, ...]:
    """The states that make the exit code 1; empty: every finding does, whatever its state."""
    return tuple(getattr(chosen, "fail_on", None) or getattr(chosen, "only", None) or ())


def sifted(chosen: argparse.Namespace, report: Report) -> Report:
    """`report` with live tokens first; those that ``--only`` hides are listed as ignored."""
    only = chosen.only or STATES
    hidden = tuple(finding._replace(reason="verdict") for finding in report.findings if finding.verdict.state not in (*only, *OPEN))
    findings = [finding for finding in report.findings if finding.verdict.state in (*only, *OPEN)]
    unverifiable = sum(finding.verdict.state == "unverifiable" for finding in report.findings)
    coverage = report.coverage
    if chosen_states(chosen) and unverifiable:
        note = Note("unverifiable", f"of {unverifiable:,} of the tokens GitLab can't tell whether they work. Take them for live.")
        coverage = coverage._replace(notes=(*coverage.notes, note))
    return report._replace(findings=tuple(sorted(findings, key=_is_dead)), ignored=(*report.ignored, *hidden), coverage=coverage)


def _is_dead(finding: Finding) -> bool:
    return finding.verdict.state not in _LIVE
