"""``patscan revoke``: revokes the tokens of a saved report, and proves that they are dead."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from patscan.cli import acting, signals
from patscan.cli.report import saved
from patscan.cli.selecting import add_fingerprint, selected
from patscan.counts import counted
from patscan.errors import AuditError, ExitCode
from patscan.formats.words import named

if TYPE_CHECKING:
    from patscan.audit import AuditLog
    from patscan.gitlab.acting import Actor, Deed
    from patscan.gitlab.revoke import Outcome
    from patscan.model import Finding


_DEAD = ("inactive", "not-found")
_UNPROVED = "nothing was sent: GitLab doesn't say whether --at is this token. Without --yes you can compare them before you confirm"


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan revoke`` takes."""
    tokens = command.add_mutually_exclusive_group(required=True)
    add_fingerprint(tokens)
    tokens.add_argument("--active", action="store_true", help="every token that GitLab says is active now")
    acting.add_acting(command)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Exit code 0 if all tokens are dead, 1 if one is alive, 3 if the state of one is unknown."""
    acting.check(chosen)
    report = saved(chosen.inputs[0])
    if chosen.fingerprint:
        report = selected(report, chosen.fingerprint)
    actor = acting.actor(chosen, report)
    log = None if chosen.dry_run else acting.log(chosen)
    try:
        findings = acting.current_findings(chosen, report, actor)
        if chosen.active:
            _print_dead(findings)
        outcomes, deeds = _plan(findings, actor, bool(chosen.active))
        if chosen.yes:
            outcomes += [_untouched(deed, _UNPROVED) for deed in deeds if not _is_proved(deed)]
            deeds = [deed for deed in deeds if _is_proved(deed)]
        acting.write_lines((line for deed in deeds for line in acting.plan(deed)), error=log is not None)
        question = f"{'Revoke' if len(deeds) == 1 else 'Revoke these'} {counted(len(deeds), 'token')}?"
        if log and deeds and acting.consents(chosen, question):
            outcomes += _revoke_each(deeds, actor, log)
        else:
            outcomes += [_untouched(deed, "nothing was done") for deed in deeds]
    finally:
        if log:
            log.close()
    _print_outcomes(chosen, outcomes)
    if log and log.problem:
        raise AuditError(log.problem)
    return signals.code() or _code(outcomes)


def _plan(findings: Sequence[Finding], actor: Actor, active: bool) -> tuple[list[Outcome], list[Deed]]:
    """The outcomes that need no request, and the deeds to do. With `active`, dead and unknown tokens are left out."""
    from datetime import UTC, datetime

    from patscan.gitlab import offline
    from patscan.gitlab.acting import Deed
    from patscan.gitlab.revoke import plan

    outcomes: list[Outcome] = []
    deeds = []
    for finding in findings:
        if active and finding.verdict.state in _DEAD:
            continue
        step = plan(finding, actor, offline.verdict(finding, datetime.now(UTC)) is not None)
        deeds.append(step) if isinstance(step, Deed) else outcomes.append(step)
    return outcomes, deeds


def _revoke_each(deeds: Sequence[Deed], actor: Actor, log: AuditLog) -> list[Outcome]:
    """Revoke one after the other. A signal takes effect between two."""
    from patscan.gitlab.revoke import revoke

    outcomes = []
    for deed in deeds:
        if signals.code() is not None:
            outcomes.append(_untouched(deed, "interrupted before it was revoked"))
            continue
        try:
            with signals.deferred():
                outcomes.append(revoke(deed, actor, log))
        except AuditError as error:
            outcomes.append(_untouched(deed, str(error)))
    return outcomes


def _is_proved(deed: Deed) -> bool:
    """Whether the request surely revokes this token. Only a row named by ``--at`` may be another token's."""
    return deed.row is None or bool(deed.row.same)


def _print_dead(findings: Sequence[Finding]) -> None:
    """Print how many tokens ``--active`` leaves alone."""
    from collections import Counter

    numbers = Counter(finding.verdict.state for finding in findings)
    if left := ", ".join(f"{numbers[state]:,} {state}" for state in _DEAD if numbers[state]):
        acting.write_lines([f"Left alone: {left}."], error=True)


def _untouched(deed: Deed, reason: str) -> Outcome:
    from patscan.gitlab.revoke import Outcome

    return Outcome(deed.finding, "active" if deed.finding.verdict.state.startswith("active") else "unknown", reason)


def _print_outcomes(chosen: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    words = {"inactive": "inactive", "active": "STILL ALIVE", "unknown": "unknown"}
    for outcome in outcomes:
        line = ": ".join(filter(None, (named(outcome.finding), words[outcome.state], outcome.reason)))
        if outcome.state == "active":
            acting.alarm(chosen, line)
        else:
            acting.write_lines([line])
    if not outcomes:
        acting.write_lines(["No token to revoke: GitLab says that none is active."])


def _code(outcomes: Sequence[Outcome]) -> ExitCode:
    states = {outcome.state for outcome in outcomes}
    return ExitCode.FOUND if "active" in states else ExitCode.INCOMPLETE if "unknown" in states else ExitCode.CLEAN
