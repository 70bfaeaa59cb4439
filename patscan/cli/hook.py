"""``patscan hook``: what is about to be committed."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.cli import scanning
from patscan.cli.environment import environment
from patscan.cli.parser import add_common
from patscan.model import Report, Rule, Target
from patscan.run import Pool, Source

if TYPE_CHECKING:
    from patscan.sources.index import Index
    from patscan.sources.revisions import Between


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan hook`` takes."""
    command.add_argument("names", nargs="*", metavar="FILE", help="files to look at whole if they aren't staged; pre-commit names them")
    command.add_argument("--whole-files", action="store_true", help="what stood in a file before counts, too")
    add_common(command, "brief")
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Look at the index, or at the range that pre-commit was told (``--from-ref``, ``--to-ref``)."""
    ends = [os.environ.get(f"PRE_COMMIT_{end}_REF", "") for end in ("FROM", "TO")]
    make = _between if all(ends) else _index
    made: list[Index | Between] = []

    def source(rules: tuple[Rule, ...]) -> tuple[Source, Pool]:
        from patscan.cli import pools

        made.append(make(chosen.names, *ends))
        return made[0], pools.small

    def excused(report: Report, rules: tuple[Rule, ...]) -> Report:
        from patscan.excused import committed

        paths = {place.sighting.path for finding in report.findings for place in finding.occurrences if place.sighting.path}
        return committed(report, rules, made[0].before(paths))

    return scanning.report(chosen, Target("index", "."), source, after=None if chosen.whole_files else excused, staged=True)


def _index(names: list[str], *_: str) -> Index:
    from patscan.sources.index import Index

    return Index(Path(), environment(), names)


def _between(_: list[str], old: str, new: str) -> Between:
    from patscan.git.repository import open_repository
    from patscan.sources.revisions import Between

    return Between(open_repository(Path(), environment()), old, new)
