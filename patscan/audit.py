"""The audit log: requests that change something at GitLab, and their answers. JSON Lines, append-only."""

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
"""The fields of a line beside time and event. They contain no token."""


class AuditLog:
    """A file to which each line is appended and synced, so that it survives a crash."""

    def __init__(self, file: Path) -> None:
        """Open `file`, or create it with mode 0600 in a folder with mode 0700. Raises `AuditError`."""
        self._file = file
        self.problem = ""
        """Why the log is incomplete, as a sentence; empty if it is complete."""
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
        """Append a request before it is sent. Raises `AuditError`; then don't send it."""
        if self.problem:
            raise AuditError(f"{self.problem} Nothing more was sent.")
        try:
            self._append(event, entry)
        except OSError as error:
            raise self._failure(error) from None

    def after(self, event: str, entry: Entry) -> None:
        """Append the result of a request. A failure is kept in `problem`, because the request was already sent."""
        try:
            self._append(event, entry)
        except OSError as error:
            reason = error.strerror or str(error)
            self.problem = (
                self.problem or f"--audit-log: {self._file}: the line {event!r} can't be written: {reason}. The log is incomplete."
            )

    def beside(self, name: str) -> Path:
        """A new path in the log's folder, with date and process id."""
        return self._file.absolute().parent / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            os.close(self._number)

    def _append(self, event: str, entry: Entry) -> None:
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **entry}
        data = json.dumps(line, ensure_ascii=True).encode() + b"\n"
        if os.write(self._number, self._line_end() + data) < len(data):
            raise OSError(0, "it wasn't written whole")
        os.fsync(self._number)

    def _line_end(self) -> bytes:
        """A line feed, if an earlier run left an incomplete line."""
        end = os.lseek(self._number, 0, os.SEEK_END)
        if not end:
            return b""
        os.lseek(self._number, end - 1, os.SEEK_SET)
        return b"" if os.read(self._number, 1) == b"\n" else b"\n"

    def _failure(self, error: OSError) -> AuditError:
        return AuditError(f"--audit-log: {self._file}: can't be written to: {error.strerror or error}. Nothing was sent.")


def sync_folder(folder: Path) -> None:
    """Sync `folder`, so that a new file in it survives a crash, if the system supports it. Raises `OSError`."""
    if hasattr(os, "O_DIRECTORY"):
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
