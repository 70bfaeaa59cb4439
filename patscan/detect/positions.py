"""Byte spans -> lines and columns: 1-based, in characters, as an editor shows them.

A line ends at a line feed. UTF-8 is assumed unless the bytes say UTF-16 or UTF-32; a byte that is no text counts as one character.
"""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Iterator

from patscan.model import Position

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_WIDTHS = {"utf-32-le": 4, "utf-32-be": 4, "utf-16-le": 2, "utf-16-be": 2, "utf-8": 1}


class Text:
    """A stretch of a content, its encoding, and where its first character stands: `line` from 1, `column` from 1.

    Line starts are looked up once, and a column is counted on from the last one asked for: a line of a megabyte may hold ten
    thousand tokens.
    """

    def __init__(self, data: bytes, encoding: str, mark: int = 0, line: int = 1, column: int = 1) -> None:
        """`mark` is the length of the byte order mark that `data` begins with."""
        self.data, self.encoding, self.mark = data, encoding, mark
        self._line, self._column = line, column
        self._starts: list[int] = []
        self._last = (mark, 0)

    @classmethod
    def starting(cls, data: bytes) -> Text:
        """The text of a content that begins with `data`."""
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return cls(data, encoding, len(mark))
        return cls(data, _guess(data))

    def then(self, data: bytes, step: int) -> Text:
        """The next window of the same content, which begins `step` bytes after this one."""
        line, column = self.at(step)
        return Text(data, self.encoding, 0, line, column)

    def position(self, start: int, end: int) -> Position:
        """Where the byte span ``[start, end)`` stands."""
        return Position(*self.at(start), *self.at(end))

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at byte `offset`."""
        offset = max(offset, self.mark)
        if not self._starts:
            self._starts = [self.mark, *self._feeds()]
        row = bisect_right(self._starts, offset) - 1
        begin, counted = self._last
        if not self._starts[row] <= begin <= offset:
            begin, counted = self._starts[row], 0
        counted += len(decode(self.data[begin:offset], self.encoding))
        self._last = (offset, counted)
        return (self._line + row, counted + 1) if row else (self._line, self._column + counted)

    def _feeds(self) -> Iterator[int]:
        """The byte after each line feed."""
        width, feed = _WIDTHS[self.encoding], "\n".encode(self.encoding)
        place = self.data.find(feed, self.mark)
        while place >= 0:
            if (place - self.mark) % width:
                place = self.data.find(feed, place + 1)
                continue
            yield place + width
            place = self.data.find(feed, place + width)


def decode(data: bytes, encoding: str) -> str:
    """`data` as text; each byte that is no text becomes one replacement character."""
    if encoding == "utf-8":
        return data.decode("utf-8", "surrogateescape")
    return data.decode(encoding, "replace")


def _guess(data: bytes) -> str:
    """UTF-16 or UTF-32 without a mark: nearly all high bytes of the first characters are zero."""
    head = data[:512]
    if b"\0" not in head:
        return "utf-8"
    for encoding, width, low in (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1)):
        units = len(head) // width
        high = [head[place::width] for place in range(width) if place != low]
        if units and all(part.count(0) >= 0.9 * units for part in high) and head[low::width].count(0) <= 0.1 * units:
            return encoding
    return "utf-8"
