"""``patscan history``: a repository in a folder or on a server, whole or a range of it."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.cli import scanning
from patscan.cli.environment import elsewhere, environment
from patscan.cli.parser import add_common
from patscan.errors import UsageError
from patscan.model import Note, Rule, Skip, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan import scan as engine
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
    command.set_defaults(command=run)


def add_history(command: argparse.ArgumentParser) -> None:
    """The flags of every command that looks at commits."""
    command.add_argument("--since", type=_date, metavar="DATE", help="only what was brought on this date (2026-01-31) or later")
    command.add_argument("--until", type=_date, metavar="DATE", help="only what was brought before this date or at this moment")
    command.add_argument("--author", default="", metavar="TEXT", help="only what was brought by somebody whose name or address holds this")
    command.add_argument("--submodules", action="store_true", help="look at the history of each submodule, too, with its path in front")
    command.add_argument("--paths", action="store_true", help="look at the names that files ever had, too")
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
        if chosen.keep:
            raise UsageError("--keep goes with a URL: a repository in a folder is read where it is.")
        path = Path(chosen.repository)
        more = partial(submodule_scans, chosen, path) if chosen.submodules else None
        return scanning.report(chosen, Target("history", str(path)), partial(_repository, chosen, path), path, more)
    if chosen.submodules:
        raise UsageError("--submodules goes with a folder: a URL's mirror has the histories of no submodules. Clone it first.")
    with ExitStack() as stack:
        leave_when_told()
        return scanning.report(chosen, Target("history", remote.url, remote.url), partial(_mirrored, chosen, remote, stack), None)


def _repository(chosen: argparse.Namespace, path: Path, rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
    return _history(chosen, path, environment(), rules)


def _mirrored(chosen: argparse.Namespace, remote: Address, stack: ExitStack, rules: tuple[Rule, ...]) -> tuple[engine.Source, engine.Pool]:
    from patscan.cli.progress import Fetching
    from patscan.git.mirror import at, mirror

    with Fetching(not chosen.quiet) as fetching:
        path = stack.enter_context(mirror(remote, elsewhere(network=True), chosen.keep, fetching.tell))
    return _history(chosen, path, at(path, elsewhere()), rules, mirror=True)


def _history(
    chosen: argparse.Namespace, path: Path, environment: dict[str, str], rules: tuple[Rule, ...], mirror: bool = False
) -> tuple[engine.Source, engine.Pool]:
    from patscan.git.repository import open_repository

    repository = open_repository(path, environment)
    history, pool = _reading(chosen, repository, rules, mirror)
    tell_of_submodules(chosen, repository, history)
    return history, pool


def _reading(
    chosen: argparse.Namespace, repository: Repository, rules: tuple[Rule, ...], mirror: bool = False
) -> tuple[History, engine.Pool]:
    from patscan.cli import cache, pools

    if chosen.rev:
        from patscan.sources.revisions import Revisions

        return Revisions(repository, chosen.rev, mirror, chosen.paths), scanning.pool(chosen, rules)
    from patscan.sources.history import History

    history = History(repository, mirror, None if chosen.no_cache else cache.memory(rules), chosen.paths)
    # Starting processes takes longer than what is left to do.
    known = not chosen.jobs and not history.store.unread()
    return history, partial(pools.serial, rules) if known else scanning.pool(chosen, rules)


def submodule_scans(chosen: argparse.Namespace, path: Path, rules: tuple[Rule, ...]) -> Iterator[tuple[str, engine.Source, engine.Pool]]:
    """A scan of each submodule that is here, with the path that stands before all of its own."""
    from patscan.git.repository import open_repository
    from patscan.git.submodules import submodules

    for submodule in submodules(open_repository(path, environment()), elsewhere()):
        if submodule.repository:
            yield submodule.path, *_reading(chosen, submodule.repository, rules)


def tell_of_submodules(chosen: argparse.Namespace, repository: Repository, history: History) -> None:
    """Say which submodules aren't looked at."""
    from patscan.git.submodules import has_submodules, submodules

    if not chosen.submodules:
        if has_submodules(repository):
            history.notes.append(Note(str(repository.path), "there are submodules here; --submodules looks at their histories, too."))
        return
    for submodule in submodules(repository, elsewhere()):
        if submodule.problem:
            history.skips.append(Skip(submodule.path, submodule.problem))
        elif not submodule.repository:
            history.notes.append(Note(submodule.path, "a submodule that isn't here. Get it with: git submodule update --init"))


def leave_when_told() -> None:
    """Let SIGTERM and a closed terminal end this process as an exception does, so that a temporary mirror is removed."""
    import signal

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        # What somebody chose to ignore (nohup) stays ignored.
        if (number := getattr(signal, name, None)) and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, leave)
