"""Zip and formats based on it: the members in the directory, and unlisted members between them. Format: PKWARE's APPNOTE.TXT."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from patscan.archives.limits import Account, Broken, Problem
from patscan.archives.parts import Parts
from patscan.archives.reader import Chunk, Reader
from patscan.archives.streams import at_once, crc, expanded
from patscan.tuples import NamedTuple

_LISTED, _LOCAL, _END, _END64 = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06"
_LISTED_FIELDS = struct.Struct("<8xHH4xIIIHHH8xI")
_LOCAL_FIELDS = struct.Struct("<6xHH4xIIIHH")
_END_FIELDS, _END64_FIELDS = struct.Struct("<12xIIH"), struct.Struct("<40xQQ")
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
"""The zip64 locator, which lies before the end record if there is a zip64 record."""
_LONGEST_END = _END_FIELDS.size + 0xFFFF
_LONGEST_END64 = 1 << 20
"""The bytes before the end record in which a zip64 record is searched. A record may be larger, but usually has 56 bytes."""
_MANY = 0xFFFFFFFF
"""The placeholder of a number that is in the zip64 extra field."""
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 1, 8, 0x800
_STORED, _AES = 0, 99
_METHODS = {8: "deflate", 12: "bzip2", 93: "zstd", 95: "xz"}
_PART = 1 << 20


class Entry(NamedTuple):
    """A member, as the directory or its local header describes it."""

    offset: int
    name: str
    flags: int
    method: int
    checksum: int
    size: int
    """Compressed bytes; 0 in a local header if the sizes follow the content."""


def entries(chunks: Sequence[Chunk], account: Account) -> Iterator[tuple[str, Reader, Problem | None]]:
    """The name and content of each member in the archive `chunks`, and why it can't be read, if so. Raises `Problem`."""
    data = Parts(chunks)
    account.reserve(len(data))
    try:
        archive = _Zip(data, account)
        for begin, entry in archive.entries():
            account.count()
            if not entry.name.endswith("/") or entry.size:
                yield entry.name, Reader(archive.chunks(begin, entry)), _refusal(entry)
        if archive.lists_more:
            raise account.too_many()
        if archive.is_cut:
            raise Broken("cut off: it has no directory. Only the members that are there were looked at.")
    finally:
        account.reserve(-len(data))


def _refusal(entry: Entry) -> Problem | None:
    if entry.flags & _ENCRYPTED or entry.method == _AES:
        return Broken("encrypted, so its content wasn't looked at.")
    if entry.method != _STORED and entry.method not in _METHODS:
        return Broken(f"compressed with method {entry.method}, which patscan can't read, so its content wasn't looked at.")
    return None


class _Zip:
    """The bytes of one archive."""

    def __init__(self, data: Parts, account: Account) -> None:
        self.is_cut = self.lists_more = False
        self._data, self._account = data, account
        self._taken = 0

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Where the content of each member begins, and the member: listed ones by offset, with unlisted ones between them."""
        directory = self._directory()
        if not directory and self._data.read(0, 2) != b"PK":
            return  # a program that has an end record's signature among its constants
        self.is_cut = not directory
        listed = {entry.offset: entry for entry in self._listed(*directory)} if directory else {}
        cursor = 0
        for offset in sorted(listed):
            if cursor < offset:
                yield from self._strays(cursor, offset)
            begin = self._begin(offset)
            yield begin, listed[offset]
            cursor = max(cursor, begin + listed[offset].size)
        yield from self._strays(cursor, len(self._data))

    def chunks(self, low: int, entry: Entry) -> Iterator[bytes | memoryview]:
        """The content of a member, which begins at `low`. Raises `Problem`."""
        size = entry.size or (len(self._data) - low if entry.flags & _SIZES_FOLLOW else 0)
        size = min(size, len(self._data) - low)
        packed = self._data.views(low, low + size)
        self._taken += size if entry.size else 0
        if self._taken > len(self._data):
            raise Broken("broken: its members overlap, and together they are larger than the archive.")
        chunks = self._stored(packed) if entry.method == _STORED else self._unpacked(entry, packed)
        value = 0
        for chunk in chunks:
            value = crc(chunk, value)
            yield chunk
        if low + entry.size > len(self._data):
            raise Broken("cut off: only the bytes that are there were looked at.")
        if entry.checksum and value != entry.checksum:
            raise Broken("broken: its checksum is wrong. Its content was looked at all the same.")

    def _unpacked(self, entry: Entry, packed: Iterator[memoryview]) -> Iterator[bytes]:
        kind, views = _METHODS[entry.method], list(packed)
        plain = at_once(kind, views[0], self._account) if len(views) == 1 else None
        return expanded(kind, Reader(views).piece, self._account) if plain is None else iter((plain,))

    def _stored(self, packed: Iterator[memoryview]) -> Iterator[memoryview]:
        for view in packed:
            for low in range(0, len(view), _PART):
                yield view[low : low + _PART]

    def _begin(self, offset: int) -> int:
        """Where the content of the member at `offset` begins."""
        header = self._data.read(offset, offset + _LOCAL_FIELDS.size)
        if header[:4] != _LOCAL or len(header) < _LOCAL_FIELDS.size:
            return len(self._data)
        *_, name, extra = _LOCAL_FIELDS.unpack(header)
        return min(offset + _LOCAL_FIELDS.size + int(name) + int(extra), len(self._data))

    def _listed(self, begin: int, base: int) -> Iterator[Entry]:
        """The members in the directory, up to the limit. Several entries may name the same member. See `_directory`."""
        size = len(self._data) - begin
        self._account.reserve(size)
        listing, at = memoryview(self._data.read(begin, len(self._data))), 0
        self._account.reserve(-size)
        for _ in range(self._account.limits.members):
            if listing[at : at + 4] != _LISTED or at + 46 > len(listing):
                return
            flags, method, checksum, size, plain, name, extra, comment, offset = _LISTED_FIELDS.unpack_from(listing, at)
            low = at + 46 + name
            size, offset = _in_zip64(listing[low : low + extra], plain, size, offset)
            if 0 <= base + offset < len(self._data):
                yield Entry(base + offset, _decoded(bytes(listing[at + 46 : low]), flags), flags, method, checksum, size)
            at = low + extra + comment
        self.lists_more = listing[at : at + 4] == _LISTED

    def _directory(self) -> tuple[int, int] | None:
        """The offset of the directory, and the offset to which all others are relative; ``None`` without a directory."""
        low = max(len(self._data) - _LONGEST_END - _LOCATOR_SIZE, 0)
        tail = self._data.read(low, len(self._data))
        end = len(tail)
        while (end := tail.rfind(_END, 0, end)) >= 0:
            if end + _END_FIELDS.size > len(tail):
                continue
            size, offset, _ = _END_FIELDS.unpack_from(tail, end)
            behind = low + end
            is_64 = _MANY in {size, offset} or tail[max(end - _LOCATOR_SIZE, 0) : end][:4] == _LOCATOR
            if is_64 and (record := self._end64(low + end)) is not None:
                size, offset, behind = record
            at = behind - size
            # A comment may contain an end record.
            if at >= 0 and (self._data.read(at, at + 4) == _LISTED or (not size and not offset)):
                return at, at - offset
        return None

    def _end64(self, end: int) -> tuple[int, int, int] | None:
        """Size and offset of the directory in the last zip64 record before `end`, and the offset of that record; ``None`` without one."""
        low = max(end - _LONGEST_END64, 0)
        near = self._data.read(low, end)
        at = near.rfind(_END64)
        return (*_END64_FIELDS.unpack_from(near, at), low + at) if 0 <= at <= len(near) - _END64_FIELDS.size else None

    def _strays(self, low: int, high: int) -> Iterator[tuple[int, Entry]]:
        """Unlisted members between two offsets, see `entries`."""
        while (at := self._data.find(_LOCAL, low, high)) >= 0 and at + _LOCAL_FIELDS.size <= len(self._data):
            flags, method, checksum, size, plain, name, extra = _LOCAL_FIELDS.unpack(self._data.read(at, at + _LOCAL_FIELDS.size))
            begin = at + _LOCAL_FIELDS.size
            size, _ = _in_zip64(memoryview(self._data.read(begin + name, begin + name + extra)), plain, size, 0)
            known = method == _STORED or method in _METHODS
            if known and begin + name <= len(self._data):
                decoded = _decoded(self._data.read(begin, begin + name), flags)
                yield min(begin + name + extra, len(self._data)), Entry(at, decoded, flags, method, checksum, size)
            low = begin + name + extra + size if known else at + 4


def _in_zip64(extra: memoryview, plain: int, size: int, offset: int) -> tuple[int, int]:
    """`size` and `offset`, or their values in the zip64 extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            numbers = list(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            values = [numbers.pop(0) if value == _MANY and numbers else value for value in (plain, size, offset)]
            return values[1], values[2]
        at += 4 + length
    return size, offset


def _decoded(name: bytes, flags: int) -> str:
    # Without the flag, a name should be in code page 437, but many tools write other encodings.
    return name.decode("utf-8", "surrogateescape") if flags & _UTF8 or (not name.isascii() and _is_utf8(name)) else name.decode("cp437")


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
