"""Percent-encoding (RFC 3986 section 2.1) of some characters or of all. No parameter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from patscan.layers.view import View

_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_QUOTED = b"-_.=@"
_LOWER = ((b"%2D", b"%2d"), (b"%5F", b"%5f"), (b"%2E", b"%2e"), (b"%3D", b"%3d"))
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """Every byte encoded, or only the signs, in upper and in lower case."""
    every = "".join(f"%{byte:02X}" for byte in plain)
    yield every.encode(), 0
    yield every.lower().encode(), 0
    quoted = b"".join(b"%%%02X" % byte if byte in _QUOTED else bytes([byte]) for byte in plain)
    if quoted != plain:
        yield quoted, 0
        for upper, lower in _LOWER:
            quoted = quoted.replace(upper, lower)
        yield quoted, 0


def view(near: bytes, at: int, _parameter: int) -> View:
    """See `patscan.layers.Codec`."""
    text, starts, ends = bytearray(), [], []
    low = at
    while low and 0x20 < near[low - 1] < 0x7F:
        low -= 1
    place, where = low, 0
    while place < len(near) and 0x20 < near[place] < 0x7F:
        where = len(text) if place == at else where
        escaped = near[place] == 0x25 and len(near) > place + 2 and near[place + 1] in _DIGITS and near[place + 2] in _DIGITS
        width = 3 if escaped else 1
        text.append(int(near[place + 1 : place + 3], 16) if escaped else near[place])
        starts.append(place)
        ends.append(place + width)
        place += width
    return View(bytes(text), where, starts, ends)


def decode(span: bytes, _parameter: int) -> bytes:
    """See `patscan.layers.Codec`."""
    return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), span)
