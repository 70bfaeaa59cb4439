"""Results of earlier scans with the same rules, by the pack's checksum and, after a repack, by object id."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from patscan import seal
from patscan.digests import blake2b
from patscan.gaps import Gaps
from patscan.whole import whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from patscan.content import Looked
    from patscan.git.pack_index import Index
    from patscan.git.packs import Pack
    from patscan.git.seen import Seen, Watched

Argument = TypeVar("Argument")
Result = TypeVar("Result")

LIMIT = 512 << 20
"""Bytes that all files together may have."""
_SUFFIX = ".seen"
_FACTS = ".facts"


class Memory:
    """A folder with a file for each pack. Files are replaced atomically, so several scans can share the folder.

    A content that several packs hold is scanned once, so the results of a pack depend on the packs before it. A file's name is
    therefore a digest of the pack's checksum and theirs. Nothing here raises: a file that can't be read or written is a note in `gaps`.
    """

    def __init__(self, folder: Path, digest: str, key: bytes, limit: int = LIMIT) -> None:
        """`digest` identifies the rules and the code that applies them. Files that aren't sealed with `key` are ignored."""
        self._root, self._folder, self._limit, self._key = folder, folder / "v2" / digest, limit, key
        self.gaps = Gaps()
        """Gets one note if files can't be read or written."""
        self._noted = False
        self.recalled: list[Looked] = []
        """Results that needn't be computed again."""
        self.indexes: list[Index] = []
        """The indexes of packs with complete results."""
        self._watched: list[tuple[list[bytes], Watched]] = []

    def unknown(self, packs: Iterable[Path], id_size: int) -> list[Path]:
        """Those of `packs` without complete results."""
        from patscan.git.pack_index import index_of

        indexes = {path: index_of(path, id_size) for path in packs}
        left = {path: index for path, index in indexes.items() if index}
        while known := next(((path, seen) for path, index in left.items() if (seen := self._seen(index))), None):
            path, seen = known
            self.indexes.append(left.pop(path))
            self.recalled.append(seen.looked())
            del indexes[path]
        return list(indexes)

    def watch(self, pack: Pack, first: int, skipped: NDArray[np.bool_] | None, before: Sequence[Index]) -> NDArray[np.bool_]:
        """Collect the results of a pack that is read after the packs `before`. Returns the entries that need no scan.

        `first` is the number of the pack's entry 0. Entries that `skipped` marks are in a pack before it.
        """
        from patscan.git.seen import Watched

        watched = Watched(pack, first, skipped)
        checksums = [index.checksum for index in before]
        self._watched.append((checksums, watched))
        self.recalled += self._recall(watched)
        if watched.complete:
            self._store(checksums, watched)
        return watched.known(skipped)

    def learn(self, looked: Looked) -> None:
        """Add results. A pack is stored with its last content, so not if a content failed or the scan was interrupted."""
        numbers, sizes = looked.sizes
        if not numbers or not self._watched:
            return
        first = numbers[0]
        before, watched = next(one for one in reversed(self._watched) if one[1].first <= first)
        watched.learn(numbers, sizes, [key for key in looked.suspicious if isinstance(key, int)], looked.engines)
        if watched.complete:
            self._store(before, watched)

    def recollect(self, name: str) -> dict[str, Any] | None:
        """The facts that an earlier scan stored under this name."""
        path = self._folder / (name + _FACTS)
        facts = self._trusted(path, self._facts, path)
        if facts:
            _touch(path)
        return facts

    def remember(self, name: str, facts: Mapping[str, Any]) -> None:
        """Store facts for later scans. They must be valid JSON."""
        text = json.dumps(facts, separators=(",", ":")).encode()
        path = self._folder / (name + _FACTS)
        self._write(path, lambda file: file.write(self._seal(path)(text) + b" " + text))

    def _facts(self, path: Path) -> dict[str, Any]:
        """Read facts. Raises `OSError`, and `ValueError` if the seal doesn't match."""
        with seal.opened(path) as file:
            digest, _, text = file.read().partition(b" ")
        if digest != self._seal(path)(text):
            raise ValueError(path)
        facts: dict[str, Any] = json.loads(text)
        return facts

    def _seal(self, path: Path) -> seal.Seal:
        return seal.seal(self._key, f"{path.parent.name}/{path.name}")

    def _seen(self, index: Index) -> Seen | None:
        """The complete results for the pack with this index, after the same packs as now."""
        path = self._path([known.checksum for known in self.indexes], index.checksum)
        if seen := self._read(path):
            _touch(path)
        return seen

    def _recall(self, watched: Watched) -> Iterator[Looked]:
        """Results of earlier scans for contents of this pack that were in other packs."""
        for path in _newest_first(self._folder.glob(f"*{_SUFFIX}")):
            if watched.complete:
                return
            if (seen := self._read(path)) and (looked := self._trusted(path, watched.recall, seen)):
                _touch(path)
                yield looked

    def _store(self, before: Sequence[bytes], watched: Watched) -> None:
        """Store the results of a completely scanned pack."""
        path = self._path(before, watched.pack.index.checksum)
        self._write(path, lambda file: watched.write(file, self._seal(path)))

    def _write(self, path: Path, write: Callable[[IO[bytes]], object]) -> None:
        try:
            self._root.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self._root, self._folder.parent, self._folder):
                folder.mkdir(0o700, exist_ok=True)
            with whole(path) as file:
                write(file)
            self._forget()
        except OSError as error:
            self._note(f"it can't be written: {error.strerror or error}. The next audit will read everything again.")

    def _path(self, before: Iterable[bytes], checksum: bytes) -> Path:
        return self._folder / (blake2b(b"".join([checksum, *sorted(before)]), digest_size=20).hexdigest() + _SUFFIX)

    def _read(self, path: Path) -> Seen | None:
        from patscan.git.seen import read

        return self._trusted(path, lambda path: read(path, self._seal(path)), path)

    def _trusted(self, path: Path, read: Callable[[Argument], Result], argument: Argument) -> Result | None:
        """The result of `read`; ``None`` and a note if the file at `path` is unreadable or damaged."""
        try:
            return read(argument)
        except FileNotFoundError:
            # Another scan removed it to free space.
            return None
        except OSError as error:
            self._note(f"{path.name} can't be read: {error.strerror or error}. Its pack was read again.")
        except (seal.DamagedError, ValueError, TypeError, AttributeError):
            self._note(f"{path.name} was damaged or changed. Its pack was read again.")
            with suppress(OSError):
                path.unlink()
        return None

    def _note(self, reason: str) -> None:
        if not self._noted:
            self._noted = True
            self.gaps.note(str(self._root), f"the cache: {reason}", "cache")

    def _forget(self) -> None:
        """Remove the least recently used files until the rest fits the limit."""
        files = [(path, path.stat().st_size) for path in _newest_first(self._root.glob("v*/*/*")) if path.exists()]
        total = sum(size for _, size in files)
        while total > self._limit:
            path, size = files.pop()
            path.unlink(missing_ok=True)
            total -= size


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    def used(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    return sorted(paths, key=used, reverse=True)


def _touch(path: Path) -> None:
    """Mark a file as recently used, for `Memory._forget`."""
    with suppress(OSError):
        os.utime(path)
