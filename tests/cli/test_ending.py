"""A scan that is told to end, or whose first process is killed: the report is written, and no process stays behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.git.crafted import OFS_DELTA, Crafted, copy, delta, distance, head
from tests.repo import Repo
from tests.tokens import classic

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc says which processes there are")


_LARGE = 15 << 20
"""Bytes of a content; a copy in a delta is shorter than 16 MiB."""


@pytest.fixture
def slow(repo: Repo, rng: random.Random) -> Path:
    """A repository that takes seconds to read, made in a moment: a small pack whose deltas make 15 GiB, under ids that nobody checks."""
    repo.commit({"a.env": f"T={classic(rng)}\n"})
    pack = Crafted()
    for number in range(8):
        place, base = pack.end, b"%d\n" % number * (_LARGE // 2)
        pack.whole(base, level=1)
        steps = delta(len(base), len(base), copy(0, len(base)))
        for _ in range(128):
            pack.raw(rng.randbytes(20), head(OFS_DELTA, len(steps)) + distance(pack.end - place) + zlib.compress(steps))
    pack.write(repo.path)
    return repo.path


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "patscan", "history", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            yield process
        finally:
            process.kill()


def family(pid: int) -> set[int]:
    """A process and all it has started."""
    members, waiting = set[int](), [pid]
    while waiting:
        pid = waiting.pop()
        members.add(pid)
        with suppress(OSError):
            waiting += [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
    return members


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


def at_work(pids: set[int]) -> set[int]:
    return {pid for pid in pids if state(pid) not in {"gone", "Z", "X"}}


def busy(process: subprocess.Popen[str], seconds: float = 1.0) -> set[int]:
    """All processes of a scan that has used processors for so long: its workers are in the middle of their work."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        members = family(process.pid)
        if sum(map(used, members - {process.pid})) > seconds:
            return members
        time.sleep(0.05)
    raise AssertionError(("never busy", process.poll()))


def used(pid: int) -> float:
    """Seconds of a processor (proc(5): utime and stime)."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def until_gone(pids: set[int], seconds: float = 1.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and at_work(pids):
        time.sleep(0.02)
    assert not at_work(pids)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_told_to_end_it_writes_its_report_and_leaves_nobody_behind(slow: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    saved = tmp_path / "report.json"
    with started(slow, "--jobs", "2", "--report", f"json={saved}") as process:
        members = busy(process)
        assert len(members) > 3
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        until_gone(members)
    assert (process.returncode, err) == (code, "")
    report = json.loads(saved.read_text())
    assert (report["interrupted"], report["exit_code"], report["coverage"]["complete"]) == (True, code, False)
    assert "Interrupted." in out
    again = subprocess.run([sys.executable, "-m", "patscan", "report", saved, "--quiet"], check=False, cwd=Path(__file__).parents[2])
    assert again.returncode == code


def test_killed_it_takes_its_workers_along(slow: Path) -> None:
    with started(slow, "--jobs", "2") as process:
        members = busy(process)
        process.kill()
        until_gone(members)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_git_that_hangs_ends_as_well(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    """As it does on a network disk that is gone: it writes nothing, so it meets no closed pipe."""
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\nsleep 60\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:{os.environ['PATH']}")
    with started(repo.path) as process:
        members = until_running(process, str(git))
        process.send_signal(number)
        process.communicate(timeout=20)
        until_gone(members)
    assert process.returncode == code


def until_running(process: subprocess.Popen[str], program: str) -> set[int]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        members = family(process.pid)
        if any(program in arguments(pid) for pid in members):
            return family(process.pid)
        time.sleep(0.02)
    raise AssertionError(("never started", process.poll()))


def arguments(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    return ""
