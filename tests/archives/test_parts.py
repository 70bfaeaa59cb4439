"""A zip in several buffers is the same zip."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

import pytest

from patscan.archives.limits import Account, Exceeded, Limits, Spent
from patscan.archives.parts import Parts
from patscan.archives.streams import at_once
from patscan.archives.zips import entries
from tests.archives.packing import zipped
from tests.archives.test_limits import encrypted, in_zip64, spoilt


def split(data: bytes, size: int) -> list[bytes]:
    return [data[low : low + size] for low in range(0, len(data), size)]


def account() -> Account:
    return Account(Limits(), Spent(), 1 << 20)


def several(data: bytes) -> bytes:
    """Members of all methods, one of them unlisted, behind a program."""
    unlisted = zipped(data)
    file = io.BytesIO()
    file.write(b"MZ" + bytes(300) + unlisted[: unlisted.index(b"PK\x01\x02")])
    for number, method in enumerate((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)):
        with zipfile.ZipFile(file, "a", method) as archive:
            archive.writestr(f"é/{number}", data * 20)
    return file.getvalue()


def listed(parts: list[bytes]) -> list[tuple[str, bytes, str]]:
    """Name, content and problem of each member; the last one is the archive's."""
    members = []
    try:
        for name, reader, problem in entries(parts, account()):
            content = b"" if problem else reader.read(1 << 20)
            members.append((name, content, str(problem or reader.problem)))
    except Exception as error:  # noqa: BLE001 - compared
        members.append(("", b"", repr(error)))
    return members


@pytest.mark.parametrize(
    "make", [zipped, in_zip64, several, encrypted, lambda data: zipped(data)[:-40], lambda data: spoilt(zipped(data), 60)]
)
def test_a_zip_gives_the_same_members_wherever_it_is_divided(make: Callable[[bytes], bytes], rng: random.Random) -> None:
    data = make(rng.randbytes(500))
    whole = listed([data])
    assert len(whole) == (5 if make is several else len(whole)) > 0
    for size in (1, 2, 3, 5, 16, 45, 46, 47, 100, 333, len(data) - 1):
        assert listed(split(data, size)) == whole


def test_bytes_are_found_across_borders(rng: random.Random) -> None:
    data = bytes(rng.choices(b"PK\x03\x04", k=5000))
    for size in (1, 3, 700, 5000):
        parts = Parts(split(data, size))
        for _ in range(300):
            low, high = sorted(rng.choices(range(5100), k=2))
            needle = rng.choice((b"PK\x03\x04", b"PKPKPK\x03\x04", b"K"))
            assert parts.find(needle, low, high) == data.find(needle, low, high)
            assert parts.read(low, high) == data[low:high]


def test_only_a_whole_short_stream_is_expanded_at_once() -> None:
    packed = zipped(bytes(1000))
    low = packed.index(b"etc/app.env") + len(b"etc/app.env")
    stream = packed[low : packed.index(b"PK\x01\x02")]
    assert at_once("deflate", stream, account()) == bytes(1000)
    assert at_once("deflate", stream[:-1], account()) is None
    assert at_once("deflate", b"\xff" + stream, account()) is None
    assert at_once("zstd", stream, account()) is None


def test_bytes_that_were_refused_are_not_held() -> None:
    """After a nested archive that is too large, its siblings are still read."""
    counts = Account(Limits(held=100), Spent(), 1000)
    with pytest.raises(Exceeded):
        counts.reserve(101)
    counts.reserve(100)
    with pytest.raises(Exceeded):
        counts.reserve(1)
