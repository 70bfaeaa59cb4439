"""Two hexadecimal digits for a byte. No parameter."""

from __future__ import annotations

from collections.abc import Iterator

from patscan.layers.view import View

_DIGITS = frozenset(b"0123456789abcdefABCDEF")


def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """In lower and in upper case."""
    yield plain.hex().encode(), 0
    yield plain.hex().upper().encode(), 0


def view(near: bytes, at: int, _parameter: int) -> View:
    """See `patscan.layers.Codec`."""
    low = at
    while low > 1 and near[low - 1] in _DIGITS and near[low - 2] in _DIGITS:
        low -= 2
    high = at
    while high + 1 < len(near) and near[high] in _DIGITS and near[high + 1] in _DIGITS:
        high += 2
    return View(bytes.fromhex(near[low:high].decode()), (at - low) // 2, range(low, high, 2), range(low + 2, high + 2, 2))


def decode(span: bytes, _parameter: int) -> bytes:
    """See `patscan.layers.Codec`. Raises `ValueError`."""
    return bytes.fromhex(span.decode("ascii"))
