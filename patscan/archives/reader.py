"""Read an iterator of chunks like a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from patscan.archives.limits import Problem

Read = Callable[[int], bytes]
"""Takes a number of bytes, and returns fewer only at the end."""


class Reader:
    """The bytes of an iterator of chunks, up to its end or its first `Problem`."""

    def __init__(self, chunks: Iterable[bytes | memoryview] = ()) -> None:
        self.problem: Problem | None = None
        """The problem that ended the chunks early."""
        self._chunks = iter(chunks)
        self._chunk = memoryview(b"")

    def whole(self, most: int) -> bytes | bytearray:
        """All remaining bytes, at most `most`. A single chunk isn't copied."""
        if not self._chunk and not self._next():
            return b""
        chunk, self._chunk = self._chunk, memoryview(b"")
        source = chunk.obj
        if not self._next() and isinstance(source, bytes | bytearray) and len(source) == len(chunk) <= most:
            return source
        return b"".join((chunk[:most], self.read(max(most - len(chunk), 0))))

    def read(self, size: int) -> bytes:
        """See `Read`. A problem ends the bytes too: those before it are still scanned."""
        parts: list[bytes | memoryview] = []
        size_read = 0
        while size_read < size and (self._chunk or self._next()):
            part = self._chunk[: size - size_read]
            self._chunk = self._chunk[len(part) :]
            parts.append(part)
            size_read += len(part)
        return b"".join(parts)

    def drain(self) -> None:
        """Read and discard the remaining chunks."""
        while self._next():
            self._chunk = memoryview(b"")

    def hurry(self) -> None:
        """From now on, produce the chunks in a thread, ahead of their use."""
        from patscan.archives.ahead import ahead

        self._chunks = ahead(self._chunks)

    def _next(self) -> bool:
        """Go to the next chunk that isn't empty; return whether there is one."""
        try:
            for chunk in self._chunks:
                if chunk:
                    self._chunk = memoryview(chunk)
                    return True
        except Problem as problem:
            # The traceback refers to large buffers and would keep them alive.
            self.problem, problem.__context__ = problem.with_traceback(None), None
        self._chunks = iter(())
        return False
