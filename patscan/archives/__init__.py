"""Unpack compressed contents and archives, recognized by their first bytes. Nothing is written to disk.

`members` opens one archive. Members may be archives again; the caller opens them. Bytes come in chunks, and an `Account` counts all of
them, so that no archive exceeds its `Limits`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from patscan.archives.limits import Account, Problem
from patscan.archives.reader import Chunk, Reader
from patscan.tuples import NamedTuple

STARTS = frozenset(
    (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5", b"PK", b"MZ", b"#!", b"\x7fE", *(b"x%c" % level for level in (0x01, 0x5E, 0x9C, 0xDA)))
)
"""The first two bytes of all kinds but tar: a quick test of every content before `kind_of`."""
TAR = slice(257, 262)
"""The position of ``ustar`` in a tar."""
USTAR = b"ustar"

_KINDS = {
    "gzip": rb"\x1f\x8b\x08[\0-\x1f]",
    "bzip2": rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)",
    "xz": rb"\xfd7zXZ\0",
    "zstd": rb"\x28\xb5\x2f\xfd",
    "zlib": rb"x[\x01\x5e\x9c\xda]",
    "zip": rb"PK(?:\x03\x04|\x05\x06|\x07\x08|00PK)",
}
_PROGRAMS = frozenset((b"MZ", b"#!", b"\x7fE"))
"""The first two bytes of programs: a zip may be appended to one."""
_LONGEST_END = 22 + 0xFFFF
"""The most bytes of a zip's end record with its comment."""


class Member(NamedTuple):
    """One content in an archive. It must be read before the next member."""

    name: str
    """The path in the archive; empty for the content of a compressed stream."""
    reader: Reader
    problem: Problem | None = None
    """Why it can't be read at all."""


def kind_of(data: Chunk, *more: Chunk) -> str | None:
    """The kind of an archive, from its beginning, or for a zip after a program from its end; ``None`` if it isn't one.

    `more` are the parts after `data`.
    """
    begin, is_tar = bytes(data[:2]), data[TAR] == USTAR
    if begin in _PROGRAMS and not is_tar:
        return "zip" if b"PK\x05\x06" in _end(data, *more) else None
    start = bytes(data[:16]) if begin in STARTS else b""
    kind = next((kind for kind, magic in _KINDS.items() if re.match(magic, start)), None) if start else None
    return "tar" if kind is None and is_tar else kind


def _end(*parts: Chunk) -> bytes:
    """The bytes that may contain the end record of a zip."""
    return b"".join(part[-_LONGEST_END:] for part in parts[-2:])[-_LONGEST_END:]


def members(kind: str, archive: Reader, account: Account) -> Iterator[Member]:
    """The members of an archive of this kind. Raises `Problem` if the archive can't be read any further."""
    if kind == "zip":
        from patscan.archives.zips import entries

        yield from (Member(*entry) for entry in entries(archive.parts(account.limits.held + 1), account))
    elif kind == "tar":
        from patscan.archives.tars import files

        yield from (Member(*file) for file in files(archive, account))
    else:
        from patscan.archives.streams import expanded

        account.count()
        yield Member("", Reader(expanded(kind, archive.piece, account)))
