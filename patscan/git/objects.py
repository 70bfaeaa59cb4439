"""Read objects through git: correct by definition, and the fallback for everything that `patscan.git.packs` doesn't read."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, Self

from patscan.content import WINDOW, Failure, Key, Piece, windows
from patscan.digests import object_hash
from patscan.git import child
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from patscan.model import Sighting

_SCANNED = (b"blob", b"commit", b"tag")
_BATCH = ("cat-file", "--batch")
_PIPE_BUFFER = 4096
"""Bytes that a pipe buffers on every system."""
_LONGEST_ANSWER = 200
"""The most bytes of the line before a content: an id, a kind and a size."""


class ObjectShard(NamedTuple):
    """Objects by id, read through ``git cat-file --batch``."""

    path: Path
    environment: Mapping[str, str]
    ids: Sequence[str]
    with_trees: bool = False
    """Whether trees are pieces, too."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`. An object that makes git fail, or whose content could pose as answers, is read alone."""
        place = 0
        while place < len(self.ids):
            place += yield from self._together(self.ids[place:], failed)
            if place < len(self.ids):
                yield from self._alone(self.ids[place], failed)
                place += 1

    def engines(self) -> tuple[str, ...]:
        """None: git reads everything."""
        return ()

    def name(self, key: Key) -> str:
        """A key is the object's id."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """See `patscan.git.signature.signed`."""
        from patscan.git.signature import signed

        return signed(piece, self.name, start)

    def _kinds(self) -> Sequence[bytes]:
        return (*_SCANNED, b"tree") if self.with_trees else _SCANNED

    def _together(self, names: Sequence[str], failed: list[Failure]) -> Generator[Piece, None, int]:
        """Read objects up to the first doubtful one, and return their number.

        git prints all bytes of a loose object, whatever size it declares. So a false size could make its bytes look like later answers.
        """
        with Batch(self, names) as batch:
            for number, name in enumerate(names):
                answer = batch.answer()
                if answer == [name.encode(), b"missing"]:
                    failed.append(Failure(name, f"object {name}: missing, or its first bytes are corrupt."))
                    continue
                size = _size(answer)
                if size is None or size > WINDOW:
                    return number
                content = _Content(batch, name, answer, self._kinds())
                pieces = list(content.pieces())
                if content.problem:
                    return number
                yield from pieces
        return len(names)

    def _alone(self, name: str, failed: list[Failure]) -> Iterator[Piece]:
        """Read one object, as far as git prints it."""
        with Batch(self, [name]) as batch:
            answer = batch.answer()
            if _size(answer) is None:
                failed.append(Failure(name, f"object {name}: corrupt, git can't read it."))
                return
            content = _Content(batch, name, answer, self._kinds())
            yield from content.pieces()
            if content.problem:
                failed.append(Failure(name, f"object {name}: {content.problem}."))


class Opened(Protocol):
    """A repository that `Batch` can read."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment for git."""


class Batch:
    """One ``git cat-file --batch`` and its input. Long input goes through a file: with two full pipes both sides would wait forever."""

    def __init__(self, shard: Opened, names: Sequence[str]) -> None:
        requests = "".join(f"{name}\n" for name in names).encode()
        self._git = self._start(shard, requests) if len(requests) <= _PIPE_BUFFER else self._start_with_file(shard, requests)
        self.answers = _pipe(self._git.stdout)
        self.size = 0
        """Bytes of all contents so far."""

    def _start(self, shard: Opened, requests: bytes) -> subprocess.Popen[bytes]:
        git = child.start(_BATCH, shard.path, shard.environment, stderr=subprocess.DEVNULL)
        if git.stdin:
            with suppress(BrokenPipeError), git.stdin:  # git has ended; its answers are empty
                git.stdin.write(requests)
        git.stdin = None
        return git

    def _start_with_file(self, shard: Opened, requests: bytes) -> subprocess.Popen[bytes]:
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.write(requests)
            file.seek(0)
            return child.start(_BATCH, shard.path, shard.environment, stderr=subprocess.DEVNULL, stdin=file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._git.kill()
        self._git.communicate()

    def answer(self) -> list[bytes]:
        """The words of the next line: id, kind and size, or id and problem; empty if git has ended."""
        return self.answers.readline(_LONGEST_ANSWER).split()


class _Content:
    """The content after an answer. `problem` is set once it was read."""

    def __init__(self, batch: Batch, name: str, answer: Sequence[bytes], kinds: Sequence[bytes]) -> None:
        """Contents of other `kinds` are read, but aren't pieces."""
        self.problem = ""
        self._is_piece = answer[1] in kinds
        self._answers, self._name, self._kind, self._left = batch.answers, name, answer[1], int(answer[2])
        batch.size += self._left
        self._digest = object_hash(len(name), batch.size)
        self._digest.update(b"%s %s\0" % (answer[1], answer[2]))

    def pieces(self) -> Iterator[Piece]:
        """Pieces of bounded size."""
        for offset, data, last in windows(self._take):
            if self._is_piece:
                yield Piece(self._name, self._kind.decode(), offset, data, last)
        if self._left:
            self.problem = "corrupt, git stops in the middle of it"
        elif self._answers.read(1) != b"\n":
            self.problem = "longer than the size it declares"
        elif self._digest.hexdigest() != self._name:
            self.problem = "its content doesn't match its id"

    def _take(self, wanted: int) -> bytes:
        data = self._answers.read(min(wanted, self._left))
        self._left -= len(data)
        self._digest.update(data)
        return data


def _size(answer: Sequence[bytes]) -> int | None:
    """The size of the content after an answer; ``None`` if there is none."""
    return int(answer[2]) if len(answer) == 3 and answer[2].isdigit() else None


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("started without a pipe")
    return pipe
