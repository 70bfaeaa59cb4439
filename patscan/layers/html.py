"""Character references of HTML and XML: decimal, hexadecimal, and named ones for ASCII. The parameter isn't used."""

from __future__ import annotations

import re

from patscan.layers.escapes import Escapes, of_code

_NAMES = {
    b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'", b"nbsp": b" ", b"NewLine": b"\n", b"Tab": b"\t",
    b"lowbar": b"_", b"UnderBar": b"_", b"period": b".", b"equals": b"=", b"commat": b"@", b"plus": b"+", b"sol": b"/", b"colon": b":",
}  # fmt: skip
"""From HTML 5.2, section 8.5. The hyphen-minus has no name: ``&hyphen;`` and ``&dash;`` are U+2010."""
_BY_BYTE = {value: b"&%s;" % name for name, value in reversed(_NAMES.items())}
_LOOKALIKES = {b"hyphen": b"-", b"dash": b"-"}


def _value(escape: re.Match[bytes]) -> bytes:
    if escape[1] or escape[2]:
        return of_code(int(escape[1] or escape[2], 10 if escape[1] else 16))
    return _NAMES.get(escape[3]) or _LOOKALIKES[escape[3]]


def _named(byte: int) -> bytes:
    return b"&hyphen;" if byte == 0x2D else _BY_BYTE.get(bytes([byte]), bytes([byte]))


HTML = Escapes(
    re.compile(rb"&(?:#0{0,5}([0-9]{1,7});|#[xX]0{0,5}([0-9A-Fa-f]{1,6});|(" + b"|".join((*_NAMES, *_LOOKALIKES)) + rb");)"),
    _value,
    (lambda byte: b"&#%d;" % byte, lambda byte: b"&#x%x;" % byte, lambda byte: b"&#x%X;" % byte, lambda byte: b"&#%03d;" % byte, _named),
    for_all=3,
    again={b"&": b"&amp;"},
)
