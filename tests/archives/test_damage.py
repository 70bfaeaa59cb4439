"""What comes before the damage in a stream of several chunks is looked at, up to the last byte that a decompressor can give."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
import zipfile
import zlib
from collections.abc import Callable

import pytest
import zstandard

from patscan.archives import streams
from patscan.archives.limits import Account, Broken, Limits, Spent
from patscan.archives.reader import Reader
from tests.archives.packing import NAME
from tests.archives.test_commands import written
from tests.archives.test_limits import spoilt
from tests.repo import Repo
from tests.tokens import classic

LINES = 200_000
NOISE = b"".join(b"%x\n" % number for number in random.Random(1).choices(range(1 << 40), k=LINES))


def checked(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def zipped(data: bytes) -> bytes:
    """A zip with a wrong checksum in both headers."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME, data)
    packed = file.getvalue()
    for at in (14, packed.rindex(b"PK\x01\x02") + 16):
        packed = spoilt(packed, at)
    return packed


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "a.gz": lambda data: spoilt(gzip.compress(data), -8),
    "a.zlib": lambda data: spoilt(zlib.compress(data), -1),
    "a.bz2": lambda data: spoilt(bz2.compress(data), -3),
    "a.xz": lambda data: spoilt(lzma.compress(data), -40),
    "a.zst": lambda data: spoilt(checked(data), -1),
    "a.zip": zipped,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_checksum_hides_no_token_at_the_end(repo: Repo, rng: random.Random, name: str) -> None:
    repo.write(name, WRONG[name](NOISE + f"x = {classic(rng)}\n".encode()))
    code, report = written(repo, "scan")
    assert [(note["where"].partition("!")[0], "broken" in note["reason"]) for note in report["coverage"]["notes"]] == [(name, True)]
    assert [place["line"] for finding in report["findings"] for place in finding["occurrences"]] == [LINES + 1]
    assert code == 1


@pytest.mark.parametrize("has_isal", [True, False])
@pytest.mark.parametrize(("kind", "pack"), [("gzip", gzip.compress), ("zlib", zlib.compress), ("bzip2", bz2.compress)])
def test_all_bytes_before_a_wrong_checksum(
    kind: str, pack: Callable[[bytes], bytes], has_isal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_isal:
        monkeypatch.setitem(sys.modules, "isal", None)
    reader = Reader(streams.expanded(kind, Reader([spoilt(pack(NOISE), -3)]).read, Account(Limits(), Spent(), 1 << 20)))
    assert reader.read(1 << 30) == NOISE
    assert str(reader.problem).endswith("was looked at.")


def test_a_stream_that_is_too_long_to_be_expanded_again_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_SALVAGED", 1 << 18)
    with pytest.raises(Broken, match="but not the last 512 KiB before the damage"):
        list(streams.expanded("gzip", Reader([spoilt(gzip.compress(NOISE), -8)]).read, Account(Limits(), Spent(), 1 << 20)))
