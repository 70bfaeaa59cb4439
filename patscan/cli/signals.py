"""Ctrl-C, SIGTERM and a closed terminal: each ends a scan early, with a report of what was found so far."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from patscan.errors import ExitCode

_received: list[int] = []
_deferring: list[bool] = []
"""Not empty while `deferred` holds."""


@contextmanager
def listening() -> Iterator[None]:
    """Let these signals raise `KeyboardInterrupt` in the main thread. What the caller chose to ignore (nohup) stays ignored."""
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
    """Break nothing off: signals that come in the meantime show in `code` only."""
    _deferring.append(True)
    try:
        yield
    finally:
        _deferring.pop()


def code() -> ExitCode | None:
    """The exit code that the first of them asks for; ``None`` if none came."""
    if not _received:
        return None
    return ExitCode.INTERRUPTED if _received[0] == signal.SIGINT else ExitCode.TERMINATED


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    if number != signal.SIGINT:
        # CI systems send it more than once; the report is being written.
        signal.signal(number, signal.SIG_IGN)
    if _deferring:
        return
    if guard := sys.modules.get("patscan.cli.guard"):
        guard.clear()
    raise KeyboardInterrupt
