"""Open regular files only. Opening a pipe could wait forever."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def opened(path: Path) -> BufferedReader:
    """The file at `path`, open for reading. Raises `OSError`, also if it isn't a regular file."""
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISREG(os.fstat(number).st_mode):
        return open(number, "rb")
    os.close(number)
    raise OSError(errno.EINVAL, "not a regular file", str(path))
