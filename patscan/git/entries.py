"""Rebuild the contents of a pack's entries: inflate each once, apply each delta once, free a base after its last child.

The only door to dulwich and isal. Formats: gitformat-pack(5). A huge or broken entry is reported as a `Failure`, and git reads it.
"""

from __future__ import annotations

import mmap
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patscan.content import WINDOW, Failure, Key, Piece
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.model import Sighting

COMMIT, TREE, TAG = 1, 2, 4
NAMES = {COMMIT: "commit", 3: "blob", TAG: "tag"}
"""Kinds of objects that are scanned, as a pack numbers them."""

_EXPANSION = 1032
"""The largest expansion of one byte by deflate (zlib's technical notes)."""
DELTA_SIZES = re.compile(rb"[\x80-\xff]{0,3}[\0-\x7f](?:[\x80-\xff]{0,2}[\0-\x7f]|[\x80-\xff]{3}[\0-\x1f])")
"""The beginning of a delta: the size of its base, then the size of its result, here below `WINDOW` (64 MiB)."""
OPERANDS = bytes(step if step < 0x80 else (step & 0x7F).bit_count() for step in range(256))
"""The number of bytes after the first byte of a delta's step: inserted bytes, or one byte for each set bit of a copy's offset and size."""
DEEPEST = 4096
"""The longest delta chain that git writes."""
_STEP_COST = 1000
"""Bytes that could be copied in the time of one step of a chain."""
_STEPS = 1000
"""Steps of a delta that are checked."""


class PackShard(NamedTuple):
    """Whole delta families of one pack.

    `parent` is the position of an entry's base in the shard, always lower than the entry's, or -1. `kind` is 0 for an entry that is
    needed only as a base. An entry takes about 60 bytes. Its arrays aren't numpy's, so that workers needn't import that.
    """

    path: Path
    numbers: array[int]
    kind: bytes
    start: array[int]
    length: array[int]
    size: array[int]
    parent: array[int]
    ids: bytes
    """The object ids of all entries, one after the other."""
    by_number: array[int]
    """The positions of the entries in the order of their numbers; empty if they are in it, as in packs where bases precede deltas."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`; keys are entry numbers."""
        numbers, kinds, new, names = self.numbers, self.kind, tuple.__new__, NAMES
        for entry, data in self.contents(failed):
            if kinds[entry]:
                yield new(Piece, (numbers[entry], names[kinds[entry]], 0, data, True))

    def contents(self, failed: list[Failure], chosen: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """The position of each entry in the shard and its content, bases first. With `chosen`, only the families of these entries."""
        try:
            pack = self._open()
        except (OSError, ValueError) as error:
            # A repack removed the pack after it was listed. git finds its objects elsewhere.
            failed += [Failure(self.id(entry), str(error), again=True) for entry, kind in enumerate(self.kind) if kind]
            return
        with pack:
            yield from _walk(self, pack, failed, chosen)

    def raw(self, most: int, part: slice = slice(None)) -> list[bytes] | None:
        """The bytes that the pack stores for each entry of `part`, inflated: its content, or its delta.

        ``None`` if an entry can't be read, or if these entries together have more than `most` bytes.
        """
        inflate = _inflater()
        if sum(self.size[part]) > most:
            return None
        try:
            with self._open() as pack:
                ranges = zip(self.start[part], self.length[part], self.size[part], strict=True)
                return [inflate(pack[start : start + length], size) for start, length, size in ranges]
        except (OSError, ValueError, _Broken):
            return None

    def rebuilt(self, entries: Iterable[int], most: int) -> Iterator[bytes | None]:
        """The content of each of these entries, from its chain of deltas alone: for few entries of large families.

        ``None`` if one can't be rebuilt, or if all steps together make more than `most` bytes. Raises `OSError`.
        """
        inflate, apply = _inflater(), _applier()
        with self._open() as pack:
            for entry in entries:
                data: bytes | None = None
                try:
                    for step in self._chain(entry):
                        stored = inflate(pack[self.start[step] : self.start[step] + self.length[step]], self.size[step])
                        data = stored if data is None else apply(data, stored)
                        most -= len(data) + _STEP_COST
                except _Broken:
                    data = None
                yield data if most >= 0 else None

    def _chain(self, entry: int) -> list[int]:
        """The entry and its bases, the root first. Raises `_Broken` if git wouldn't write a chain of this length."""
        chain = [entry]
        while (parent := self.parent[chain[-1]]) >= 0:
            chain.append(parent)
            if len(chain) > DEEPEST:
                raise _Broken("a chain that is too long")
        return chain[::-1]

    def _open(self) -> mmap.mmap:
        with self.path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def engines(self) -> tuple[str, ...]:
        """The inflater and the delta applier."""
        return engines()

    def name(self, key: Key) -> str:
        """The object id of the entry with this number."""
        if self.by_number:
            return self.id(self.by_number[bisect_left(self.by_number, int(key), key=self.numbers.__getitem__)])
        return self.id(bisect_left(self.numbers, int(key)))

    def id(self, entry: int) -> str:
        """The object id of the entry at this position."""
        size = len(self.ids) // len(self.numbers)
        return self.ids[entry * size : (entry + 1) * size].hex()

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """See `patscan.git.signature.signed`."""
        if piece.kind == "blob":
            return None
        from patscan.git.signature import signed

        return signed(piece, self.name, start)


def _walk(shard: PackShard, pack: mmap.mmap, failed: list[Failure], chosen: Collection[int] | None) -> Iterator[tuple[int, bytes]]:
    # The innermost loop: one more call for each entry would cost a tenth of the whole walk, so its steps stay inline.
    inflate, apply = _inflater(), _applier()
    parents = shard.parent.tolist()
    starts, lengths, sizes = shard.start, shard.length, shard.size
    children = _children(parents)
    for root in _roots(parents, chosen):
        # A stack, not recursion. The heaviest child lies at the bottom, so a base is freed before its largest subtree is walked.
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
    """The entries without a base; with `chosen`, only the roots of these entries."""
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
    """Report an entry that can't be rebuilt, and all entries that are built from it."""
    lost = [entry]
    while lost:
        entry = lost.pop()
        lost += children.get(entry, ())
        if shard.kind[entry]:
            failed.append(Failure(shard.id(entry), reason, again=True))


class _Broken(Exception):
    """An entry that can't be read here."""


def _inflater() -> Callable[[bytes, int], bytes]:
    decompress, decompressobj, errors, _ = _zlib()

    def inflate(packed: bytes, size: int) -> bytes:
        if size > WINDOW:
            raise _Broken("larger than one piece")
        try:
            # Only a long stream can expand far past its declared size. It is limited while it expands, which costs a copy.
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
        # Check before anything is allocated: a hundred bytes may declare gigabytes.
        if not (sizes := DELTA_SIZES.match(delta)):
            raise _Broken("larger than one piece")
        try:
            parts = apply_delta(base, delta)
        except errors as error:
            raise _Broken(f"its delta doesn't fit its base: {error}") from error
        except BaseException as error:
            # A panic in Rust isn't an `Exception` and has no importable name. dulwich before 1.2.6 panics on a truncated delta.
            if type(error).__name__ != "PanicException":
                raise
            raise _Broken("its delta can't be read") from error
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if not data and sizes.end() < len(delta):
            raise _Broken("its delta doesn't fit its base: more than the nothing it declares")
        return data

    return apply


def copies_only_long_pieces(delta: bytes) -> bool:
    """Whether a delta copies only pieces of at least four bytes, as git's deltas do (git's diff-delta.c)."""
    sizes = DELTA_SIZES.match(delta)
    at = sizes.end() if sizes else len(delta)
    for _ in range(_STEPS):
        if at >= len(delta):
            break
        step = delta[at]
        # A copy's size follows its offset, and is one byte.
        if step & 0xF0 == 0x90 and delta[at + OPERANDS[step & 0x8F] + 1 : at + OPERANDS[step] + 1] < b"\4":
            return False
        at += 1 + OPERANDS[step]
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
    """The names of the inflater and the delta applier in use."""
    return _zlib()[3], _deltas()[2]
