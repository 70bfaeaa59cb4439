"""Percent-encoding (RFC 3986 section 2.1) of some or all characters. The parameter isn't used."""

from __future__ import annotations

import re

from patscan.layers.escapes import Escapes

PERCENT = Escapes(
    re.compile(rb"%([0-9A-Fa-f]{2})"),
    lambda escape: bytes([int(escape[1], 16)]),
    (lambda byte: b"%%%02X" % byte, lambda byte: b"%%%02x" % byte),
    for_all=2,
    again={b"%": b"%25", b"\\": b"%5C", b"&": b"%26"},
)
