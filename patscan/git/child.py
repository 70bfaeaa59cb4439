"""Start git. No git process may run a program, fetch, or wait because a scanned repository is configured to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from patscan.errors import PatscanError, TargetError

_QUIET = {
    # Otherwise git fetches from a promisor remote, with the repository's core.sshCommand (git-config(1), protocol.allow).
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # Replace refs would show other objects than the stored ones.
    "GIT_NO_REPLACE_OBJECTS": "1",
    # Don't flush the pipe after every record: rev-list takes a quarter less time.
    "GIT_FLUSH": "0",
    "LC_ALL": "C",
}
_NETWORK = "https:http:ssh:file:git"
"""The protocols of a fetch. ``ext`` and other helpers start programs, so they are left out (git-config(1), protocol.allow)."""
_OPTIONS = (
    "--no-pager",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
)


_MEMORY = 0
"""Bytes that a git process may allocate; 0: half of the machine's memory."""


_group: int | None = None


def join(group: int) -> None:
    """Start all further git processes in this process group, so that they can be ended together."""
    global _group  # noqa: PLW0603 - a process has one group
    _group = group


class GitError(TargetError):
    """git failed. The message has the first line of its error output."""


def start(
    args: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    stderr: int | None = subprocess.PIPE,
    stdin: int | IO[bytes] = subprocess.PIPE,
    network: bool = False,
) -> subprocess.Popen[bytes]:
    """Start ``git ARGS`` in `cwd` with pipes for input and output. Raises `PatscanError` if git isn't installed.

    With `network`, git may fetch (used by `patscan.git.network`) and starts a new session: without a terminal ssh can't prompt.
    """
    try:
        git = subprocess.Popen(
            [_git(environment), *_OPTIONS, *args],
            cwd=cwd,
            env={**environment, **_QUIET, "GIT_ALLOW_PROTOCOL": _NETWORK if network else ""},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=network,
            process_group=None if network else _group,
        )
    except FileNotFoundError as error:
        raise TargetError(f"{cwd}: no such folder.") from error
    except OSError as error:
        raise TargetError(f"{cwd}: can't start git there: {error.strerror}.") from error
    if not network:
        _bound(git)
    return git


def _bound(git: subprocess.Popen[bytes]) -> None:
    """Limit the memory of `git`: it follows a cycle of deltas until no memory is left."""
    if sys.platform == "linux":
        import resource

        with suppress(OSError, ValueError):  # then it stays unlimited
            half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
            resource.prlimit(git.pid, resource.RLIMIT_DATA, (_MEMORY or half, _MEMORY or half))


def _git(environment: Mapping[str, str]) -> str:
    """The path of git. Relative folders on the PATH are ignored: they would be inside the scanned repository."""
    name = "git.exe" if os.name == "nt" else "git"
    for folder in environment.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise PatscanError("git was not found. Install git, or put it on the PATH.")


def run(args: Sequence[str], cwd: Path, environment: Mapping[str, str], stdin: bytes = b"", warnings: list[str] | None = None) -> bytes:
    """The output of ``git ARGS``. Lines on its standard error are added to `warnings`. Raises `GitError` if it fails."""
    child = start(args, cwd, environment)
    out, err = child.communicate(stdin)
    if child.returncode:
        raise GitError(f"{cwd}: git {args[0]}: {sentence(err)}")
    if warnings is not None:
        warnings += [line for line in err.decode("utf-8", "surrogateescape").splitlines() if line.strip()]
    return out


def sentence(stderr: bytes) -> str:
    """The first error in git's error output, as one line without ``fatal:``."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    place = next((place for place, line in enumerate(lines) if line.startswith(("fatal:", "error:"))), 0)
    first = lines[place] if lines else "no reason given"
    if first.endswith(":") and place + 1 < len(lines):
        first += f" {lines[place + 1].strip()}"
    return first.removeprefix("fatal: ").removeprefix("error: ").rstrip(".") + "."
