"""The file that records what a scan saw of one pack: ids and numbers, never contents.

A file has one line (a digest and JSON), the sorted ids of all scanned contents, and the size of each as four bytes, little-endian. The
first digest is the user's seal of the JSON, and the JSON contains a digest of the bytes after the line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.content import Looked
from patscan.git.entries import NAMES
from patscan.git.pack_index import find
from patscan.seal import DamagedError, Seal, opened
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from typing import IO

    import numpy as np
    from numpy.typing import NDArray

    from patscan.git.packs import Pack

VERSION = 2
_UNSEEN = 0xFFFFFFFF
_LONGEST_LINE = 64 << 20
_SAMPLE = 64
_PART = 1 << 16


class Seen(NamedTuple):
    """The first line of a file: the results for one pack. `suspicious` are object ids in hex."""

    path: Path
    begin: int
    """Where the ids begin."""
    contents: int
    id_size: int
    """Bytes of an id: one folder has files for SHA-1 and SHA-256 repositories."""
    body: str
    """A digest of the bytes after the line."""
    commits: int
    blobs: int
    bytes: int
    suspicious: tuple[str, ...]
    engines: tuple[str, ...]

    def looked(self) -> Looked:
        """The recorded results as a fresh result."""
        return Looked((), self.suspicious, (), self.commits, self.blobs, self.bytes, self.engines)


def read(path: Path, seal: Seal) -> Seen:
    """Read the first line of a file. Raises `OSError` if it can't be read, and `DamagedError` if `Watched.write` didn't write it."""
    with opened(path) as file:
        line = file.readline(_LONGEST_LINE)
    digest, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or digest != seal(text):
        raise DamagedError(path)
    facts = json.loads(text)
    if facts.pop("version", None) != VERSION:
        raise DamagedError(path)
    facts["suspicious"], facts["engines"] = tuple(facts["suspicious"]), tuple(facts["engines"])
    return Seen(path, len(line), **facts)


def _digest(data: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=16)


class Watched:
    """A pack during a scan: the sizes of the contents that were seen, now or by an earlier scan."""

    def __init__(self, pack: Pack, first: int, skipped: NDArray[np.bool_] | None) -> None:
        """`first` is the number of the pack's entry 0. Entries that `skipped` marks are scanned in another pack."""
        import numpy as np

        self.pack, self.first = pack, first
        self._wanted = np.isin(pack.kind, list(NAMES))
        if skipped is not None:
            self._wanted &= ~skipped
        self._size = np.full(len(pack), _UNSEEN, np.uint32)
        self._suspicious: set[str] = set()
        self._engines: set[str] = set()
        self._left = int(np.count_nonzero(self._wanted))

    @property
    def complete(self) -> bool:
        """Whether every content was seen: no content failed, no worker died, and the scan wasn't interrupted."""
        return not self._left

    def recall(self, seen: Seen) -> Looked | None:
        """Take over the results of an earlier scan; ``None`` if it saw nothing of this pack. Raises the errors of `read`."""
        import numpy as np

        size = self.pack.index.ids.shape[1]
        if seen.id_size != size:
            return None
        body = np.memmap(seen.path, np.uint8, "r", seen.begin) if seen.contents else np.empty(0, np.uint8)
        if len(body) != seen.contents * (size + 4):
            raise DamagedError(seen.path)
        ids, sizes = body[: seen.contents * size].reshape(-1, size), body[seen.contents * size :].view("<u4")
        if not seen.contents or (self.pack.index.find(ids[:: max(seen.contents // _SAMPLE, 1)]) < 0).all():
            return None
        _check(seen)
        new = np.flatnonzero(self._wanted & (self._size == _UNSEEN))
        rows = find(ids, self.pack.index.ids[self.pack.rows[new]])
        known, size_of = new[rows >= 0], sizes[rows[rows >= 0]]
        self._size[known] = size_of
        self._left -= len(known)
        known_names = self._names_among(seen.suspicious, known)
        self._suspicious.update(known_names)
        self._engines.update(seen.engines)
        commits = int(np.count_nonzero(self.pack.kind[known] == 1))
        return Looked((), known_names, (), commits, len(known) - commits, int(size_of.sum(dtype=np.int64)), seen.engines)

    def _names_among(self, names: tuple[str, ...], known: NDArray[np.int64]) -> list[str]:
        chosen = set(known.tolist()) if names else set()
        return [name for name, number in self.pack.places(names).items() if number in chosen] if names else []

    def known(self, skipped: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """The entries that need no scan: those that `skipped` marks, and recalled ones."""
        known: NDArray[np.bool_] = self._size != _UNSEEN
        return known if skipped is None else known | skipped

    def learn(self, looked_at: Sequence[int], sizes: Sequence[int], suspicious: Iterable[int], engines: Iterable[str]) -> None:
        """Record the scan of some entries: their numbers and sizes in bytes, the suspicious numbers, and the engines."""
        import numpy as np

        numbers = np.asarray(looked_at, np.int64) - self.first
        self._left -= int(np.count_nonzero(self._wanted[numbers] & (self._size[numbers] == _UNSEEN)))
        self._size[numbers] = np.asarray(sizes, np.int64)
        self._suspicious.update(self.pack.name(number - self.first) for number in suspicious)
        self._engines.update(engines)

    def write(self, file: IO[bytes], seal: Seal) -> None:
        """Write everything, sealed, for `read` and `recall`. Raises `OSError`."""
        import numpy as np

        numbers = np.flatnonzero(self._wanted)
        numbers = numbers[np.argsort(self.pack.rows[numbers])]
        sizes = self._size[numbers].astype("<u4")
        ids, rows = self.pack.index.ids, self.pack.rows[numbers]
        body = _digest()
        for low in range(0, len(rows), _PART):
            body.update(ids[rows[low : low + _PART]].tobytes())
        body.update(sizes.tobytes())
        commits = int(np.count_nonzero(self.pack.kind[numbers] == 1))
        facts = {
            "version": VERSION,
            "contents": len(numbers),
            "id_size": ids.shape[1],
            "body": body.hexdigest(),
            "commits": commits,
            "blobs": len(numbers) - commits,
            "bytes": int(sizes.sum(dtype=np.int64)),
            "suspicious": sorted(self._suspicious),
            "engines": sorted(self._engines),
        }
        text = json.dumps(facts).encode()
        file.write(seal(text) + b" " + text + b"\n")
        for low in range(0, len(rows), _PART):
            file.write(ids[rows[low : low + _PART]].tobytes())
        file.write(sizes.tobytes())


def _check(seen: Seen) -> None:
    """Check the digest of ids and sizes. Raises `DamagedError`."""
    with opened(seen.path) as file:
        file.seek(seen.begin)
        body = hashlib.file_digest(file, _digest)
    if body.hexdigest() != seen.body:
        raise DamagedError(seen.path)
