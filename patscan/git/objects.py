"""Objects as git itself reads them: right by definition, and the plain way for whatever `patscan.git.packs` doesn't take."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, Self

from patscan.content import WINDOW, Failure, Key, Piece, windows
from patscan.git import child

if TYPE_CHECKING:
    from patscan.model import Sighting

_SCANNED = (b"blob", b"commit", b"tag")
_BATCH = ("cat-file", "--batch")
_HELD_BY_A_PIPE = 4096
"""Bytes that a pipe takes on every system while nobody reads them."""
_LONGEST_ANSWER = 200
"""Bytes of the line before a content: an id, a kind and a size."""


class ObjectShard(NamedTuple):
    """Objects by id, read through ``git cat-file --batch``; trees are passed over."""

    path: Path
    environment: Mapping[str, str]
    ids: Sequence[str]

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`. An object that git dies of, or that others' answers may hide in, is asked for alone."""
        place = 0
        while place < len(self.ids):
            place += yield from self._together(self.ids[place:], failed)
            if place < len(self.ids):
                yield from self._alone(self.ids[place], failed)
                place += 1

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()

    def name(self, key: Key) -> str:
        """A key is the object's id."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> Sighting | None:
        """See `patscan.git.signature.signed`."""
        from patscan.git.signature import signed

        return signed(piece, self.name, start)

    def _together(self, names: Sequence[str], failed: list[Failure]) -> Generator[Piece, None, int]:
        """Objects one after the other, up to the first in doubt; returns how many.

        git gives what a loose object holds, whatever size it declares; so one that lies could pose as the answers after it.
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
                content = _Content(batch, name, answer)
                pieces = list(content.pieces())
                if content.problem:
                    return number
                yield from pieces
        return len(names)

    def _alone(self, name: str, failed: list[Failure]) -> Iterator[Piece]:
        """One object, and as much of it as git gives."""
        with Batch(self, [name]) as batch:
            answer = batch.answer()
            if _size(answer) is None:
                failed.append(Failure(name, f"object {name}: corrupt, git stops at it."))
                return
            content = _Content(batch, name, answer)
            yield from content.pieces()
            if content.problem:
                failed.append(Failure(name, f"object {name}: {content.problem}."))


class Asking(Protocol):
    """Which repository is asked."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What git may see of ours."""


class Batch:
    """One ``git cat-file --batch`` and its questions: many in a file, for whoever waits at both ends of two pipes may wait forever."""

    def __init__(self, shard: Asking, names: Sequence[str]) -> None:
        questions = "".join(f"{name}\n" for name in names).encode()
        self._git = self._asked(shard, questions) if len(questions) <= _HELD_BY_A_PIPE else self._asked_by_file(shard, questions)
        self.answers = _pipe(self._git.stdout)

    def _asked(self, shard: Asking, questions: bytes) -> subprocess.Popen[bytes]:
        git = child.start(_BATCH, shard.path, shard.environment, stderr=subprocess.DEVNULL)
        if git.stdin:
            with suppress(BrokenPipeError), git.stdin:  # it is gone, and says nothing
                git.stdin.write(questions)
        git.stdin = None
        return git

    def _asked_by_file(self, shard: Asking, questions: bytes) -> subprocess.Popen[bytes]:
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.write(questions)
            file.seek(0)
            return child.start(_BATCH, shard.path, shard.environment, stderr=subprocess.DEVNULL, stdin=file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._git.kill()
        self._git.communicate()

    def answer(self) -> list[bytes]:
        """The next line, in words: id, kind and size, or id and what is wrong; none if git is gone."""
        return self.answers.readline(_LONGEST_ANSWER).split()


class _Content:
    """The content that follows an answer; `problem` says what is wrong with it, once it was read."""

    def __init__(self, batch: Batch, name: str, answer: Sequence[bytes]) -> None:
        self.problem = ""
        self._answers, self._name, self._kind, self._left = batch.answers, name, answer[1], int(answer[2])
        self._digest = hashlib.new("sha256" if len(name) == 64 else "sha1", b"%s %s\0" % (answer[1], answer[2]), usedforsecurity=False)

    def pieces(self) -> Iterator[Piece]:
        """Pieces of bounded size."""
        for offset, data, last in windows(self._take):
            if self._kind in _SCANNED:
                yield Piece(self._name, self._kind.decode(), offset, data, last)
        if self._left:
            self.problem = "corrupt, git stops in the middle of it"
        elif self._answers.read(1) != b"\n":
            self.problem = "longer than the size it declares"
        elif self._digest.hexdigest() != self._name:
            self.problem = "its content isn't what its id says"

    def _take(self, wanted: int) -> bytes:
        data = self._answers.read(min(wanted, self._left))
        self._left -= len(data)
        self._digest.update(data)
        return data


def _size(answer: Sequence[bytes]) -> int | None:
    """The size of the content that follows an answer; ``None`` if none does."""
    return int(answer[2]) if len(answer) == 3 and answer[2].isdigit() else None


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("started without a pipe")
    return pipe
