"""Objects read through git: what is missing or corrupt is said by name, what lies hides nothing, and the ones after are read."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from patscan import content
from patscan.content import Failure
from patscan.git import objects
from patscan.git.objects import ObjectShard
from tests.git.crafted import BLOB, Crafted, object_id
from tests.repo import Repo

Answers = tuple[dict[str, bytes], dict[str, str]]


def read(repo: Repo, environment: Mapping[str, str], names: list[str]) -> Answers:
    """Contents and failures by id; nothing takes long."""
    failed: list[Failure] = []
    begun = time.monotonic()
    contents: dict[str, bytes] = {}
    for piece in ObjectShard(repo.path, environment, names).pieces(failed):
        contents[str(piece.key)] = contents.get(str(piece.key), b"")[: piece.offset] + bytes(piece.data)
    assert time.monotonic() - begun < 20
    for name, reason, _ in failed:
        assert reason.startswith(f"object {name}: ")
        assert reason.endswith(".")
    assert len({name for name, _, _ in failed}) == len(failed)
    return contents, {name: reason for name, reason, _ in failed}


def store(repo: Repo, text: bytes) -> str:
    return repo.line("hash-object", "-w", "--stdin", stdin=text)


def loose(repo: Repo, name: str) -> Path:
    return repo.path / ".git/objects" / name[:2] / name[2:]


def overwrite(repo: Repo, name: str, raw: bytes) -> None:
    loose(repo, name).parent.mkdir(exist_ok=True)
    loose(repo, name).unlink(missing_ok=True)
    loose(repo, name).write_bytes(raw)


def header(name: str, size: int, kind: str = "blob") -> bytes:
    return f"{name} {kind} {size}\n".encode()


def test_a_missing_object_is_reported_and_the_others_are_read(repo: Repo, environment: Mapping[str, str]) -> None:
    one, two = store(repo, b"one"), store(repo, b"two")
    contents, failed = read(repo, environment, [one, "12" * 20, two, "34" * 20])
    assert contents == {one: b"one", two: b"two"}
    assert failed == {name: f"object {name}: missing, or its first bytes are corrupt." for name in ("12" * 20, "34" * 20)}


CORRUPT = {
    "empty": b"",
    "no deflate": b"garbage",
    "no header": zlib.compress(b"x" * 5000),
    "an unknown kind": zlib.compress(b"blub 3\0abc"),
    "a negative size": zlib.compress(b"blob -3\0abc"),
    "a size that overflows": zlib.compress(b"blob 99999999999999999999999\0abc"),
    "a size of terabytes": zlib.compress(b"blob 99999999999999\0abc"),
    "too large a size": zlib.compress(b"blob 1000\0abc"),
    "too small a size": zlib.compress(b"blob 3\0abcdefgh"),
    "too small a size by far": zlib.compress(b"blob 3\0abc" + b"x" * 1_000_000),
    "too large a size of a commit": zlib.compress(b"commit 1000\0abc"),
    "too large a size of a tree": zlib.compress(b"tree 1000\0abc"),
    "another content": zlib.compress(b"blob 3\0abc"),
    "another kind": zlib.compress(b"commit 7\0corrupt"),
    "cut": zlib.compress(b"blob 100000\0" + random.Random(1).randbytes(100_000))[:50_000],
    "a flipped bit": bytes(
        byte ^ (16 * (place == 40_000)) for place, byte in enumerate(zlib.compress(b"blob 100000\0" + random.Random(1).randbytes(100_000)))
    ),
}


@pytest.mark.parametrize("corrupt", CORRUPT)
@pytest.mark.parametrize("place", ["first", "middle", "last", "alone"])
def test_a_corrupt_object_is_reported_and_the_others_are_read(corrupt: str, place: str, repo: Repo, environment: Mapping[str, str]) -> None:
    """git stops at some of these, and gives of others what they don't declare."""
    broken = object_id(BLOB, b"corrupt").hex()
    overwrite(repo, broken, CORRUPT[corrupt])
    healthy = {store(repo, text): text for text in (b"one", b"two", b"", b"x" * 100_000)}
    names = list(healthy)
    order = {"first": [broken, *names], "middle": [*names[:2], broken, *names[2:]], "last": [*names, broken], "alone": [broken]}[place]
    contents, failed = read(repo, environment, order)
    assert failed.keys() == {broken}
    assert {name: text for name, text in contents.items() if name != broken} == {name: healthy[name] for name in order if name != broken}


def test_what_git_still_gives_of_a_corrupt_object_is_looked_at(repo: Repo, environment: Mapping[str, str]) -> None:
    broken = object_id(BLOB, b"corrupt").hex()
    text = random.Random(1).randbytes(100_000)
    overwrite(repo, broken, zlib.compress(b"blob 100000\0" + text)[:50_000])
    contents, _ = read(repo, environment, [store(repo, b"one"), broken])
    assert len(contents[broken]) > 10_000
    assert text.startswith(contents[broken])


@pytest.mark.parametrize("pose", ["missing", "empty", "swallow", "tree", "no number"])
def test_an_object_that_poses_as_the_answers_after_it_hides_none(pose: str, repo: Repo, environment: Mapping[str, str]) -> None:
    """git prints whatever a loose object holds, so one that declares less can go on with forged answers for the next ones."""
    texts = [b"the first that would be hidden", b"the second", b"and the third"]
    names = [store(repo, text) for text in texts]
    answers = [header(name, len(text)) + text + b"\n" for name, text in zip(names, texts, strict=True)]
    start = b"posing"
    liar = object_id(BLOB, start).hex()
    forged = {
        "missing": f"{names[0]} missing\n".encode() + header(names[1], len(answers[0]) - 1)[:-1],
        "empty": header(names[0], 0) + b"\n" + header(names[1], len(answers[0]) - 1)[:-1],
        "swallow": header(names[0], len(b"\n" + answers[0] + answers[1]) - 1)[:-1],
        "tree": header(names[0], len(answers[0]) - 1, "tree")[:-1],
        "no number": f"{names[0]} blob 1x".encode(),
    }[pose]
    overwrite(repo, liar, zlib.compress(b"blob %d\0" % len(start) + start + b"\n" + forged))
    contents, failed = read(repo, environment, [liar, *names])
    assert {name for name, text in zip(names, texts, strict=True) if contents.get(name) != text} <= failed.keys()
    assert failed.keys() <= ({names[0]} if pose == "missing" else set())


@pytest.mark.parametrize("size", [600 << 20, 3 << 30, 1 << 40, (1 << 63) - 1])
def test_a_packed_object_that_declares_gigabytes_does_not_block(size: int, repo: Repo, environment: Mapping[str, str]) -> None:
    """git streams what is so large without a look at the size: whoever waits for the rest waits for ever."""
    pack = Crafted()
    broken = pack.whole(b"abc", size=size).hex()
    healthy = [pack.whole(b"%d" % number).hex() for number in range(5)]
    pack.write(repo.path)
    contents, failed = read(repo, environment, [healthy[0], broken, *healthy[1:]])
    assert failed.keys() == {broken}
    assert {name: contents[name] for name in healthy} == {name: b"%d" % number for number, name in enumerate(healthy)}


def test_trees_are_skipped(repo: Repo, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "b"})
    tree = repo.line("rev-parse", "HEAD^{tree}")
    contents, failed = read(repo, environment, [tree, commit])
    assert contents.keys() == {commit}
    assert failed == {}


def test_no_objects_need_no_git(repo: Repo) -> None:
    assert read(repo, {"PATH": ""}, []) == ({}, {})


def test_thousands_of_objects_are_read_by_few_gits(repo: Repo, environment: Mapping[str, str]) -> None:
    texts = [b"%d" % number for number in range(3000)]
    repo.git(
        "-c",
        "fastimport.unpackLimit=0",
        "fast-import",
        "--quiet",
        stdin=b"".join(b"blob\ndata %d\n%b\n" % (len(text), text) for text in texts),
    )
    names = [object_id(BLOB, text).hex() for text in texts]
    contents, failed = read(repo, environment, names)
    assert list(contents.values()) == texts
    assert failed == {}


def test_a_large_object_comes_in_pieces(repo: Repo, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "windows", partial(content.windows, window=1000, overlap=100))
    monkeypatch.setattr(objects, "WINDOW", 1000)
    text = random.Random(1).randbytes(2500)
    names = [store(repo, b"before"), store(repo, text), store(repo, b"behind")]
    pieces = list(ObjectShard(repo.path, environment, names).pieces([]))
    assert [(piece.offset, len(piece.data), piece.last) for piece in pieces] == [
        (0, 6, True),
        (0, 1000, False),
        (900, 1000, False),
        (1800, 700, True),
        (0, 6, True),
    ]
    assert all(piece.data == text[piece.offset : piece.offset + len(piece.data)] for piece in pieces[1:4])


def test_a_reader_that_stops_early_leaves_no_git_behind(repo: Repo, environment: Mapping[str, str]) -> None:
    """An unreaped child would be a ResourceWarning, which is an error here."""
    pieces = ObjectShard(repo.path, environment, [store(repo, b"one"), store(repo, b"two")]).pieces([])
    next(iter(pieces))
    del pieces
