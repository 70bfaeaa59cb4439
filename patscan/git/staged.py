"""Read single files from the index."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from patscan.git.objects import Batch
from patscan.tuples import NamedTuple


class _Here(NamedTuple):
    path: Path
    environment: Mapping[str, str]


def staged(file: Path, environment: Mapping[str, str], most: int) -> bytes | None:
    """The first `most` bytes of `file` in the index of the current repository; ``None`` if the index doesn't have it."""
    path = os.path.relpath(file)
    # A path relative to the current folder, as in gitrevisions(7). A line feed would begin another request.
    name = f":{path}" if path.startswith(os.pardir + os.sep) else f":./{path}"
    if "\n" in name:
        return None
    with Batch(_Here(Path(), environment), [name.replace(os.sep, "/")]) as batch:
        answer = batch.answer()
        if len(answer) != 3 or answer[1] != b"blob":
            return None
        return batch.answers.read(min(int(answer[2]), most))
