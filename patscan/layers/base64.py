"""Base64 (RFC 4648 sections 4 and 5), in one piece or folded. The parameter is the phase: how many bytes of its quantum precede a text."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator

from patscan import folds
from patscan.layers import joined
from patscan.layers.view import Mapped, View

MARK = re.compile(rb"[A-Za-z0-9+/_-]{20}")
_SYMBOL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_SYMBOLS = re.compile(rb"[A-Za-z0-9+/_-]*")
_PADDING = re.compile(rb"=.*", re.DOTALL)
_URLSAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_SHARED = (0, 2, 3)
"""For each phase, the characters of a quantum that depend on the bytes before the text."""
_SHORTEST = 4
"""Characters that a literal needs: a shorter one occurs everywhere."""
_FOLD_BEGINS = (b"\n", b"\r", b"=", b"\\", b'"', b"'")
_FOLD_ENDS = (b"\n", b" ", b"\t", b"\\n", b'"', b"'")
_ASCII = range(0x20, 0x7F)
_UNFOLDED = joined.views_of(joined.JOINT)


def forms(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The `few` forms, and parts of them that remain in one line wherever they are folded.

    The parameter of a part is that of `patscan.folds`.
    """
    for known, phase in few(plain):
        yield known, phase
        for whole in [known] if len(known) > _SHORTEST else _extended(known, plain, phase):
            for part, before in _parts(whole):
                yield part, folds.packed(len(whole), before, phase)


def few(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The characters that `plain` alone decides, in each phase, in both alphabets."""
    for phase, shared in enumerate(_SHARED):
        encoded = b2a_base64(bytes(phase) + plain, newline=False)
        known = encoded[shared : 8 * (phase + len(plain)) // 6]
        for spelling in {known, known.translate(_URLSAFE)}:
            if len(spelling) >= _SHORTEST:
                yield spelling, phase


def around(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The forms of what is encoded already. A file in base64 twice may be folded; what a program escapes or a command line takes isn't."""
    return forms(plain) if _SYMBOLS.fullmatch(plain) else few(plain)


def _extended(known: bytes, plain: bytes, phase: int) -> set[bytes]:
    """`known` with each character that may follow it, if an ASCII character follows `plain`."""
    place = _SHARED[phase] + len(known)
    return {known + b2a_base64(bytes(phase) + plain + bytes([follower]), newline=False)[place : place + 1] for follower in _ASCII}


def _parts(known: bytes) -> set[tuple[bytes, int]]:
    """For each place of a fold, a part of `known` next to it, and the characters of `known` before the part.

    Parts that are too short are looked for together with a character of the fold.
    """
    parts: set[tuple[bytes, int]] = set()
    size = max(_SHORTEST, -(-len(known) // 2))
    for fold in range(1, len(known)):
        rest = len(known) - fold
        if fold >= size:
            parts.add((known[:size], 0))
        elif rest >= size:
            parts.add((known[-size:], len(known) - size))
        elif fold >= rest:
            parts |= {(known[:fold] + sign, 0) for sign in _FOLD_BEGINS}
        else:
            parts |= {(sign + known[fold:], fold) for sign in _FOLD_ENDS}
    return parts


def parameter(_parameter: int, byte: int) -> int:
    """See `patscan.layers.Codec`."""
    return byte % 3


def views(near: bytes, at: int, parameter: int) -> Iterator[View]:
    """See `patscan.layers.Codec`."""
    length, before, phase = folds.unpacked(parameter)
    if length:
        if not folds.is_folded(near, at, parameter):
            return
        at = folds.begin(near, at)
    elif view := _view(near, at, phase):
        # One line comes first: the next may be another value.
        yield view
    for unfolded in _UNFOLDED(near, at, 0):
        if view := _view(unfolded.text, unfolded.at - before, phase):
            yield view.through(unfolded)


def _view(text: bytes, at: int, phase: int) -> View | None:
    """`text`, decoded, where byte `at` is the first character that a form in this `phase` decides alone."""
    low = len(text[: max(at, 0)].rstrip(_SYMBOL))
    lead = at - low - _SHARED[phase]
    if lead < 0:
        return None
    symbols = _SYMBOLS.match(text, at)
    high = symbols.end() if symbols else at
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
    symbols = b"A" * phase + folds.NO_SYMBOL.sub(b"", _PADDING.sub(b"", joined.decode(span, 0)))
    return _bytes(symbols)[phase:]


def _bytes(symbols: bytes) -> bytes:
    # One character that is left over has no whole byte.
    symbols = symbols[: len(symbols) - (len(symbols) % 4 == 1)]
    return a2b_base64(symbols.translate(_STANDARD) + b"=" * (-len(symbols) % 4))
