"""``patscan scan`` and ``patscan history``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from patscan import rulebook
from patscan import scan as engine
from patscan.cli import output
from patscan.cli.parser import environment
from patscan.cli.progress import Progress
from patscan.errors import TargetError
from patscan.model import Coverage, Report, Rule, Skip, Target

_MANY_FILES = 20_000
"""From so many files on, starting processes takes less time than it saves (benchmarks/README.md)."""


def scan(chosen: argparse.Namespace) -> int:
    """Look at files, folders or standard input."""
    paths = chosen.paths or [Path()]
    target = Target("files", " ".join(str(path) for path in paths))
    return _report(chosen, target, partial(_files, chosen, paths))


def history(chosen: argparse.Namespace) -> int:
    """Look at a whole repository."""
    return _report(chosen, Target("history", str(chosen.repository)), partial(_repository, chosen))


Make = Callable[[tuple[Rule, ...]], tuple[engine.Source, engine.Pool]]


def _report(chosen: argparse.Namespace, target: Target, make: Make) -> int:
    output.check(chosen)
    rules = rulebook.load(chosen.rules)
    options = engine.Options(chosen.min_confidence, chosen.show_secrets)
    try:
        source, pool = make(rules)
        with Progress(not chosen.quiet) as progress:
            report = engine.scan(source, rules, pool, progress.add, options)
    except TargetError as error:
        where, _, reason = str(error).partition(": ")
        report = Report(target, rules, Coverage(skipped=(Skip(where, reason),)), (), ())
    return output.deliver(report, chosen)


def _files(chosen: argparse.Namespace, paths: list[Path], rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
    from patscan.cli import pools

    if paths == [Path("-")]:
        from patscan.sources.stream import Stream

        return Stream(sys.stdin.buffer), partial(pools.serial, rules)
    from patscan.sources.files import Files

    files = Files(paths, environment(), chosen.no_ignore)
    jobs = chosen.jobs or (_processors() if files.count() >= _MANY_FILES else 1)
    pool = partial(pools.processes, rules, jobs) if jobs > 1 else partial(pools.serial, rules)
    return files, pool


def _repository(chosen: argparse.Namespace, rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
    from patscan.cli import pools
    from patscan.git.repository import open_repository
    from patscan.sources.history import History

    jobs = chosen.jobs or _processors()
    pool = partial(pools.processes, rules, jobs) if jobs > 1 else partial(pools.serial, rules)
    repository = open_repository(chosen.repository, environment())
    return History(repository), pool


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
