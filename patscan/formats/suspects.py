"""Finds which tokens may be in which strings of a large report, so that only those are searched.

Each form of a token is looked up by its last eight bytes, for the first ones may be a prefix that all tokens share. NumPy looks up all
strings at once.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from patscan.formats.forms import literals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from patscan.model import Finding

    Numbers = npt.NDArray[np.int64]
    Grams = npt.NDArray[np.uint64]

_GRAM = 8
_BITS = 22
"""Binary digits of a gram's hash: a table of 4 MiB. With 140,000 forms, one string's gram in 30 has the hash of a form."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""Knuth's multiplicative hash: 2**64 divided by the golden ratio (The Art of Computer Programming, section 6.4)."""
_WINDOW = 1 << 18
"""Bytes looked up at once. They stay in the processor's cache."""
_NOWHERE: tuple[Numbers, Grams] = np.empty(0, np.int64), np.empty(0, np.uint64)


def suspects(findings: Sequence[Finding], texts: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """Those of `findings` with a form that is in one of `texts`, and those texts. There may be a few more of both."""
    grams, owners = _grams(findings)
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    places, seen = _places(b"\n".join(encoded), np.sort(grams)) if len(grams) else _NOWHERE
    starts = np.cumsum([0, *[len(text) + 1 for text in encoded]])
    whose = np.unique(owners[np.isin(grams, seen)])
    where = np.unique(np.searchsorted(starts, places, "right") - 1)
    return [findings[number] for number in whose], [texts[number] for number in where]


def _grams(findings: Sequence[Finding]) -> tuple[Grams, Numbers]:
    """The last bytes of every form of `findings`, each with the number of its finding."""
    ends, numbers = bytearray(), array("q")
    for number, finding in enumerate(findings):
        for literal in literals(finding):
            # Bytes that are no text are encoded as in a report's strings.
            form = literal if literal.isascii() else literal.decode("utf-8", "surrogateescape").encode("utf-8", "surrogatepass")
            if len(form) >= _GRAM:
                ends += form[-_GRAM:]
                numbers.append(number)
    return np.frombuffer(ends, "<u8"), np.frombuffer(numbers, np.int64)


def _places(data: bytes, grams: Grams) -> tuple[Numbers, Grams]:
    """The places in `data` with one of `grams`, which are sorted, and the grams there."""
    table = np.zeros(1 << _BITS, bool)
    table[_hashes(grams)] = True
    places, seen = ([nothing] for nothing in _NOWHERE)
    for begin, window in _windows(data):
        near = np.flatnonzero(table.take(_hashes(window)))
        places.append(near + begin)
        seen.append(window[near])
    every = np.concatenate(seen)
    same = grams[np.searchsorted(grams[:-1], every)] == every
    return np.concatenate(places)[same], every[same]


def _windows(data: bytes) -> Iterator[tuple[int, Grams]]:
    """All grams in `data`, window by window."""
    for begin in range(0, len(data) - _GRAM + 1, _WINDOW):
        size = min(_WINDOW, len(data) - _GRAM + 1 - begin)
        yield begin, np.ndarray((size,), "<u8", data, begin, (1,))


def _hashes(grams: Grams) -> Numbers:
    # A conversion of unsigned indexes takes as long as all the rest.
    return ((grams * _FACTOR) >> np.uint64(64 - _BITS)).view(np.int64)
