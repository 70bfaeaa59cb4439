"""A gzip file that expands to itself, after the idea in R. Cox, "Zip Files All The Way Down" (2010).

Its deflate stream consists of blocks of five bytes each: one that prints the next 20 bytes and one that repeats the last 20. They print
themselves if the gzip header has 15 bytes, and what comes after them, too.
"""

from __future__ import annotations

import gzip
import zlib

PRINT = b"\x00" + (20).to_bytes(2, "little") + (0xFFFF - 20).to_bytes(2, "little")
"""The header of a stored block (RFC 1951, 3.2.4)."""
HEADER = b"\x1f\x8b\x08\x08" + bytes(5) + b"\xff" + b"self\0"
"""With a file's name (RFC 1952, 2.3.1)."""
END = b"\x01\x00\x00\xff\xff"
"""An empty stored block, the last one."""


def repeat() -> bytes:
    """A block with fixed codes that copies ten bytes twice, each from 20 bytes before (RFC 1951, 3.2.5 and 3.2.6)."""
    ten, twenty, end = "0001000", "01000" + "110", "0000000"
    bits = "010" + (ten + twenty) * 2 + end
    return bytes(int(bits[low : low + 8][::-1], 2) for low in range(0, 40, 8))


def quine() -> bytes:
    """The file, 120 bytes long."""
    size = len(_with(0))
    # A checksum is an affine function of the bits of its argument: solve x = f(x).
    zero = zlib.crc32(_with(0))
    columns = [zlib.crc32(_with(1 << bit)) ^ zero ^ 1 << bit for bit in range(32)]
    file = _with(_solved(columns, zero))
    assert len(file) == size
    assert gzip.decompress(file) == file
    return file


def _with(checksum: int) -> bytes:
    again = repeat()
    end = END + checksum.to_bytes(4, "little") + (120).to_bytes(4, "little") + b"\0\0"
    return (HEADER + PRINT) * 2 + (again + PRINT) * 4 + (again + end) * 2


def _solved(columns: list[int], value: int) -> int:
    """The x whose bits choose `columns` that add up to `value`, without carry."""
    basis: dict[int, tuple[int, int]] = {}
    for bit, column in enumerate(columns):
        rest, chosen = column, 1 << bit
        while rest and rest.bit_length() in basis:
            other, bits = basis[rest.bit_length()]
            rest, chosen = rest ^ other, chosen ^ bits
        if rest:
            basis[rest.bit_length()] = rest, chosen
    solution = 0
    while value:
        rest, chosen = basis[value.bit_length()]
        value, solution = value ^ rest, solution ^ chosen
    return solution
