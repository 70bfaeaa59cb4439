"""How a literal looks when it is encoded, and how the bytes around such a hit are read back.

A `View` is decoded text with, for each of its bytes, the place in the content it came from; so a pattern is written once
and every span is reported where it stands in the file.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_BEFORE, _AFTER, _ROOM = 1 << 10, 64 << 10, 12 << 10
"""Encoded bytes read to the left and right of a hit, and those that must be left for a view to serve another hit: a JWT job
token in base64 has up to 8 kB."""

_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_FOLDS = frozenset(b"\r\n")
_HEX = frozenset(b"0123456789abcdefABCDEF")


class Form(NamedTuple):
    """A literal in one encoding; `phase` is the base64 alignment or the width of a UTF code unit, in bytes."""

    literal: bytes
    encoding: str
    phase: int


class View(NamedTuple):
    """Decoded `text`, and the anchor's place in it. `starts` and `ends` map each byte back; empty: the content as it is."""

    text: bytes
    at: int
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()

    def moved(self, start: int, anchor: str) -> View | None:
        """This view for another hit at byte `start`; ``None`` if it doesn't reach well beyond it, or `anchor` isn't there."""
        if not self.starts or not self.starts[0] <= start <= self.starts[-1] - _ROOM:
            return None
        at = bisect_left(self.starts, start)
        # The first character of a base64 anchor may belong to the byte before.
        for place in (at, at - 1):
            if place >= 0 and self.text.startswith(anchor.encode(), place):
                return self._replace(at=place)
        return None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open byte span in the content of the half-open span in `text`."""
        return (self.starts[start], self.ends[end - 1]) if self.starts else (start, end)


def forms(anchor: str) -> Iterator[Form]:
    """Every way in which `anchor` is recognised."""
    plain = anchor.encode()
    yield Form(plain, "plain", 1)
    for width in (2, 4):
        yield Form(bytes(width - 1).join(plain[i : i + 1] for i in range(len(plain))), f"utf-{8 * width}", width)
    yield Form(plain.hex().encode(), "hex", 1)
    yield Form(plain.hex().upper().encode(), "hex", 1)
    quoted = b"".join(b"%%%02X" % byte if byte in b"-_.=@" else bytes([byte]) for byte in plain)
    every = "".join(f"%{byte:02X}" for byte in plain)
    yield Form(every.encode(), "percent", 1)
    yield Form(every.lower().encode(), "percent", 1)
    if quoted != plain:
        yield Form(quoted, "percent", 1)
        yield Form(quoted.replace(b"%2D", b"%2d").replace(b"%5F", b"%5f").replace(b"%2E", b"%2e").replace(b"%3D", b"%3d"), "percent", 1)
    yield from _base64_forms(plain)


def _base64_forms(plain: bytes) -> Iterator[Form]:
    for phase in range(3):
        encoded = b2a_base64(bytes(phase) + plain, newline=False)
        # Only the characters that `plain` alone decides: six bits each, none shared with a neighbour byte.
        known = encoded[-(-8 * phase // 6) : 8 * (phase + len(plain)) // 6]
        if len(known) >= 6:
            yield Form(known, "base64", phase)
            if (urlsafe := known.translate(bytes.maketrans(b"+/", b"-_"))) != known:
                yield Form(urlsafe, "base64", phase)


def view(data: bytes | memoryview, start: int, encoding: str, phase: int) -> View | None:
    """Read back the surroundings of a hit at byte `start`; ``None`` if they turn out not to be encoded so."""
    if encoding == "plain":
        return View(data if isinstance(data, bytes) else bytes(data), start)
    low = max(start - _BEFORE, 0) & ~3  # code units stay aligned
    near = bytes(data[low : start + _AFTER])
    found = _READERS[encoding](near, start - low, phase)
    if found is None:
        return None
    return found._replace(starts=[low + place for place in found.starts], ends=[low + place for place in found.ends])


def _wide(near: bytes, at: int, width: int) -> View | None:
    # Both byte orders share the literal without its outer zeros; text starts at an even offset, so an odd one is big-endian.
    lead = width - 1 if at % width == width - 1 and _is_wide(near, at, width, width - 1) else 0
    if not _is_wide(near, at, width, lead):
        return None
    places: list[int] = []
    for direction in (-width, width):
        place = at if direction > 0 else at - width
        while _is_wide(near, place, width, lead):
            places.append(place)
            place += direction
    places.sort()
    text = bytes(near[place] for place in places)
    return View(text, places.index(at), [place - lead for place in places], [place - lead + width for place in places])


def _is_wide(near: bytes, place: int, width: int, lead: int) -> bool:
    unit = near[max(place - lead, 0) : place - lead + width]
    return len(unit) == width and 0 < near[place] < 0x80 and unit.count(0) == width - 1


def _base64(near: bytes, at: int, phase: int) -> View | None:
    low = high = at
    while low and (near[low - 1] in _BASE64 or near[low - 1] in _FOLDS):
        low -= 1
    while high < len(near) and (near[high] in _BASE64 or near[high] in _FOLDS):
        high += 1
    places = [place for place in range(low, high) if near[place] in _BASE64]
    # The anchor's quantum starts ceil(8 * phase / 6) characters before the first character that is its own.
    lead = places.index(at) - -(-8 * phase // 6)
    if lead < 0:
        return None
    places = places[lead % 4 :]
    # One character left over holds no whole byte.
    places = places[: len(places) - (len(places) % 4 == 1)]
    symbols = bytes(near[place] for place in places).translate(bytes.maketrans(b"-_", b"+/"))
    text = a2b_base64(symbols + b"=" * (-len(symbols) % 4))
    starts = [places[byte // 3 * 4 + byte % 3] for byte in range(len(text))]
    ends = [places[byte // 3 * 4 + byte % 3 + 1] + 1 for byte in range(len(text))]
    return View(text, (lead - lead % 4) // 4 * 3 + phase, starts, ends)


def _hex(near: bytes, at: int, _phase: int) -> View:
    low = at
    while low > 1 and near[low - 1] in _HEX and near[low - 2] in _HEX:
        low -= 2
    high = at
    while high + 1 < len(near) and near[high] in _HEX and near[high + 1] in _HEX:
        high += 2
    starts = range(low, high, 2)
    return View(bytes.fromhex(near[low:high].decode()), (at - low) // 2, starts, range(low + 2, high + 2, 2))


def _percent(near: bytes, at: int, _phase: int) -> View:
    text, starts, ends = bytearray(), [], []
    low = at
    while low and 0x20 < near[low - 1] < 0x7F:
        low -= 1
    place, where = low, 0
    while place < len(near) and 0x20 < near[place] < 0x7F:
        where = len(text) if place == at else where
        escaped = near[place] == 0x25 and len(near) > place + 2 and near[place + 1] in _HEX and near[place + 2] in _HEX
        width = 3 if escaped else 1
        text.append(int(near[place + 1 : place + 3], 16) if escaped else near[place])
        starts.append(place)
        ends.append(place + width)
        place += width
    return View(bytes(text), where, starts, ends)


_READERS = {"utf-16": _wide, "utf-32": _wide, "base64": _base64, "hex": _hex, "percent": _percent}
