"""Scan the contents of Git LFS pointers in place of the pointers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from patscan.content import Failure, Key, Piece, windows
from patscan.gaps import Gaps
from patscan.kind import Kind
from patscan.lfs import content_id, pointer, stored_as
from patscan.model import Sighting
from patscan.regular import opened
from patscan.tuples import NamedTuple

OBJECTS = Path("lfs", "objects")
"""The folder of all contents, in a repository's folder. ``lfs.storage`` is ignored, because a repository can set it."""


class LfsShard(NamedTuple):
    """Contents, each under the name of its pointer."""

    files: Mapping[str, str]
    """By pointer, the file with its content."""
    kind: str
    """The kind of the pointers: ``blob`` or ``file``."""
    names: Mapping[str, str] = {}
    """The names of some pointers in the report."""

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
        """None: reading needs no engine."""
        return ()

    def name(self, key: Key) -> str:
        """A key is the pointer's name."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """The path of a file; ``None`` for a blob, whose sightings the source finds."""
        path = str(piece.key)
        return Sighting(Kind.FILE, self.names.get(path, path)) if self.kind == "file" else None


def contents(
    asked: Iterable[str], folder: Callable[[str], Path | None], kind: str, gaps: Gaps, names: Mapping[str, str] | None = None
) -> Iterator[LfsShard]:
    """The contents of pointers that are here, as shards. Absent contents become a note in `gaps`.

    `asked` are names that begin with `patscan.lfs.AGAIN`. `folder` gives the folder of LFS contents for a pointer's name, or ``None``.
    """
    files: dict[str, str] = {}
    absent: list[str] = []
    for name in asked:
        content, pointer_name = pointer(name)
        if file := stored(folder(pointer_name), content):
            files[pointer_name] = file
        else:
            absent.append((names or {}).get(pointer_name, pointer_name))
    if files:
        yield LfsShard(files, kind, names or {})
    if absent:
        more = f" ({len(absent) - 1:,} more like it)" if len(absent) > 1 else ""
        gaps.note(absent[0], f"a Git LFS pointer whose content isn't here{more}. Get it with: git lfs fetch --all")


def resolved(pieces: Iterable[Piece], folder: Path) -> Iterator[Piece]:
    """`pieces`, with each pointer replaced by its content if `folder` has it."""
    for piece in pieces:
        content = content_id(piece.data)
        file = stored(folder, content) if content else None
        yield from LfsShard({str(piece.key): file}, piece.kind).pieces([]) if file else [piece]


def stored(folder: Path | None, content: str) -> str | None:
    """The file of a content; ``None`` if it is absent or behind a link."""
    if folder is None:
        return None
    top = os.path.realpath(folder)
    file = os.path.join(top, *stored_as(content).split("/"))
    return file if os.path.isfile(file) and os.path.realpath(file) == file else None
