"""What tokens cost where a file stands in hundreds of versions: three repositories alike but for three placeholders or two tokens in each.

    python benchmarks/versions.py [--versions 500] [--size 1000000] [--runs 3]

Whole processes of ``patscan history --no-cache`` in turn, on repositories made at run time; medians, and the ratio to the clean one.
"""

from __future__ import annotations

import argparse
import random
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from plant import LETTERS

KINDS = ("clean", "placeholders", "tokens")


def lines(rng: random.Random, size: int, kind: str) -> list[bytes]:
    """About `size` bytes of words, with what makes the difference on lines of their own."""
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 9))) for _ in range(2000)]
    made: list[bytes] = []
    while size > 0:
        made.append(" ".join(rng.choices(words, k=8)).encode())
        size -= len(made[-1]) + 1
    bodies = {"clean": [], "placeholders": ["x" * 20] * 3, "tokens": ["".join(rng.choices(LETTERS, k=20)) for _ in range(2)]}[kind]
    for number, body in enumerate(bodies, 1):
        made[len(made) * number // (len(bodies) + 1)] = f"token: glpat-{body}".encode()
    return made


def commits(versions: int, size: int, kind: str) -> Iterator[bytes]:
    """For git-fast-import(1): each version changes one line in the first fifth."""
    rng = random.Random(size)
    content = lines(rng, size, kind)
    for version in range(versions):
        content[rng.randrange(len(content) // 5)] = b"version %d" % version
        data = b"\n".join(content)
        yield b"commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 1\nv\n" % (1_600_000_000 + version)
        yield b"M 644 inline file.txt\ndata %d\n%s\n" % (len(data), data)


def make(folder: Path, versions: int, size: int, kind: str) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    git = ["git", "-C", str(folder)]
    with subprocess.Popen([*git, "fast-import", "--quiet"], stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.writelines(commits(versions, size, kind))
    subprocess.run([*git, "repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=10"], check=True)


def seconds(folder: Path) -> float:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "patscan", "history", str(folder), "--no-cache", "--no-config", "--quiet"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=500)
    parser.add_argument("--size", type=int, default=1_000_000, help="bytes of a version")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folders = {kind: Path(work, kind) for kind in KINDS}
        for kind, folder in folders.items():
            make(folder, chosen.versions, chosen.size, kind)
        walls: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(chosen.runs):
            for kind, folder in folders.items():
                walls[kind].append(seconds(folder))
    print(f"| {chosen.versions} versions of {chosen.size:,} bytes | wall s | to the clean one |\n|---|--:|--:|")
    for kind, each in walls.items():
        print(f"| {kind} | {median(each):.2f} | {median(each) / median(walls['clean']):.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
