"""Read an iterator of chunks like a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from patscan.archives.limits import Problem

Chunk = bytes | memoryview
Read = Callable[[int], Chunk]
"""Gives at most so many bytes; none only at the end."""


class Reader:
    """The bytes of an iterator of chunks, up to its end or its first `Problem`."""

    def __init__(self, chunks: Iterable[Chunk | bytearray] = ()) -> None:
        self.problem: Problem | None = None
        """The problem that ended the chunks early."""
        self._chunks = iter(chunks)
        self._chunk = memoryview(b"")

    def parts(self, most: int) -> list[memoryview]:
        """All remaining chunks, together at most `most` bytes. They aren't copied."""
        parts: list[memoryview] = []
        while most > 0 and (part := self.piece(most)):
            parts.append(part)
            most -= len(part)
        return parts

    def take(self, least: int) -> Chunk:
        """The next chunk, joined with those after it up to `least` bytes; fewer bytes only at the end. A single chunk isn't copied."""
        if self.is_at_end():
            return b""
        chunk, self._chunk = self._chunk, memoryview(b"")
        if len(chunk) < least and not self.is_at_end():
            return b"".join((chunk, self.read(least - len(chunk))))
        source = chunk.obj
        return source if isinstance(source, bytes) and len(source) == len(chunk) else chunk

    def piece(self, most: int) -> memoryview:
        """See `Read`. The bytes aren't copied."""
        if not self._chunk:
            self._next()
        piece, self._chunk = self._chunk[:most], self._chunk[most:]
        return piece

    def is_at_end(self) -> bool:
        """Whether no bytes remain. It may expand the next chunk."""
        return not self._chunk and not self._next()

    def read(self, size: int) -> bytes:
        """The next bytes, fewer than `size` only at the end. A problem ends them too: those before it are still scanned."""
        return b"".join(self.parts(size))

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
