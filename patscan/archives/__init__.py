"""What lies inside compressed contents and archives, which are known by their first bytes. Nothing is ever written to disk.

`members` opens one archive; what its members hold may be archives again, which is the caller's affair. Bytes come out piece by piece,
and every one of them is counted by an `Account`, so that no archive can ask for more than its `Limits`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from patscan.archives.limits import Account, Problem
from patscan.archives.reader import Reader

STARTS = frozenset(
    (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5", b"PK", b"MZ", b"#!", b"\x7fE", *(b"x%c" % level for level in (0x01, 0x5E, 0x9C, 0xDA)))
)
"""The first two bytes of everything but tar: asked of every content there is, before `kind_of`."""
TAR = slice(257, 262)
"""Where a tar says ``ustar``."""
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
"""How programs begin, behind which a zip may lie."""
_LONGEST_END = 22 + 0xFFFF
"""Bytes of a zip's end record with the longest comment."""


class Member(NamedTuple):
    """One content in an archive. It has to be read before the next one."""

    name: str
    """Its path in the archive; empty if the archive has one content without a name, as a compressed stream has."""
    reader: Reader
    problem: Problem | None = None
    """Why it can't be read at all."""


def kind_of(data: bytes | memoryview) -> str | None:
    """The kind of archive that begins, or for a zip ends, with `data`."""
    start = bytes(data[:16])
    if start[:2] in _PROGRAMS and data[TAR] != USTAR:
        return "zip" if b"PK\x05\x06" in bytes(data[-_LONGEST_END:]) else None
    kind = next((kind for kind, magic in _KINDS.items() if re.match(magic, start)), None)
    return "tar" if kind is None and data[TAR] == USTAR else kind


def members(kind: str, archive: Reader, account: Account) -> Iterator[Member]:
    """What lies in an archive of this kind. Raises `Problem` where the archive can't be read any further."""
    if kind == "zip":
        from patscan.archives.zips import entries

        yield from (Member(*entry) for entry in entries(archive.whole(account.limits.held + 1), account))
    elif kind == "tar":
        from patscan.archives.tars import files

        yield from (Member(*file) for file in files(archive.read, account))
    else:
        from patscan.archives.streams import expanded

        account.count()
        yield Member("", Reader(expanded(kind, archive.read, account)))
