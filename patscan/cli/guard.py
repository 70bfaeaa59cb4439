"""One small process that ends all others of ours when this one ends, however it ends.

It leads a process group that the workers and the git children belong to, and waits at a pipe that only this process holds open. SIGKILL
closes the pipe, too; then the guard kills its group, also a worker that is deep in a C library and would hear nothing else.
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
    with suppress(OSError):  # the guard was quicker
        os.setpgid(pid, pid)
    child.join(pid)
    _state.update(group=pid, pipe=writer)
    return pid


def enter(group: int) -> None:
    """Put this process, a worker, under the guard; without a group let a thread wait for the parent's end."""
    if group:
        if _state["pipe"]:  # a copy, if this worker was forked: the guard would wait for us as well
            os.close(_state["pipe"])
        os.setpgid(0, group)
        return
    threading.Thread(target=_follow, daemon=True).start()


def clear() -> None:
    """End everything in the group but the guard itself, which ignores this signal."""
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
