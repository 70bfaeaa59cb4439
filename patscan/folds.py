"""Parts of folded base64. Their forms are short, so most are part of another text: the fold tells them apart at little cost."""

from __future__ import annotations

import re

NO_SYMBOL = re.compile(rb"[^A-Za-z0-9+/_-]")


def is_part(parameter: int) -> bool:
    """Whether this parameter of a form of base64 is that of a part."""
    return parameter > 3


def packed(length: int, before: int, phase: int) -> int:
    """The parameter of a part: the characters of the whole form, those before the part, and the phase."""
    return length << 10 | before << 2 | phase


def unpacked(parameter: int) -> tuple[int, int, int]:
    """The reverse of `packed`; the length is 0 for a form in one piece."""
    return parameter >> 10, parameter >> 2 & 0xFF, parameter & 3


def begin(text: bytes | memoryview, at: int) -> int:
    """The first character of the part at `at`, behind a character of a fold."""
    return at + (2 if text[at] == ord("\\") else bool(NO_SYMBOL.match(text, at)))


def is_folded(text: bytes | memoryview, at: int, parameter: int) -> bool:
    """Whether there is a fold in the form whose part is at `at`."""
    length, before, _ = unpacked(parameter)
    low = begin(text, at) - before
    # One character more: the last of a fold that is written as an escape is a letter.
    return NO_SYMBOL.search(text, max(low - 1, 0), low + length) is not None
