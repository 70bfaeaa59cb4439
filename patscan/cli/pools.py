"""Executors: in this process, or one process a processor."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from patscan import look
from patscan.model import Rule
from patscan.run import Options

if TYPE_CHECKING:
    from concurrent.futures import Executor


_UNHURRIED = 64 << 10
"""Bytes that are searched in less time than compiling the rules takes."""


def small(rules: tuple[Rule, ...], options: Options) -> None:
    """No executor, and no compiler before it is worth it: for a hook, which mostly looks at a few kilobytes."""
    look.start(rules, _UNHURRIED, options.reveal, options.limits, options.compiled)


def serial(rules: tuple[Rule, ...], options: Options) -> None:
    """No executor: everything happens in this process."""
    look.start(rules, 0, options.reveal, options.limits, options.compiled)


def processes(rules: tuple[Rule, ...], options: Options, *, jobs: int) -> Executor:
    """`jobs` processes, started at once, so that they get ready while this one finds out what there is to do."""
    import multiprocessing
    import threading
    from concurrent.futures import ProcessPoolExecutor

    from patscan.cli import guard

    group = guard.start()
    # fork is ten times as quick as spawn, and safe while this process has one thread; macOS and Windows don't offer it safely.
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

    # Ctrl-C reaches every process of the terminal; the first one decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Inherited, it would raise `KeyboardInterrupt` here; a pool and the guard end workers by it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    guard.enter(group)
    look.start(rules, 0, options.reveal, options.limits.shared(jobs), options.compiled)


def _ready() -> None:
    """Import what the first shard will need."""
    from patscan.git import entries

    entries.engines()
