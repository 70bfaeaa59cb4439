"""Read untrusted small text files safely, and replace them atomically."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from patscan.errors import ConfigError

LARGEST = 16 << 20
"""The most bytes of a file: a baseline with a hundred thousand tokens."""


Read = Callable[[Path, "Path | None"], "str | None"]
"""Reads the text of a file that must lie in a folder; ``None`` if it doesn't exist. Raises `ConfigError`."""


def on_disk(file: Path, inside: Path | None = None) -> str | None:
    """As `read`; ``None`` if there is no such file."""
    return read(file, inside) if os.path.lexists(file) else None


def read(file: Path, inside: Path | None = None) -> str:
    """The text of `file`, which must lie in the folder `inside` after links are resolved. Raises `ConfigError`."""
    check_inside(file, inside)
    try:
        # A pipe or a device might never end.
        number = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(number, "rb") as stream:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise ConfigError(f"{file}: not a regular file.")
            data = stream.read(LARGEST + 1)
    except IsADirectoryError:
        raise ConfigError(f"{file}: a folder. A file was expected.") from None
    except OSError as error:
        raise ConfigError(f"{file}: can't be read: {error.strerror}.") from error
    return decoded(file, data)


def decoded(file: Path, data: bytes) -> str:
    """Decode `data`, the content of `file`. Raises `ConfigError`."""
    if len(data) > LARGEST:
        raise ConfigError(f"{file}: larger than {LARGEST >> 20} MiB, so it isn't read.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text: byte {error.start} is wrong.") from None


def check_inside(file: Path, folder: Path | None) -> None:
    """Raises `ConfigError` if `file` lies outside `folder`, by its name or through a link."""
    try:
        leads_out = folder is not None and not file.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{file}: can't be resolved: {error}.") from None
    if leads_out:
        raise ConfigError(f"{file}: lies outside {folder}. If you trust it, name it with a flag.")


def replace(file: Path, text: str) -> None:
    """Replace the content of `file`, with mode 0644 because it will be committed. Raises `ConfigError`."""
    from patscan.whole import whole

    try:
        with whole(file, 0o644) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise ConfigError(f"{file}: can't be written: {error.strerror}.") from error
