"""What a commit waits for: whole processes, warm, in one run on the same scratch repository.

    python benchmarks/hook.py [--runs N]

Compares with the `detect-secrets-hook` and `gitleaks` that are on the PATH, if they are.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATSCAN = [sys.executable, "-P", "-c", "import sys; from patscan.cli import main; sys.exit(main())", "hook"]
"""As `patscan install-hooks` writes it, and as the command's own script does."""
LIMITS = {"one small file": 0.070, "200 files of 10 kB": 0.2, "one file of 100 MB": 1.0}
RATIOS = {"detect-secrets-hook": 0.45, "gitleaks": 2.5}


def git(folder: Path, *arguments: str) -> None:
    names = {f"GIT_{who}_{what}": "ada@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, check=True, env={**os.environ, **names}, stdout=subprocess.DEVNULL)


def stage(folder: Path, name: str) -> list[str]:
    """Stage what `name` says in a repository that has one commit; returns the paths."""
    rng = random.Random(name)
    words = [f"{rng.getrandbits(40):x}" for _ in range(1000)]
    git(folder, "init", "--quiet")
    (folder / "a.txt").write_text("one\n")
    git(folder, "add", "a.txt")
    git(folder, "commit", "--quiet", "-m", "first")
    number, size = {"one small file": (1, 400), "200 files of 10 kB": (200, 10_000), "one file of 100 MB": (1, 100_000_000)}[name]
    block = (" ".join(rng.choices(words, k=20_000)) + "\n").encode()
    paths = [f"file{place}.txt" for place in range(number)]
    for path in paths:
        begin = rng.randrange(len(block) // 2)
        (folder / path).write_bytes((block[begin:] * (size // len(block) + 2))[:size])
    git(folder, "add", "--all")
    return paths


def commands(paths: list[str]) -> dict[str, list[str]]:
    found = {"patscan": PATSCAN}
    if tool := shutil.which("detect-secrets-hook"):
        found["detect-secrets-hook"] = [tool, *paths]
    if tool := shutil.which("gitleaks"):
        found["gitleaks"] = [tool, "protect", "--staged", "--no-banner"]
    return found


def median(folder: Path, found: dict[str, list[str]], runs: int) -> dict[str, float]:
    """Seconds of each, one after the other in every round, so that a busy moment meets all of them."""
    taken: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(runs + 1):
        for name, command in found.items():
            begin = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            taken[name].append(time.perf_counter() - begin)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    good = True
    for name, limit in LIMITS.items():
        with tempfile.TemporaryDirectory() as place:
            found = commands(stage(Path(place), name))
            seconds = median(Path(place), found if limit < 0.1 else {"patscan": PATSCAN}, runs if limit < 1 else 3)
        ours = seconds.pop("patscan")
        good &= ours <= limit
        print(f"{name}: {1000 * ours:.1f} ms (at most {1000 * limit:.0f})")
        for other, theirs in seconds.items():
            good &= ours <= RATIOS[other] * theirs
            print(f"  {other} {1000 * theirs:.1f} ms: {ours / theirs:.2f} of it (at most {RATIOS[other]})")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
