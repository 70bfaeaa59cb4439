"""``patscan history``: scans a repository in a folder or on a server, or a range of its commits."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.cli import guard, scanning
from patscan.cli.asking import add_asking
from patscan.cli.environment import elsewhere, environment
from patscan.cli.parser import add_common
from patscan.cli.scanning import Job
from patscan.errors import UsageError
from patscan.git.repository import open_repository
from patscan.model import Rule, Target
from patscan.run import Pool, Source

if TYPE_CHECKING:
    from patscan.git.address import Address
    from patscan.git.repository import Repository
    from patscan.sources.history import History


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan history`` takes."""
    command.add_argument("repository", nargs="?", default=".", metavar="REPO", help="a repository's folder or URL (default: .)")
    command.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep a URL's mirror in this folder, and only fetch what is new next time"
    )
    command.add_argument(
        "--rev",
        action="append",
        default=[],
        metavar="RANGE",
        help="only what this range introduced, in git's syntax: A..B, --rev=--branches",
    )
    add_history(command)
    add_common(command)
    add_asking(command)
    command.set_defaults(command=run)


def add_history(command: argparse.ArgumentParser) -> None:
    """The flags of every command that looks at commits."""
    command.add_argument("--since", type=_date, metavar="DATE", help="only what was introduced on this date (2026-01-31) or later")
    command.add_argument("--until", type=_date, metavar="DATE", help="only what was introduced before this date, or until this time")
    command.add_argument(
        "--author", default="", metavar="TEXT", help="only what was introduced by an author whose name or address contains this"
    )
    command.add_argument("--submodules", action="store_true", help="also look at the history of each submodule, with its path in front")
    command.add_argument("--paths", action="store_true", help="look at all file names in history, not only at those at the tips of refs")
    command.add_argument("--no-cache", action="store_true", help="read everything, and don't use or write the cache")


def _date(text: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write 2026-01-31 or 2026-01-31T12:00:00+00:00") from None


def run(chosen: argparse.Namespace) -> int:
    """Scan a repository in a folder or on a server."""
    from patscan.git.address import address

    remote = address(chosen.repository)
    if chosen.submodules and chosen.rev:
        raise UsageError("--submodules can't be used with --rev: a submodule has other commits than its superproject.")
    if remote is None:
        return _scan_folder(chosen, Path(chosen.repository))
    if chosen.submodules:
        raise UsageError("--submodules needs a folder: a URL's mirror lacks its submodules. Clone the repository first.")
    return _scan_url(chosen, remote)


def _scan_folder(chosen: argparse.Namespace, path: Path) -> int:
    """Scan a repository in a folder."""
    if chosen.keep:
        raise UsageError("--keep needs a URL: a repository in a folder is read in place.")
    job = Job(chosen, Target("history", str(path)), path)
    with job:
        guard.start()  # early, because the fork copies the memory in use
        repository = open_repository(path, environment(path))
        history, pool = _source_and_pool(chosen, job.rules, repository)
        note_submodules(chosen, repository, history)
        job.report = job.scan(history, pool, below=submodule_scans(chosen, job.rules, repository))
    return job.deliver()


def _scan_url(chosen: argparse.Namespace, remote: Address) -> int:
    """Scan a repository on a server."""
    from patscan.cli.progress import StatusLine
    from patscan.git.mirror import at, mirror

    job = Job(chosen, Target("history", remote.url, remote.url), None)
    with ExitStack() as stack:
        with job:
            with StatusLine(not chosen.quiet) as fetching:
                path = stack.enter_context(mirror(remote, elsewhere(network=True), chosen.keep, fetching.show))
            guard.start()
            repository = open_repository(path, at(path, elsewhere()))
            history, pool = _source_and_pool(chosen, job.rules, repository, mirror=True)
            note_submodules(chosen, repository, history)
            job.report = job.scan(history, pool)
        return job.deliver()


def _source_and_pool(
    chosen: argparse.Namespace, rules: tuple[Rule, ...], repository: Repository, mirror: bool = False
) -> tuple[History, Pool]:
    from patscan.cli import cache, pools

    if getattr(chosen, "rev", None):
        from patscan.sources.revisions import Revisions

        return Revisions(repository, chosen.rev, mirror), scanning.pool(chosen)
    from patscan.sources.history import History

    history = History(repository, mirror, None if chosen.no_cache else cache.memory(rules), chosen.paths)
    # Starting processes would take longer than the remaining work.
    known = not chosen.jobs and not history.store.unread()
    return history, pools.serial if known else scanning.pool(chosen, history.store.prepare)


def submodule_scans(chosen: argparse.Namespace, rules: tuple[Rule, ...], repository: Repository) -> dict[str, tuple[Source, Pool]]:
    """The source and the pool of each submodule that is checked out, by its path; empty without ``--submodules``."""
    if not chosen.submodules:
        return {}
    from patscan.git.submodules import submodules

    here = (submodule for submodule in submodules(repository, elsewhere()) if submodule.repository)
    return {submodule.path: _source_and_pool(chosen, rules, submodule.repository) for submodule in here if submodule.repository}


def note_submodules(chosen: argparse.Namespace, repository: Repository, history: History) -> None:
    """Add skips and notes for the submodules that aren't scanned."""
    from patscan.git.submodules import has_submodules, submodules

    if not chosen.submodules:
        if has_submodules(repository):
            history.gaps.note(str(repository.path), "submodules aren't looked at. Add --submodules to scan their histories.")
        return
    for submodule in submodules(repository, elsewhere()):
        if submodule.problem:
            history.gaps.skip(submodule.path, submodule.problem)
        elif not submodule.repository:
            history.gaps.note(submodule.path, "this submodule isn't checked out. Get it with: git submodule update --init")
