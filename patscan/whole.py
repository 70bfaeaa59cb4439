"""Write files atomically."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def whole(file: Path, mode: int = 0o600, place: Callable[[Path, Path], None] | None = None) -> Iterator[IO[bytes]]:
    """A stream for the new content of `file`. At the end of the block, `place` (default: `os.replace`) moves it to `file`.

    If the block raises, `file` stays unchanged. A link at `file` is replaced, not followed. Raises `OSError`.
    """
    draft = file.absolute().with_name(f".patscan.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode), "wb") as stream:
            yield stream
        os.chmod(draft, mode)
        (place or os.replace)(draft, file)
    finally:
        with suppress(OSError):
            draft.unlink()
