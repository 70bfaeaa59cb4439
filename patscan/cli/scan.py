"""``patscan scan``: scans files, folders or standard input."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from functools import partial
from pathlib import Path

from patscan.cli import scanning
from patscan.cli.asking import add_asking
from patscan.cli.environment import elsewhere, environment
from patscan.cli.parser import add_common
from patscan.cli.scanning import Job
from patscan.errors import TargetError, UsageError
from patscan.model import Target
from patscan.run import Pool, Source

_MANY_FILES = 20_000
"""From this number on, worker processes save more time than their start takes."""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan scan`` takes."""
    command.add_argument("inputs", nargs="*", type=Path, metavar="PATH", help="files and folders (default: .), or - for standard input")
    command.add_argument("--no-ignore", action="store_true", help="also look at files that git ignores")
    add_common(command)
    add_asking(command)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Scan files, folders or standard input."""
    paths = chosen.inputs or [Path()]
    target = Target("files", " ".join(str(path) for path in paths))
    job = Job(chosen, target, Path() if paths[0] == Path("-") else paths[0])
    with job:
        job.report = job.scan(*_source(chosen, paths))
    return job.deliver()


def _source(chosen: argparse.Namespace, paths: list[Path]) -> tuple[Source, Pool]:
    from patscan.cli import pools

    if Path("-") in paths and len(paths) > 1:
        raise UsageError("- is standard input, and can't be combined with files and folders.")
    if paths == [Path("-")]:
        from patscan.sources.stream import Stream

        if sys.stdin is None:
            raise TargetError("-: standard input is closed.")
        return Stream(sys.stdin.buffer), pools.serial
    if len(paths) == 1 and _is_pipe(paths[0]):  # patscan scan <(command)
        from patscan.sources.stream import Stream

        with paths[0].open("rb") as pipe:
            return Stream(pipe), pools.serial
    from patscan.sources.files import Files

    files = Files(paths, environment() if paths == [Path()] else elsewhere(), chosen.no_ignore)
    jobs = chosen.jobs or (scanning.processors() if files.count() >= _MANY_FILES else 1)
    return files, partial(pools.processes, jobs=jobs) if jobs > 1 else pools.serial


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False
