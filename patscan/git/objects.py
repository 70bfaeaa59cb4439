"""Objects as git itself reads them: right by definition, and the plain way for whatever `patscan.git.packs` doesn't take."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from patscan.content import Key, Piece, windows
from patscan.git import child

_SCANNED = (b"blob", b"commit", b"tag")
_ASKED_AT_ONCE = 256
"""Ids written before answers are read: 16 KiB, which a pipe takes without anybody reading."""


class ObjectShard(NamedTuple):
    """Objects by id, read through one ``git cat-file --batch``; trees are passed over."""

    path: Path
    environment: Mapping[str, str]
    ids: Sequence[str]

    def pieces(self, failed: list[tuple[Key, str]]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`. git dies of a corrupt object; the ones after it are asked for anew."""
        waiting = list(self.ids)
        while waiting:
            batch = _Batch(self.path, self.environment)
            try:
                yield from batch.read(waiting, failed)
            finally:
                batch.close()
            waiting = waiting[batch.answered :]

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()


class _Batch:
    """One ``git cat-file --batch``, alive until it meets an object it dies of."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.answered = 0
        self._git = child.start(("cat-file", "--batch"), path, environment, stderr=subprocess.DEVNULL)

    def read(self, ids: Sequence[str], failed: list[tuple[Key, str]]) -> Iterator[Piece]:
        for first in range(0, len(ids), _ASKED_AT_ONCE):
            names = ids[first : first + _ASKED_AT_ONCE]
            self._ask(names)
            for name in names:
                self.answered += 1
                answer = _pipe(self._git.stdout).readline().split()
                if len(answer) != 3:
                    failed.append((name, f"object {name}: {answer[-1].decode() if answer else 'corrupt, git stops at it'}."))
                elif (yield from self._content(name, answer[1], int(answer[2]))):
                    continue
                else:
                    failed.append((name, f"object {name}: corrupt, git stops in the middle of it."))
                    return
                if not answer:
                    return

    def _ask(self, names: Sequence[str]) -> None:
        # A git that died is noticed when its answer is missing.
        with suppress(BrokenPipeError):
            _pipe(self._git.stdin).write("".join(f"{name}\n" for name in names).encode())
            _pipe(self._git.stdin).flush()

    def _content(self, name: str, kind: bytes, size: int) -> Generator[Piece, None, bool]:
        """The object's pieces; returns whether git delivered all of it."""
        left = size
        stdout = _pipe(self._git.stdout)

        def take(wanted: int) -> bytes:
            nonlocal left
            data = stdout.read(min(wanted, left))
            left -= len(data)
            return data

        for offset, data, last in windows(take):
            if left and last:
                return False
            if kind in _SCANNED:
                yield Piece(name, kind.decode(), offset, data, last)
        stdout.read(1)
        return True

    def close(self) -> None:
        self._git.kill()
        self._git.communicate()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("started without a pipe")
    return pipe
