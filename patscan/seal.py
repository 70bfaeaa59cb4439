"""Files that are kept between runs and believed only if this user's patscan wrote them: keyed digests over name and content."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

KEY = 32
"""Bytes of a user's key."""


class DamagedError(Exception):
    """A kept file that can't be believed."""


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


class Sealed(NamedTuple):
    """A file that is kept between runs, under a user's key."""

    file: Path
    key: bytes

    def content(self) -> bytes | None:
        """What was kept; ``None`` if there is no such file. Raises `DamagedError` if it wasn't written there under this key."""
        try:
            with opened(self.file) as stream:
                digest, _, content = stream.read().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedError(self.file) from error
        if digest != seal(self.key, self.file.name)(content):
            raise DamagedError(self.file)
        return content

    def keep(self, content: bytes) -> bool:
        """Keep `content`, whole and for its owner alone; returns whether that could be done."""
        return _write(self.file, seal(self.key, self.file.name)(content) + b"\n" + content)


class Kept(NamedTuple):
    """What an earlier process left in a file; the next one reads what is kept there now."""

    content: bytes | None
    file: Sealed


def _write(file: Path, content: bytes, place: Callable[[Path, Path], None] | None = None) -> bool:
    from patscan.whole import whole

    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole(file, 0o600, place) as stream:
            stream.write(content)
    except OSError:
        return False
    return True
