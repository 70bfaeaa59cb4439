"""A small process that kills patscan's workers and git processes when the main process ends for any reason.

The guard leads a process group with the workers and git's processes, and waits for the end of a pipe that only the main process keeps
open. SIGKILL closes the pipe as well. The guard then sends SIGKILL to its group, which also ends a worker inside a C library.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import NoReturn

from patscan.git import child

_state = {"group": 0, "pipe": 0}


def start() -> int:
    """Start the guard unless there is one; returns its group, or 0 where there can't be one (Windows, or beside other threads)."""
    if _state["group"] or os.name != "posix" or threading.active_count() > 1:
        return _state["group"]
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        _wait(reader, writer)
    os.close(reader)
    with suppress(OSError):  # the guard has done it already
        os.setpgid(pid, pid)
    child.join(pid)
    _state.update(group=pid, pipe=writer)
    return pid


def enter(group: int) -> None:
    """Put this worker into the guard's group. Without a group, start a thread that exits when the parent ends."""
    if group:
        if _state["pipe"]:  # a forked worker's copy of the pipe would keep the guard waiting
            os.close(_state["pipe"])
        os.setpgid(0, group)
        return
    threading.Thread(target=_follow, daemon=True).start()


def clear() -> None:
    """End all processes of the group except the guard, which ignores this signal."""
    if _state["group"]:
        with suppress(OSError):
            os.killpg(_state["group"], signal.SIGTERM)


def _follow() -> NoReturn:
    import multiprocessing

    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _wait(reader: int, writer: int) -> NoReturn:
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.close(writer)
        os.read(reader, 1)
        os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(1)
