"""Compressed streams: gzip, zlib, raw deflate, bzip2, xz and zstd. One of the doors to isal, the only one to zstandard."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from patscan.archives.limits import Account, Broken, Problem
from patscan.archives.reader import Read

INPUT = 128 << 10
CHUNK = 1 << 20
_TOO_LARGE = ("Memory usage limit exceeded", "Frame requires too much memory")
"""The messages of the xz and zstd decoders when they need too much memory."""
_LEAST = 64
"""The least expanded bytes of a damaged zlib stream. With fewer, the bytes only look like a zlib header."""
_BITS = {"gzip": 31, "zlib": 15, "deflate": -15}
"""The ``wbits`` of zlib for these kinds."""
_LOOSE = re.compile(rb"(?:blob|commit|tag|tree) [0-9]{1,20}\0")
"""The header of git's loose objects."""


class Decompressor(Protocol):
    """The common interface of zlib, isal, bz2 and lzma."""

    @property
    def eof(self) -> bool:
        """Whether the stream is at its end."""

    @property
    def unused_data(self) -> bytes:
        """The bytes after the stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """The next expanded bytes, at most `max_length`."""


def expanded(kind: str, read: Read, account: Account) -> Iterator[bytes]:
    """The expanded bytes of a stream, and of further streams of its kind after it. Raises `Problem`."""
    if kind == "zstd":
        yield from _zstd(read, account)
        return
    new_decompressor, errors = decompressor(kind, account.limits.held)
    chunks = _inflated(kind, read, account, new_decompressor, errors)
    yield from _without_header(chunks) if kind == "zlib" else chunks


def decompressor(kind: str, memory: int) -> tuple[Callable[[], Decompressor], tuple[type[Exception], ...]]:
    """A factory of decompressors that need at most `memory` bytes, and the exceptions that they raise."""
    if kind == "bzip2":
        import bz2

        return bz2.BZ2Decompressor, (OSError, ValueError)
    if kind == "xz":
        import lzma

        return lambda: lzma.LZMADecompressor(memlimit=memory), (lzma.LZMAError,)
    bits = _BITS[kind]
    try:
        from isal import isal_zlib
    except ImportError:
        return lambda: zlib.decompressobj(bits), (zlib.error,)
    error: Any = isal_zlib.error  # its stub calls the class an instance
    return lambda: isal_zlib.decompressobj(bits), (error, zlib.error)


def crc(data: bytes | memoryview, value: int) -> int:
    """A running CRC-32."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.crc32(data, value)
    return int(isal_zlib.crc32(data, value))


def _inflated(
    kind: str, read: Read, account: Account, new_decompressor: Callable[[], Decompressor], errors: tuple[type[Exception], ...]
) -> Iterator[bytes]:
    """The expanded bytes of consecutive streams. Bytes after them that aren't a stream are ignored."""
    pending = read(INPUT)
    is_first = True
    caught: tuple[type[Exception], ...] = (Broken, *errors)
    while pending:
        stream = Flow(new_decompressor(), account)
        try:
            yield from stream.chunks(pending, read)
        except caught as error:
            if not stream.produced and kind in _BITS:
                yield from _salvaged(kind, pending)
            if stream.produced < _LEAST and (kind == "zlib" or not is_first):
                return
            raise _problem("" if isinstance(error, Broken) else str(error), account) from None
        if kind in {"zlib", "deflate"}:
            return
        is_first = False
        pending = (stream.rest or read(INPUT)).lstrip(b"\0")


def _problem(error: str, account: Account) -> Problem:
    """The problem with a stream, from a decompressor's message."""
    if any(sentence in error for sentence in _TOO_LARGE):
        return account.too_large()
    reason = f" ({error})" if error else ""
    return Broken(f"cut off or broken{reason}: what could be unpacked of it was looked at.")


def _salvaged(kind: str, data: bytes) -> Iterator[bytes]:
    """The expanded bytes before the error in a broken stream. A failing call discards its output, so smaller steps follow."""
    stream, step = zlib.decompressobj(_BITS[kind]), 4096
    while step:
        before = stream.copy()
        try:
            chunk = stream.decompress(data, step)
        except zlib.error:
            stream, step = before, step // 8
            continue
        if not chunk:
            return
        data = stream.unconsumed_tail
        yield chunk


class Flow:
    """One stream on its way through a decompressor."""

    def __init__(self, decompressor: Decompressor, account: Account) -> None:
        self.consumed = self.produced = 0
        self.rest = b""
        """Bytes that were read after the end of the stream."""
        self._decompressor, self._account = decompressor, account

    def chunks(self, pending: bytes, read: Read) -> Iterator[bytes]:
        """The expanded bytes of `pending` and of the input after it. Raises `Problem` and the decompressor's exceptions."""
        self.consumed += len(pending)
        while True:
            chunk = self._decompressor.decompress(pending, CHUNK)
            self.produced += len(chunk)
            self._account.expand(len(chunk), self._excess())
            if chunk:
                yield chunk
            if self._decompressor.eof:
                break
            pending = getattr(self._decompressor, "unconsumed_tail", b"")
            # bz2 and lzma keep unused input. They and zlib may have more output without new input.
            if not pending and len(chunk) < CHUNK and getattr(self._decompressor, "needs_input", True):
                pending = read(INPUT)
                self.consumed += len(pending)
                if not pending:
                    raise Broken("cut off")
        self._account.expanded(self._excess())
        self.rest = self._decompressor.unused_data

    def _excess(self) -> int:
        return self.produced - self.consumed * self._account.limits.ratio


def _without_header(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without the header of a loose object."""
    first = next(chunks, b"")
    header = _LOOSE.match(first)
    yield first[header.end() :] if header else first
    yield from chunks


class _Counting:
    """A file for zstandard that counts the bytes read."""

    def __init__(self, read: Read) -> None:
        self.consumed = 0
        self._read = read

    def read(self, size: int = -1) -> bytes:
        """Like the method of files."""
        data = self._read(size if size > 0 else INPUT)
        self.consumed += len(data)
        return data


def _zstd(read: Read, account: Account) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        raise Broken("not unpacked: zstd needs the Python package zstandard, which isn't installed. Install it.") from None
    source, produced = _Counting(read), 0
    file: Any = source  # zstandard only reads it
    stream = zstandard.ZstdDecompressor(max_window_size=account.limits.held).stream_reader(file, read_across_frames=True)
    try:
        while chunk := stream.read(CHUNK):
            produced += len(chunk)
            account.expand(len(chunk), produced - source.consumed * account.limits.ratio)
            yield chunk
    except zstandard.ZstdError as error:
        raise _problem(str(error), account) from None
    account.expanded(produced - source.consumed * account.limits.ratio)
