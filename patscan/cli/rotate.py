"""``patscan rotate``: replaces a leaked token, and writes the new one to a file that only its owner can read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.cli import acting, signals
from patscan.cli.report import saved
from patscan.cli.selecting import add_fingerprint, selected
from patscan.errors import AuditError, ExitCode, UsageError
from patscan.formats.words import named

if TYPE_CHECKING:
    from patscan.audit import AuditLog
    from patscan.gitlab.acting import Actor, Deed
    from patscan.gitlab.rotate import Outcome
    from patscan.keeping import Place

_DAYS = 90
"""Days until the new token expires, without ``--expires``."""
_MOST = 364
"""Days that ``--expires`` may be ahead. GitLab's default maximum is higher, so it never shortens this."""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan rotate`` takes."""
    add_fingerprint(command, required=True)
    command.add_argument("--token-file", type=Path, required=True, metavar="FILE", help="a new file for the new token")
    command.add_argument("--expires", type=_day, metavar="DATE", help=f"when the new token expires (default: in {_DAYS} days)")
    acting.add_acting(command)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Exit code 0 if the new token is in the file and the old one is dead, 1 if not, 3 if that is unknown."""
    from patscan.gitlab.acting import Deed
    from patscan.gitlab.rotate import plan
    from patscan.gitlab.ways import RUNNER

    acting.check(chosen)
    if chosen.token_file == Path("-"):
        raise UsageError("--token-file: a new token is never written to standard output. Name a file that doesn't exist.")
    report = selected(saved(chosen.inputs[0]), chosen.fingerprint)
    if len({finding.fingerprint for finding in report.findings}) != 1:
        raise UsageError("rotate one token at a time: name one with --fingerprint.")
    if chosen.expires and report.findings[0].rule.kind == RUNNER:
        raise UsageError("--expires: a runner's token expires as the instance's settings say. Leave the flag out.")
    actor = acting.actor(chosen, report)
    with ExitStack() as stack:
        log = None if chosen.dry_run else acting.log(chosen)
        places = _places(chosen, log, stack) if log else []
        (finding,) = acting.current_findings(chosen, report, actor)
        step = plan(finding, actor, chosen.expires or datetime.now(UTC).date() + timedelta(days=_DAYS))
        outcome = _rotate(chosen, step, actor, log, places) if isinstance(step, Deed) else step
    _print_outcome(chosen, named(finding), outcome)
    if log and log.problem:
        raise AuditError(log.problem)
    return signals.code() or _code(outcome)


def _places(chosen: argparse.Namespace, log: AuditLog, stack: ExitStack) -> list[Place]:
    """The file of ``--token-file`` and a spare one. `stack` removes those that stay empty. Raises `KeepingError`."""
    from patscan.keeping import Place

    stack.callback(log.close)
    places = []
    for path, flag in ((chosen.token_file, "--token-file"), (log.beside("rotated"), "beside the audit log")):
        places.append(Place(path, flag))
        stack.callback(places[-1].discard)
    return places


def _rotate(chosen: argparse.Namespace, deed: Deed, actor: Actor, log: AuditLog | None, places: Sequence[Place]) -> Outcome:
    """Rotate the token if the user consents. Raises `AuditError` if nothing was sent."""
    from patscan.gitlab.rotate import Outcome, rotate

    expires = (deed.way.request.fields or {}).get("expires_at")
    lines = [*acting.plan(deed), f"  The new token goes to {chosen.token_file}{f' and ends on {expires}' if expires else ''}."]
    acting.write_lines(lines, error=log is not None)
    if not log or not acting.consents(chosen, "Rotate it?"):
        return Outcome("unchanged", "nothing was done")
    with signals.deferred():
        return rotate(deed, actor, log, places)


def _print_outcome(chosen: argparse.Namespace, token: str, outcome: Outcome) -> None:
    if outcome.state == "rotated" and outcome.place and outcome.place.path == chosen.token_file:
        acting.write_lines([f"{token}: rotated: the old token is inactive, the new one is in {chosen.token_file}"])
        return
    kept = [f"the new token is in {outcome.place.path}"] if outcome.place else []
    words = {"rotated": "rotated", "unknown": "unknown", "lost": "LOST", "ended": "not rotated"}
    head = words.get(outcome.state, "not rotated" if outcome.state == "unchanged" else "STILL ALIVE")
    acting.alarm(chosen, ": ".join(filter(None, (token, head, *kept, outcome.reason))))


def _code(outcome: Outcome) -> ExitCode:
    if outcome.state == "rotated":
        return ExitCode.CLEAN
    return ExitCode.INCOMPLETE if outcome.state in {"lost", "unknown"} else ExitCode.FOUND


def _day(text: str) -> date:
    today = datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write {today + timedelta(days=_DAYS)}") from None
    if not today < day <= today + timedelta(days=_MOST):
        raise argparse.ArgumentTypeError(f"{text} must be from tomorrow to {today + timedelta(days=_MOST)}")
    return day
