"""The audit log: what was asked of a GitLab that changes something there, and what it answered. JSON Lines, only ever appended to."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from patscan.errors import AuditError

Entry = Mapping[str, object]
"""The fields of a line beside its time and its event. No token is among them."""


class AuditLog:
    """A file that each line is appended to and synced, so that it outlives a crash. As a context manager it closes the file."""

    def __init__(self, file: Path) -> None:
        """Open `file`, or make it with mode 0600 in a folder of mode 0700. Raises `AuditError`."""
        self._file = file
        self.problem = ""
        """Why the log lacks something that happened, as a sentence; empty if it doesn't."""
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            self._number = os.open(file, flags, 0o600)
            if not stat.S_ISREG(os.fstat(self._number).st_mode):
                os.close(self._number)
                raise AuditError(f"--audit-log: {file}: not a regular file. Nothing was sent.")
            sync_folder(file.parent)
        except OSError as error:
            raise self._failure(error) from None

    def before(self, event: str, entry: Entry) -> None:
        """Append what is about to be sent. Raises `AuditError`: then it mustn't be sent."""
        if self.problem:
            raise AuditError(f"{self.problem} Nothing more was sent.")
        try:
            self._append(event, entry)
        except OSError as error:
            raise self._failure(error) from None

    def after(self, event: str, entry: Entry) -> None:
        """Append what happened. It has happened, so a failure is kept in `problem`."""
        try:
            self._append(event, entry)
        except OSError as error:
            reason = error.strerror or str(error)
            self.problem = self.problem or f"--audit-log: {self._file}: the line {event!r} couldn't be written: {reason}."

    def beside(self, name: str) -> Path:
        """A new name in the log's folder."""
        return self._file.absolute().parent / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"

    def close(self) -> None:
        """Let go of the file."""
        with suppress(OSError):
            os.close(self._number)

    def _append(self, event: str, entry: Entry) -> None:
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **entry}
        data = json.dumps(line, ensure_ascii=True).encode() + b"\n"
        if os.write(self._number, self._broken_off() + data) < len(data):
            raise OSError(0, "it wasn't written whole")
        os.fsync(self._number)

    def _broken_off(self) -> bytes:
        """What ends a line that an earlier run couldn't write whole."""
        end = os.lseek(self._number, 0, os.SEEK_END)
        if not end:
            return b""
        os.lseek(self._number, end - 1, os.SEEK_SET)
        return b"" if os.read(self._number, 1) == b"\n" else b"\n"

    def _failure(self, error: OSError) -> AuditError:
        return AuditError(f"--audit-log: {self._file}: can't be written to: {error.strerror or error}. Nothing was sent.")


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` outlive a crash, where the system has a way to. Raises `OSError`."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
