"""GitHub's ``primaryLocationLineHash``, by which code scanning knows an alert again although lines above it come and go.

The algorithm is the one that GitHub's upload action publishes (``github/codeql-action``, ``src/fingerprints.ts``): a polynomial over
the 100 characters, UTF-16 code units, that follow a line's start; spaces and tabs don't count, and every line end is one line feed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

LARGEST = 8 << 20
"""Bytes of a content beyond which no line hash is made."""

_WINDOW = 100
_BASE = 37
_MODULUS = 1 << 64
_END = "\uffff" + "\0" * _WINDOW
"""What GitHub reads after the last character, so that the last line has a window, too."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def line_hashes(content: bytes, lines: Collection[int]) -> dict[int, str]:
    """The hashes of these `lines`, each by its number from 1; a number beyond the last line is left out.

    The numbers are GitHub's, for it looks a result's ``startLine`` up by its own count: there a lone carriage return ends a line, too.
    In a file that has some, the line hashed is the one that GitHub would hash, not the one that we would show.

    After the colon stands the how-manieth line with this hash it is. Equal windows are counted in place of equal hashes, because only
    one line needs a polynomial then. Two that differ have one hash only where a character is one higher and its neighbour 37 lower, or
    so: then our number is too low, and GitHub's action keeps it with a warning.
    """
    text = _characters(content)
    wanted = {window for number, window in _windows(text, lines) if number in lines}
    counts: Counter[str] = Counter()
    hashes = {}
    for number, window in _windows(text, lines):
        # A file of a million lines isn't remembered by all its windows.
        if window in wanted:
            counts[window] += 1
            if number in lines:
                hashes[number] = f"{_polynomial(window):x}:{counts[window]}"
    return hashes


def _windows(text: str, lines: Collection[int]) -> Iterator[tuple[int, str]]:
    """Every line's number and window, up to the last of `lines`."""
    start = 0
    for number in range(1, max(lines, default=0) + 1):
        yield number, text[start : start + _WINDOW]
        start = text.find("\n", start) + 1
        if not start:
            break


def _characters(content: bytes) -> str:
    """What GitHub hashes of a file, one character for each UTF-16 code unit."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    return _ASTRAL.sub(_surrogates, text) + _END


def _surrogates(found: re.Match[str]) -> str:
    high, low = divmod(ord(found[0]) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def _polynomial(window: str) -> int:
    value = 0
    for char in window:
        value = value * _BASE + ord(char)
    return value % _MODULUS
