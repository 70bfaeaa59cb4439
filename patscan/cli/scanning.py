"""``patscan scan`` and ``patscan history``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from patscan import rulebook
from patscan import scan as engine
from patscan.cli import output
from patscan.cli.parser import elsewhere, environment
from patscan.cli.progress import Fetching, Progress
from patscan.errors import TargetError, UsageError
from patscan.model import Coverage, Note, Report, Rule, Skip, Target

if TYPE_CHECKING:
    from patscan.git.address import Address

_Entry = TypeVar("_Entry", Skip, Note)

_MANY_FILES = 20_000
"""From so many files on, starting processes takes less time than it saves (benchmarks/README.md)."""


def scan(chosen: argparse.Namespace) -> int:
    """Look at files, folders or standard input."""
    paths = chosen.paths or [Path()]
    target = Target("files", " ".join(str(path) for path in paths))
    return _report(chosen, target, partial(_files, chosen, paths))


def history(chosen: argparse.Namespace) -> int:
    """Look at a whole repository: one in a folder, or one on a server."""
    from patscan.git.address import address

    remote = address(chosen.repository)
    if remote is None:
        if chosen.keep:
            raise UsageError("--keep goes with a URL: a repository in a folder is read where it is.")
        path = Path(chosen.repository)
        return _report(chosen, Target("history", str(path)), partial(_repository, chosen, path))
    with ExitStack() as stack:
        _leave_when_told()
        return _report(chosen, Target("history", remote.url, remote.url), partial(_mirrored, chosen, remote, stack))


Make = Callable[[tuple[Rule, ...]], tuple[engine.Source, engine.Pool]]


def _report(chosen: argparse.Namespace, target: Target, make: Make) -> int:
    output.check(chosen)
    rules = rulebook.load(chosen.rules)
    narrow = {name: getattr(chosen, name) for name in ("since", "until", "author") if hasattr(chosen, name)}
    options = engine.Options(chosen.min_confidence, chosen.show_secrets, **narrow)
    try:
        source, pool = make(rules)
        with Progress(not chosen.quiet) as progress:
            report = engine.scan(source, rules, pool, progress.add, options)
    except TargetError as error:
        where, _, reason = str(error).partition(": ")
        report = Report(target, rules, Coverage(skipped=(Skip(where, reason),)), (), ())
    return output.deliver(_as_asked(report, target), chosen)


def _as_asked(report: Report, target: Target) -> Report:
    """The report of a mirror, with the URL in the place of the folder that it was read in."""
    here = report.target.path
    if not target.remote or here == target.path:
        return report

    def named(entry: _Entry) -> _Entry:
        return entry._replace(where=entry.where.replace(here, target.path), reason=entry.reason.replace(here, target.path))

    coverage = report.coverage
    coverage = coverage._replace(skipped=tuple(map(named, coverage.skipped)), notes=tuple(map(named, coverage.notes)))
    return report._replace(target=report.target._replace(path=target.path, remote=target.remote), coverage=coverage)


def _files(chosen: argparse.Namespace, paths: list[Path], rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
    from patscan.cli import pools

    if Path("-") in paths and len(paths) > 1:
        raise UsageError("- is standard input, and can't be mixed with files and folders.")
    if paths == [Path("-")]:
        from patscan.sources.stream import Stream

        return Stream(sys.stdin.buffer), partial(pools.serial, rules)
    if len(paths) == 1 and paths[0].is_fifo():  # patscan scan <(command)
        from patscan.sources.stream import Stream

        with paths[0].open("rb") as pipe:
            return Stream(pipe), partial(pools.serial, rules)
    from patscan.sources.files import Files

    files = Files(paths, environment(), chosen.no_ignore)
    jobs = chosen.jobs or (_processors() if files.count() >= _MANY_FILES else 1)
    pool = partial(pools.processes, rules, jobs) if jobs > 1 else partial(pools.serial, rules)
    return files, pool


def _repository(chosen: argparse.Namespace, path: Path, rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
    return _history(chosen, path, environment(), rules)


def _mirrored(chosen: argparse.Namespace, remote: Address, stack: ExitStack, rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
    from patscan.git.mirror import at, mirror

    with Fetching(not chosen.quiet) as fetching:
        path = stack.enter_context(mirror(remote, elsewhere(network=True), chosen.keep, fetching.tell))
    return _history(chosen, path, at(path, elsewhere()), rules, mirror=True)


def _history(
    chosen: argparse.Namespace, path: Path, environment: dict[str, str], rules: tuple[Rule, ...], mirror: bool = False
) -> tuple[engine.Source, engine.Pool]:
    from patscan.cli import cache, pools
    from patscan.git.repository import open_repository

    repository = open_repository(path, environment)
    if chosen.rev:
        from patscan.sources.revisions import Revisions

        return Revisions(repository, chosen.rev, mirror), _pool(chosen, rules)
    from patscan.sources.history import History

    history = History(repository, mirror, None if chosen.no_cache else cache.memory(rules))
    # Starting processes takes longer than what is left to do.
    known = not chosen.jobs and not history.unread()
    return history, partial(pools.serial, rules) if known else _pool(chosen, rules)


def _pool(chosen: argparse.Namespace, rules: tuple[Rule, ...]) -> engine.Pool:
    from patscan.cli import pools

    jobs = chosen.jobs or _processors()
    return partial(pools.processes, rules, jobs) if jobs > 1 else partial(pools.serial, rules)


def _leave_when_told() -> None:
    """Let SIGTERM and a closed terminal end this process as an exception does, so that a temporary mirror is removed."""
    import signal

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        # What somebody chose to ignore (nohup) stays ignored.
        if (number := getattr(signal, name, None)) and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, leave)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
