"""Start git processes that use the network, limit their time and their silence, and end them with all their children."""

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

Progress = Callable[[str], None]

PATIENCE = 300.0
"""Seconds of silence before git is ended. git and servers report progress each second while data moves."""
_TICK = 0.2
"""Seconds between two checks of a process. Its pipes don't show its end, because its children may keep them open."""
_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL, in which git removes lock files and incomplete packs."""
_KEPT = 1 << 20
"""Bytes of git's output that are kept."""
_PROGRESS = re.compile(r"(Receiving objects|Resolving deltas): +[0-9]+%[0-9 KMGTiB/s()|.,]*")
"""git's progress lines. Lines after ``remote:`` come from the server and may contain anything, so they aren't shown."""
_OPTIONS = (
    # For HTTP, git itself gives up after a minute without a byte, with a better message.
    *("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"),
    *("-c", "credential.interactive=false"),
)
_NO_PROMPT = {
    # An empty value overrides core.askPass and SSH_ASKPASS, so no window opens (gitcredentials(7)).
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
}


def talk(
    args: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    progress: Progress | None = None,
    patience: float = PATIENCE,
    limit: float = math.inf,
    stdin: IO[bytes] | None = None,
) -> bytes:
    """The output of ``git ARGS``, which may use the network. Progress lines go to `progress`. Never prompts. Raises `GitError`.

    git is ended after `patience` seconds of silence, and after `limit` seconds in any case.
    """
    end = time.monotonic() + limit
    child = start((*_OPTIONS, *args), cwd, {**environment, **_NO_PROMPT}, stdin=stdin or subprocess.DEVNULL, network=True)
    try:
        output = _Output(child, progress)
        while child.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(_TICK)
            if time.monotonic() - output.last > patience:
                raise GitError(f"no answer for {patience / 60:.3g} minutes, so git was stopped.")
            if time.monotonic() > end:
                raise GitError("the time limit for fetching is over.")
    finally:
        if child.returncode is None:
            _end(child)
    out, err = output.collected()
    if child.returncode:
        raise GitError(_reason(err))
    return out


class _Output:
    """The output of a process on both pipes, and the time of the last byte."""

    def __init__(self, child: subprocess.Popen[bytes], progress: Progress | None) -> None:
        self.last = time.monotonic()
        """In seconds, by ``time.monotonic``."""
        self._out, self._err = bytearray(), bytearray()
        self._threads = [
            Thread(target=self._read, args=(child.stdout, self._out, None), daemon=True),
            Thread(target=self._read, args=(child.stderr, self._err, progress), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def collected(self) -> tuple[bytes, bytes]:
        """All output. Call it after the process has ended. It doesn't wait for children of the process that still write."""
        for thread in self._threads:
            thread.join(0.5)
        return bytes(self._out), bytes(self._err)

    def _read(self, stream: IO[bytes], kept: bytearray, progress: Progress | None) -> None:
        with stream:
            while data := os.read(stream.fileno(), 1 << 16):
                self.last = time.monotonic()
                kept += data
                del kept[:-_KEPT]
                steps = [step for step in re.split(r"[\r\n]", data.decode("ascii", "replace")) if _PROGRESS.fullmatch(step.strip())]
                if progress and steps:
                    with suppress(OSError, ValueError):  # the progress display is closed
                        progress(steps[-1].strip())


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process and its children (helpers, ssh), even if Ctrl-C is pressed again."""
    try:
        _send(child, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    finally:
        _send(child, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        child.wait()


def _send(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # A process that uses the network leads its group, so its id is the group's id.
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, number)
        else:
            child.kill()


def _reason(output: bytes) -> str:
    """Why git failed, in one sentence. The message of ssh comes before git's last line, which gives no reason."""
    reason = sentence(output)
    if reason.startswith("Could not read from remote repository"):
        causes = [
            line for line in output.partition(b"fatal: Could not read")[0].splitlines() if line.strip() and not line.startswith(b"remote:")
        ]
        return sentence(causes[-1]) if causes else reason
    if reason.startswith(("could not read Username", "could not read Password", "Authentication failed")):
        return "the server wants a user and a password, and git has none that it accepts. Add them to one of git's credential helpers."
    return reason
