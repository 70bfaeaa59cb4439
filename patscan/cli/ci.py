"""``patscan ci``: what a CI job's event brings, whatever the runner checked out."""

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
from patscan.cli.environment import elsewhere, environment, of_job
from patscan.cli.history import add_history, leave_when_told, submodule_scans, tell_of_submodules
from patscan.cli.parser import add_common
from patscan.errors import TargetError, UsageError
from patscan.model import Note, Report, Rule, Target

if TYPE_CHECKING:
    from patscan import scan as engine
    from patscan.git.borrowed import Borrowed
    from patscan.git.range import Range
    from patscan.git.repository import Repository
    from patscan.sources.introduced import Introduced

_MANY_OBJECTS = 5_000
"""From so many on, starting processes takes less time than it saves."""
_CHECK_OUT = "The runner has to check the repository out: GIT_STRATEGY: fetch in GitLab, actions/checkout in GitHub."
_LARGEST = 64 << 20
"""Bytes of an event file; GitHub's own limit for a webhook is 25 MB."""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan ci`` takes."""
    command.add_argument(
        "--fetch-timeout", type=_seconds, default=300.0, metavar="S", help="seconds that all fetching may take together (default: 300)"
    )
    add_history(command)
    add_common(command, "github" if _is_github() else "text")
    command.set_defaults(command=run)


def _seconds(text: str) -> float:
    if not text.isdecimal() or not 0 < int(text) <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 86400")
    return float(text)


def run(chosen: argparse.Namespace) -> int:
    """Look at what the event brings, and report where the CI server shows it."""
    from patscan.ci.environment import decide

    decision = decide(os.environ, _payload)
    target = Target("ci", ".", platform=decision.platform, event=decision.event, reason=_announced(decision))
    if (summary := os.environ.get("GITHUB_STEP_SUMMARY")) and _is_github():
        chosen.summaries = [Path(summary)]
    job = _Job(chosen, decision)
    more = partial(submodule_scans, chosen, Path()) if chosen.submodules else None
    with job.stack, _section(chosen, decision):
        leave_when_told()
        return scanning.report(chosen, target, job.source, more=more, after=job.excused)


def _payload() -> bytes | None:
    """What the event file holds; ``None`` if there is none."""
    path = os.environ.get("GITHUB_EVENT_PATH", "")
    try:
        with open(path, "rb") as file:
            payload = file.read(_LARGEST + 1)
    except (OSError, ValueError):
        return None
    if len(payload) > _LARGEST:
        raise UsageError(f"GITHUB_EVENT_PATH: the file is larger than {_LARGEST >> 20} MiB. The environment isn't what the CI server set.")
    return payload


def _is_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS", "").lower() == "true"


def _announced(decision: Decision) -> str:
    return f"{decision.platform}, {decision.event}: {decision.reason}."


@contextmanager
def _section(chosen: argparse.Namespace, decision: Decision) -> Iterator[None]:
    """A collapsible section of GitLab's job log (GitLab's docs, ci/jobs/job_logs.md) around the report."""
    if decision.platform != "GitLab CI" or chosen.quiet or chosen.format not in {"text", "brief"}:
        yield
        return
    print(f"\x1b[0Ksection_start:{int(time.time())}:patscan\r\x1b[0Kpatscan ci: {_announced(decision)}", flush=True)
    try:
        yield
    finally:
        print(f"\x1b[0Ksection_end:{int(time.time())}:patscan\r\x1b[0K", flush=True)


class _Job:
    """One run: what the first look and the question after what stood before share."""

    def __init__(self, chosen: argparse.Namespace, decision: Decision) -> None:
        self.stack = ExitStack()
        self._chosen, self._decision = chosen, decision
        self._repository: Repository | None = None
        self._place: Borrowed | None = None
        """Where more may have to be fetched into, for the checkout is a partial clone."""
        self._resolved: Range | None = None

    def source(self, rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
        """What the event brings, fetched where it is missing. Raises `TargetError` and `UsageError`."""
        from patscan.ci.resolve import nothing, resolve
        from patscan.cli import pools
        from patscan.cli.progress import Fetching
        from patscan.git.borrowed import Network, borrowed
        from patscan.git.repository import open_repository

        try:
            checkout = open_repository(Path(), environment())
        except TargetError as error:
            raise TargetError(f"{error} {_CHECK_OUT}") from error
        with Fetching(not self._chosen.quiet) as fetching:
            network = Network(of_job(), self._chosen.fetch_timeout, fetching.tell)
            place = self.stack.enter_context(borrowed(checkout, elsewhere(), network))
            self._resolved = resolved = (nothing if self._decision.deleted else resolve)(self._decision, checkout, place)
        self._place = place if checkout.is_partial() else None
        if resolved.head:
            place.settle(resolved.head, self._decision.ref, resolved.edge)
        self._repository = open_repository(place.place, place.environment)
        source = self._introduced(self._repository, resolved)
        tell_of_submodules(self._chosen, checkout, source)
        return source, scanning.pool(self._chosen, rules) if source.count() > _MANY_OBJECTS else partial(pools.small, rules)

    def excused(self, report: Report, rules: tuple[Rule, ...]) -> Report:
        """`report` without the tokens that stood in the base's files."""
        from patscan import scan as engine
        from patscan.excused import STOOD, excuse
        from patscan.git.range import filled
        from patscan.sources.introduced import Standing

        if not (self._repository and self._resolved and self._resolved.base):
            return report
        if self._place:
            filled(self._place, "--max-count=1", self._resolved.base)
        standing = Standing(self._repository, [self._resolved.base])
        before = engine.scan(standing, rules, scanning.pool(self._chosen, rules), lambda _: None, engine.Options("low"))
        secrets = {finding.secret for finding in (*before.findings, *before.ignored)}
        return excuse(report, lambda finding, _: STOOD if finding.secret in secrets else "")

    def _introduced(self, repository: Repository, resolved: Range) -> Introduced:
        from patscan.sources.introduced import Introduced

        decision = self._decision
        target = Target("ci", ".", platform=decision.platform, event=decision.event, base=resolved.base or None, reason=resolved.reason)
        source = Introduced(repository, resolved, decision.ref, target, self._chosen.paths)
        source.notes += [Note(decision.event, note) for note in resolved.notes]
        return source
