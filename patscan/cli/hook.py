"""``patscan hook``: scans what is about to be committed."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.cli.environment import environment
from patscan.cli.parser import add_common
from patscan.cli.scanning import Job
from patscan.model import Target
from patscan.run import Run

if TYPE_CHECKING:
    from patscan.sources.index import Index
    from patscan.sources.revisions import Between


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan hook`` takes."""
    command.add_argument("names", nargs="*", metavar="FILE", help="files to scan completely if they aren't staged; pre-commit passes them")
    command.add_argument("--whole-files", action="store_true", help="also report tokens that the file had before")
    add_common(command, "brief")
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Scan the index, or the range given to pre-commit (``--from-ref``, ``--to-ref``)."""
    from patscan.cli import pools

    old, new = (os.environ.get(f"PRE_COMMIT_{end}_REF", "") for end in ("FROM", "TO"))
    job = Job(chosen, Target("index", "."), staged=True)
    with job:
        source = _between(old, new) if old and new else _index(chosen.names)
        job.report = job.scan(source, pools.small, *([] if chosen.whole_files else [partial(_committed, source)]))
    return job.deliver()


def _committed(source: Index | Between, run: Run) -> Run:
    from patscan.excused import committed

    return committed(source, run)


def _index(names: list[str]) -> Index:
    from patscan.sources.index import Index

    return Index(Path(), environment(), names)


def _between(old: str, new: str) -> Between:
    from patscan.git.repository import open_repository
    from patscan.sources.revisions import Between

    return Between(open_repository(Path(), environment()), old, new)
