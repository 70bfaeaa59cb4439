"""GitHub's ``primaryLocationLineHash``, by which code scanning recognises an alert after lines were added or removed above it.

The algorithm is that of GitHub's upload action (``github/codeql-action``, ``src/fingerprints.ts``): a polynomial over the 100 UTF-16
code units from the start of a line, without spaces and tabs, and with one line feed for each line end.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Collection
from itertools import accumulate, count
from operator import add

LARGEST = 8 << 20
"""Bytes of a content with line hashes at most."""

_WINDOW = 100
_BASE = 37
_MODULUS = 1 << 64
_END = "\uffff" + "\0" * _WINDOW
"""What GitHub's code appends to the text, so that the last line has a whole window."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def line_hashes(content: bytes, lines: Collection[int]) -> dict[int, str]:
    """The hashes of `lines`, by their numbers from 1. Numbers beyond the last line are left out.

    Lines are counted as GitHub counts them: a lone carriage return ends a line, too. In a file with such line ends, GitHub's line
    differs from the one that reports show.

    The number after the colon counts the lines with the same hash up to this one. Equal windows are counted instead of equal hashes,
    so that only `lines` need a polynomial. Two different windows have the same hash only if, for example, one character is higher by 1
    and the next one lower by 37. Then our number is too low, and GitHub's action keeps it with a warning.
    """
    text, last = _characters(content), max(lines, default=0)
    lengths = map(len, text.split("\n", last)[:last])
    starts = array("q", map(add, accumulate(lengths, initial=0), count()))[:-1]
    wanted = {text[starts[number - 1] : starts[number - 1] + _WINDOW] for number in lines if number <= len(starts)}
    seen: Counter[str] = Counter()
    hashes = {}
    for number, start in enumerate(starts, 1):
        # Only wanted windows are counted, because a file may have a million lines.
        if (window := text[start : start + _WINDOW]) in wanted:
            seen[window] += 1
            if number in lines:
                hashes[number] = f"{_polynomial(window):x}:{seen[window]}"
    return hashes


def _characters(content: bytes) -> str:
    """The text that GitHub hashes, one character for each UTF-16 code unit."""
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content.isascii():
        return content.translate(None, b" \t").decode("ascii") + _END
    # Blanks are removed after decoding, because an invalid character may contain one.
    text = content.decode("utf-8", "replace").replace(" ", "").replace("\t", "")
    return _ASTRAL.sub(_surrogates, text) + _END


def _surrogates(match: re.Match[str]) -> str:
    high, low = divmod(ord(match[0]) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def _polynomial(window: str) -> int:
    value = 0
    for char in window:
        value = value * _BASE + ord(char)
    return value % _MODULUS
