"""Files that are kept between runs. A keyed digest over name and content proves that this user's patscan wrote them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from patscan.digests import blake2b
from patscan.tuples import NamedTuple

KEY = 32
"""Bytes of a user's key."""


class DamagedError(Exception):
    """A kept file that is damaged or from another user."""


Seal = Callable[[bytes], bytes]
"""Computes the digest of a content, in hex, with the user's key and the file's name."""


def seal(key: bytes, name: str) -> Seal:
    """The `Seal` for the file `name`. The name prevents that one file replaces another."""

    def digest(content: bytes) -> bytes:
        state = blake2b(os.fsencode(name) + b"\0", digest_size=32, key=key)
        state.update(content)
        return state.hexdigest().encode()

    return digest


def opened(file: Path) -> BufferedReader:
    """A regular file, open for reading. Opening a pipe could wait forever. Raises `OSError`."""
    number = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(f"{file.name} isn't a regular file")
    return open(number, "rb")


def key(file: Path) -> bytes:
    """The key in `file`, generated if there is none; empty if it can't be stored."""
    stored = _stored_key(file)
    if not stored:
        # An incomplete key is replaced. If two processes generate one at once, both use the first.
        with suppress(OSError):
            file.unlink()
        _write(file, os.urandom(KEY), os.link)
        stored = _stored_key(file)
    return stored


def _stored_key(file: Path) -> bytes:
    try:
        with opened(file) as stream:
            stored = stream.read(KEY + 1)
    except OSError:
        return b""
    return stored if len(stored) == KEY else b""


class Sealed(NamedTuple):
    """A sealed file that is kept between runs."""

    file: Path
    key: bytes

    def content(self) -> bytes | None:
        """Its content; ``None`` if there is no file. Raises `DamagedError` if it wasn't sealed with this key and name."""
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
        """Store `content` atomically, readable only by its owner; return whether it succeeded."""
        return _write(self.file, seal(self.key, self.file.name)(content) + b"\n" + content)


class Kept(NamedTuple):
    """A file, and its content from an earlier process."""

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
