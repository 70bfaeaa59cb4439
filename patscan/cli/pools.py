"""Executors: in this process, or one process a processor."""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import Executor, Future
from typing import Any

from patscan import scan
from patscan.model import Rule


class Serial(Executor):
    """Runs a task when it is handed in: no process to start, for what is quickly done."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn(*args, **kwargs)`` now. Ctrl-C isn't kept in the future, but raised."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future hands on whatever its task raised
            future.set_exception(error)
        return future


def serial(rules: tuple[Rule, ...]) -> Executor:
    """An executor without processes."""
    scan.start(rules)
    return Serial()


def processes(rules: tuple[Rule, ...], jobs: int) -> Executor:
    """`jobs` processes, started at once, so that they get ready while this one finds out what there is to do."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # fork is ten times as quick as spawn, and safe while this process has one thread; macOS and Windows don't offer it safely.
    forks = sys.platform == "linux" and threading.active_count() == 1
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork" if forks else "spawn"), _start, (rules,))
    for _ in range(jobs):
        pool.submit(_ready)
    return pool


def _start(rules: tuple[Rule, ...]) -> None:
    # Ctrl-C reaches every process of the terminal; the first one decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    scan.start(rules)


def _ready() -> None:
    """Import what the first shard will need."""
    from patscan.git import entries

    entries.engines()
