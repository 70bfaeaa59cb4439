"""Ctrl-C, SIGTERM and SIGHUP end a scan early, with a report of the findings so far."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from patscan.errors import ExitCode

_received: list[int] = []
_deferring: list[bool] = []
"""Not empty inside `deferred`."""


@contextmanager
def listening() -> Iterator[None]:
    """Make the signals raise `KeyboardInterrupt` in the main thread. A signal that the caller ignores (nohup) stays ignored."""
    numbers = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]
    before = {number: signal.getsignal(number) for number in numbers}
    changed = [number for number in numbers if before[number] in {signal.SIG_DFL, signal.default_int_handler}]
    for number in changed:
        signal.signal(number, _interrupt)
    yield
    if not _received:
        for number in changed:
            signal.signal(number, before[number])


@contextmanager
def deferred() -> Iterator[None]:
    """Defer interruption: a signal inside this context only sets `code`."""
    _deferring.append(True)
    try:
        yield
    finally:
        _deferring.pop()


def code() -> ExitCode | None:
    """The exit code for the first signal; ``None`` without one."""
    if not _received:
        return None
    return ExitCode.INTERRUPTED if _received[0] == signal.SIGINT else ExitCode.TERMINATED


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    if number != signal.SIGINT:
        # CI systems repeat the signal while the report is written.
        signal.signal(number, signal.SIG_IGN)
    if _deferring:
        return
    if guard := sys.modules.get("patscan.cli.guard"):
        guard.clear()
    raise KeyboardInterrupt
