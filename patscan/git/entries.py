"""Entries of a pack -> contents: each inflated once, each delta applied once, a base let go of as soon as its last child is made.

The only door to dulwich and isal. Formats: gitformat-pack(5). An entry that is huge or broken is not made here but named,
so that git itself is asked for it.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from patscan.content import WINDOW, Failure, Key, Piece

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from patscan.model import Sighting

COMMIT, TREE = 1, 2
NAMES = {COMMIT: "commit", 3: "blob", 4: "tag"}
"""Kinds of objects that are scanned, as a pack numbers them."""

_EXPANSION = 1032
"""The most that deflate makes of one byte (zlib's technical notes)."""
_DELTA_SIZES = re.compile(rb"[\x80-\xff]{0,3}[\0-\x7f](?:[\x80-\xff]{0,2}[\0-\x7f]|[\x80-\xff]{3}[\0-\x1f])")
"""How a delta begins: the size of its base, then the size of what it makes, here below `WINDOW` (64 MiB)."""
_OPERANDS = bytes(step if step < 0x80 else (step & 0x7F).bit_count() for step in range(256))
"""How many bytes follow the first one of a delta's step: what is inserted, or a byte for each bit of a copy's offset and size."""
_STEPS = 1000
"""Steps of a delta that tell how it was made."""


class PackShard(NamedTuple):
    """Whole delta families of one pack; `parent` is the place of an entry's base in the shard, before the entry's own, or -1.

    About 20 bytes for each entry. `kind` is 0 for an entry that is only needed as a base.
    """

    path: Path
    numbers: NDArray[np.int64]
    kind: NDArray[np.uint8]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    size: NDArray[np.uint32]
    parent: NDArray[np.int64]
    ids: NDArray[np.uint8]
    """A row for each entry: its object id."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`; keys are entry numbers."""
        numbers, kinds, new, names = self.numbers.tolist(), self.kind.tolist(), tuple.__new__, NAMES
        for entry, data in self.made(failed):
            if kinds[entry]:
                yield new(Piece, (numbers[entry], names[kinds[entry]], 0, data, True))

    def made(self, failed: list[Failure], chosen: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """The place of each entry in the shard and its content, bases first; only families that one of `chosen` is in."""
        try:
            pack = self._opened()
        except (OSError, ValueError) as error:
            # A repack took it away since it was listed: git knows where its objects went.
            failed += [Failure(row.tobytes().hex(), str(error), again=True) for row in self.ids[self.kind > 0]]
            return
        with pack:
            yield from _walk(self, pack, failed, chosen)

    def said(self, most: int) -> list[bytes] | None:
        """What the pack says of each entry: the content, or the delta that makes it of its base.

        ``None`` if one can't be read, or if all together have more than `most` bytes.
        """
        inflate = _inflater()
        if int(self.size.sum(dtype="int64")) > most:
            return None
        try:
            with self._opened() as pack:
                ranges = zip(self.start.tolist(), self.length.tolist(), self.size.tolist(), strict=True)
                return [inflate(pack[start : start + length], size) for start, length, size in ranges]
        except (OSError, ValueError, _Broken):
            return None

    def _opened(self) -> mmap.mmap:
        with self.path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def engines(self) -> tuple[str, ...]:
        """The inflater and the delta applier."""
        return engines()

    def name(self, key: Key) -> str:
        """The object id of the entry with this number."""
        row: bytes = self.ids[int((self.numbers == key).argmax())].tobytes()
        return row.hex()

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """See `patscan.git.signature.signed`."""
        from patscan.git.signature import signed

        return signed(piece, self.name, start)


def _walk(shard: PackShard, pack: mmap.mmap, failed: list[Failure], chosen: Collection[int] | None) -> Iterator[tuple[int, bytes]]:
    # The loop of loops: a call more for each entry costs a tenth of the whole walk, so it reads longer than it might.
    inflate, apply = _inflater(), _applier()
    parents = shard.parent.tolist()
    starts, lengths, sizes = shard.start.tolist(), shard.length.tolist(), shard.size.tolist()
    children = _children(parents)
    for root in _roots(parents, chosen):
        # A stack, not recursion; the heaviest child lies at the bottom, so a base is let go of before its largest subtree is walked.
        stack: list[tuple[int, bytes | None]] = [(root, None)]
        while stack:
            entry, base = stack.pop()
            begin = starts[entry]
            try:
                data = inflate(pack[begin : begin + lengths[entry]], sizes[entry])
                if base is not None:
                    data = apply(base, data)
            except _Broken as broken:
                _give_up(entry, str(broken), shard, children, failed)
                continue
            base = None
            yield entry, data
            if entry in children:
                stack += [(child, data) for child in children[entry]]


def _roots(parents: list[int], chosen: Collection[int] | None) -> list[int]:
    """The entries that are made of nothing; only those that one of `chosen` is made of."""
    roots = list(range(len(parents)))
    for entry, parent in enumerate(parents):
        if parent >= 0:
            roots[entry] = roots[parent]
    return sorted(set(roots) if chosen is None else {roots[entry] for entry in chosen})


def _children(parents: list[int]) -> dict[int, list[int]]:
    """Children by entry, the one with the most descendants first."""
    weight = [1] * len(parents)
    children: dict[int, list[int]] = {}
    for entry in range(len(parents) - 1, -1, -1):
        if (parent := parents[entry]) >= 0:
            weight[parent] += weight[entry]
            children.setdefault(parent, []).append(entry)
    for siblings in children.values():
        siblings.sort(key=weight.__getitem__, reverse=True)
    return children


def _give_up(entry: int, reason: str, shard: PackShard, children: dict[int, list[int]], failed: list[Failure]) -> None:
    """An entry that can't be made takes all that is made of it along."""
    lost = [entry]
    while lost:
        entry = lost.pop()
        lost += children.get(entry, ())
        if shard.kind[entry]:
            failed.append(Failure(shard.ids[entry].tobytes().hex(), reason, again=True))


class _Broken(Exception):
    """An entry that can't be read here."""


def _inflater() -> Callable[[bytes, int], bytes]:
    decompress, decompressobj, errors, _ = _zlib()

    def inflate(packed: bytes, size: int) -> bytes:
        if size > WINDOW:
            raise _Broken("larger than one piece")
        try:
            # Only a long stream can expand past its declared size by much: then it is watched, which costs a copy.
            if len(packed) * _EXPANSION > WINDOW:
                stream = decompressobj()
                data: bytes = stream.decompress(packed, size + 1)
                if not stream.eof:
                    raise _Broken("doesn't end where its size says")
            else:
                data = decompress(packed, 15, size + 1)
        except errors as error:
            raise _Broken(str(error)) from error
        if len(data) != size:
            raise _Broken("doesn't have the size it declares")
        return data

    return inflate


def _applier() -> Callable[[bytes, bytes], bytes]:
    apply_delta, errors, _ = _deltas()

    def apply(base: bytes, delta: bytes) -> bytes:
        # Asked before anything is allocated: some hundred bytes may declare gigabytes.
        if not (sizes := _DELTA_SIZES.match(delta)):
            raise _Broken("larger than one piece")
        try:
            made = apply_delta(base, delta)
        except errors as error:
            raise _Broken(f"its delta doesn't fit its base: {error}") from error
        except BaseException as error:
            # A panic in Rust, as dulwich before 1.2.6 had them for a cut delta, is no `Exception` and has no importable name.
            if type(error).__name__ != "PanicException":
                raise
            raise _Broken("its delta can't be read") from error
        data = made[0] if len(made) == 1 else b"".join(made)
        if not data and sizes.end() < len(delta):
            raise _Broken("its delta doesn't fit its base: more than the nothing it declares")
        return data

    return apply


def copies_no_crumbs(delta: bytes) -> bool:
    """Whether all that a delta copies are pieces of four bytes or more, as in those that git makes (git's diff-delta.c)."""
    sizes = _DELTA_SIZES.match(delta)
    at = sizes.end() if sizes else len(delta)
    for _ in range(_STEPS):
        if at >= len(delta):
            break
        step = delta[at]
        # A copy's size follows its offset, and is one byte.
        if step & 0xF0 == 0x90 and delta[at + _OPERANDS[step & 0x8F] + 1 : at + _OPERANDS[step] + 1] < b"\4":
            return False
        at += 1 + _OPERANDS[step]
    return True


def _zlib() -> tuple[Any, Any, tuple[Any, ...], str]:
    import zlib

    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.decompress, zlib.decompressobj, (zlib.error,), "zlib"
    return isal_zlib.decompress, isal_zlib.decompressobj, (isal_zlib.error, zlib.error), "isal"


def _deltas() -> tuple[Any, tuple[type[BaseException], ...], str]:
    from dulwich.errors import ApplyDeltaError

    try:
        from dulwich._pack import apply_delta
    except ImportError:
        from dulwich.pack import apply_delta as plain

        return plain, (ApplyDeltaError, ValueError, IndexError, AssertionError, MemoryError), "dulwich-python"
    return apply_delta, (ApplyDeltaError, ValueError, MemoryError), "dulwich-rust"


def engines() -> tuple[str, ...]:
    """Which of the fast paths and their plain stand-ins are at work."""
    return _zlib()[3], _deltas()[2]
