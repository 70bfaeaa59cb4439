"""Prepare a file for a new token before GitLab creates the token."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from patscan.audit import sync_folder
from patscan.errors import KeepingError
from patscan.secret import Secret

_ROOM = 4096
"""Bytes that are reserved on the disk first: more than any token has."""


class Place:
    """A new file with mode 0600 and space for a token. It never overwrites a file and follows no link."""

    def __init__(self, path: Path, flag: str) -> None:
        """Create the file at `path`, from the option `flag`. Raises `KeepingError` and leaves no new file."""
        self.path = path
        self.filled = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._number = os.open(path, flags, 0o600)
        except FileExistsError:
            raise KeepingError(f"{flag}: {path}: {_kind(path)}. Name a file that doesn't exist. Nothing was rotated.") from None
        except (OSError, ValueError) as error:
            raise KeepingError(f"{flag}: {path}: can't be created: {_reason(error)}. Nothing was rotated.") from None
        try:
            self._write(b"\n" * _ROOM)
            sync_folder(path.absolute().parent)
        except OSError as error:
            self.discard()
            raise KeepingError(f"{flag}: {path}: can't be written to: {_reason(error)}. Nothing was rotated.") from None

    def fill(self, token: Secret) -> None:
        """Write `token` as one line, and sync it. Raises `OSError`."""
        line = token.reveal() + b"\n"
        self._write(line)
        self.filled = True
        # Only blank lines follow, so a failure here loses nothing.
        with suppress(OSError):
            os.ftruncate(self._number, len(line))
            os.fsync(self._number)

    def discard(self) -> None:
        """Remove the file, unless it contains a token."""
        with suppress(OSError):
            os.close(self._number)
        if not self.filled:
            with suppress(OSError):
                self.path.unlink()

    def _write(self, data: bytes) -> None:
        os.lseek(self._number, 0, os.SEEK_SET)
        if os.write(self._number, data) < len(data):
            raise OSError(0, "no space left on device")
        os.fsync(self._number)


def _kind(path: Path) -> str:
    return "a link" if path.is_symlink() else "a folder" if path.is_dir() else "exists already"


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", "") or str(error)).lower()
