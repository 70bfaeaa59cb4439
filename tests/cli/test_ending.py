"""A scan that is told to end, or whose first process is killed: the report is written, and no process stays behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.repo import Repo
from tests.tokens import classic

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc says which processes there are")


@pytest.fixture
def slow(repo: Repo, rng: random.Random) -> Path:
    """A repository that takes many seconds to read: single objects that inflate to hundreds of megabytes."""
    repo.git("config", "core.compression", "1")
    token = classic(rng).encode()
    repo.commit({f"{number:02}.env": b"T=%s\n" % token for number in range(3)})
    block = rng.randbytes(1 << 12).hex().encode() * 128
    for number in range(6):
        with (repo.path / f"large{number}").open("wb") as file:
            file.write(b"%d\n" % number)
            for _ in range(400):
                file.write(block)
    repo.commit()
    repo.pack("--window=0")
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


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_it_takes_workers_and_git_along(slow: Path, jobs: str) -> None:
    with started(slow, "--jobs", jobs) as process:
        members = busy(process, 1.0 if jobs == "2" else 0.0)
        process.kill()
        until_gone(members)
