"""Base64 (RFC 4648 sections 4 and 5), in one piece or folded. The parameter is how many bytes of the quantum lie before the text."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator

from patscan.layers import joined
from patscan.layers.view import Mapped, View

_SYMBOL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_SYMBOLS = re.compile(rb"[A-Za-z0-9+/_-]*")
MARK = re.compile(rb"[A-Za-z0-9+/_-]{20}")
_NO_SYMBOL = re.compile(rb"[^A-Za-z0-9+/_-]")
_UNFOLDED = joined.views_of(joined.JOINT)
_FOLD_BEGINS = (b"\n", b"\r", b"\\", b'"', b"'")
_FOLD_ENDS = (b"\n", b" ", b"\t", b"n", b'"', b"'")
_PADDING = re.compile(rb"=.*", re.DOTALL)
_URLSAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_SHORTEST = 4
"""Characters of a form that say enough to look for them."""


def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The characters that `plain` alone decides, in each alignment: six bits each, none shared with a neighbour byte."""
    for known, phase in few(plain):
        yield known, phase
        yield from _folded(known, phase, -(-8 * phase // 6))


def few(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The `forms` in one piece."""
    for phase in range(3):
        encoded = b2a_base64(bytes(phase) + plain, newline=False)
        known = encoded[-(-8 * phase // 6) : 8 * (phase + len(plain)) // 6]
        for spelling in {known, known.translate(_URLSAFE)}:
            if len(spelling) >= _SHORTEST:
                yield spelling, phase


def _folded(known: bytes, phase: int, own: int) -> Iterator[tuple[bytes, int]]:
    """The longer part of a form that is folded, which happens between two quanta, and the character next to it."""
    for fold in range(4 - own, len(known), 4):
        if fold >= _SHORTEST - 1:
            for sign in _FOLD_BEGINS:
                yield known[:fold] + sign, phase
        elif len(known) - fold >= _SHORTEST - 1:
            for sign in _FOLD_ENDS:
                yield sign + known[fold:], (own + fold) // 4 * 3 - phase << 2


def views(near: bytes, at: int, parameter: int) -> Iterator[View]:
    """See `patscan.layers.Codec`. What is folded is read in one line first: the next line may be another value.

    A parameter from 4 on is four times the bytes of the text that a line before holds; the fold's last character is at `at`.
    """
    phase, before = parameter & 3, parameter >> 2
    if before:
        at += 1
    elif view := _view(near, at, phase):
        yield view
    for unfolded in _UNFOLDED(near, at, 0):
        if view := _view(unfolded.text, unfolded.at, phase):
            view = view._replace(at=view.at - before)
            if view.at >= 0:
                yield view.through(unfolded)


def _view(text: bytes, at: int, phase: int) -> View | None:
    low = len(text[:at].rstrip(_SYMBOL))
    symbols = _SYMBOLS.match(text, at)
    high = symbols.end() if symbols else at
    # The anchor's quantum starts ceil(8 * phase / 6) characters before the first character that is its own.
    lead = at - low - -(-8 * phase // 6)
    if lead < 0:
        return None
    low += lead % 4
    plain = _bytes(text[low:high])
    return View(
        plain,
        lead // 4 * 3 + phase,
        Mapped(len(plain), lambda byte: low + byte // 3 * 4 + byte % 3),
        Mapped(len(plain), lambda byte: low + byte // 3 * 4 + byte % 3 + 2),
    )


def decode(span: bytes, phase: int) -> bytes:
    """See `patscan.layers.Codec`. `phase` is the first byte's place in its quantum, which is its character's place as well.

    Raises `ValueError` for a `phase` that there isn't.
    """
    if phase not in range(3):
        raise ValueError(f"no phase {phase}")
    symbols = b"A" * phase + _NO_SYMBOL.sub(b"", _PADDING.sub(b"", joined.decode(span, 0)))
    return _bytes(symbols)[phase:]


def _bytes(symbols: bytes) -> bytes:
    # One character left over holds no whole byte.
    symbols = symbols[: len(symbols) - (len(symbols) % 4 == 1)]
    return a2b_base64(symbols.translate(_STANDARD) + b"=" * (-len(symbols) % 4))
