"""Decoded text, and where each of its bytes came from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple, Protocol


class Places(Protocol):
    """The place of each byte of a text."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> int: ...


class Mapped:
    """Places that are worked out when they are asked for: of a text of thousands of bytes, a token needs two."""

    def __init__(self, length: int, place: Callable[[int], int]) -> None:
        """`place` of each of `length` bytes."""
        self._length, self._place = length, place

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> int:
        return self._place(index + self._length if index < 0 else index)


class View(NamedTuple):
    """Decoded `text`, and an anchor's place in it. `starts` and `ends` map each byte back; empty: the content as it is.

    So a pattern is written once, and every span is reported where it stands in the file.
    """

    text: bytes
    at: int
    starts: Places = ()
    ends: Places = ()
    is_whole: bool = True
    """Whether all that is encoded there was decoded."""

    def moved(self, start: int, anchor: bytes, room: int) -> View | None:
        """This view for another anchor at byte `start`, `room` bytes before its end; ``None`` if it isn't there."""
        if not len(self.starts) or not self.starts[0] <= start <= self.starts[-1] - room:
            return None
        at = bisect_left(self.starts, start)
        # The first character of a base64 anchor may belong to the byte before, and a part of a form starts anywhere in the anchor.
        for place in range(at, at - len(anchor) - 1, -1):
            if place >= 0 and self.text.startswith(anchor, place):
                return self._replace(at=place)
        return None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open byte span in the content of the half-open span in `text`."""
        return (self.starts[start], self.ends[end - 1]) if len(self.starts) else (start, end)

    def through(self, outer: View) -> View:
        """This view, which was taken of the text of `outer`, mapped to the content that `outer` was taken of."""
        if not len(outer.starts):
            return self
        if not len(self.starts):
            return outer._replace(at=self.at)
        starts, ends, begins, closes = self.starts, self.ends, outer.starts, outer.ends
        return self._replace(
            starts=Mapped(len(starts), lambda byte: begins[starts[byte]]), ends=Mapped(len(ends), lambda byte: closes[ends[byte] - 1])
        )

    def shifted(self, by: int) -> View:
        """This view, taken of a part of a content that begins at byte `by`."""
        starts, ends = self.starts, self.ends
        if not by or not len(starts):
            return self
        return self._replace(
            starts=Mapped(len(starts), lambda byte: by + starts[byte]), ends=Mapped(len(ends), lambda byte: by + ends[byte])
        )
