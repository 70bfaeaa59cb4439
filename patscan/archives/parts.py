"""Buffers that follow each other, as one sequence of bytes. They aren't joined, because that would need their memory twice."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from patscan.archives.reader import Chunk

_NEAR, _FAR = 1 << 8, 1 << 20
"""The bytes in which `Parts.find` searches first, and at most at once."""


class Parts:
    """The bytes of some buffers."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._views: list[memoryview] = []
        self._begins: list[int] = []
        self._size = 0
        for chunk in chunks:
            self._views.append(memoryview(chunk))
            self._begins.append(self._size)
            self._size += len(chunk)

    def __len__(self) -> int:
        return self._size

    def read(self, low: int, high: int) -> bytes:
        """The bytes ``[low, high)``, fewer at the end."""
        number = bisect_right(self._begins, low) - 1
        begin = self._begins[number] if self._begins else 0
        near = self._views[number][low - begin : high - begin] if self._begins else b""
        # Nearly all bytes that are read lie in one buffer.
        return bytes(near) if len(near) == high - low else b"".join(self.views(low, high))

    def views(self, low: int, high: int) -> Iterator[memoryview]:
        """The same without copies."""
        number = bisect_right(self._begins, low) - 1
        while low < min(high, self._size):
            begin = self._begins[number]
            view = self._views[number][low - begin : high - begin]
            if view:
                yield view
            low += len(view)
            number += 1

    def find(self, needle: bytes, low: int, high: int) -> int:
        """The offset of the first `needle` in ``[low, high)``, or -1. It copies little if that is near."""
        step = _NEAR
        while low < high:
            at = self.read(low, min(low + step + len(needle) - 1, high)).find(needle)
            if at >= 0:
                return low + at
            low += step
            step = min(step * 4, _FAR)
        return -1
