"""Base64 (RFC 4648 sections 4 and 5), in one piece or folded. The parameter is how many bytes of the quantum lie before the text."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator

from patscan.layers.view import View

_SYMBOLS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_FOLDS = frozenset(b"\r\n")
_URLSAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_SHORTEST = 6
"""Characters of a form that say enough to look for them."""


def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The characters that `plain` alone decides, in each alignment: six bits each, none shared with a neighbour byte."""
    for phase in range(3):
        encoded = b2a_base64(bytes(phase) + plain, newline=False)
        known = encoded[-(-8 * phase // 6) : 8 * (phase + len(plain)) // 6]
        if len(known) >= _SHORTEST:
            yield known, phase
            if (urlsafe := known.translate(_URLSAFE)) != known:
                yield urlsafe, phase


def view(near: bytes, at: int, phase: int) -> View | None:
    """See `patscan.layers.Codec`."""
    low = high = at
    while low and (near[low - 1] in _SYMBOLS or near[low - 1] in _FOLDS):
        low -= 1
    while high < len(near) and (near[high] in _SYMBOLS or near[high] in _FOLDS):
        high += 1
    places = [place for place in range(low, high) if near[place] in _SYMBOLS]
    # The anchor's quantum starts ceil(8 * phase / 6) characters before the first character that is its own.
    lead = places.index(at) - -(-8 * phase // 6)
    if lead < 0:
        return None
    places = places[lead % 4 :]
    # One character left over holds no whole byte.
    places = places[: len(places) - (len(places) % 4 == 1)]
    text = _bytes(bytes(near[place] for place in places))
    starts = [places[byte // 3 * 4 + byte % 3] for byte in range(len(text))]
    ends = [places[byte // 3 * 4 + byte % 3 + 1] + 1 for byte in range(len(text))]
    return View(text, (lead - lead % 4) // 4 * 3 + phase, starts, ends)


def decode(span: bytes, phase: int) -> bytes:
    """See `patscan.layers.Codec`. `phase` is the first byte's place in its quantum, which is its character's place as well.

    Raises `ValueError` for a `phase` that there isn't.
    """
    if phase not in range(3):
        raise ValueError(f"no phase {phase}")
    symbols = b"A" * phase + bytes(byte for byte in span if byte in _SYMBOLS)
    return _bytes(symbols[: len(symbols) - (len(symbols) % 4 == 1)])


def _bytes(symbols: bytes) -> bytes:
    return a2b_base64(symbols.translate(_STANDARD) + b"=" * (-len(symbols) % 4))
