"""Single files as the index has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from patscan.git.objects import Batch


class _Asking(NamedTuple):
    path: Path
    environment: Mapping[str, str]


def staged(file: Path, environment: Mapping[str, str], most: int) -> bytes | None:
    """The first `most` bytes of `file` as the index of the repository around us has it; ``None`` if it hasn't."""
    path = os.path.relpath(file)
    # As gitrevisions(7) writes a path that is relative to where git is started; a line feed would begin another question.
    name = f":{path}" if path.startswith(os.pardir + os.sep) else f":./{path}"
    if "\n" in name:
        return None
    with Batch(_Asking(Path(), environment), [name.replace(os.sep, "/")]) as batch:
        answer = batch.answer()
        if len(answer) != 3 or answer[1] != b"blob":
            return None
        return batch.answers.read(min(int(answer[2]), most))
