"""The contents of Git LFS pointers, looked at in the pointers' places."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from patscan.content import Failure, Key, Piece, windows
from patscan.gaps import Gaps
from patscan.kind import Kind
from patscan.lfs import content_id, pointer, stored_as
from patscan.model import Sighting
from patscan.regular import opened

OBJECTS = Path("lfs", "objects")
"""The folder of all contents, in a repository's own folder. What ``lfs.storage`` names isn't read: a repository may set it."""


class LfsShard(NamedTuple):
    """Some contents, each under the name of its pointer."""

    files: Mapping[str, str]
    """The file of each pointer's content."""
    kind: str
    """``blob`` or ``file``: what the pointers are."""
    names: Mapping[str, str] = {}
    """What a report calls some of the pointers."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        for name, path in self.files.items():
            try:
                with opened(Path(path)) as file:
                    for offset, data, last in windows(file.read):
                        yield Piece(name, self.kind, offset, data, last)
            except OSError as error:
                failed.append(Failure(name, f"its content in Git LFS can't be read: {error.strerror or error}."))

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()

    def name(self, key: Key) -> str:
        """A key is the pointer's name."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """A file's path; where a blob was met, the source says."""
        path = str(piece.key)
        return Sighting(Kind.FILE, self.names.get(path, path)) if self.kind == "file" else None


def contents(
    asked: Iterable[str], folder: Callable[[str], Path | None], kind: str, gaps: Gaps, names: Mapping[str, str] | None = None
) -> Iterator[LfsShard]:
    """The contents that are `asked` for by names that begin with `patscan.lfs.AGAIN`, as far as they are here; `gaps` takes the rest.

    `folder` has the contents of the pointer of this name, if there is any.
    """
    files: dict[str, str] = {}
    absent: list[str] = []
    for name in asked:
        content, own = pointer(name)
        if file := stored(folder(own), content):
            files[own] = file
        else:
            absent.append((names or {}).get(own, own))
    if files:
        yield LfsShard(files, kind, names or {})
    if absent:
        more = f" ({len(absent) - 1:,} more like it)" if len(absent) > 1 else ""
        gaps.note(absent[0], f"a Git LFS pointer whose content isn't here{more}. Get it with: git lfs fetch --all")


def resolved(pieces: Iterable[Piece], folder: Path) -> Iterator[Piece]:
    """`pieces`, with its content in the place of each pointer whose content is in `folder`."""
    for piece in pieces:
        content = content_id(piece.data)
        file = stored(folder, content) if content else None
        yield from LfsShard({str(piece.key): file}, piece.kind).pieces([]) if file else [piece]


def stored(folder: Path | None, content: str) -> str | None:
    """The file of a content; ``None`` if it isn't there, or only behind a link."""
    if folder is None:
        return None
    top = os.path.realpath(folder)
    file = os.path.join(top, *stored_as(content).split("/"))
    return file if os.path.isfile(file) and os.path.realpath(file) == file else None
