"""Makes `patscan/detect/written.bin`: how likely each symbol of a token's alphabet follows others in what people and programs write.

    python -m benchmarks.train_likelihood [FOLDER …] [--output FILE]

Reads the text files of the folders, by default the standard library of the Python that runs it and its site-packages. The same files
give the same bytes, in any order. `patscan.detect.likelihood` reads the table, and docs/likelihood.md says what it was made of and how
well it tells.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import math
import re
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from patscan.detect.written import FOLDED, SCALE, SYMBOLS, TABLE

_TEXT = {".py", ".pyi", ".txt", ".md", ".rst", ".toml", ".cfg", ".json", ".yaml", ".yml", ".html", ".js", ".css", ".c", ".h"}
_NOT_TRAINED_ON = {"test", "tests", "patscan", "__pycache__"}
_LARGEST = 1 << 20
_RUN = re.compile(rb"[A-Za-z0-9_-]{3,64}")
_NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS)}
_PIECE = 48
"""Bytes of text that are encoded as base64 at a time: a multiple of three."""


def texts(folders: Iterable[Path]) -> Iterator[bytes]:
    """The text files below `folders` of at most 1 MiB, without tests: those are for measuring."""
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            inside = file.relative_to(folder)
            is_ours = _NOT_TRAINED_ON.isdisjoint(inside.parts) and "site-packages" not in inside.parts
            if file.suffix in _TEXT and is_ours and file.is_file() and file.stat().st_size <= _LARGEST:
                yield file.read_bytes()


def table(contents: Iterable[bytes]) -> bytes:
    """The costs of runs, then those of base64. A run counts once, however often it is written."""
    runs: set[bytes] = set()
    pieces: set[bytes] = set()
    for content in contents:
        runs.update(_RUN.findall(content))
        pieces.update(content[at : at + _PIECE] for at in range(0, min(len(content), 1 << 14) - _PIECE, _PIECE * 4))
    return _costs_of_runs(runs) + _costs_of_base64(pieces)


def _costs_of_runs(runs: Iterable[bytes]) -> bytes:
    """For the folded symbol two before, the symbol before, and the symbol: a byte each."""
    triples: Counter[tuple[int, int, int]] = Counter()
    for run in runs:
        # In front of a body stands its prefix, which ends with a hyphen.
        numbers = [_NUMBER[symbol] for symbol in b"--" + run]
        triples.update((FOLDED[first], second, third) for first, second, third in zip(numbers, numbers[1:], numbers[2:], strict=False))
    pairs: Counter[tuple[int, int]] = Counter()
    singles: Counter[int] = Counter()
    for (_, second, third), count in triples.items():
        pairs[second, third] += count
        singles[third] += count
    single = _smoothed([singles[number] for number in range(64)], [1 / 64] * 64)
    pair = [_smoothed([pairs[second, third] for third in range(64)], single) for second in range(64)]
    return b"".join(
        _costs(_smoothed([triples[first, second, third] for third in range(64)], pair[second]))
        for first in range(max(FOLDED) + 1)
        for second in range(64)
    )


def _costs_of_base64(pieces: Iterable[bytes]) -> bytes:
    """For each of four places in a group of base64, the symbol before, and the symbol: a byte each."""
    counts: Counter[tuple[int, int, int]] = Counter()
    for piece in pieces:
        numbers = [_NUMBER[symbol] for symbol in base64.urlsafe_b64encode(piece)]
        counts.update((place % 4, numbers[place - 1], numbers[place]) for place in range(1, len(numbers)))
    plain = [_smoothed([sum(counts[place, before, now] for before in range(64)) for now in range(64)], [1 / 64] * 64) for place in range(4)]
    return b"".join(
        _costs(_smoothed([counts[place, before, now] for now in range(64)], plain[place])) for place in range(4) for before in range(64)
    )


def _smoothed(counts: list[int], usual: list[float]) -> list[float]:
    """The probabilities that `counts` show; what was never seen has a share of `usual` (Witten and Bell)."""
    kinds = sum(count > 0 for count in counts) or 1
    total = sum(counts) + kinds
    return [(count + kinds * share) / total for count, share in zip(counts, usual, strict=True)]


def _costs(probabilities: list[float]) -> bytes:
    return bytes(min(round(-math.log2(probability) * SCALE), 255) for probability in probabilities)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    paths = sysconfig.get_paths()
    parser.add_argument("folders", nargs="*", type=Path, default=[Path(paths["stdlib"]), Path(paths["purelib"])], metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=TABLE, metavar="FILE")
    chosen = parser.parse_args()
    contents = list(texts(chosen.folders))
    made = table(contents)
    chosen.output.write_bytes(made)
    print(f"{len(contents):,} files, {sum(map(len, contents)):,} bytes -> {len(made):,} bytes, {hashlib.sha256(made).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
