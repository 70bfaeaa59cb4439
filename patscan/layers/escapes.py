"""The base of layers in which some characters are escaped and others aren't."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence

from patscan.layers.view import Mapped, View
from patscan.tuples import NamedTuple

_SIGNS = (b"-_.=@", b"=@", b"_", b"-.@")
"""Sets of signs that are escaped together."""
_SIGN = re.compile(rb"[-_.=@]")
_BEGINNING = re.compile(rb"[\\%&]")
"""The characters that begin an escape."""


class Escapes(NamedTuple):
    """A notation. `pattern` matches an escape, `value` gives its byte (empty if it has none), `spellings` escape a byte."""

    pattern: re.Pattern[bytes]
    value: Callable[[re.Match[bytes]], bytes]
    spellings: Sequence[Callable[[int], bytes]]
    for_all: int
    """The number of `spellings` that may escape every character of a text; the others escape signs only."""
    again: Mapping[bytes, bytes]
    """The escapes of the characters that begin another layer's escapes."""

    def forms(self, plain: bytes) -> Iterator[tuple[bytes, int]]:
        """`plain` with all characters or some signs escaped."""
        written: dict[bytes, None] = {}
        for number, spelling in enumerate(self.spellings):
            if number < self.for_all:
                written[b"".join(map(spelling, plain))] = None
            for signs in _SIGNS:
                written[b"".join(spelling(byte) if byte in signs else bytes([byte]) for byte in plain)] = None
        written.pop(plain, None)
        for literal in written:
            yield literal, 0

    def few(self, plain: bytes) -> Iterator[tuple[bytes, int]]:
        """The most usual `forms`. If `plain` contains escapes, only the characters that begin them are escaped again."""
        if _BEGINNING.search(plain):
            yield _BEGINNING.sub(lambda sign: self.again.get(sign[0], sign[0]), plain), 0
        elif _SIGN.search(plain):
            for literal in sorted({_escaped(plain, spelling) for spelling in self.spellings[:2]}):
                yield literal, 0

    def views(self, near: bytes, at: int, _parameter: int) -> Iterator[View]:
        """See `patscan.layers.Codec`."""
        text = bytearray()
        # An escape is longer than its byte. For each piece between shifts: its first byte in the text, its place in `near`, and the number
        # of bytes in `near` that its first byte takes.
        firsts, places, widths = [0], [0], [1]
        place, where = 0, 0
        for escape in self.pattern.finditer(near):
            if place <= at < escape.end():
                where = len(text) + min(at, escape.start()) - place
            text += near[place : escape.start()]
            byte = self.value(escape)
            if byte:
                firsts += [len(text), len(text) + 1]
                places += [escape.start(), escape.end()]
                widths += [len(escape[0]), 1]
                text += byte
            else:
                firsts.append(len(text))
                places.append(escape.end())
                widths.append(1)
            place = escape.end()
        if place <= at:
            where = len(text) + at - place
        text += near[place:]

        def start(byte: int) -> int:
            piece = bisect_right(firsts, byte) - 1
            return places[piece] + byte - firsts[piece]

        def end(byte: int) -> int:
            piece = bisect_right(firsts, byte) - 1
            return places[piece] + byte - firsts[piece] + widths[piece]

        yield View(bytes(text), where, Mapped(len(text), start), Mapped(len(text), end))

    def decode(self, span: bytes, _parameter: int) -> bytes:
        """See `patscan.layers.Codec`."""
        return self.pattern.sub(self.value, span)


def _escaped(plain: bytes, spelling: Callable[[int], bytes]) -> bytes:
    """`plain` with all its signs escaped."""
    return _SIGN.sub(lambda sign: spelling(sign[0][0]), plain)


def of_code(code: int) -> bytes:
    """The byte of a character. All others than ASCII become the same byte, because no token contains them."""
    return bytes([code]) if code < 0x80 else b"\xff"
