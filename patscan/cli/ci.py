"""``patscan ci``: scans what a CI job's event introduces, whatever the runner checked out."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.ci.decision import Decision
from patscan.cli import scanning
from patscan.cli.asking import add_asking
from patscan.cli.environment import elsewhere, environment, of_job
from patscan.cli.history import add_history, note_submodules, submodule_scans
from patscan.cli.parser import add_common
from patscan.cli.scanning import Job
from patscan.errors import TargetError, UsageError
from patscan.git.repository import open_repository
from patscan.model import Target
from patscan.run import Options, Run

if TYPE_CHECKING:
    from patscan.git.borrowed import Borrowed
    from patscan.git.range import Range
    from patscan.git.repository import Repository
    from patscan.sources.introduced import Introduced

_MANY_OBJECTS = 5_000
"""From this number on, worker processes save more time than their start takes."""
_CHECK_OUT = "Let the runner check the repository out: GIT_STRATEGY: fetch in GitLab, actions/checkout in GitHub."
_LARGEST = 64 << 20
"""Bytes of an event file; GitHub's own limit for a webhook is 25 MB."""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan ci`` takes."""
    command.add_argument(
        "--fetch-timeout", type=_seconds, default=300.0, metavar="S", help="seconds for all fetches together (default: 300)"
    )
    add_history(command)
    add_common(command, "github" if _is_github() else "text")
    add_asking(command)
    command.set_defaults(command=run)


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text) <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to 86400")
    return float(text)


def run(chosen: argparse.Namespace) -> int:
    """Scan what the event introduces, and report in the CI server's format."""
    from patscan.ci.environment import decide

    decision = decide(os.environ, _payload)
    target = Target("ci", ".", platform=decision.platform, event=decision.event, reason=_announced(decision))
    if (summary := os.environ.get("GITHUB_STEP_SUMMARY")) and _is_github():
        chosen.summaries = [Path(summary)]
    job = Job(chosen, target)
    with ExitStack() as stack, _section(chosen, decision):
        with job:
            _scan(chosen, decision, job, stack)
        return job.deliver()


def _scan(chosen: argparse.Namespace, decision: Decision, job: Job, stack: ExitStack) -> None:
    """Scan what the event introduces, and fetch missing commits. Raises `TargetError` and `UsageError`."""
    from patscan.cli import pools

    checkout = _checkout()
    place, resolved = _fetch(chosen, decision, checkout, stack)
    repository = open_repository(place.place, place.environment)
    source = _introduced(decision, repository, resolved)
    note_submodules(chosen, checkout, source)
    pool = scanning.pool(chosen) if source.count() > _MANY_OBJECTS else pools.small
    below = submodule_scans(chosen, job.rules, checkout)
    without_known = partial(_without_known_tokens, chosen, repository, resolved, place if checkout.is_partial() else None)
    job.report = job.scan(source, pool, without_known, below=below)


def _checkout() -> Repository:
    try:
        return open_repository(Path(), environment())
    except TargetError as error:
        raise TargetError(f"{error} {_CHECK_OUT}") from error


def _fetch(chosen: argparse.Namespace, decision: Decision, checkout: Repository, stack: ExitStack) -> tuple[Borrowed, Range]:
    """A repository beside the checkout that has the event's commits, and their range."""
    from patscan.ci.resolve import nothing, resolve
    from patscan.cli.progress import StatusLine
    from patscan.git.borrowed import Network, borrowed

    with StatusLine(not chosen.quiet) as fetching:
        network = Network(of_job(), chosen.fetch_timeout, fetching.show)
        place = stack.enter_context(borrowed(checkout, elsewhere(), network))
        resolved = (nothing if decision.deleted else resolve)(decision, checkout, place)
    if resolved.head:
        place.settle(resolved.head, decision.ref, resolved.edge)
    return place, resolved


def _introduced(decision: Decision, repository: Repository, resolved: Range) -> Introduced:
    from patscan.sources.introduced import Introduced

    target = Target("ci", ".", platform=decision.platform, event=decision.event, base=resolved.base or None, reason=resolved.reason)
    source = Introduced(repository, resolved, decision.ref, target)
    for note in resolved.notes:
        source.gaps.note(decision.event, note)
    return source


def _without_known_tokens(chosen: argparse.Namespace, repository: Repository, resolved: Range, partial_: Borrowed | None, run: Run) -> Run:
    """`run` without the tokens in the base's files. A partial clone fetches missing files."""
    from patscan.excused import stood
    from patscan.git.range import filled
    from patscan.scan import scan
    from patscan.sources.introduced import Standing

    if not resolved.base or not run.findings:
        return run
    if partial_:
        filled(partial_, "--max-count=1", resolved.base)
    before = scan(Standing(repository, [resolved.base]), run.rules, scanning.pool(chosen), lambda _: None, Options("low"))
    return stood({finding.fingerprint for finding in (*before.findings, *before.ignored)}, run)


def _payload() -> bytes | None:
    """The content of the event file; ``None`` if there is none. Raises `UsageError` if it is too large."""
    path = os.environ.get("GITHUB_EVENT_PATH", "")
    try:
        with open(path, "rb") as file:
            payload = file.read(_LARGEST + 1)
    except (OSError, ValueError):
        return None
    if len(payload) > _LARGEST:
        raise UsageError(f"GITHUB_EVENT_PATH: the file is larger than {_LARGEST >> 20} MiB, which GitHub never writes. Check the variable.")
    return payload


def _is_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS", "").lower() == "true"


def _announced(decision: Decision) -> str:
    return f"{decision.platform}, {decision.event}: {decision.reason}."


@contextmanager
def _section(chosen: argparse.Namespace, decision: Decision) -> Iterator[None]:
    """Puts the report in a collapsible section of GitLab's job log (GitLab's docs, ci/jobs/job_logs.md)."""
    if decision.platform != "GitLab CI" or chosen.quiet or chosen.format not in {"text", "brief"}:
        yield
        return
    print(f"\x1b[0Ksection_start:{int(time.time())}:patscan\r\x1b[0Kpatscan ci: {_announced(decision)}", flush=True)
    try:
        yield
    finally:
        print(f"\x1b[0Ksection_end:{int(time.time())}:patscan\r\x1b[0K", flush=True)
