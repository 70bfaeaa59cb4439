"""Produce chunks in a thread while earlier chunks are scanned. Decompressors and hyperscan release the interpreter's lock."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from queue import SimpleQueue
from threading import Thread
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
    """Puts chunks into one queue, one for each permit that it gets from the other. `SimpleQueue` needs no Python code to wait."""

    def __init__(self, chunks: Iterable[_Chunk]) -> None:
        super().__init__(daemon=True)
        self._source = chunks
        self._produced: SimpleQueue[_Chunk | None] = SimpleQueue()
        self._permits: SimpleQueue[bool] = SimpleQueue()
        self._error: BaseException | None = None
        for _ in range(_WAITING):
            self._permits.put(True)

    def run(self) -> None:
        try:
            for chunk in self._source:
                self._produced.put(chunk)
                if not self._permits.get():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the chunks are used
            self._error = error
        self._produced.put(None)

    def chunks(self) -> Iterator[_Chunk]:
        while (chunk := self._produced.get()) is not None:
            self._permits.put(True)
            yield chunk
        if self._error:
            raise self._error

    def close(self) -> None:
        """End the thread after the chunk that it is at."""
        self._permits.put(False)
        self.join()
