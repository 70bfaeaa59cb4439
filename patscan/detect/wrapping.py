"""Does a token of no exact length go on in the next line? Nothing in the token tells, so the lines around it must."""

from __future__ import annotations

import re

from patscan.secret import PREFIXES

_NARROWEST = 32
"""Characters of the shortest lines that count as wrapped: shorter lines have equal lengths by chance."""
_WIDEST = 1 << 10
_FEED = re.compile(rb"\r?\n|\r")
_INDENT = re.compile(rb"[ \t>#*;|/]*")
_PREFIX = re.compile(PREFIXES.encode())
_ENDED = re.compile(rb"[\s\"'`,;)}\]<&|\\]|\Z")
"""What follows a token that ends within a line. A name with ``=`` or ``:`` behind it begins another entry."""
_QUOTES = (b'"', b"'", b"`")


def is_whole(content: bytes, start: int, end: int) -> bool:
    """Whether the bytes ``[start, end)``, a token in several lines, are one value: in quotes, or in a text that is wrapped there."""
    quote = content[max(start - 1, 0) : start]
    return (quote in _QUOTES and content[end : end + 1] == quote) or _is_wrapped(content, start, end)


def _is_wrapped(content: bytes, start: int, end: int) -> bool:
    """Whether the lines of a token are full: as long as each other and as the line before or after them."""
    if not _ENDED.match(content, end):
        return False
    low = max(content.rfind(b"\n", 0, start) + 1, start - _WIDEST)
    before = content[max(low - _WIDEST, 0) : low].splitlines()[-1:]
    after = content[low : end + 2 * _WIDEST].splitlines()
    feeds = len(_FEED.findall(content, start, end))
    full, last, rest = after[:feeds], after[feeds : feeds + 1], after[feeds + 1 : feeds + 2]
    if not full or not last or not _NARROWEST <= len(full[0]) <= _WIDEST:
        return False
    width = len(full[0])
    others = len([line for line in (*full[1:], *before, *last, *rest) if len(line) == width])
    is_full = others > 0 and all(len(line) == width for line in full) and len(last[0]) <= width
    return is_full and not _begins_entry(last[0], full[0], start - low)


def _begins_entry(line: bytes, first: bytes, column: int) -> bool:
    """Whether `line` begins another token, or is the next row of a table whose last cell begins at `column`, as that of `first`."""
    indent = _INDENT.match(line)
    if _PREFIX.match(line, indent.end() if indent else 0):
        return True
    separator = first[max(column - 1, 0) : column]
    return bool(separator) and not separator.isalnum() and line[column - 1 : column] == separator and separator not in line[column:]
