"""Does the cost follow the bytes in the pack? Parts of one history, from small to whole.

    python benchmarks/curve.py REPO REVISION... [--runs N]

Each revision is fetched alone into a bare repository of its own, and ``patscan history`` runs on it. Wall seconds are medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from compare import run


def part(repository: Path, revision: str, folder: Path) -> Path:
    """A bare repository that holds what `revision` reaches."""
    place = folder / revision.replace("/", "_")
    subprocess.run(["git", "init", "--quiet", "--bare", str(place)], check=True)
    source = f"file://{repository.resolve()}"
    subprocess.run(["git", "-C", str(place), "fetch", "--quiet", "--no-tags", source, f"{revision}:refs/tags/part"], check=True)
    subprocess.run(["git", "-C", str(place), "repack", "-a", "-d", "-q"], check=True)
    return place


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=Path)
    parser.add_argument("revisions", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    print("| revision | pack MiB | wall s | ms per MiB | private MiB |\n|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        places = [(revision, part(chosen.repository, revision, Path(folder))) for revision in chosen.revisions]
        for name, place in [*places, ("everything", chosen.repository)]:
            size = sum(file.stat().st_size for file in (place / "objects" / "pack").glob("*.pack")) / (1 << 20)
            command = [sys.executable, "-m", "patscan", "history", str(place), "--quiet", "--no-cache"]
            runs = [run(command) for _ in range(chosen.runs)]
            private = run(command, sample=True).private
            wall = statistics.median(one.wall for one in runs)
            print(f"| {name} | {size:.0f} | {wall:.2f} | {1000 * wall / size:.1f} | {private >> 20} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
