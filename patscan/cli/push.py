"""``patscan push``: what is about to be pushed."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.cli import scanning
from patscan.cli.environment import environment
from patscan.cli.parser import add_common
from patscan.cli.scanning import Job
from patscan.errors import TargetError, UsageError
from patscan.model import Coverage, Finding, Report, Target
from patscan.run import Options

if TYPE_CHECKING:
    from patscan.git.repository import Repository
    from patscan.sources.push import Push, Remote, Update

_MANY_OBJECTS = 5_000
"""From so many on, starting processes takes less time than it saves."""
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LINE = re.compile(rf"(\S.*) ({_ID.pattern}) (\S.*) ({_ID.pattern})", re.DOTALL)


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan push`` takes."""
    command.add_argument("remote", nargs="?", default="", metavar="REMOTE", help="the remote's name, as git tells its pre-push hook")
    command.add_argument("url", nargs="?", default="", metavar="URL", help="and its URL")
    add_common(command, "brief")
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Look at every ref of the push: as git tells on standard input, or else at all that the remote doesn't have."""
    from patscan.cli import pools
    from patscan.git.repository import open_repository

    job = Job(chosen, Target("push", "."))
    with job:
        repository = open_repository(Path(), environment())
        push = _push(chosen, repository)
        job.report = job.scan(push, scanning.pool(chosen) if push.count() > _MANY_OBJECTS else pools.small)
        if job.report.findings:
            job.report = _pushed(chosen, repository, push, job.report)
    return job.deliver()


def _push(chosen: argparse.Namespace, repository: Repository) -> Push:
    from patscan.sources.push import EVERYTHING, Push, Update

    if not _by_git(chosen):
        return Push(repository, _of_framework(repository), _remote(chosen, repository), EVERYTHING)
    updates = []
    for line in sys.stdin.buffer.read().splitlines():
        match = _LINE.fullmatch(os.fsdecode(line))
        if not match:
            raise UsageError("standard input isn't what git tells a pre-push hook: LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID in each line.")
        updates.append(Update(*match.groups()))
    return Push(repository, updates, _remote(chosen, repository))


def _by_git(chosen: argparse.Namespace) -> bool:
    """Whether git itself is asking, and so told every ref; the framework reads that, and shows its first ref to the hooks."""
    return bool(chosen.url) and "PRE_COMMIT" not in os.environ and sys.stdin is not None and not sys.stdin.isatty()


def _of_framework(repository: Repository) -> list[Update]:
    """The ref that pre-commit shows: it isn't always one of those that are stored here (``git push origin HEAD~1:main``)."""
    from patscan.sources.push import Update

    new, local = (os.environ.get(f"PRE_COMMIT_{name}", "") for name in ("TO_REF", "LOCAL_BRANCH"))
    if not (new or local):
        return []
    zeros = "0" * 2 * repository.id_size
    found = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", new or local).decode().strip()
    old = os.environ.get("PRE_COMMIT_FROM_REF", "")
    known = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", old).decode().strip() if old else zeros
    return [Update(local, found, os.environ.get("PRE_COMMIT_REMOTE_BRANCH", local), known)]


def _remote(chosen: argparse.Namespace, repository: Repository) -> Remote:
    from patscan.git.address import shown
    from patscan.sources.push import Remote

    name = chosen.remote or os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    url = chosen.url or os.environ.get("PRE_COMMIT_REMOTE_URL", "")
    if name and name == url:  # git was told a URL: none of the refs here are known to be there
        return Remote(shown(name), ())
    if not name:
        return Remote(name, ("--remotes=*",))
    # Another remote may be called origin/x: its refs lie among those of origin, and don't tell what origin has.
    others = os.fsdecode(repository.git("remote")).splitlines()
    inner = [f"--exclude={_literally(other)}/*" for other in others if other.startswith(f"{name}/")]
    return Remote(name, (*inner, f"--remotes={_literally(name)}/*"))


def _literally(name: str) -> str:
    """`name` as a glob that fits nothing else."""
    return re.sub(r"([*?\[\\])", r"\\\1", name)


def _pushed(chosen: argparse.Namespace, repository: Repository, push: Push, report: Report) -> Report:
    """Of each token, where in the whole history it lives, and whether any remote had it."""
    from patscan import scan as engine
    from patscan.cli import cache
    from patscan.sources.history import History

    history = History(repository, memory=cache.memory(report.rules))
    try:
        everywhere = engine.scan(history, report.rules, scanning.pool(chosen), lambda _: None, Options("low"))
        held = push.held()
    except TargetError:
        return report  # then nobody knows, and nobody says
    gaps = not everywhere.coverage.complete
    known = {finding.secret: finding for finding in everywhere.findings}

    def asked(finding: Finding) -> Finding:
        whole = known.get(finding.secret, finding)
        pushed = whole.exposure.pushed or _stands(whole, held)
        # That nothing shows a push is said only where everything was looked at.
        return finding._replace(exposure=whole.exposure._replace(pushed=None if not pushed and gaps else pushed))

    notes = tuple(note for note in everywhere.coverage.notes if note.kind == "cache")
    target = report.target._replace(head=repository.head())
    coverage = report.coverage.plus(Coverage(notes=notes))
    return report._replace(findings=tuple(map(asked, report.findings)), target=target, coverage=coverage)


def _stands(finding: Finding, held: set[str]) -> bool:
    sightings = [occurrence.sighting for occurrence in finding.occurrences]
    return any(sighting.blob in held or (sighting.blob is None and sighting.commit in held) for sighting in sightings)
