"""What every command that scans does: rules, one scan, reports, exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from patscan import scan as engine
from patscan.cli import cache, output, policy
from patscan.cli.progress import Progress
from patscan.errors import ConfigError, ExitCode, TargetError
from patscan.model import Coverage, Note, Report, Rule, Skip, Target

_Entry = TypeVar("_Entry", Skip, Note)

Make = Callable[[tuple[Rule, ...]], tuple[engine.Source, engine.Pool]]
After = Callable[[Report, tuple[Rule, ...]], Report]
More = Callable[[tuple[Rule, ...]], Iterator[tuple[str, engine.Source, engine.Pool]]]
"""Further scans of the same run, each with the path that stands before all of its own."""


def report(
    chosen: argparse.Namespace,
    target: Target,
    make: Make,
    place: Path | None = Path(),
    more: More | None = None,
    after: After | None = None,
) -> int:
    """Scan what `make` gives under the chosen rules and flags, and what `more` gives, and report; returns the exit code.

    What holds for `place` holds here; ``None``: only what flags name. Raises `ConfigError` after the report if a demand isn't met.
    `after` sees what was found.
    """
    output.check(chosen)
    holds = policy.holding(chosen, place)
    told = holds.said(scanned(chosen, target, make, holds, more, after))
    code = output.deliver(_as_asked(told, target), chosen)
    if code == ExitCode.ERROR:
        raise ConfigError("\n         ".join(told.violations))
    return code


def scanned(
    chosen: argparse.Namespace, target: Target, make: Make, holds: policy.Holding, more: More | None = None, after: After | None = None
) -> Report:
    """The report of one scan, or of one and its further ones."""
    narrow = {name: getattr(chosen, name) for name in ("since", "until", "author") if hasattr(chosen, name)}
    options = holds.options(target)._replace(reveal=chosen.show_secrets, **narrow)
    rules = holds.rules(cache.rules(chosen.rules, keep=not getattr(chosen, "no_cache", False)))
    try:
        source, pool = make(rules)
        with Progress(not chosen.quiet) as progress:
            told = engine.scan(source, rules, pool, progress.add, options)
            if more and not told.interrupted:
                from patscan.union import union

                inner = {
                    path: engine.scan(source, rules, pool, progress.add, policy.below(path, options)) for path, source, pool in more(rules)
                }
                told = union(told, inner)
        if after and told.findings:
            told = after(told, rules)
    except TargetError as error:
        where, _, reason = str(error).partition(": ")
        told = Report(target, rules, Coverage(skipped=(Skip(where, reason),)), (), ())
    # A configured prefix makes a second rule of one; to a reader they are the same.
    return told._replace(rules=tuple({rule.id: rule for rule in reversed(rules)}.values())[::-1])


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


def pool(chosen: argparse.Namespace, rules: tuple[Rule, ...]) -> engine.Pool:
    """As many workers as are asked for, or as there are processors."""
    from patscan.cli import pools

    jobs = chosen.jobs or processors()
    return partial(pools.processes, rules, jobs) if jobs > 1 else partial(pools.serial, rules)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
