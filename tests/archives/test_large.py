"""Members and files of several windows."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from patscan.archives.ahead import ahead
from patscan.archives.limits import Broken
from tests.archives.packing import NAME, tarred, zipped
from tests.cli.hooked import patscan
from tests.tokens import classic

LINES = 300_000
PLAIN = b"a line\n" * LINES


@pytest.mark.parametrize("name", ["a.gz", "b.zip", "c.txt"])
def test_lines_count_from_the_first_window_on(tmp_path: Path, rng: random.Random, name: str) -> None:
    data = PLAIN + f"x {classic(rng)}\n".encode() + PLAIN * 8 + f"y {classic(rng)}\n".encode()
    pack = {"a.gz": gzip.compress, "b.zip": zipped, "c.txt": lambda data: data}[name]
    (tmp_path / name).write_bytes(pack(data))
    report = json.loads(patscan(tmp_path, "scan", name, "--format", "json", "--quiet").text)
    assert sorted(one["line"] for finding in report["findings"] for one in finding["occurrences"]) == [LINES + 1, 9 * LINES + 2]


def test_chunks_that_a_thread_makes_come_in_order_and_end_as_they_do() -> None:
    def made(end: int) -> Iterator[int]:
        yield from range(end)
        raise Broken("here")

    for end in (0, 3, 50):
        listed: list[int] = []
        with pytest.raises(Broken, match="here"):
            listed.extend(ahead(made(end)))
        assert listed == list(range(end))


def test_a_thread_ends_with_its_consumer() -> None:
    before = threading.active_count()
    chunks = ahead(iter(range(1_000_000)))
    assert next(chunks) == 0
    assert threading.active_count() == before + 1
    chunks.close()
    assert threading.active_count() == before


def token(rng: random.Random) -> bytes:
    return classic(rng).encode()


def members(folder: Path, *arguments: str) -> set[tuple[str, str | None, int]]:
    """File, member and line of each token."""
    report = json.loads(patscan(folder, "scan", "--format", "json", "--quiet", *arguments).text)
    return {(place["path"], place["member"], place["line"]) for finding in report["findings"] for place in finding["occurrences"]}


def test_no_member_is_taken_for_a_part_of_a_quiet_one(tmp_path: Path, rng: random.Random) -> None:
    """A quiet archive lies in the same buffer as members with tokens."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in (
            ("a", token(rng)),
            ("b.zip", zipped(b"quiet")),
            ("c", token(rng)),
            ("d.tar", tarred(b"quiet")),
            ("e", token(rng)),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(file.getvalue()))
    (tmp_path / "y.tar").write_bytes(file.getvalue())
    assert members(tmp_path) == {(name, member, 1) for name in ("x.tar.gz", "y.tar") for member in "ace"}


def test_members_that_lie_across_quiet_and_other_chunks(tmp_path: Path, rng: random.Random) -> None:
    """Tokens at and around the borders of the chunks of a stream, in plain members of a tar."""
    file, places = io.BytesIO(), set()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(60):
            data = PLAIN[: rng.randrange(7 * LINES) // 7 * 7] + (token(rng) + b"\n" if number % 3 else b"")
            member = tarfile.TarInfo(str(number))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
            if number % 3:
                places.add(("x.tar.gz", str(number), data.count(b"\n")))
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(file.getvalue(), 1))
    assert members(tmp_path) == places


def test_a_token_at_every_byte_around_the_border_of_two_chunks(tmp_path: Path, rng: random.Random) -> None:
    border, shifts = 4 << 20, range(-40, 40)
    plain = (PLAIN * 3)[: border + 1000]
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for shift in shifts:
            value = b"\n" + token(rng) + b"\n"
            archive.writestr(str(shift), plain[: border + shift] + value + plain[border + shift + len(value) :])
    lines = {shift: plain[: border + shift].count(b"\n") + 2 for shift in shifts}
    assert members(tmp_path, "--archive-limit", "ratio=1000000") == {("a.zip", str(shift), lines[shift]) for shift in shifts}


def test_lines_of_an_archive_that_is_too_large_to_be_read_again(tmp_path: Path, rng: random.Random) -> None:
    """What looks like the beginning of an archive is counted on when not all of it is kept."""
    data = b"BZ" + PLAIN * 16 + token(rng)
    (tmp_path / "a.txt").write_bytes(data)
    for limit in ("held=1K", "held=10M", "held=1G"):
        assert members(tmp_path, "--archive-limit", limit) == {("a.txt", None, LINES * 16 + 1)}


def test_a_zip_at_the_end_of_a_program_of_several_windows(tmp_path: Path, rng: random.Random) -> None:
    (tmp_path / "setup.exe").write_bytes(b"MZ" + bytes(20 << 20) + zipped(token(rng)))
    (tmp_path / "b.tar").write_bytes(tarred(b"MZ" + bytes(2 << 20) + zipped(token(rng)), "setup.exe"))
    assert members(tmp_path) == {("setup.exe", NAME, 1), ("b.tar", f"setup.exe!/{NAME}", 1)}
