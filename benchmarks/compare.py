"""patscan beside what it is compared with: whole processes, patscan before each of the others, in one run.

    python benchmarks/compare.py history REPO [--peer NAME=COMMAND]... [--runs N] [--memory]
    python benchmarks/compare.py scan FOLDER [--peer NAME=COMMAND]... [--runs N]

A peer that isn't on the PATH is left out and said so. ``{}`` in a peer's command is the place. Figures are medians; the ratio is
patscan's median divided by the peer's, and below 1 where patscan is faster. Memory is the sum of private (anonymous) bytes over all
processes of a run, sampled, on Linux, with ``--memory``.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

PEERS = {
    "history": {
        "git's own dump": "git -C {} cat-file --batch-all-objects --unordered --buffer --batch",
        "kingfisher": "kingfisher scan {} --no-validate --rule gitlab --git-history full",
        "gitleaks": "gitleaks git --no-banner {}",
        "trufflehog": "trufflehog git --no-verification --no-update --include-detectors=gitlab --bare file://{}",
    },
    "scan": {
        "kingfisher": "kingfisher scan {} --no-validate --rule gitlab",
        "gitleaks": "gitleaks dir --no-banner {}",
        "trufflehog": "trufflehog filesystem --no-verification --no-update --include-detectors=gitlab {}",
        "detect-secrets": "detect-secrets scan --all-files {}",
    },
}
FRESH = {"history": ["--no-cache"], "scan": []}
"""What keeps a second run from knowing what the first one saw."""
EVERY = 0.02
"""Seconds between two looks at the memory."""


class Run(NamedTuple):
    """One run of a command: wall seconds, the most private bytes seen, exit code."""

    wall: float
    private: int
    code: int


def run(command: list[str], sample: bool = False) -> Run:
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        most = [0]
        if sample:
            watch(process, most)
        process.wait()
        wall = time.perf_counter() - begun
    return Run(wall, most[0], process.returncode)


def watch(process: subprocess.Popen[bytes], most: list[int]) -> None:
    while process.poll() is None:
        most[0] = max(most[0], private(process.pid))
        time.sleep(EVERY)


def private(pid: int) -> int:
    """Private bytes of a process and all its descendants; 0 where /proc doesn't tell."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith(("Pss_Anon:",)):
                total += int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(private(int(child)) for child in (task / "children").read_text("ascii").split())
    except (OSError, ValueError):
        return total
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=PEERS)
    parser.add_argument("place", type=Path)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="another peer, or another command for one")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="measure memory instead: looking at it slows a run down")
    chosen = parser.parse_args()
    place = str(chosen.place.resolve())
    peers = PEERS[chosen.what] | dict(peer.split("=", 1) for peer in chosen.peer)
    commands = {"patscan": [sys.executable, "-m", "patscan", chosen.what, place, "--quiet", *FRESH[chosen.what]]}
    for name, text in peers.items():
        command = [part.replace("{}", place) for part in shlex.split(text)]
        if shutil.which(command[0]):
            commands[name] = command
        else:
            print(f"left out: {name} ({command[0]} isn't on the PATH)")
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    ours = commands.pop("patscan")
    for _ in range(chosen.runs):
        for name, command in commands.items():
            runs["patscan"].append(run(ours, chosen.memory))
            runs[name].append(run(command, chosen.memory))
    table(runs, chosen.memory)
    return 0


def table(runs: dict[str, list[Run]], memory: bool) -> None:
    ours = statistics.median(one.wall for one in runs["patscan"])
    print(f"| | {'private MiB' if memory else 'wall s | patscan / it'} | exit |\n|---|--:|{'' if memory else '--:|'}--:|")
    for name, each in runs.items():
        wall = statistics.median(one.wall for one in each)
        figures = f"{max(one.private for one in each) >> 20}" if memory else f"{wall:.2f} | {ours / wall:.3f}"
        print(f"| {name} | {figures} | {each[-1].code} |")


if __name__ == "__main__":
    sys.exit(main())
