"""``patscan history``: a repository in a folder or on a server, whole or a range of it."""

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
    command.add_argument("--keep", type=Path, metavar="DIR", help="keep a URL's mirror in this folder, and fetch into it the next time")
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
    command.add_argument("--since", type=_date, metavar="DATE", help="only what was brought on this date (2026-01-31) or later")
    command.add_argument("--until", type=_date, metavar="DATE", help="only what was brought before this date or at this moment")
    command.add_argument("--author", default="", metavar="TEXT", help="only what was brought by somebody whose name or address holds this")
    command.add_argument("--submodules", action="store_true", help="look at the history of each submodule, too, with its path in front")
    command.add_argument(
        "--paths", action="store_true", help="look at the names that files ever had, not only at those at the tips of refs"
    )
    command.add_argument("--no-cache", action="store_true", help="read everything, and remember nothing of it for the next time")


def _date(text: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-01-31 or 2026-01-31T12:00:00+00:00") from None


def run(chosen: argparse.Namespace) -> int:
    """Look at a whole repository: one in a folder, or one on a server."""
    from patscan.git.address import address

    remote = address(chosen.repository)
    if chosen.submodules and chosen.rev:
        raise UsageError("--submodules and --rev can't be given together: a submodule has other commits than its superproject.")
    if remote is None:
        return _here(chosen, Path(chosen.repository))
    if chosen.submodules:
        raise UsageError("--submodules goes with a folder: a URL's mirror has the histories of no submodules. Clone it first.")
    return _there(chosen, remote)


def _here(chosen: argparse.Namespace, path: Path) -> int:
    """Look at a repository in a folder."""
    if chosen.keep:
        raise UsageError("--keep goes with a URL: a repository in a folder is read where it is.")
    job = Job(chosen, Target("history", str(path)), path)
    with job:
        guard.start()  # before there is much in memory, of which it would keep a copy
        repository = open_repository(path, environment(path))
        history, pool = _reading(chosen, job.rules, repository)
        tell_of_submodules(chosen, repository, history)
        job.report = job.scan(history, pool, below=submodule_scans(chosen, job.rules, repository))
    return job.deliver()


def _there(chosen: argparse.Namespace, remote: Address) -> int:
    """Look at a repository on a server."""
    from patscan.cli.progress import Fetching
    from patscan.git.mirror import at, mirror

    job = Job(chosen, Target("history", remote.url, remote.url), None)
    with ExitStack() as stack:
        with job:
            with Fetching(not chosen.quiet) as fetching:
                path = stack.enter_context(mirror(remote, elsewhere(network=True), chosen.keep, fetching.tell))
            guard.start()
            repository = open_repository(path, at(path, elsewhere()))
            history, pool = _reading(chosen, job.rules, repository, mirror=True)
            tell_of_submodules(chosen, repository, history)
            job.report = job.scan(history, pool)
        return job.deliver()


def _reading(chosen: argparse.Namespace, rules: tuple[Rule, ...], repository: Repository, mirror: bool = False) -> tuple[History, Pool]:
    from patscan.cli import cache, pools

    if getattr(chosen, "rev", None):
        from patscan.sources.revisions import Revisions

        return Revisions(repository, chosen.rev, mirror), scanning.pool(chosen)
    from patscan.sources.history import History

    history = History(repository, mirror, None if chosen.no_cache else cache.memory(rules), chosen.paths)
    # Starting processes takes longer than what is left to do.
    known = not chosen.jobs and not history.store.unread()
    return history, pools.serial if known else scanning.pool(chosen)


def submodule_scans(chosen: argparse.Namespace, rules: tuple[Rule, ...], repository: Repository) -> dict[str, tuple[Source, Pool]]:
    """What to scan of each submodule that is here, if ``--submodules`` asks for it, by its path."""
    if not chosen.submodules:
        return {}
    from patscan.git.submodules import submodules

    here = (submodule for submodule in submodules(repository, elsewhere()) if submodule.repository)
    return {submodule.path: _reading(chosen, rules, submodule.repository) for submodule in here if submodule.repository}


def tell_of_submodules(chosen: argparse.Namespace, repository: Repository, history: History) -> None:
    """Say which submodules aren't looked at."""
    from patscan.git.submodules import has_submodules, submodules

    if not chosen.submodules:
        if has_submodules(repository):
            history.gaps.note(str(repository.path), "there are submodules here; --submodules looks at their histories, too.")
        return
    for submodule in submodules(repository, elsewhere()):
        if submodule.problem:
            history.gaps.skip(submodule.path, submodule.problem)
        elif not submodule.repository:
            history.gaps.note(submodule.path, "a submodule that isn't here. Get it with: git submodule update --init")
