"""Gzip members (RFC 1952). A form is only the header, so the decompressed text is searched again. The parameter isn't used."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from patscan.layers.view import Mapped, View

LONGEST = 8 << 20
"""The most bytes that are inflated."""
_CHUNK = 16 << 10
_GZIP = 31  # zlib's window bits for a gzip header


def forms(_plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The header, for the method deflate, without flags or with the flag for a file name."""
    yield b"\x1f\x8b\x08\x00", 0
    yield b"\x1f\x8b\x08\x08", 0


def views(near: bytes, at: int, _parameter: int) -> Iterator[View]:
    """See `patscan.layers.Codec`. Every byte of the text maps to the whole stream."""
    text, end, is_whole = _inflated(near, at)
    if text:
        yield View(text, 0, Mapped(len(text), lambda _: at), Mapped(len(text), lambda _: end), is_whole)


def decode(span: bytes, _parameter: int) -> bytes:
    """See `patscan.layers.Codec`. Raises `ValueError`."""
    text, _, _ = _inflated(span, 0)
    return text


def _inflated(near: bytes, at: int) -> tuple[bytes, int, bool]:
    """The text of the stream at byte `at` up to the first error, the end of the stream, and whether all of it was read."""
    inflate, text, place = zlib.decompressobj(_GZIP), bytearray(), at
    try:
        while place < len(near) and not inflate.eof and len(text) < LONGEST:
            text += inflate.decompress(inflate.unconsumed_tail or near[place : place + _CHUNK], LONGEST - len(text))
            place = min(place + _CHUNK, len(near))
    except zlib.error:
        return bytes(text), place, True
    return bytes(text), place - len(inflate.unused_data), inflate.eof
