"""What isn't read of a text, or of a compressed stream behind layers, is a note."""

from __future__ import annotations

import base64
import gzip
import random
from collections.abc import Callable

import pytest

from tests.archives.packing import zipped
from tests.archives.test_commands import written
from tests.repo import Repo
from tests.tokens import classic


def streamed(data: bytes, depth: int = 1) -> bytes:
    for _ in range(depth):
        data = base64.b64encode(gzip.compress(data))
    return data


def split(token: str) -> str:
    return f'"{token[:12]}" + "{token[12:]}"\n'


NOISE = random.Random(1).randbytes(7 << 19)
CUT: dict[str, tuple[Callable[[str], bytes], str]] = {
    "too long": (lambda token: streamed(NOISE + token.encode()), "longer than 4 MiB"),
    "expands too far": (lambda token: streamed(bytes(9 << 20) + token.encode()), "expands to more than 8 MiB"),
    "cut off": (lambda token: streamed(NOISE[:5000].hex().encode() + token.encode())[:-400], "cut off"),
    "too many anchors": (lambda token: streamed(b"glpat-x " * 10_001 + token.encode()), "more than 10,000 beginnings"),
    "too deep": (lambda token: streamed(token.encode(), 4), "lies in 3 others"),
    "too many breaks": (
        lambda token: "".join(split(classic(random.Random(number))) for number in range(600)).encode() + split(token).encode(),
        "only the first ones were read across",
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_what_is_cut_off_is_a_note(repo: Repo, rng: random.Random, name: str) -> None:
    make, reason = CUT[name]
    repo.write("a.txt", make(classic(rng)))
    repo.write("b.zip", zipped(make(classic(rng))))
    repo.git("add", "--all")
    for command in ("scan", "hook"):
        code, report = written(repo, command)
        assert code in {0, 1}
        assert {note["where"] for note in report["coverage"]["notes"] if reason in note["reason"]} == {"a.txt", "b.zip!/etc/app.env"}


def test_a_text_of_many_mentions_is_read_across_its_breaks(repo: Repo, rng: random.Random) -> None:
    repo.write("a.txt", "a mention of glpat- stands here, and " * 5000 + "\n" + split(classic(rng)))
    repo.write("b.txt", streamed(b"x\n" * 1_500_000 + classic(rng).encode()))
    code, report = written(repo, "scan")
    assert (code, len(report["findings"])) == (1, 2)
    assert not report["coverage"]["notes"]
