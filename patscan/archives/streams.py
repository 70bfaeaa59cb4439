"""Compressed streams: gzip, zlib, raw deflate, bzip2, xz and zstd. One of the doors to isal, the only one to zstandard."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, Protocol

from patscan.archives.limits import Account, Broken, Problem
from patscan.archives.reader import Chunk, Read

INPUT = 256 << 10
"""Compressed bytes for a decompressor. Fewer of its chunks are short with 256 KiB than with 128 KiB."""
CHUNK = 512 << 10
_SHORT = 64 << 10
"""The most bytes of a stream for `at_once`."""
_TOO_LARGE = ("Memory usage limit exceeded", "Frame requires too much memory")
"""The messages of the xz and zstd decoders when they need too much memory."""
_SALVAGED = 32 << 20
"""The most compressed bytes of a stream that are kept to expand them again after an error."""
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

    def decompress(self, data: Chunk, max_length: int, /) -> bytes:
        """The next expanded bytes, at most `max_length`."""


def expanded(kind: str, read: Read, account: Account) -> Iterator[bytes]:
    """The expanded bytes of a stream, and of further streams of its kind after it. Raises `Problem`."""
    if kind == "zstd":
        yield from _zstd(read, account)
        return
    new_decompressor, errors = decompressor(kind, account.limits.held)
    chunks = _inflated(kind, read, account, new_decompressor, errors)
    yield from _without_header(chunks) if kind == "zlib" else chunks


def at_once(kind: str, data: Chunk, account: Account) -> bytes | None:
    """The expanded bytes of a short stream by a single call; ``None`` if only `expanded` can read it. Raises `Problem`.

    Most members of a zip are short, and `expanded` takes several times as long for them.
    """
    if kind == "zstd" or len(data) > _SHORT:
        return None
    new_decompressor, errors = decompressor(kind, account.limits.held)
    stream = new_decompressor()
    try:
        plain = stream.decompress(data, CHUNK)
    except errors:
        return None
    if not stream.eof:
        return None
    excess = len(plain) - len(data) * account.limits.ratio
    account.expand(len(plain), excess)
    account.expanded(excess)
    return plain


def decompressor(kind: str, memory: int) -> tuple[Callable[[], Decompressor], tuple[type[Exception], ...]]:
    """A factory of decompressors that need at most `memory` bytes, and the exceptions that they raise."""
    if kind == "bzip2":
        import bz2

        return bz2.BZ2Decompressor, (OSError, ValueError)
    if kind == "xz":
        import lzma

        return lambda: lzma.LZMADecompressor(memlimit=memory), (lzma.LZMAError,)
    try:
        from isal import igzip_lib
    except ImportError:
        bits = _BITS[kind]
        return lambda: zlib.decompressobj(bits), (zlib.error,)
    # isal's imitation of zlib takes a tenth longer.
    flags = {"gzip": igzip_lib.DECOMP_GZIP, "zlib": igzip_lib.DECOMP_ZLIB, "deflate": igzip_lib.DECOMP_DEFLATE}
    error: Any = igzip_lib.IsalError  # its stub calls the class an instance
    return lambda: igzip_lib.IgzipDecompressor(flags[kind]), (error,)


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
            salvaged = b"" if isinstance(error, Broken) else _salvaged(stream, new_decompressor(), errors)
            account.expand(len(salvaged), 0)
            yield salvaged
            if stream.produced + len(salvaged) < _LEAST and (kind == "zlib" or not is_first):
                return
            raise _problem("" if isinstance(error, Broken) else str(error), account, bool(stream.inputs)) from None
        if kind in {"zlib", "deflate"}:
            return
        is_first = False
        pending = bytes(stream.rest or read(INPUT)).lstrip(b"\0")


def _problem(error: str, account: Account, is_salvaged: bool = True) -> Problem:
    """The problem with a stream, from a decompressor's message."""
    if any(sentence in error for sentence in _TOO_LARGE):
        return account.too_large()
    reason = f" ({error})" if error else ""
    lost = "" if is_salvaged else ", but not the last 512 KiB before the damage"
    return Broken(f"cut off or broken{reason}: what could be unpacked of it was looked at{lost}.")


def _salvaged(stream: Flow, decompressor: Decompressor, errors: tuple[type[Exception], ...]) -> bytes:
    """The expanded bytes that an error discarded: a failing call gives none. A new decompressor expands them byte by byte."""
    salvaged, passed = bytearray(), 0
    with suppress(*errors):
        for number, data in enumerate(stream.inputs, 1):
            # The last input comes byte by byte too, so that the last bytes don't come together with a wrong checksum.
            size = 1 if number == len(stream.inputs) else INPUT
            for low in range(0, len(data), size):
                for chunk in _steps(decompressor, data[low : low + size], stream.produced - passed):
                    salvaged += chunk if passed == stream.produced else b""
                    passed = min(passed + len(chunk), stream.produced)
    return bytes(salvaged)


def _steps(decompressor: Decompressor, data: Chunk, swiftly: int = sys.maxsize) -> Iterator[bytes]:
    """What `data` expands to, in chunks of at most `CHUNK` bytes; after `swiftly` bytes, byte by byte."""
    most = min(CHUNK, swiftly) or 1
    while chunk := decompressor.decompress(data, most):
        yield chunk
        swiftly -= min(len(chunk), swiftly)
        data = getattr(decompressor, "unconsumed_tail", b"")
        # bz2, lzma and isal keep unused input. They and zlib may have more output without new input.
        if decompressor.eof or not (data or len(chunk) == most or not getattr(decompressor, "needs_input", True)):
            return
        most = min(CHUNK, swiftly) or 1


class Flow:
    """One stream on its way through a decompressor."""

    def __init__(self, decompressor: Decompressor, account: Account) -> None:
        self.consumed = self.produced = 0
        self.rest = b""
        """Bytes that were read after the end of the stream."""
        self.inputs: list[Chunk] = []
        """What was read of it; nothing from `_SALVAGED` bytes on."""
        self._decompressor, self._account = decompressor, account

    def chunks(self, pending: Chunk, read: Read) -> Iterator[bytes]:
        """The expanded bytes of `pending` and of the input after it. Raises `Problem` and the decompressor's exceptions."""
        while pending:
            self.consumed += len(pending)
            self.inputs = [*self.inputs, pending] if self.consumed <= _SALVAGED else []
            for chunk in _steps(self._decompressor, pending):
                self.produced += len(chunk)
                self._account.expand(len(chunk), self._excess())
                yield chunk
            if self._decompressor.eof:
                self._account.expanded(self._excess())
                self.rest = self._decompressor.unused_data
                return
            pending = read(INPUT)
        raise Broken("cut off")

    def _excess(self) -> int:
        return self.produced - self.consumed * self._account.limits.ratio


def _without_header(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without the header of a loose object."""
    first = next(chunks, b"")
    header = _LOOSE.match(first)
    yield first[header.end() :] if header else first
    yield from chunks


class _Source:
    """A file for zstandard."""

    def __init__(self, read: Read) -> None:
        self.consumed = 0
        self.inputs: list[bytes] = []
        """See `Flow.inputs`."""
        self._read = read

    def read(self, size: int = -1) -> bytes:
        """Like the method of files."""
        data = bytes(self._read(size if size > 0 else INPUT))
        self.consumed += len(data)
        self.inputs = [*self.inputs, data] if self.consumed <= _SALVAGED else []
        return data

    def in_parts(self) -> _Source:
        """The same bytes again, the last ones one by one."""
        parts = chain(self.inputs[:-1], (bytes([byte]) for data in self.inputs[-1:] for byte in data))
        return _Source(lambda _: next(parts, b""))


def _zstd(read: Read, account: Account) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        raise Broken("not unpacked: zstd needs the Python package zstandard, which isn't installed. Install it.") from None

    def chunks(source: Any) -> Iterator[bytes]:  # zstandard only reads it
        stream = zstandard.ZstdDecompressor(max_window_size=account.limits.held).stream_reader(source, read_across_frames=True)
        return iter(partial(stream.read1, CHUNK), b"")

    source, produced = _Source(read), 0
    try:
        for chunk in chunks(source):
            produced += len(chunk)
            account.expand(len(chunk), produced - source.consumed * account.limits.ratio)
            yield chunk
    except zstandard.ZstdError as error:
        with suppress(zstandard.ZstdError):
            for chunk in chunks(source.in_parts()):
                yield chunk[produced:]
                produced = max(produced - len(chunk), 0)
        raise _problem(str(error), account, bool(source.inputs)) from None
    account.expanded(produced - source.consumed * account.limits.ratio)
