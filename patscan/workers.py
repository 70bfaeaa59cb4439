"""The first look's work, handed out over an executor: a bounded number of shards at a time, and none lost with a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Generic, TypeVar

from patscan.content import Shard, name_of
from patscan.gaps import Gaps

Result = TypeVar("Result")
Other = TypeVar("Other")

_IN_FLIGHT = 64
_DEADLY = (BrokenExecutor, MemoryError, OSError)
"""What a shard may do to its worker without it being a mistake of ours; a pattern that takes too long is an `OSError`, too."""


class Workers(Generic[Result]):
    """Any executor. What it dies of is tried once more, alone, in a fresh one."""

    def __init__(self, executor: Executor, pool: Callable[[], Executor | None], look: Callable[[Shard], Result], gaps: Gaps) -> None:
        """`pool` makes another executor like the first; `look` is what a worker does with a shard; `gaps` takes those that kill one."""
        self._gaps = gaps
        self._executor, self._pool, self._look = executor, pool, look
        self._dead: list[Shard] = []

    def run(self, shards: Iterator[Shard]) -> Iterator[Result]:
        """The result of every shard, in no order; what kills a worker twice becomes a skip."""
        flying: dict[Future[Result], Shard] = {}
        for shard in shards:
            try:
                flying[self._executor.submit(self._look, shard)] = shard
            except BrokenExecutor:
                self._dead.append(shard)
            if len(flying) >= _IN_FLIGHT:
                yield from self._land(flying)
        while flying:
            yield from self._land(flying)
        yield from self._retry()

    def each(self, task: Callable[..., Other], *over: Iterable[object]) -> Iterator[Other]:
        """`map`, in the workers; raises what a worker dies of."""
        return self._executor.map(task, *over)

    def close(self, wait: bool = True) -> None:
        """Let go of the processes; what they haven't begun isn't done, and what they have is waited for only with `wait`."""
        self._executor.shutdown(wait, cancel_futures=True)

    def _land(self, flying: dict[Future[Result], Shard]) -> Iterator[Result]:
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            shard = flying.pop(future)
            try:
                result = future.result()
            except _DEADLY:
                self._dead.append(shard)
            else:
                yield result

    def _retry(self) -> Iterator[Result]:
        """One by one, what a worker died of, or was lost with a worker that died of something else."""
        broken = bool(self._dead)
        while self._dead:
            shard = self._dead.pop()
            if broken:
                self._renew()
            try:
                yield self._executor.submit(self._look, shard).result()
                broken = False
            except _DEADLY as error:
                died = isinstance(error, BrokenExecutor)
                reason = "a worker died of it twice, perhaps out of memory." if died else f"{error or type(error).__name__}."
                self._gaps.skip(name_of(shard), reason)
                broken = True
        if broken:
            self._renew()

    def _renew(self) -> None:
        self._executor.shutdown()
        self._executor = self._pool() or self._executor
