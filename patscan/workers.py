"""Run the look in an executor: a limited number of shards at a time, and none is lost if a worker dies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Generic, TypeVar

from patscan.content import Shard, name_of
from patscan.gaps import Gaps

Result = TypeVar("Result")
Other = TypeVar("Other")

_AT_ONCE = 64
_DEADLY = (BrokenExecutor, MemoryError, OSError)
"""Errors that a shard may cause: a dead worker, no memory, an `OSError` (also for a pattern that takes too long)."""


class Workers(Generic[Result]):
    """Runs the look in any executor. A shard whose worker died is tried once more, alone, in a new executor."""

    def __init__(self, executor: Executor, pool: Callable[[], Executor | None], look: Callable[[Shard], Result], gaps: Gaps) -> None:
        """`pool` creates another executor. `look` is the work on a shard. `gaps` gets the shards that can't be looked at."""
        self._gaps = gaps
        self._executor, self._pool, self._look = executor, pool, look
        self._dead: list[Shard] = []

    def run(self, shards: Iterator[Shard]) -> Iterator[Result]:
        """The result of every shard, in any order. A shard that kills a worker twice becomes a skip."""
        running: dict[Future[Result], Shard] = {}
        for shard in shards:
            try:
                running[self._executor.submit(self._look, shard)] = shard
            except BrokenExecutor:
                self._dead.append(shard)
            if len(running) >= _AT_ONCE:
                yield from self._collect(running)
        while running:
            yield from self._collect(running)
        yield from self._retry()

    def each(self, task: Callable[..., Other], *over: Iterable[object]) -> Iterator[Other]:
        """`map`, in the workers. Raises `BrokenExecutor` if a worker dies."""
        return self._executor.map(task, *over)

    def close(self, wait: bool = True) -> None:
        """Shut down the executor and cancel pending shards. With `wait`, wait for running ones."""
        self._executor.shutdown(wait, cancel_futures=True)

    def _collect(self, running: dict[Future[Result], Shard]) -> Iterator[Result]:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            shard = running.pop(future)
            try:
                result = future.result()
            except _DEADLY:
                self._dead.append(shard)
            else:
                yield result

    def _retry(self) -> Iterator[Result]:
        """Retry, one by one, the shards whose workers died, because of them or of another shard."""
        broken = bool(self._dead)
        while self._dead:
            shard = self._dead.pop()
            if broken:
                self._replace_executor()
            try:
                yield self._executor.submit(self._look, shard).result()
                broken = False
            except _DEADLY as error:
                worker_died = isinstance(error, BrokenExecutor)
                reason = "a worker process died twice on it, perhaps out of memory." if worker_died else f"{error or type(error).__name__}."
                self._gaps.skip(name_of(shard), reason)
                broken = True
        if broken:
            self._replace_executor()

    def _replace_executor(self) -> None:
        self._executor.shutdown()
        self._executor = self._pool() or self._executor
