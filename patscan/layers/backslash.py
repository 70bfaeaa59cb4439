r"""Backslash escapes of JSON, JavaScript, Java and C (``\u002d``, ``\x2d``, ``\55``) and Markdown (``\_``). The parameter isn't used."""

from __future__ import annotations

import re

from patscan.layers.escapes import Escapes, of_code

_LETTERS = dict(zip(b"abefnrtv0", b"\a\b\x1b\f\n\r\t\v\0", strict=True))
_ESCAPE = re.compile(
    rb"\\(?:u([0-9A-Fa-f]{4})|(?:u\{|U0000|x\{)0{0,4}([0-9A-Fa-f]{2,4})\}?|x([0-9A-Fa-f]{2})|([0-7]{2,3})|([abefnrtv0])|([^\sA-Za-z0-9]))",
    re.ASCII,
)


def _value(escape: re.Match[bytes]) -> bytes:
    if code := escape[1] or escape[2] or escape[3]:
        return of_code(int(code, 16))
    if escape[4]:
        return of_code(int(escape[4], 8))
    return bytes([_LETTERS[escape[5][0]]]) if escape[5] else escape[6]


def _marked(byte: int) -> bytes:
    return b"\\" + bytes([byte]) if byte in b"-_.=@" else bytes([byte])


BACKSLASH = Escapes(
    _ESCAPE,
    _value,
    (
        lambda byte: rb"\u%04x" % byte,
        lambda byte: rb"\u%04X" % byte,
        lambda byte: rb"\x%02x" % byte,
        lambda byte: rb"\x%02X" % byte,
        lambda byte: rb"\%03o" % byte,
        lambda byte: rb"\u{%x}" % byte,
        lambda byte: rb"\%o" % byte,
        _marked,
    ),
    for_all=5,
    again={b"\\": b"\\\\"},
)
