"""Progress on a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from patscan.content import Looked

_PATIENCE = 1.0
"""Seconds before the progress bar is shown and its library imported."""


class Progress:
    """Counts scanned contents; silent unless standard error is a terminal."""

    def __init__(self, wanted: bool) -> None:
        self._due = time.monotonic() + _PATIENCE if wanted and sys.stderr.isatty() else float("inf")
        self._bar: Bar | None = None
        self._commits = self._blobs = self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def add(self, shard: Looked) -> None:
        """Add the counts of a scanned shard."""
        self._commits += shard.commits
        self._blobs += shard.blobs
        self._bytes += shard.bytes
        if self._bar is None and time.monotonic() > self._due:
            self._bar = _bar()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=self._text())

    def _text(self) -> str:
        return f"{self._commits:,} commits, {self._blobs:,} blobs, {self._bytes / 1e9:.1f} GB"


class StatusLine:
    """A line that is replaced as work proceeds; silent unless standard error is a terminal."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted and sys.stderr.isatty()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)

    def show(self, step: str) -> None:
        """Replace the line by `step`."""
        if self._wanted:
            print(f"\r{step:{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(step)


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("Looked at {task.description}"), TimeElapsedColumn())
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    bar.add_task("", total=None)
    bar.start()
    return bar
