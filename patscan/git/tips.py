"""The names of the files at the tips of refs, read from the trees, each distinct tree once.

A token contains no slash, so it lies within one entry of one tree. Thousands of refs share most of their trees: listing the files of
each ref would take longer than reading the whole history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from patscan.content import WINDOW, Failure, Key, Piece
from patscan.counts import counted
from patscan.git import child
from patscan.git.objects import Batch
from patscan.git.repository import Repository
from patscan.tuples import NamedTuple

TREE = "tree:\0"
"""The prefix of a key that is a tree's id and path, not a blob's id."""
_FOLDER = b"40000 "
"""The mode of an entry that is a tree, and the space after it."""
_FIRST = ("refs/heads/", "refs/tags/", "refs/remotes/")
_MOST = 1500
"""Tips whose trees are read. The branches and tags of git's repository take 0.2 s; with all pull requests it is 1 s."""
_LISTED = 10_000
"""Files of one tree that are listed. A small tree can hold billions, if it contains the same tree many times."""


class TipShard(NamedTuple):
    """All trees that some commits, tags or trees contain."""

    path: Path
    environment: Mapping[str, str]
    id_size: int
    ids: Sequence[str]

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        seen: set[str] = set()
        absent: list[str] = []
        level = dict.fromkeys((f"{name}^{{tree}}" for name in self.ids), b"")
        while level:
            below: dict[str, bytes] = {}
            for request, name, data in _trees(self, list(level)):
                if data is None:
                    absent.append(request)
                elif name not in seen:
                    seen.add(name)
                    prefix = level[request]
                    yield Piece(f"{TREE}{name}:{prefix.decode('utf-8', 'surrogateescape')}", "tree", 0, data)
                    for folder, inner in _folders(data, self.id_size):
                        below.setdefault(inner, prefix + folder + b"/")
            level = {name: prefix for name, prefix in below.items() if name not in seen}
        if lost := len(absent) - self._files_among(absent):
            failed.append(
                Failure(
                    str(self.path),
                    f"{counted(lost, 'tree')} at the tips of refs can't be read, so the names of their files weren't looked at.",
                )
            )

    def engines(self) -> tuple[str, ...]:
        """None: git reads everything."""
        return ()

    def name(self, key: Key) -> str:
        """`TREE`, the tree's id and its path."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> None:
        """None: a suspicious tree is read again, name by name."""

    def _files_among(self, names: Sequence[str]) -> int:
        """The number of blobs among these: a ref may point to a blob, and a file's name may look like a folder's entry."""
        asked = "".join(f"{name.removesuffix('^{tree}')}^{{}}\n" for name in names).encode()
        command = ("cat-file", "--batch-check=%(objecttype)")
        try:
            return child.run(command, self.path, self.environment, asked).split(b"\n").count(b"blob") if names else 0
        except child.GitError:
            return 0  # one of them is corrupt, and git reports nothing about the others


def tips(repository: Repository, head: str | None) -> tuple[list[str], int]:
    """The distinct tips whose trees are read, and the number of further tips. Raises `GitError`.

    HEAD, branches and tags come first. A mirror may also have a ref for each pull request.
    """
    listed = repository.git("for-each-ref", "--format=%(objectname) %(refname)").decode("utf-8", "replace").split("\n")[:-1]
    refs = sorted((line.partition(" ") for line in listed), key=lambda ref: not ref[2].startswith(_FIRST))
    ids = list(dict.fromkeys([*([head] if head else ()), *(name for name, _, _ in refs)]))
    return ids[:_MOST], max(len(ids) - _MOST, 0)


def names(repository: Repository, keys: Iterable[str]) -> Iterator[bytes]:
    """The paths of the entries of these trees, given by the keys of their pieces. A folder gets the path of one file in it."""
    for key in keys:
        tree, _, prefix = key.removeprefix(TREE).partition(":")
        first: dict[bytes, bytes] = {}
        for path in _listing(repository, "-r", tree):
            first.setdefault(path.split(b"/", 1)[0], path)
        for name in _listing(repository, "--full-tree", tree):
            yield prefix.encode("utf-8", "surrogateescape") + first.get(name, name)


def _listing(repository: Repository, option: str, tree: str) -> Iterator[bytes]:
    git = child.start(("ls-tree", "-z", "--name-only", "--full-tree", option, tree), repository.path, repository.environment)
    try:
        if git.stdout:
            yield from islice(_fields(git.stdout), _LISTED if option == "-r" else None)
    finally:
        git.kill()
        git.communicate()


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    left = b""
    while part := stream.read1(1 << 16):  # type: ignore[attr-defined] # a pipe is a BufferedReader
        *whole, left = (left + part).split(b"\0")
        yield from whole


def _trees(shard: TipShard, asked: Sequence[str]) -> Iterator[tuple[str, str, bytes | None]]:
    """Each name with the id and the content of its tree; the content is ``None`` if it isn't a tree or can't be read."""
    place = 0
    while place < len(asked):
        with Batch(shard, asked[place:]) as batch:
            for name in asked[place:]:
                place += 1
                answer = batch.answer()
                if len(answer) != 3 or not answer[2].isdigit():
                    yield name, "", None
                    if not answer:
                        break  # git ended at this object
                    continue
                size = int(answer[2])
                fits = answer[1] == b"tree" and size <= WINDOW
                data = batch.answers.read(size) if fits else _drained(batch.answers, size)
                batch.answers.read(1)
                yield name, answer[0].decode(), data if fits and len(data) == size else None


def _drained(stream: IO[bytes], size: int) -> bytes:
    while size > 0 and (part := stream.read(min(size, 1 << 20))):
        size -= len(part)
    return b""


def _folders(tree: bytes, id_size: int) -> Iterator[tuple[bytes, str]]:
    """The names and ids of the trees in a tree. A file is listed too if its name or id contains the mode of a tree."""
    place = tree.find(_FOLDER)
    while place >= 0:
        end = tree.find(b"\0", place)
        yield tree[place + len(_FOLDER) : end], tree[end + 1 : end + 1 + id_size].hex()
        place = tree.find(_FOLDER, place + 1)
