"""Lines and columns of byte spans: 1-based, in characters, as an editor shows them.

A line ends with a line feed. The encoding is UTF-8 unless the bytes look like UTF-16 or UTF-32. An invalid byte is one character.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from typing import Any

from patscan.model import Position

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_SHORT = 1 << 12
"""Bytes from which numpy counts line feeds ten times as fast as `bytes.count`. Fewer don't use it even if it is imported."""
_MUCH = 64 << 20
"""Bytes in which `bytes.count` takes longer than the import of numpy."""
_counted = 0
_WIDTHS = {"utf-32-le": 4, "utf-32-be": 4, "utf-16-le": 2, "utf-16-be": 2, "utf-8": 1}

Begin = Callable[[], tuple[int, int]]
"""Returns the line and the column of a window's first character."""


class Text:
    """A part of a content, its encoding, and the line and column of its first character, both from 1.

    Line feeds are counted from the last position on, so positions in order take one pass over the bytes.
    """

    def __init__(self, data: bytes, encoding: str, mark: int = 0, line: int = 1, column: int = 1, begin: Begin | None = None) -> None:
        """`mark` is the length of the byte order mark that `data` begins with. `begin` gives `line` and `column` if they are needed."""
        self.data, self.encoding, self.mark = data, encoding, mark
        self._first = self._last = (mark, line, column)
        self._begin = begin

    @classmethod
    def starting(cls, data: bytes) -> Text:
        """The first part of a content."""
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return cls(data, encoding, len(mark))
        return cls(data, _guess(data))

    def later(self, data: bytes, begin: Begin) -> Text:
        """A later window of the same content. `begin` is called when a position in it is needed."""
        return Text(data, self.encoding, begin=begin)

    @property
    def is_placed(self) -> bool:
        """Whether its first line is known."""
        return self._begin is None

    def then(self, data: bytes, step: int) -> Text:
        """The next part of the same content, which begins `step` bytes after this one."""
        line, column = self.at(step)
        return Text(data, self.encoding, 0, line, column)

    def position(self, start: int, end: int) -> Position:
        """The position of the bytes ``[start, end)``."""
        line, column = self.at(start)
        span = decode(self.data[start:end], self.encoding)
        return Position(line, column, *(self.at(end) if "\n" in span else (line, column + len(span))))

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at byte `offset`."""
        self._place()
        place, line, column = self._last if self._last[0] <= offset else self._first
        offset = max(offset, place)
        feeds = self._feeds(place, offset)
        if feeds:
            line, column, place = line + feeds, 1, self._line_start(place, offset)
        column += len(decode(self.data[place:offset], self.encoding))
        self._last = (offset, line, column)
        return line, column

    def line(self, offset: int) -> int:
        """The line of the character at byte `offset`. This is fast near the last position."""
        self._place()
        place, line, _ = self._last
        return line - self._feeds(offset, place) if offset < place else line + self._feeds(place, offset)

    def _place(self) -> None:
        if self._begin:
            self._first = self._last = (0, *self._begin())
            self._begin = None

    def _feeds(self, low: int, high: int) -> int:
        if self.encoding == "utf-8":
            return _count_feeds(self.data, low, high)
        return decode(self.data[low:high], self.encoding).count("\n")

    def _line_start(self, low: int, high: int) -> int:
        """The byte after the last line feed in ``[low, high)``. There must be one."""
        feed, width = "\n".encode(self.encoding), _WIDTHS[self.encoding]
        place = self.data.rfind(feed, low, high)
        while (place - self.mark) % width:
            place = self.data.rfind(feed, low, place + width - 1)
        return place + width


def _count_feeds(data: bytes, low: int, high: int) -> int:
    global _counted  # noqa: PLW0603 - the import of numpy pays only after many bytes
    np: Any = sys.modules.get("numpy") if high - low > _SHORT else None
    if np is None:
        _counted += high - low
        if _counted < _MUCH:
            return data.count(b"\n", low, high)
        import numpy as np
    return int(np.count_nonzero(np.frombuffer(data, np.uint8, high - low, low) == 0x0A))


def decode(data: bytes, encoding: str) -> str:
    """`data` as text. Each invalid byte becomes one character."""
    if encoding == "utf-8":
        return data.decode("utf-8", "surrogateescape")
    return data.decode(encoding, "replace")


def _guess(data: bytes) -> str:
    """The encoding of `data` without a byte order mark. In UTF-16 and UTF-32 nearly all high bytes of characters are zero."""
    head = data[:512]
    if b"\0" not in head:
        return "utf-8"
    for encoding, width, low in (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1)):
        units = len(head) // width
        high = [head[place::width] for place in range(width) if place != low]
        if units and all(part.count(0) >= 0.9 * units for part in high) and head[low::width].count(0) <= 0.1 * units:
            return encoding
    return "utf-8"
