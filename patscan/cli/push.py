"""``patscan push``: scans what is about to be pushed."""

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
"""From this number on, worker processes save more time than their start takes."""
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LINE = re.compile(rf"(\S.*) ({_ID.pattern}) (\S.*) ({_ID.pattern})", re.DOTALL)


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan push`` takes."""
    command.add_argument("remote", nargs="?", default="", metavar="REMOTE", help="the remote's name, as git passes it to its pre-push hook")
    command.add_argument("url", nargs="?", default="", metavar="URL", help="the remote's URL")
    add_common(command, "brief")
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Scan every ref of the push: those on standard input, or else all commits that the remote lacks."""
    from patscan.cli import pools
    from patscan.git.repository import open_repository

    job = Job(chosen, Target("push", "."))
    with job:
        repository = open_repository(Path(), environment())
        push = _source(chosen, repository)
        job.report = job.scan(push, scanning.pool(chosen) if push.count() > _MANY_OBJECTS else pools.small)
        if job.report.findings:
            job.report = _with_exposure(chosen, repository, push, job.report)
    return job.deliver()


def _source(chosen: argparse.Namespace, repository: Repository) -> Push:
    from patscan.sources.push import EVERYTHING, Push, Update

    if not _is_git_hook(chosen):
        return Push(repository, _updates_of_pre_commit(repository), _remote(chosen, repository), EVERYTHING)
    updates = []
    for line in sys.stdin.buffer.read().splitlines():
        match = _LINE.fullmatch(os.fsdecode(line))
        if not match:
            raise UsageError(
                "standard input isn't the input of a pre-push hook: each line must be LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID."
            )
        updates.append(Update(*match.groups()))
    return Push(repository, updates, _remote(chosen, repository))


def _is_git_hook(chosen: argparse.Namespace) -> bool:
    """Whether git runs this hook and writes all refs to standard input. pre-commit reads them, and passes on only the first."""
    return bool(chosen.url) and "PRE_COMMIT" not in os.environ and sys.stdin is not None and not sys.stdin.isatty()


def _updates_of_pre_commit(repository: Repository) -> list[Update]:
    """The ref that pre-commit passes on. It needn't exist here (``git push origin HEAD~1:main``)."""
    from patscan.sources.push import Update

    new, local = (os.environ.get(f"PRE_COMMIT_{name}", "") for name in ("TO_REF", "LOCAL_BRANCH"))
    if not (new or local):
        return []
    zeros = "0" * 2 * repository.id_size
    new_id = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", new or local).decode().strip()
    old = os.environ.get("PRE_COMMIT_FROM_REF", "")
    known = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", old).decode().strip() if old else zeros
    return [Update(local, new_id, os.environ.get("PRE_COMMIT_REMOTE_BRANCH", local), known)]


def _remote(chosen: argparse.Namespace, repository: Repository) -> Remote:
    from patscan.git.address import shown
    from patscan.sources.push import Remote

    name = chosen.remote or os.environ.get("PRE_COMMIT_REMOTE_NAME", "")
    url = chosen.url or os.environ.get("PRE_COMMIT_REMOTE_URL", "")
    if name and name == url:  # pushed by URL: no remote-tracking ref says what it has
        return Remote(shown(name), ())
    if not name:
        return Remote(name, ("--remotes=*",))
    # A remote named origin/x has its refs among those of origin, but they don't show what origin has.
    others = os.fsdecode(repository.git("remote")).splitlines()
    inner = [f"--exclude={_literally(other)}/*" for other in others if other.startswith(f"{name}/")]
    return Remote(name, (*inner, f"--remotes={_literally(name)}/*"))


def _literally(name: str) -> str:
    """A glob that matches `name` only."""
    return re.sub(r"([*?\[\\])", r"\\\1", name)


def _with_exposure(chosen: argparse.Namespace, repository: Repository, push: Push, report: Report) -> Report:
    """`report` with each token's exposure in the whole history, and whether a remote has it."""
    from patscan import scan as engine
    from patscan.cli import cache
    from patscan.sources.history import History

    history = History(repository, memory=cache.memory(report.rules))
    try:
        everywhere = engine.scan(history, report.rules, scanning.pool(chosen, history.store.prepare), lambda _: None, Options("low"))
        remote_ids = push.held()
    except TargetError:
        return report  # exposure stays unknown
    gaps = not everywhere.coverage.complete
    known = {finding.secret: finding for finding in everywhere.findings}

    def exposed(finding: Finding) -> Finding:
        whole = known.get(finding.secret, finding)
        pushed = whole.exposure.pushed or _is_on_remote(whole, remote_ids)
        # An incomplete scan can't prove that a token wasn't pushed.
        return finding._replace(exposure=whole.exposure._replace(pushed=None if not pushed and gaps else pushed))

    notes = tuple(note for note in everywhere.coverage.notes if note.kind == "cache")
    target = report.target._replace(head=repository.head())
    coverage = report.coverage.plus(Coverage(notes=notes))
    return report._replace(findings=tuple(map(exposed, report.findings)), target=target, coverage=coverage)


def _is_on_remote(finding: Finding, remote_ids: set[str]) -> bool:
    sightings = [occurrence.sighting for occurrence in finding.occurrences]
    return any(sighting.blob in remote_ids or (sighting.blob is None and sighting.commit in remote_ids) for sighting in sightings)
