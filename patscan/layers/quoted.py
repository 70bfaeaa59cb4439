"""Quoted-printable (RFC 2045 section 6.7) with soft line breaks. The parameter isn't used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from patscan.layers.escapes import Escapes

QUOTED = Escapes(
    re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)"),
    lambda escape: bytes([int(escape[1], 16)]) if escape[1] else b"",
    (lambda byte: b"=%02X" % byte, lambda byte: b"=%02x" % byte),
    for_all=2,
    again={},
)


def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """See `patscan.layers.Codec`: the forms of `Escapes`, and `plain` with a soft line break at each place."""
    yield from QUOTED.forms(plain)
    for place in range(1, len(plain)):
        for feed in (b"=\n", b"=\r\n"):
            yield plain[:place] + feed + plain[place:], 0
