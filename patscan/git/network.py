"""The git children that may talk to a server: with a limit to how long they may say nothing, and ended with all they started."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO

from patscan.git.child import GitError, sentence, start

Tell = Callable[[str], None]

PATIENCE = 300.0
"""Seconds that git may say nothing: it tells its progress each second while anything moves, and servers tell theirs."""
_TICK = 0.2
"""Seconds between two looks at a child: nobody hears when it ends, because something it started may hold its pipes open."""
_GRACE = 5.0
"""Seconds to clean up in after SIGTERM: git removes its lock files and half a pack then."""
_KEPT = 1 << 20
"""Bytes of what git said that are kept."""
_PROGRESS = re.compile(r"(Receiving objects|Resolving deltas): +[0-9]+%[0-9 KMGTiB/s()|.,]*")
"""git's own words about what it does here; the lines after ``remote:`` are the server's, and may hold anything."""
_OPTIONS = (
    # For HTTP, git itself gives up after a minute without a byte: its sentence says more than ours.
    *("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"),
    *("-c", "credential.interactive=false"),
)
_UNASKED = {
    # Empty, it goes before core.askPass and SSH_ASKPASS, and nothing is asked for in a window (gitcredentials(7)).
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
}


def talk(
    args: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    tell: Tell | None = None,
    patience: float = PATIENCE,
    limit: float = math.inf,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
) -> bytes:
    """The output of ``git ARGS``, which may use the network. Progress goes to `tell`. Raises `GitError`; never asks for anything.

    git is ended after `patience` seconds without a word, and after `limit` seconds anyway.
    """
    end = time.monotonic() + limit
    child = start((*_OPTIONS, *args), cwd, {**environment, **_UNASKED}, stdin=stdin, network=True)
    try:
        ears = _Ears(child, tell)
        while child.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(_TICK)
            if time.monotonic() - ears.last > patience:
                raise GitError(f"no word for {patience / 60:.3g} minutes, so it was given up.")
            if time.monotonic() > end:
                raise GitError("the time for fetching is up.")
    finally:
        if child.returncode is None:
            _end(child)
    out, err = ears.heard()
    if child.returncode:
        raise GitError(_reason(err))
    return out


class _Ears:
    """What a child says on both pipes, and when it last said something."""

    def __init__(self, child: subprocess.Popen[bytes], tell: Tell | None) -> None:
        self.last = time.monotonic()
        """By the clock of ``time.monotonic``, in seconds."""
        self._out, self._err = bytearray(), bytearray()
        self._threads = [
            Thread(target=self._hear, args=(child.stdout, self._out, None), daemon=True),
            Thread(target=self._hear, args=(child.stderr, self._err, tell), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def heard(self) -> tuple[bytes, bytes]:
        """All that was said. Call it when the child has ended: what somebody else still says then isn't waited for."""
        for thread in self._threads:
            thread.join(0.5)
        return bytes(self._out), bytes(self._err)

    def _hear(self, stream: IO[bytes], kept: bytearray, tell: Tell | None) -> None:
        with stream:
            while data := os.read(stream.fileno(), 1 << 16):
                self.last = time.monotonic()
                kept += data
                del kept[:-_KEPT]
                steps = [step for step in re.split(r"[\r\n]", data.decode("ascii", "replace")) if _PROGRESS.fullmatch(step.strip())]
                if tell and steps:
                    with suppress(OSError, ValueError):  # nobody reads it any more
                        tell(steps[-1].strip())


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child and all that it has started, helpers and ssh; even when Ctrl-C comes a second time."""
    try:
        _send(child, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    finally:
        _send(child, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        child.wait()


def _send(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # A network child leads a group of its own, so the group's number is its own.
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, number)
        else:
            child.kill()


def _reason(said: bytes) -> str:
    """Why git gave up, in one sentence. What ssh says stands before git's last words, which only say that there was nothing."""
    reason = sentence(said)
    if reason.startswith("Could not read from remote repository"):
        own = [
            line for line in said.partition(b"fatal: Could not read")[0].splitlines() if line.strip() and not line.startswith(b"remote:")
        ]
        return sentence(own[-1]) if own else reason
    if reason.startswith(("could not read Username", "could not read Password", "Authentication failed")):
        return "the server wants a user and a password, and git has none that it takes. Give them to one of git's credential helpers."
    return reason
