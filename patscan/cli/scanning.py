"""What every command that scans does: rules, scans, one report, exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from patscan import formats
from patscan import scan as engine
from patscan.cli import cache, output, policy
from patscan.cli.limits import limits
from patscan.cli.progress import Progress
from patscan.errors import ConfigError, ExitCode, TargetError
from patscan.model import Coverage, Note, Report, Skip, Target
from patscan.run import Options, Pool, Source, Stage

_Entry = TypeVar("_Entry", Skip, Note)


class Job:
    """One run of a command that scans: what flags, configuration and baseline want, and the report.

    Used as a context manager it turns a `TargetError` into a report that says so. ``with job: job.report = job.scan(…)``
    """

    def __init__(
        self,
        chosen: argparse.Namespace,
        target: Target,
        place: Path | None = Path(),
        holds: policy.Holding | None = None,
        staged: bool = False,
    ) -> None:
        """What holds for `place` holds here; ``None``: only what flags name. `holds` is what holds, if that is known.

        With `staged`, a repository's own configuration and baseline are those that are about to be committed.
        Raises `ConfigError`, `OutputError`, `RuleError` and `UsageError`.
        """
        output.check(chosen)
        self._chosen, self._target = chosen, target
        self._holds = holds or (policy.as_staged(chosen, place) if staged else policy.holding(chosen, place))
        self._notes: list[Note] = []
        keep = not getattr(chosen, "no_cache", False)
        self.rules = self._holds.rules(cache.rules(chosen.rules, keep, self._notes))
        self._compiled = cache.compiled(self.rules, self._notes) if keep else None
        self._options = self._wanted()
        self.report = Report(target, self.rules, Coverage(), (), ())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        if not isinstance(error, TargetError):
            return False
        where, _, reason = str(error).partition(": ")
        self.report = Report(self._target, self.rules, Coverage(skipped=(Skip(where, reason),)), (), ())
        return True

    def scan(self, source: Source, pool: Pool, *stages: Stage, below: Mapping[str, tuple[Source, Pool]] | None = None) -> Report:
        """Scan `source`, go through `stages` after the usual ones, and scan what lies `below` it: submodules, by their paths."""
        with Progress(not self._chosen.quiet) as progress:
            report = engine.scan(source, self.rules, pool, progress.add, self._options, stages)
            if not below or report.interrupted:
                return report
            from patscan.union import union

            return union(
                report,
                {
                    path: engine.scan(inner, self.rules, inner_pool, progress.add, policy.below(path, self._options))
                    for path, (inner, inner_pool) in below.items()
                },
            )

    def finished(self) -> Report:
        """The report with all that it owes to flags, configuration, baseline and GitLab. Raises as `__init__` does."""
        report = self.report._replace(coverage=self.report.coverage.plus(Coverage(notes=tuple(self._notes))))
        # A configured prefix makes a second rule of one; to a reader they are the same.
        report = report._replace(rules=tuple({rule.id: rule for rule in reversed(self.rules)}.values())[::-1])
        if hasattr(self._chosen, "verify"):
            from patscan.cli.asking import proposed, verified

            report = verified(self._chosen, report, proposed(report, self._holds.config) if self._chosen.verify else ())
        return self._holds.said(report)

    def deliver(self) -> int:
        """Write the report as it was asked for; returns the exit code. Raises `ConfigError` after it if a demand isn't met."""
        report = self.finished()
        code = output.deliver(_as_asked(report, self._target), self._chosen)
        if code == ExitCode.ERROR:
            raise ConfigError("\n         ".join(report.violations))
        return code

    def _wanted(self) -> Options:
        chosen = self._chosen
        narrow = {name: getattr(chosen, name) for name in ("since", "until", "author") if hasattr(chosen, name)}
        asked = {getattr(chosen, "format", "json"), *(name for name, _ in getattr(chosen, "report", ()))}
        every_place = not formats.LISTING.isdisjoint(asked)
        return self._holds.options(self._target)._replace(
            reveal=chosen.show_secrets,
            compiled=self._compiled,
            every_place=every_place,
            limits=limits(chosen, self._holds.config),
            **narrow,
        )


def _as_asked(report: Report, target: Target) -> Report:
    """The report of a mirror, or of what borrows a checkout's objects, with the URL or the checkout in the place of its folder."""
    here = report.target.path
    if not (target.remote or target.type == "ci") or here == target.path:
        return report

    def named(entry: _Entry) -> _Entry:
        return entry._replace(where=entry.where.replace(here, target.path), reason=entry.reason.replace(here, target.path))

    coverage = report.coverage
    coverage = coverage._replace(skipped=tuple(map(named, coverage.skipped)), notes=tuple(map(named, coverage.notes)))
    return report._replace(target=report.target._replace(path=target.path, remote=target.remote or report.target.remote), coverage=coverage)


def pool(chosen: argparse.Namespace) -> Pool:
    """As many workers as are asked for, or as there are processors."""
    from patscan.cli import pools

    jobs = chosen.jobs or processors()
    return partial(pools.processes, jobs=jobs) if jobs > 1 else pools.serial


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
