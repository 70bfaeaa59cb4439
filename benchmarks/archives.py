"""What a scan of 1 GiB in an archive costs, beside inflating it, and what a jar of 10 MB adds to a commit.

    python benchmarks/archives.py [--runs 3] [--size 1073741824]

The text is the source of Python's standard library, again and again. Whole processes in turn, best of all runs, in seconds of the
processor and of the wall. To inflate means: read the file, expand it, check its checksum, in chunks of 512 KiB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

INFLATE = """
import struct, sys, zlib
path, library = sys.argv[1:]
if library == "isal":
    from isal import isal_zlib as zlib
file = open(path, "rb")
bits, checksum = 31, 0
if path.endswith(".zip"):
    name, extra = struct.unpack("<26xHH", file.read(30))
    file.seek(name + extra, 1)
    bits = -15
stream = zlib.decompressobj(bits)
while not stream.eof:
    data = stream.unconsumed_tail or file.read(1 << 17)
    chunk = stream.decompress(data, 1 << 19)
    if bits < 0:
        checksum = zlib.crc32(chunk, checksum)
"""
PATSCAN = [sys.executable, "-m", "patscan"]
RATIO, JAR = 1.5, 0.3


def text(size: int) -> Iterator[bytes]:
    """`size` bytes, in chunks."""
    sources = b"".join(path.read_bytes() for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")))
    while size > 0:
        yield sources[:size]
        size -= len(sources)


def make(folder: Path, size: int) -> list[Path]:
    """The same text in a gzip file and in a zip."""
    packed, archive = folder / "text.gz", folder / "text.zip"
    stream = zlib.compressobj(6, zlib.DEFLATED, 31)
    with packed.open("wb") as file:
        file.writelines(stream.compress(chunk) for chunk in text(size))
        file.write(stream.flush())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped, zipped.open("text", "w", force_zip64=True) as member:
        for chunk in text(size):
            member.write(chunk)
    return [packed, archive]


def repository(folder: Path) -> None:
    """A repository where a jar of 10 MB is staged: 1,200 members, 25 MB."""
    for command in (
        ["init", "--quiet"],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--allow-empty", "-m", "a"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    content = os.urandom(7_500_000) + b"".join(text(17_500_000))
    size = len(content) // 1200
    with zipfile.ZipFile(folder / "ten.jar", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(1200):
            archive.writestr(f"com/example/{number}.class", content[number * size : (number + 1) * size])
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)


def seconds(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of the processor and of the wall."""
    before, begin = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - begin, os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, wall


def best(commands: dict[str, list[str]], folder: Path, runs: int) -> dict[str, tuple[float, float]]:
    """The least seconds of each command. In every round each runs once, so that a busy moment meets all."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(seconds(command, folder))
    return {name: (min(cpu for cpu, _ in times), min(wall for _, wall in times)) for name, times in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", type=int, default=1 << 30, help="expanded bytes")
    chosen = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        print("| | processor s | wall s | to isal | to zlib |\n|---|--:|--:|--:|--:|")
        for path in make(folder, chosen.size):
            inflate = {library: [sys.executable, "-c", INFLATE, str(path), library] for library in ("isal", "zlib")}
            scan = [*PATSCAN, "scan", str(path), "--no-config", "--quiet"]
            times = best({**inflate, "patscan": scan}, folder, chosen.runs)
            cpu, wall = times["patscan"]
            for name, (used, passed) in times.items():
                ratios = [f"{cpu / times[other][0]:.2f}, wall {wall / times[other][1]:.2f}" for other in inflate if name == "patscan"]
                print(f"| {path.name}: {name} | {used:.2f} | {passed:.2f} | {' | '.join(ratios or ['', ''])} |")
            good &= wall <= RATIO * times["isal"][1]
    with tempfile.TemporaryDirectory() as work:
        repository(Path(work))
        ((cpu, wall),) = best({"hook": [*PATSCAN, "hook", "--no-config"]}, Path(work), 3 * chosen.runs).values()
        print(f"\nhook, a jar of 10 MB: {cpu:.2f} s of the processor, {wall:.2f} s (at most {JAR})")
    return 0 if good and wall <= JAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
