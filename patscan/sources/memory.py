"""What earlier scans saw under the same rules: by a pack's checksum and, after a repack, by object id."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from patscan import seal
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
    """A folder of files, one a pack; each is written whole and then moved to its place, so any number of scans may share it.

    What a pack gives depends on the packs before it, for a content that several hold is looked at once: so a file's name
    is made of the pack's checksum and theirs. Nothing here raises: what can't be read or written is a note in `gaps`.
    """

    def __init__(self, folder: Path, digest: str, key: bytes, limit: int = LIMIT) -> None:
        """`digest` stands for the rules and for the code that applies them; what isn't sealed with `key` isn't believed."""
        self._root, self._folder, self._limit, self._key = folder, folder / "v2" / digest, limit, key
        self.gaps = Gaps()
        """Where it is said, once, that something can't be read or written."""
        self._said = False
        self.recalled: list[Looked] = []
        """What needn't be looked at."""
        self.indexes: list[Index] = []
        """Of the packs that are remembered as a whole."""
        self._watched: list[tuple[list[bytes], Watched]] = []

    def unknown(self, packs: Iterable[Path], id_size: int) -> list[Path]:
        """Those of `packs` that aren't remembered as a whole."""
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
        """Remember what comes of a pack that is read after the packs `before`; returns which of its contents needn't be looked at.

        `first` is the number of its entry 0; what `skipped` marks is in a pack before it.
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
        """A first look gave this. A pack is remembered with its last content: not if one failed, or somebody interrupted."""
        numbers, sizes = looked.sizes
        if not numbers or not self._watched:
            return
        first = numbers[0]
        before, watched = next(one for one in reversed(self._watched) if one[1].first <= first)
        watched.learn(numbers, sizes, [key for key in looked.suspicious if isinstance(key, int)], looked.engines)
        if watched.complete:
            self._store(before, watched)

    def recollect(self, name: str) -> dict[str, Any] | None:
        """Facts that an earlier scan left under this name."""
        path = self._folder / (name + _FACTS)
        facts = self._believed(path, self._facts, path)
        if facts:
            _touch(path)
        return facts

    def remember(self, name: str, facts: Mapping[str, Any]) -> None:
        """Leave facts for later scans, which can be written in JSON."""
        text = json.dumps(facts, separators=(",", ":")).encode()
        path = self._folder / (name + _FACTS)
        self._write(path, lambda file: file.write(self._seal(path)(text) + b" " + text))

    def _facts(self, path: Path) -> dict[str, Any]:
        """Raises `OSError`, and `ValueError` if these aren't the facts that were written."""
        with seal.opened(path) as file:
            digest, _, text = file.read().partition(b" ")
        if digest != self._seal(path)(text):
            raise ValueError(path)
        facts: dict[str, Any] = json.loads(text)
        return facts

    def _seal(self, path: Path) -> seal.Seal:
        return seal.seal(self._key, f"{path.parent.name}/{path.name}")

    def _seen(self, index: Index) -> Seen | None:
        """What a scan saw of the pack with this index, after the same packs as now."""
        path = self._path([known.checksum for known in self.indexes], index.checksum)
        if seen := self._read(path):
            _touch(path)
        return seen

    def _recall(self, watched: Watched) -> Iterator[Looked]:
        """What earlier scans saw of this pack's contents in other packs."""
        for path in _newest_first(self._folder.glob(f"*{_SUFFIX}")):
            if watched.complete:
                return
            if (seen := self._read(path)) and (looked := self._believed(path, watched.recall, seen)):
                _touch(path)
                yield looked

    def _store(self, before: Sequence[bytes], watched: Watched) -> None:
        """Remember a pack that was looked at completely."""
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

        return self._believed(path, lambda path: read(path, self._seal(path)), path)

    def _believed(self, path: Path, read: Callable[[Argument], Result], argument: Argument) -> Result | None:
        """What `read` gives; ``None`` and a note if the file at `path` isn't what was written there."""
        try:
            return read(argument)
        except FileNotFoundError:
            # Another scan made room.
            return None
        except OSError as error:
            self._note(f"{path.name} can't be read: {error.strerror or error}. What it stands for was read again.")
        except (seal.DamagedError, ValueError, TypeError, AttributeError):
            self._note(f"{path.name} was damaged or changed. What it stands for was read again.")
            with suppress(OSError):
                path.unlink()
        return None

    def _note(self, reason: str) -> None:
        if not self._said:
            self._said = True
            self.gaps.note(str(self._root), f"the cache: {reason}", "cache")

    def _forget(self) -> None:
        """Take away what was used longest ago, as far as there is too much."""
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
    """It was used: `Memory._forget` takes the others first."""
    with suppress(OSError):
        os.utime(path)
