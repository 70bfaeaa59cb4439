"""A copy of a repository with tokens planted all over its history, to measure what finding them costs.

    python benchmarks/plant.py REPO COPY --tokens N

Each token is committed on one of N commits that lie at equal distances in the history, on a branch of its own. The tokens are made
at run time, look like GitLab's classic ones, and have never been anybody's.
"""

from __future__ import annotations

import argparse
import random
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LETTERS = "".join(sorted({*string.ascii_letters, *string.digits, "-", "_"} - set("lIO0")))
"""What GitLab draws from: letters that look alike are replaced."""


def planted(commits: list[str], number: int) -> Iterator[bytes]:
    """For git-fast-import(1)."""
    rng = random.Random(number)
    for place in range(number):
        token = "glpat-" + "".join(rng.choices(LETTERS, k=20))
        text = f"# deploy {place}\ntoken: {token}\n".encode()
        yield f"commit refs/heads/planted/{place:04}\ncommitter Ada <ada@example.com> {1_700_000_000 + place} +0000\n".encode()
        yield b"data 8\nplanted\n\n" + f"from {commits[place * len(commits) // number]}\n".encode()
        yield f"M 100644 inline deploy/{place:04}.yml\ndata {len(text)}\n".encode() + text + b"\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("copy", type=Path)
    parser.add_argument("--tokens", type=int, default=100)
    chosen = parser.parse_args()
    shutil.rmtree(chosen.copy, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", "--local", str(chosen.repository), str(chosen.copy)], check=True)
    git = ["git", "-C", str(chosen.copy)]
    commits = subprocess.run([*git, "rev-list", "--all"], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run([*git, "fast-import", "--quiet"], input=b"".join(planted(commits, chosen.tokens)), check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
