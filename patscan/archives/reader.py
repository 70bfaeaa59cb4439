"""Chunks of bytes, read in any portions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from patscan.archives.limits import Problem

Read = Callable[[int], bytes]
"""Takes a number of bytes and returns fewer only at the end."""


class Reader:
    """What an iterator of chunks gives, up to the problem that ends it."""

    def __init__(self, chunks: Iterable[bytes | memoryview] = ()) -> None:
        self.problem: Problem | None = None
        """What ended it before its end."""
        self._chunks = iter(chunks)
        self._chunk = memoryview(b"")

    def whole(self, most: int) -> bytes | bytearray:
        """All of it, at most `most` bytes. What came in one chunk isn't copied."""
        if not self._chunk and not self._next():
            return b""
        chunk, self._chunk = self._chunk, memoryview(b"")
        source = chunk.obj
        if not self._next() and isinstance(source, bytes | bytearray) and len(source) == len(chunk) <= most:
            return source
        return b"".join((chunk[:most], self.read(max(most - len(chunk), 0))))

    def read(self, size: int) -> bytes:
        """See `Read`. A problem ends it, too: what came before it is worth a look."""
        parts: list[bytes | memoryview] = []
        have = 0
        while have < size and (self._chunk or self._next()):
            part = self._chunk[: size - have]
            self._chunk = self._chunk[len(part) :]
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    def drain(self) -> None:
        """Read what is left, and forget it."""
        while self._next():
            self._chunk = memoryview(b"")

    def hurry(self) -> None:
        """From here on, a thread makes the chunks ahead of their use."""
        from patscan.archives.ahead import ahead

        self._chunks = ahead(self._chunks)

    def _next(self) -> bool:
        """Go to the next chunk that has bytes."""
        try:
            for chunk in self._chunks:
                if chunk:
                    self._chunk = memoryview(chunk)
                    return True
        except Problem as problem:
            # What its traceback refers to is much, and would live as long as it does.
            self.problem, problem.__context__ = problem.with_traceback(None), None
        self._chunks = iter(())
        return False
