"""Bombs and archives that are broken: each ends soon, says why, and hides nothing that lies beside it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.archives.packing import NAME, tarred, zipped
from tests.archives.quine import quine
from tests.cli.hooked import patscan
from tests.repo import Repo
from tests.tokens import classic


def zeros(size: int) -> bytes:
    stream, chunk = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(1 << 20)
    first, again = (stream.compress(chunk) + stream.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * ((size >> 20) - 1)


def of_zips() -> bytes:
    inner, file = zipped(bytes(64 << 20)), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(200):
            archive.writestr(f"{number}.zip", inner)
    return file.getvalue()


def deep(pack: Callable[[bytes], bytes]) -> bytes:
    data = b"x"
    for _ in range(100):
        data = pack(data)
    return data


def listing(entries: int, same: bytes, size: int) -> bytes:
    """A zip whose directory names one member again and again."""
    header = struct.pack("<5H3I2H", 20, 0, 8, 0, 0, 0, len(same), size, 1, 0)
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + header + struct.pack("<3H2I", 0, 0, 0, 0, 0) + b"a"
    body = b"PK\x03\x04" + header + b"a" + same
    end = struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, entries * len(entry), len(body), 0)
    return body + entry * entries + b"PK\x05\x06" + end


def overlapping() -> bytes:
    """Members that lie in each other, each a stored block longer (D. Fifield, "A better zip bomb", 2019)."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = deflate.compress(bytes(20 << 20)) + deflate.flush()
    packed, size, listed = len(body), 20 << 20, []
    for number in reversed(range(250)):
        header = struct.pack("<5H3I2H", 20, 0, 8, 0, 0, 0, packed, size, 3, 0)
        body = b"PK\x03\x04" + header + b"%03d" % number + body
        listed.append((header, number, len(body)))
        body = struct.pack("<BHH", 0, 33, 0xFFFF ^ 33) + body
        packed, size = packed + 38, size + 33
    body = body[5:]
    entries = b"".join(
        b"PK\x01\x02" + struct.pack("<H", 20) + header + struct.pack("<3H2I", 0, 0, 0, 0, len(body) - length) + b"%03d" % number
        for header, number, length in reversed(listed)
    )
    return body + entries + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 250, 250, len(entries), len(body), 0)


def lying() -> bytes:
    member = tarfile.TarInfo("lying")
    member.size = 1 << 62
    return member.tobuf(tarfile.GNU_FORMAT) + b"x" * 1000


def billion() -> bytes:
    """A member, and the end of a directory that claims a billion members (APPNOTE.TXT 4.3.14 to 4.3.16)."""
    packed = zipped(b"x")
    end = packed.rindex(b"PK\x05\x06")
    record = b"PK\x06\x06" + struct.pack("<Q2H2I4Q", 44, 45, 45, 0, 0, 10**9, 10**9, 46 * 10**9, packed.index(b"PK\x01\x02"))
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    return packed[:end] + record + locator + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "four-gib.gz": (lambda: zeros(4 << 30), "--archive-limit ratio=N"),
    "of-zips.zip": (of_zips, "--archive-limit ratio=N"),
    "deep.zip": (lambda: deep(zipped), "--archive-limit depth=N"),
    "deep.gz": (lambda: deep(gzip.compress), "--archive-limit depth=N"),
    "overlapping.zip": (overlapping, "overlap"),
    "listing.zip": (lambda: listing(1_000_000, b"", 0), "--archive-limit members=N"),
    "billion.zip": (billion, "it has no directory"),
    "lying.tar": (lying, "cut off"),
    "quine.gz": (quine, "--archive-limit depth=N"),
    "quine.tar.xz": (lambda: lzma.compress(tarred(zipped(quine()))), "--archive-limit depth=N"),
}


def gap_reasons(report: dict[str, Any]) -> dict[str, str]:
    """All gaps: where, and why."""
    coverage = report["coverage"]
    return {gap["where"]: gap["reason"] for gap in (*coverage["skipped"], *coverage["notes"])}


def places(report: dict[str, Any]) -> dict[str, int]:
    """The first line with a token in each file."""
    lines: dict[str, int] = {}
    for finding in report["findings"]:
        for place in finding["occurrences"]:
            lines[place["path"]] = min(place["line"], lines.get(place["path"], place["line"]))
    return lines


def measured(folder: Path, *command: str) -> tuple[int, float, int]:
    """The exit code of patscan, its seconds of the processor, and its memory in bytes. It runs in one process."""
    process = subprocess.Popen([sys.executable, "-m", "patscan", *command, "--jobs", "1"], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10


@pytest.mark.skipif(sys.platform != "linux", reason="os.wait4 gives kibibytes only on Linux")
@pytest.mark.parametrize("name", BOMBS)
def test_bombs(tmp_path: Path, rng: random.Random, name: str) -> None:
    make, reason = BOMBS[name]
    for folder in ("with", "without"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "token.env").write_text(classic(rng))
    (tmp_path / "with" / name).write_bytes(make())
    code, seconds, memory = measured(tmp_path / "with", "scan", "--quiet", "--report", "json=../report.json")
    _, _, least = measured(tmp_path / "without", "scan", "--quiet")
    report = json.loads((tmp_path / "report.json").read_text())
    assert code == 1
    assert len(report["findings"]) == 1
    assert [where for where, why in gap_reasons(report).items() if where.startswith(name) and reason in why], gap_reasons(report)
    assert report["coverage"]["complete"] is ("--archive-limit" not in reason)
    assert seconds < 5
    assert memory - least < 300 << 20


def test_a_limit_is_a_gap_in_a_scan_and_a_note_in_a_hook(repo: Repo) -> None:
    repo.write("deep.zip", deep(zipped))
    repo.git("add", "--all")
    scanned, hooked = patscan(repo.path, "scan"), patscan(repo.path, "hook")
    assert scanned.code == 3
    assert hooked.code == 0
    assert "--archive-limit depth=N" in " ".join(hooked.text.split())


def test_a_flag_raises_a_limit_and_a_repository_cannot_lower_one(repo: Repo, rng: random.Random) -> None:
    data = classic(rng).encode()
    for _ in range(12):
        data = zipped(data)
    repo.write("deep.zip", data)
    assert patscan(repo.path, "scan").code == 3
    assert patscan(repo.path, "scan", "--archive-limit", "depth=20").code == 1
    repo.write(".patscan.toml", "[archives]\ndepth = 20\n")
    assert patscan(repo.path, "scan").code == 1
    repo.write(".patscan.toml", "[archives]\ndepth = 1\n")
    refused = patscan(repo.path, "scan")
    assert refused.code == 2
    assert "archives.depth" in refused.text
    assert patscan(repo.path, "scan", "--archive-limit", "depth=0").code == 2


def spoilt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def encrypted(data: bytes) -> bytes:
    packed = bytearray(zipped(data))
    packed[6] |= 1
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def fake_end(data: bytes) -> bytes:
    """A comment that looks like the end of another directory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME, data)
        archive.comment = b"PK\x05\x06" + bytes(18)
    return file.getvalue()


def padded(data: bytes) -> bytes:
    """Enough around `data` that what is cut off doesn't matter to it."""
    return data + b"\n" + random.Random(4).randbytes(1 << 16).hex().encode()


def in_zip64(data: bytes) -> bytes:
    """Every size, offset and number in the fields of zip64 (APPNOTE.TXT 4.5.3)."""
    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 0)
        patch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("first", b"x" * 100)
            archive.writestr(NAME, data)
    assert b"PK\x06\x06" in file.getvalue()
    return file.getvalue()


def sparse(data: bytes, form: str = "gnu") -> bytes:
    """A file with holes before and behind its text, as GNU tar writes it."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "file"), "wb") as file:
            file.seek(1 << 20)
            file.write(data)
            file.truncate(3 << 20)
        done = subprocess.run(["tar", "--sparse", f"--format={form}", "-cf", "-", "file"], cwd=folder, capture_output=True, check=True)
    return done.stdout


def linked(data: bytes) -> bytes:
    """A file, a hard link to it, and a device; the last two say that they have bytes, too."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in ((NAME, tarfile.REGTYPE), ("again", tarfile.LNKTYPE), ("/dev/null", tarfile.CHRTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, NAME
            member.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


SPOILT: dict[str, tuple[Callable[[bytes], bytes], bool]] = {
    "cut.gz": (lambda data: gzip.compress(padded(data))[:-4000], True),
    "wrong-crc.gz": (lambda data: spoilt(gzip.compress(data), -8), True),
    "garbage.gz": (lambda data: gzip.compress(data) + b"garbage", False),
    "several.gz": (lambda data: gzip.compress(b"x\n") + gzip.compress(data), False),
    "cut.bz2": (lambda data: bz2.compress(padded(data) * 20)[:-4000], True),
    "cut.zip": (lambda data: zipped(padded(data))[:-4000], True),
    "no-directory.zip": (lambda data: zipped(data)[:-60], True),
    "wrong-crc.zip": (lambda data: spoilt(spoilt(zipped(data, method=zipfile.ZIP_STORED), 14), -60), True),
    "fake-end.zip": (fake_end, False),
    "program.zip": (lambda data: b"MZ" + bytes(1000) + zipped(data), False),
    "script.pyz": (lambda data: b"#!/usr/bin/env python3\n" + zipped(data), False),
    "cut.tar": (lambda data: tarred(padded(data))[:5000], True),
    "up.tar": (lambda data: tarred(data, "../../etc/passwd"), False),
    "nul.zip": (lambda data: zipped(data, "a\x1b[31m\n/../CON"), False),
    "latin.tar": (lambda data: tarred(data, "na\udcefve", tarfile.GNU_FORMAT), False),
    "long.tar": (lambda data: tarred(data, "d/" * 200 + "x", tarfile.GNU_FORMAT), False),
    "zip64.zip": (in_zip64, False),
    "sparse.tar": (sparse, False),
    "sparse-pax.tar": (lambda data: sparse(data, "pax"), False),
    "linked.tar": (linked, False),
    "device.tar": (lambda data: tarred(data, "dev/sda"), False),
    "com1.zip": (lambda data: zipped(data, "COM1"), False),
    "longer.tar": (lambda data: tarred(data, "é/" * 200 + "x"), False),
}


def test_broken_archives_are_read_up_to_the_damage_and_reported(repo: Repo, rng: random.Random) -> None:
    for name, (spoil, _) in SPOILT.items():
        repo.write(name, spoil(f"a\nb = {classic(rng)}\n".encode()))
    repo.write("secret.zip", encrypted(b"x"))
    repo.commit()
    for command in ("scan", "history"):
        done = patscan(repo.path, command, "--quiet", "--report", "json=../report.json", "--report", "text=../report.txt")
        report = json.loads((repo.path.parent / "report.json").read_text())
        assert done.code == 1
        assert places(report) == dict.fromkeys(SPOILT, 2) | {"several.gz": 3}
        if command == "scan":
            gaps = {where.partition("!/")[0] for where in gap_reasons(report)}
            assert gaps == {name for name, (_, is_broken) in SPOILT.items() if is_broken} | {"secret.zip"}
            assert "encrypted" in gap_reasons(report)[f"secret.zip!/{NAME}"]
        assert "\x1b[31m" not in (repo.path.parent / "report.txt").read_text()


def test_a_program_that_reads_zips_is_no_broken_one(repo: Repo, rng: random.Random) -> None:
    """zipnote and osslsigncode have these signatures among their constants."""
    token = classic(rng)
    repo.write("zipnote", b"\x7fELF" + bytes(5000) + b"PK\x05\x06\0PK\x01\x02PK\x03\x04\xff\xff\xff\xff" + bytes(100) + token.encode())
    repo.commit()
    done = patscan(repo.path, "scan", "--quiet", "--report", "json=../report.json")
    report = json.loads((repo.path.parent / "report.json").read_text())
    assert done.code == 1
    assert report["coverage"]["notes"] == []


def test_an_archive_that_was_cut_off_is_not_remembered_as_clean(repo: Repo) -> None:
    repo.commit({"deep.zip": deep(zipped)})
    repo.pack()
    for _ in range(2):
        done = patscan(repo.path, "history")
        assert done.code == 3
        assert "deep.zip" in done.text
