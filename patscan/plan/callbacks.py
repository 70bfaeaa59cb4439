"""Callbacks of ``git filter-repo`` for everything that ``--replace-text`` and ``--replace-message`` leave out.

``patscan plan`` copies this file beside ``replacements.txt``, which it reads. Standard library only: it runs where git-filter-repo does.
`clean` replaces the same texts in git's own files that quote messages and names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BINARY = 8192
"""First bytes of a blob. ``git filter-repo --replace-text`` leaves a blob with a NUL among them unchanged."""
_QUOTING = (
    *("HEAD", "config", "COMMIT_EDITMSG", "MERGE_MSG", "SQUASH_MSG", "TAG_EDITMSG", "NOTES_EDITMSG", "FETCH_HEAD"),
    *("logs/refs/stash", "filter-repo/ref-map", "filter-repo/changed-refs"),
)
"""Files of git and filter-repo that quote messages or names of refs, and survive the rewrite."""
_SUBMODULE = b"160000"

_LEFT_OVER = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""The name of a ref that filter-repo 2.47 leaves in git's folder for each entry of the stash: a commit's id."""

Expression = tuple[re.Pattern[bytes], bytes]


def expressions(file: Path) -> Iterator[Expression]:
    """The pattern and the replacement of each line of `file`, in the format of ``git filter-repo --replace-text``."""
    for line in file.read_bytes().split(b"\n"):
        form, arrow, replacement = line.rpartition(b"==>")
        kind, _, form = form.partition(b":")
        if arrow:
            yield re.compile(form if kind == b"regex" else re.escape(form)), replacement


def commits(file: Path) -> dict[bytes, bytes]:
    """The new id of each rewritten commit, by the commit maps whose paths `file` lists, one per line."""
    maps = file.read_bytes().split(b"\n") if file.exists() else []
    # A submodule's own rewrite has no map yet.
    existing = [Path(os.fsdecode(path)) for path in maps if path and os.path.exists(path)]
    lines = [line.split() for path in existing for line in path.read_bytes().splitlines()[1:]]
    return {old: new for old, new in lines if new.strip(b"0")}


_HERE = Path(__file__).parent
EXPRESSIONS = tuple(expressions(_HERE / "replacements.txt")) if (_HERE / "replacements.txt").exists() else ()
COMMITS = commits(_HERE / "commit-maps.txt")


def text(data: bytes) -> bytes:
    """`data`, a name of a person, a ref or a file, with every form replaced."""
    for pattern, replacement in EXPRESSIONS:
        data = pattern.sub(replacement, data)
    return data


def blob(content: Any) -> None:
    """Overwrite every form in a binary blob with stars. Other bytes keep their positions, and UTF-16 its NULs."""
    if b"\0" in content.data[:_BINARY]:
        for pattern, _ in EXPRESSIONS:
            content.data = pattern.sub(lambda form: re.sub(rb"[^\0]", b"*", form[0]), content.data)


def submodules(commit: Any) -> None:
    """Make a commit refer to the rewritten commits of its submodules."""
    for change in commit.file_changes:
        if change.mode == _SUBMODULE:
            change.blob_id = COMMITS.get(change.blob_id, change.blob_id)


def clean(git_dir: str) -> None:
    """Replace every form in git's own files in `git_dir`, and delete the refs that filter-repo leaves there."""
    folder = Path(git_dir)
    for file in folder.iterdir():
        if _LEFT_OVER.fullmatch(file.name) and file.is_file():
            file.unlink()
    for name in _QUOTING:
        file = folder / name
        if file.is_file() and not file.is_symlink():
            old = file.read_bytes()
            if (new := text(old)) != old:
                file.write_bytes(new)
