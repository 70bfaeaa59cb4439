"""Files that are kept between runs and believed only if this user's patscan wrote them: keyed digests over name and content."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path

KEY = 32
"""Bytes of a user's key."""

Seal = Callable[[bytes], bytes]
"""The digest of a content, in hex, under the user's key and the name of its file."""


def seal(key: bytes, name: str) -> Seal:
    """The digest of contents of the file `name`: with the name in it, no file can stand in another one's place."""

    def digest(content: bytes) -> bytes:
        state = blake2b(os.fsencode(name) + b"\0", digest_size=32, key=key)
        state.update(content)
        return state.hexdigest().encode()

    return digest


def opened(file: Path) -> BufferedReader:
    """A regular file, for reading: a pipe in its place would be waited for. Raises `OSError`."""
    number = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(f"{file.name} is no file")
    return open(number, "rb")


def key(file: Path) -> bytes:
    """The key in `file`, drawn when there is none; empty where none can be kept."""
    known = _known(file)
    if not known:
        # One that is cut is no key. Of two processes that draw at once, both take the first one's.
        with suppress(OSError):
            file.unlink()
        _write(file, os.urandom(KEY), os.link)
        known = _known(file)
    return known


def _known(file: Path) -> bytes:
    try:
        with opened(file) as stream:
            known = stream.read(KEY + 1)
    except OSError:
        return b""
    return known if len(known) == KEY else b""


def replace(file: Path, content: bytes) -> bool:
    """Make `content` that of `file`, whole and for its owner alone; returns whether that could be done."""
    return _write(file, content, os.replace)


def _write(file: Path, content: bytes, place: Callable[[Path, Path], None]) -> bool:
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb") as stream:
            stream.write(content)
        place(draft, file)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            draft.unlink()
    return True
