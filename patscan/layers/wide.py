"""ASCII text in UTF-16 and UTF-32, in both byte orders. The parameter is the width of a code unit, in bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from patscan.layers.view import View


def forms_of(width: int) -> Callable[[bytes], Iterator[tuple[bytes, int]]]:
    """`forms` for code units of `width` bytes, without the outer zeros, so that they occur in both byte orders."""

    def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
        yield bytes(width - 1).join(plain[i : i + 1] for i in range(len(plain))), width

    return forms


def views_of(width: int) -> Callable[[bytes, int, int], Iterator[View]]:
    """`views` for code units of `width` bytes."""

    def views(near: bytes, at: int, _parameter: int) -> Iterator[View]:
        # A text starts at a multiple of `width`. So an anchor at the last byte of a code unit is big-endian.
        lead = width - 1 if at % width == width - 1 and _is_wide(near, at, width, width - 1) else 0
        if not _is_wide(near, at, width, lead):
            return
        places: list[int] = []
        for direction in (-width, width):
            place = at if direction > 0 else at - width
            while _is_wide(near, place, width, lead):
                places.append(place)
                place += direction
        places.sort()
        text = bytes(near[place] for place in places)
        yield View(text, places.index(at), [place - lead for place in places], [place - lead + width for place in places])

    return views


def decode_of(width: int) -> Callable[[bytes, int], bytes]:
    """`decode` for code units of `width` bytes in any byte order."""
    return lambda span, _parameter: b"".join(span[place : place + width].strip(b"\0") for place in range(0, len(span), width))


def _is_wide(near: bytes, place: int, width: int, lead: int) -> bool:
    unit = near[max(place - lead, 0) : place - lead + width]
    return len(unit) == width and 0 < near[place] < 0x80 and unit.count(0) == width - 1
