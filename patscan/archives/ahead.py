"""Produce chunks in a thread while earlier chunks are scanned. Decompressors and hyperscan release the interpreter's lock."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

_Chunk = TypeVar("_Chunk")
_WAITING = 4
"""The most chunks that wait for the scan."""


def ahead(chunks: Iterable[_Chunk]) -> Generator[_Chunk, None, None]:
    """`chunks`, produced in a thread, with their exceptions. Closing the generator ends the thread."""
    producer = _Producer(chunks)
    producer.start()
    try:
        yield from producer.chunks()
    finally:
        producer.close()


class _Producer(Thread, Generic[_Chunk]):
    def __init__(self, chunks: Iterable[_Chunk]) -> None:
        super().__init__(daemon=True)
        self._source = chunks
        self._queue: Queue[_Chunk | None] = Queue(_WAITING)
        self._error: BaseException | None = None
        self._closed = Event()

    def run(self) -> None:
        try:
            for chunk in self._source:
                self._queue.put(chunk)
                if self._closed.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the chunks are used
            self._error = error
        self._queue.put(None)

    def chunks(self) -> Iterator[_Chunk]:
        while (chunk := self._queue.get()) is not None:
            yield chunk
        if self._error:
            raise self._error

    def close(self) -> None:
        self._closed.set()
        while self.is_alive():
            try:
                self._queue.get(timeout=0.01)
            except Empty:
                continue
        self.join()
