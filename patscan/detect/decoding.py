"""The text around hits behind layers. In a file that is encoded as a whole, one reading serves many hits."""

from __future__ import annotations

from collections.abc import Sequence

from patscan import layers
from patscan.detect.anchors import Hit
from patscan.layers import Reading
from patscan.model import Layer

_PARTS = 5_000
"""Parts of folded forms in one text that are read, which takes up to a millisecond each. Folded base64 of 200 MB has as many by chance."""


class Decoder:
    """Reads one text at its hits behind layers, and remembers the last readings."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._last: dict[tuple[Layer, ...], list[Reading]] = {}
        self._parts = 0

    @property
    def is_cut(self) -> bool:
        """Whether hits were left out because there were too many parts of folded forms."""
        return self._parts > _PARTS

    def readings(self, hit: Hit) -> Sequence[Reading]:
        """The text around `hit`, in each way that it can be read."""
        served = [moved for last in self._last.get(hit.layers, ()) if (moved := layers.serves(last, hit.start, hit.anchor))]
        if served:
            return served
        if layers.is_part(hit.layers):
            self._parts += 1
            if self.is_cut:
                return ()
        if fresh := list(layers.readings(self._data, hit.start, hit.layers, hit.anchor)):
            self._last[hit.layers] = fresh
        return fresh
