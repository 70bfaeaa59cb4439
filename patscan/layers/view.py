"""Decoded text, and where each of its bytes came from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class View(NamedTuple):
    """Decoded `text`, and an anchor's place in it. `starts` and `ends` map each byte back; empty: the content as it is.

    So a pattern is written once, and every span is reported where it stands in the file.
    """

    text: bytes
    at: int
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()

    def moved(self, start: int, anchor: bytes, room: int) -> View | None:
        """This view for another anchor at byte `start`, `room` bytes before its end; ``None`` if it isn't there."""
        if not self.starts or not self.starts[0] <= start <= self.starts[-1] - room:
            return None
        at = bisect_left(self.starts, start)
        # The first character of a base64 anchor may belong to the byte before.
        for place in (at, at - 1):
            if place >= 0 and self.text.startswith(anchor, place):
                return self._replace(at=place)
        return None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open byte span in the content of the half-open span in `text`."""
        return (self.starts[start], self.ends[end - 1]) if self.starts else (start, end)

    def through(self, outer: View) -> View:
        """This view, which was taken of the text of `outer`, mapped to the content that `outer` was taken of."""
        return self._replace(starts=[outer.starts[place] for place in self.starts], ends=[outer.ends[place - 1] for place in self.ends])
