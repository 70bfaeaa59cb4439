"""Two hexadecimal digits for each byte, with or without separators. The parameter isn't used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from patscan.layers.view import View

_SEPARATORS = (b"", b" ", b":", b"-", b",", b", ", b", 0x", b",0x")
# A dump may be folded. In a .reg file, a folded line ends with a backslash.
_BETWEEN = rb"[ \t]?[,:-]?[ \t]*(?:\\?\r?\n[ \t]*)?(?:0x)?"
_PAIR = rb"[0-9A-Fa-f]{2}"
_PAIRS = re.compile(rb"(" + _PAIR + rb")" + _BETWEEN)
_LAST = re.compile(rb"(" + _PAIR + rb")" + _BETWEEN + rb"\Z")
_LONGEST_BETWEEN = 40
MARK = re.compile(rb"(?:" + _PAIR + rb"[ :,x0-]{0,4}){3}" + _PAIR)


def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """See `patscan.layers.Codec`: lower and upper case, with each separator."""
    # .reg files and SQL dumps contain UTF-16 in hexadecimal.
    for separator in (b"", b",") if b"\0" in plain else _SEPARATORS:
        pairs = [b"%02x" % byte for byte in plain]
        yield separator.join(pairs), 0
        yield separator.join(pair.upper() for pair in pairs), 0


def views(near: bytes, at: int, _parameter: int) -> Iterator[View]:
    """See `patscan.layers.Codec`."""
    starts: list[int] = []
    low = at
    while (last := _LAST.search(near, max(low - _LONGEST_BETWEEN, 0), low)) and last.start() < low:
        low = last.start()
        starts.append(low)
    starts.reverse()
    before, high = len(starts), at
    while pair := _PAIRS.match(near, high):
        starts.append(high)
        high = pair.end()
    text = bytes.fromhex(b"".join(near[place : place + 2] for place in starts).decode())
    yield View(text, before, starts, [place + 2 for place in starts])


def decode(span: bytes, _parameter: int) -> bytes:
    """See `patscan.layers.Codec`. Raises `ValueError`."""
    return bytes.fromhex(b"".join(_PAIRS.findall(span)).decode())
