"""``patscan message FILE``: scans the message of a commit before the commit exists."""

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
    from patscan.sources.message import Message

_KEYS = r"^(core\.comment(char|string)|commit\.cleanup)$"
_NO_EDITOR = ":"
"""The value of ``GIT_EDITOR`` in hooks of a commit without an editor (builtin/commit.c)."""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan message`` takes."""
    command.add_argument("file", type=Path, metavar="FILE", help="the message file that git passes to its commit-msg hook")
    add_common(command, "brief")
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Scan a message without the lines that git removes."""
    from patscan.cli import pools

    job = Job(chosen, Target("message", str(chosen.file)))
    with job:
        message = _message(chosen.file)
        job.report = job.scan(message, pools.small, partial(_commented, message))
    return job.deliver()


def _commented(message: Message, run: Run) -> Run:
    from patscan.excused import commented

    return commented(message.comments, run)


def _message(file: Path) -> Message:
    from patscan.sources.message import Message

    settings = _settings()
    mark = settings.get("core.comment", "#")
    edited = os.environ.get("GIT_EDITOR") != _NO_EDITOR
    cleanup = settings.get("commit.cleanup", "default")
    # git-commit(1), --cleanup: by default git removes comments only from an edited message.
    strip = cleanup == "strip" or (cleanup == "default" and edited)
    # A hook can't see whether `git commit -v` wrote the scissors line.
    cut = "first" if cleanup == "scissors" else "git" if edited else ""
    return Message(file, None if mark == "auto" else mark, strip, cut)


def _settings() -> dict[str, str]:
    """Git's settings for comments; the last value of each counts. ``commentString`` is another name of ``commentChar``."""
    from patscan.git.child import GitError, run

    try:
        listed = run(("config", "-z", "--get-regexp", _KEYS), Path(), environment())
    except GitError:
        return {}  # none of them is set
    pairs = (entry.partition("\n") for entry in listed.decode("utf-8", "replace").split("\0")[:-1])
    return {key.removesuffix("char").removesuffix("string"): value for key, _, value in pairs}
