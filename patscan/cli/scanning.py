"""The job of every command that scans: rules, scans, one report, exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
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
    """One run of a command that scans, with its settings and its report.

    As a context manager it turns a `TargetError` into a skip in the report: ``with job: job.report = job.scan(…)``
    """

    def __init__(
        self,
        chosen: argparse.Namespace,
        target: Target,
        place: Path | None = Path(),
        settings: policy.Settings | None = None,
        staged: bool = False,
    ) -> None:
        """Take the settings of `place`, or only those of flags if it is ``None``. `settings` are used if they are known already.

        With `staged`, the repository's configuration and baseline are read from the index.
        Raises `ConfigError`, `OutputError`, `RuleError` and `UsageError`.
        """
        output.check(chosen)
        self._chosen, self._target = chosen, target
        self._settings = settings or (policy.load_staged(chosen, place) if staged else policy.load(chosen, place))
        self._notes: list[Note] = []
        keep = not getattr(chosen, "no_cache", False)
        self.rules = self._settings.rules(cache.rules(chosen.rules, keep, self._notes))
        self._compiled = cache.compiled(self.rules, self._notes) if keep else None
        self._options = self._scan_options()
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
        """The report of `source`, after `stages` following the usual ones, joined with those of `below`: submodules by their paths."""
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
        """The report with GitLab's verdicts and the notes of configuration and baseline. Raises as `__init__` does."""
        report = self.report._replace(coverage=self.report.coverage.plus(Coverage(notes=tuple(self._notes))))
        # A configured prefix duplicates a rule. The report lists it once.
        report = report._replace(rules=tuple({rule.id: rule for rule in reversed(self.rules)}.values())[::-1])
        if hasattr(self._chosen, "verify"):
            from patscan.cli.asking import proposed, verified

            report = verified(self._chosen, report, proposed(report, self._settings.config) if self._chosen.verify else ())
        return self._settings.annotated(report)

    def deliver(self) -> int:
        """Write the report, and return the exit code. Raises `ConfigError` afterwards if the report has violations."""
        report = self.finished()
        code = output.deliver(_with_shown_place(report, self._target), self._chosen)
        if code == ExitCode.ERROR:
            raise ConfigError("\n         ".join(report.violations))
        return code

    def _scan_options(self) -> Options:
        chosen = self._chosen
        narrow = {name: getattr(chosen, name) for name in ("since", "until", "author") if hasattr(chosen, name)}
        names = {getattr(chosen, "format", "json"), *(name for name, _ in getattr(chosen, "report", ()))}
        every_place = not formats.LISTING.isdisjoint(names)
        return self._settings.options(self._target)._replace(
            reveal=chosen.show_secrets,
            compiled=self._compiled,
            every_place=every_place,
            limits=limits(chosen, self._settings.config),
            **narrow,
        )


def _with_shown_place(report: Report, target: Target) -> Report:
    """`report` of a temporary repository, with the URL or the checkout shown instead of its folder."""
    here = report.target.path
    if not (target.remote or target.type == "ci") or here == target.path:
        return report

    def named(entry: _Entry) -> _Entry:
        return entry._replace(where=entry.where.replace(here, target.path), reason=entry.reason.replace(here, target.path))

    coverage = report.coverage
    coverage = coverage._replace(skipped=tuple(map(named, coverage.skipped)), notes=tuple(map(named, coverage.notes)))
    return report._replace(target=report.target._replace(path=target.path, remote=target.remote or report.target.remote), coverage=coverage)


def pool(chosen: argparse.Namespace, prepare: Callable[[], object] = lambda: None) -> Pool:
    """A pool of ``--jobs`` processes, by default one per processor. For `prepare` see `pools.processes`."""
    from patscan.cli import pools

    jobs = chosen.jobs or processors()
    return partial(pools.processes, jobs=jobs, prepare=prepare) if jobs > 1 else pools.serial


def processors() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
