"""Tar: ustar, pax and GNU, read from the front to the end. Formats: pax (POSIX.1), tar(5) of GNU and of libarchive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from tarfile import HeaderError, TarInfo

from patscan.archives.limits import Account, Broken
from patscan.archives.reader import Reader

_BLOCK = 512
_PART = 1 << 20
_LONGEST = 1 << 20
"""The most bytes of a long name or a pax header."""
_PAX = re.compile(rb"[0-9]+ (path|size|GNU\.sparse\.(?:name|major))=([^\n]*)\n")
_DIGITS = 10
"""A number of pieces has fewer digits."""
_FILES = (b"0", b"7", b"S", b"\0")
"""Type flags of members with content. Folders, links and devices have none."""
_MORE_MAPS = {True: 482, False: 504}
"""The byte that says that another map block follows, in an old sparse file's header (``True``) or in a map block."""


def files(archive: Reader, account: Account) -> Iterator[tuple[str, Reader]]:
    """Each file's name and content. Raises `Problem`."""
    extended: dict[str, bytes] = {}
    while (block := archive.read(_BLOCK)).strip(b"\0"):
        header = _header(block)
        account.count()
        flag = block[156:157]
        body = _Body(archive, header.size)
        if flag in {b"x", b"L"}:
            extended |= _extended(flag, body.beginning())
        elif flag not in {b"g", b"K"}:
            if flag == b"S":
                _skip_maps(block, archive)
            body.resize(extended)
            if extended.get("GNU.sparse.major") == b"1":
                body.skip_map()
            if flag in _FILES and body.left:
                yield _name(header, extended), Reader(body.chunks())
            extended = {}
        body.skip()
    if 0 < len(block) < _BLOCK:
        raise Broken("cut off: only the bytes that are there were looked at.")


class _Body:
    """The bytes after a header, up to the next header."""

    def __init__(self, archive: Reader, size: int) -> None:
        self.left = max(size, 0)
        self._archive, self._padding = archive, -self.left % _BLOCK

    def resize(self, extended: Mapping[str, bytes]) -> None:
        """Use the size in a pax header, if there is one."""
        size = extended.get("size", b"")
        if size.isdigit() and len(size) < 20:
            self.left = int(size)
            self._padding = -self.left % _BLOCK

    def beginning(self) -> bytes:
        """Its first `_LONGEST` bytes."""
        return b"".join(self.chunks(_LONGEST))

    def chunks(self, most: int | None = None) -> Iterator[memoryview]:
        """Its remaining bytes, at most `most`. They aren't copied. Raises `Broken` if they are cut off."""
        while self.left and (most is None or most > 0):
            chunk = self._archive.piece(min(self.left, _PART))
            if not chunk:
                raise Broken("cut off: only the bytes that are there were looked at.")
            self.left -= len(chunk)
            most = None if most is None else most - len(chunk)
            yield chunk

    def skip_map(self) -> None:
        """Skip the map of a sparse file in pax version 1.0: the number of pieces, and two numbers for each, in whole blocks."""
        lines, wanted = 0, 1
        while self.left and lines < wanted:
            block = self._archive.read(min(self.left, _BLOCK))
            self.left -= len(block)
            first = block.split(b"\n", 1)[0]
            if not lines:
                wanted = 1 + 2 * int(first) if first.isdigit() and len(first) < _DIGITS else 0
            lines += block.count(b"\n")
            if not block:
                return

    def skip(self) -> None:
        """Skip the remaining bytes and the padding of the last block."""
        for _ in self.chunks():
            pass
        self._archive.read(self._padding)


def _header(block: bytes) -> TarInfo:
    try:
        return TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (HeaderError, ValueError):
        raise Broken("broken or cut off at the header of a member: only the bytes before it were looked at.") from None


def _extended(flag: bytes, data: bytes) -> dict[str, bytes]:
    if flag == b"L":
        return {"path": data.rstrip(b"\0")}
    return {key.decode(): value for key, value in _PAX.findall(data)}


def _name(header: TarInfo, extended: Mapping[str, bytes]) -> str:
    name = extended.get("GNU.sparse.name", extended.get("path", b""))
    return name.decode("utf-8", "surrogateescape") or header.name


def _skip_maps(block: bytes, archive: Reader) -> None:
    """Skip the map blocks after the header of an old sparse file."""
    is_first = True
    while len(block) == _BLOCK and block[_MORE_MAPS[is_first]]:
        block, is_first = archive.read(_BLOCK), False
