"""Packs made byte by byte, so that they may lie. Format: gitformat-pack(5)."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
_NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}


def object_id(kind: int, content: bytes) -> bytes:
    return hashlib.sha1(b"%s %d\0" % (_NAMES[kind], len(content)) + content).digest()


def head(kind: int, size: int) -> bytes:
    """An entry's type and size."""
    first, size = kind << 4 | size & 15, size >> 4
    return bytes([first]) if not size else bytes([first | 0x80]) + varint(size)


def varint(number: int) -> bytes:
    done = bytearray()
    while number >= 0x80:
        done.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*done, number])


def distance(number: int) -> bytes:
    """How far before a delta its base begins."""
    done = [number & 0x7F]
    while number := number >> 7:
        number -= 1
        done.append(number & 0x7F | 0x80)
    return bytes(reversed(done))


def delta(base: int, result: int, *steps: bytes) -> bytes:
    """A delta that says it makes `result` bytes of `base` ones."""
    return varint(base) + varint(result) + b"".join(steps)


def copy(offset: int, size: int) -> bytes:
    return b"\xff" + offset.to_bytes(4, "little") + size.to_bytes(3, "little")


def insert(text: bytes) -> bytes:
    return bytes([len(text)]) + text


class Crafted:
    """A pack and its index, written as told; ids are given or, for a whole object, its own."""

    def __init__(self) -> None:
        self.entries: list[tuple[bytes, bytes]] = []

    @property
    def end(self) -> int:
        """The offset of the next entry."""
        return 12 + sum(len(raw) for _, raw in self.entries)

    def raw(self, name: bytes, entry: bytes) -> bytes:
        self.entries.append((name, entry))
        return name

    def whole(self, content: bytes, kind: int = BLOB, size: int | None = None, level: int = -1) -> bytes:
        """An object that isn't a delta; `size` is what it declares."""
        packed = zlib.compress(content, level)
        return self.raw(object_id(kind, content), head(kind, len(content) if size is None else size) + packed)

    def near(self, result: bytes, base_offset: int, steps: bytes, kind: int = BLOB) -> bytes:
        """A delta whose base is given by its offset."""
        entry = head(OFS_DELTA, len(steps)) + distance(self.end - base_offset) + zlib.compress(steps)
        return self.raw(object_id(kind, result), entry)

    def named(self, result: bytes, base: bytes, steps: bytes) -> bytes:
        """A delta whose base is given by its id."""
        return self.raw(object_id(BLOB, result), head(REF_DELTA, len(steps)) + base + zlib.compress(steps))

    def pack(self) -> bytes:
        body = b"PACK" + (2).to_bytes(4, "big") + len(self.entries).to_bytes(4, "big") + b"".join(raw for _, raw in self.entries)
        return body + hashlib.sha1(body).digest()

    def offsets(self) -> dict[bytes, int]:
        place, offsets_by_name = 12, {}
        for name, raw in self.entries:
            offsets_by_name[name] = place
            place += len(raw)
        return offsets_by_name

    def write(self, repository: Path, name: str = "crafted") -> Path:
        """Both files into a repository's store; the pack's path."""
        folder = repository / ".git" / "objects" / "pack"
        path = folder / f"pack-{name}.pack"
        path.write_bytes(self.pack())
        path.with_suffix(".idx").write_bytes(index(self.offsets(), self.pack()[-20:]))
        return path


def index(offsets: dict[bytes, int], checksum: bytes) -> bytes:
    """An index of version 2 for a pack that ends in `checksum`."""
    names = sorted(offsets)
    fan = b"".join(sum(name[0] <= first for name in names).to_bytes(4, "big") for first in range(256))
    wide = [offsets[name] for name in names if offsets[name] >= 1 << 31]
    narrow = b"".join(
        (1 << 31 | wide.index(offsets[name]) if offsets[name] >= 1 << 31 else offsets[name]).to_bytes(4, "big") for name in names
    )
    body = b"\xfftOc\0\0\0\2" + fan + b"".join(names) + bytes(4 * len(names)) + narrow + b"".join(far.to_bytes(8, "big") for far in wide)
    return body + checksum + hashlib.sha1(body + checksum).digest()
