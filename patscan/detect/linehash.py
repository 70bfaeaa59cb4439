"""GitHub's ``primaryLocationLineHash``, by which code scanning knows an alert again although lines above it come and go.

The algorithm is the one that GitHub's upload action publishes (``github/codeql-action``, ``src/fingerprints.ts``): a polynomial over
the 100 characters, UTF-16 code units, that follow a line's start; spaces and tabs don't count, and every line end is one line feed.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Collection
from itertools import accumulate, count
from operator import add

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
    text, last = _characters(content), max(lines, default=0)
    lengths = map(len, text.split("\n", last)[:last])
    starts = array("q", map(add, accumulate(lengths, initial=0), count()))[:-1]
    wanted = {text[starts[number - 1] : starts[number - 1] + _WINDOW] for number in lines if number <= len(starts)}
    seen: Counter[str] = Counter()
    hashes = {}
    for number, start in enumerate(starts, 1):
        # Only what is asked for is counted: a file of a million lines needn't be remembered by all its windows.
        if (window := text[start : start + _WINDOW]) in wanted:
            seen[window] += 1
            if number in lines:
                hashes[number] = f"{_polynomial(window):x}:{seen[window]}"
    return hashes


def _characters(content: bytes) -> str:
    """What GitHub hashes of a file, one character for each UTF-16 code unit."""
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content.isascii():
        return content.translate(None, b" \t").decode("ascii") + _END
    # Only now may blanks go, for one may stand within a broken character.
    text = content.decode("utf-8", "replace").replace(" ", "").replace("\t", "")
    return _ASTRAL.sub(_surrogates, text) + _END


def _surrogates(found: re.Match[str]) -> str:
    high, low = divmod(ord(found[0]) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def _polynomial(window: str) -> int:
    value = 0
    for char in window:
        value = value * _BASE + ord(char)
    return value % _MODULUS
