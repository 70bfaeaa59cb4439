"""Chunks that a thread makes while those before them are looked at: decompressors and hyperscan let go of the interpreter."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

_Chunk = TypeVar("_Chunk")
_WAITING = 4
"""Chunks that wait to be looked at."""


def ahead(chunks: Iterable[_Chunk]) -> Generator[_Chunk, None, None]:
    """`chunks`, and what they raise. Closing it ends the thread."""
    maker = _Maker(chunks)
    maker.start()
    try:
        yield from maker.chunks()
    finally:
        maker.close()


class _Maker(Thread, Generic[_Chunk]):
    def __init__(self, chunks: Iterable[_Chunk]) -> None:
        super().__init__(daemon=True)
        self._source = chunks
        self._made: Queue[_Chunk | None] = Queue(_WAITING)
        self._error: BaseException | None = None
        self._closed = Event()

    def run(self) -> None:
        try:
            for chunk in self._source:
                self._made.put(chunk)
                if self._closed.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the chunks are used
            self._error = error
        self._made.put(None)

    def chunks(self) -> Iterator[_Chunk]:
        while (chunk := self._made.get()) is not None:
            yield chunk
        if self._error:
            raise self._error

    def close(self) -> None:
        self._closed.set()
        while self.is_alive():
            try:
                self._made.get(timeout=0.01)
            except Empty:
                continue
        self.join()
