"""Where a scan runs: in this process, or in worker processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
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


def processes(rules: tuple[Rule, ...], options: Options, *, jobs: int, prepare: Callable[[], object] = lambda: None) -> Executor:
    """Scan in `jobs` processes. `prepare` runs while the rules are compiled: it imports what this process and its workers need."""
    import multiprocessing
    import threading
    from concurrent.futures import ProcessPoolExecutor

    from patscan.cli import guard

    group = guard.start()
    start = partial(look.start, rules, 0, options.reveal, options.limits.shared(jobs), options.compiled)
    # fork is ten times as fast as spawn, and safe while this process has one thread. On macOS and Windows it isn't.
    if sys.platform != "linux" or threading.active_count() > 1:
        return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _enter, (group, start))
    _run_together(start, prepare)
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _enter, (group,))
    pool.submit(int)  # forks all workers, before this process takes more memory
    return pool


def _run_together(start: Callable[[], None], prepare: Callable[[], object]) -> None:
    """Call both. Compiling leaves the interpreter to other threads. Workers inherit the results, instead of each making them again."""
    from concurrent.futures import ThreadPoolExecutor

    # The threads of numpy's linear algebra, which isn't used, would still run at the fork.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ThreadPoolExecutor(1) as pool:
        compiled = pool.submit(start)
        prepare()
        compiled.result()


def _enter(group: int, start: Callable[[], None] = lambda: None) -> None:
    import signal

    from patscan.cli import guard

    # Ctrl-C reaches every process of the terminal; the main process handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The pool and the guard end workers with SIGTERM. The inherited handler would raise `KeyboardInterrupt`.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    guard.enter(group)
    start()
