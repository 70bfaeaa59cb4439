"""Small text files that somebody else may have written: read with care, replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from patscan.errors import ConfigError

LARGEST = 16 << 20
"""Bytes: a hundred thousand accepted tokens; more is no configuration and no baseline."""


Read = Callable[[Path, "Path | None"], "str | None"]
"""The text of a file that must lie in a folder; ``None`` if there is no such file. Raises `ConfigError`."""


def on_disk(file: Path, inside: Path | None = None) -> str | None:
    """As `read`; ``None`` if there is no such file."""
    return read(file, inside) if os.path.lexists(file) else None


def read(file: Path, inside: Path | None = None) -> str:
    """The text of `file`, which must lie in the folder `inside` even if links lead to it. Raises `ConfigError`."""
    check_inside(file, inside)
    try:
        # A pipe would never end, a device neither.
        number = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(number, "rb") as stream:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise ConfigError(f"{file}: not a file.")
            data = stream.read(LARGEST + 1)
    except IsADirectoryError:
        raise ConfigError(f"{file}: a folder. A file was expected.") from None
    except OSError as error:
        raise ConfigError(f"{file}: can't be read: {error.strerror}.") from error
    return decoded(file, data)


def decoded(file: Path, data: bytes) -> str:
    """The text that `data`, read from `file`, stands for. Raises `ConfigError`."""
    if len(data) > LARGEST:
        raise ConfigError(f"{file}: larger than {LARGEST >> 20} MiB, so it isn't read.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text: byte {error.start} is wrong.") from None


def check_inside(file: Path, folder: Path | None) -> None:
    """Raises `ConfigError` if `file` leads out of `folder`, by its name or by a link."""
    try:
        leads_out = folder is not None and not file.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{file}: leads nowhere: {error}.") from None
    if leads_out:
        raise ConfigError(f"{file}: leads out of {folder}. Name it with a flag if you trust it.")


def replace(file: Path, text: str) -> None:
    """Make `text` the content of `file`, readable by everybody, for it is committed. Raises `ConfigError`."""
    from patscan.whole import whole

    try:
        with whole(file, 0o644) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise ConfigError(f"{file}: can't be written: {error.strerror}.") from error
