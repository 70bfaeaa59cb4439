"""Where a scan runs: in this process, or in worker processes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from patscan import look
from patscan.model import Rule
from patscan.run import Options

if TYPE_CHECKING:
    from concurrent.futures import Executor


_DELAY = 64 << 10
"""Bytes that can be searched faster than the rules can be compiled."""


def small(rules: tuple[Rule, ...], options: Options) -> None:
    """Scan in this process, and compile the rules only for more than `_DELAY` bytes: a hook mostly reads a few kilobytes."""
    look.start(rules, _DELAY, options.reveal, options.limits, options.compiled)


def serial(rules: tuple[Rule, ...], options: Options) -> None:
    """Scan in this process."""
    look.start(rules, 0, options.reveal, options.limits, options.compiled)


def processes(rules: tuple[Rule, ...], options: Options, *, jobs: int) -> Executor:
    """Scan in `jobs` processes. They start at once, and import modules while this process makes shards."""
    import multiprocessing
    import threading
    from concurrent.futures import ProcessPoolExecutor

    from patscan.cli import guard

    group = guard.start()
    # fork is ten times as fast as spawn, and safe while this process has one thread. On macOS and Windows it isn't.
    forks = sys.platform == "linux" and threading.active_count() == 1
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context("fork" if forks else "spawn"), _start, (rules, options._replace(policy=None), jobs, group)
    )
    for _ in range(jobs):
        pool.submit(_ready)
    return pool


def _start(rules: tuple[Rule, ...], options: Options, jobs: int, group: int) -> None:
    import signal

    from patscan.cli import guard

    # Ctrl-C reaches every process of the terminal; the main process handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The pool and the guard end workers with SIGTERM. The inherited handler would raise `KeyboardInterrupt`.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    guard.enter(group)
    look.start(rules, 0, options.reveal, options.limits.shared(jobs), options.compiled)


def _ready() -> None:
    """Import the modules that the first shard needs."""
    from patscan.git import entries

    entries.engines()
