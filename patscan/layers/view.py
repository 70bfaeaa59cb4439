"""Decoded text, with the place of each byte in the content."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol

from patscan.tuples import NamedTuple


class Places(Protocol):
    """The place in a content of each byte of a text."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> int: ...


class Mapped:
    """Places that are computed when they are used: a text has thousands of bytes, and a token needs two places."""

    def __init__(self, length: int, place: Callable[[int], int]) -> None:
        """`place` gives the place of each of `length` bytes."""
        self._length, self._place = length, place

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> int:
        return self._place(index + self._length if index < 0 else index)


class View(NamedTuple):
    """Decoded `text`, with an anchor at byte `at`. `starts` and `ends` map each byte to the content; they are empty for the content itself.

    So rules have one pattern for all layers, and a report has the span in the file.
    """

    text: bytes
    at: int
    starts: Places = ()
    ends: Places = ()
    is_whole: bool = True
    """Whether the encoded text was decoded to its end."""

    def moved(self, start: int, anchor: bytes, room: int) -> View | None:
        """This view for `anchor` at byte `start` of the content; ``None`` if it isn't there, or less than `room` bytes follow."""
        if not len(self.starts) or not self.starts[0] <= start <= self.starts[-1] - room:
            return None
        at = bisect_left(self.starts, start)
        # In base64, the first character may belong to the byte before. A part of a form may begin at any byte of the anchor.
        for place in range(at, at - len(anchor) - 1, -1):
            if place >= 0 and self.text.startswith(anchor, place):
                return self._replace(at=place)
        return None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open byte span in the content of the half-open span in `text`."""
        return (self.starts[start], self.ends[end - 1]) if len(self.starts) else (start, end)

    def through(self, outer: View) -> View:
        """This view of the text of `outer`, mapped to the content of `outer`."""
        if not len(outer.starts):
            return self
        if not len(self.starts):
            return outer._replace(at=self.at)
        starts, ends, begins, closes = self.starts, self.ends, outer.starts, outer.ends
        return self._replace(
            starts=Mapped(len(starts), lambda byte: begins[starts[byte]]), ends=Mapped(len(ends), lambda byte: closes[ends[byte] - 1])
        )

    def shifted(self, by: int) -> View:
        """This view of a part of a content, mapped to the content. The part begins at byte `by`."""
        starts, ends = self.starts, self.ends
        if not by or not len(starts):
            return self
        return self._replace(
            starts=Mapped(len(starts), lambda byte: by + starts[byte]), ends=Mapped(len(ends), lambda byte: by + ends[byte])
        )
