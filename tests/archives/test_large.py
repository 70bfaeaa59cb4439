"""Members and files of several windows."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from patscan.archives.ahead import ahead
from patscan.archives.limits import Broken
from tests.archives.packing import zipped
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
