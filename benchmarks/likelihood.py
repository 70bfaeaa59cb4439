"""How often the likelihood is wrong, on both sides.

    python -m benchmarks.likelihood drawn [--each N] [--seed N] [--kind PREFIX …]
    python -m benchmarks.likelihood written FOLDER …

`drawn` makes N tokens of every kind that has no checksum, as GitLab's generators do, and counts those that a scan with default settings
reports. `written` reads the files of folders that `benchmarks.train_likelihood` didn't, and counts the runs of at least 20 characters
whose first 20 would be taken for drawn ones.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from patscan import rulebook
from patscan.detect import likelihood
from patscan.detect.matcher import Matcher

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_AT_ONCE = 200
_RUN = re.compile(rb"[A-Za-z0-9_-]{20,}")
_SWAPPED = str.maketrans("lIO0", "sxyz")
_LEAST = (likelihood.WRITTEN, likelihood.DOUBTFUL, 20, 30)


def friendly(rng: random.Random, length: int = 20) -> str:
    """``Devise.friendly_token``."""
    return base64.urlsafe_b64encode(rng.randbytes(length * 3 // 4)).rstrip(b"=").decode().translate(_SWAPPED)


def base36(rng: random.Random) -> str:
    """A number of 128 bits, not padded."""
    number, digits = rng.getrandbits(128), ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


KINDS: dict[str, Callable[[random.Random], str]] = {
    **{
        prefix: lambda rng, prefix=prefix: prefix + friendly(rng)  # type: ignore[misc]
        for prefix in ("glpat-", "gldt-", "glrt-", "glrtr-", "glrt-t1_", "GR1348941", "glft-", "glsoat-", "glffct-", "glwt-", "glrct-")
    },
    "glcbt-": lambda rng: f"glcbt-{rng.randrange(16, 1 << 16):x}_{friendly(rng)}",
    "glagent-": lambda rng: f"glagent-{friendly(rng, 50)}",
    "glptt-": lambda rng: f"glptt-{rng.randbytes(20).hex()}",
    "gloas-": lambda rng: f"gloas-{rng.randbytes(32).hex()}",
    "glimt-": lambda rng: f"glimt-{base36(rng)}",
    "feed_token=": lambda rng: f"feed_token={friendly(rng)}",
    "_gitlab_session=": lambda rng: f"_gitlab_session={rng.randbytes(16).hex()}",
}
"""A maker for each kind, by what stands in front of the drawn part."""


def reported(matcher: Matcher, make: Callable[[random.Random], str], each: int, rng: random.Random) -> Counter[str]:
    """How many of `each` tokens are findings, by confidence; what isn't has its reason."""
    counted: Counter[str] = Counter()
    for first in range(0, each, _AT_ONCE):
        tokens = [make(rng) for _ in range(min(_AT_ONCE, each - first))]
        whole = {token.partition("=")[2] or token for token in tokens}
        captures = matcher.find(b"".join(b"export TOKEN='%s'\n" % token.encode() for token in tokens))
        for capture in captures:
            cut = "" if capture.secret.reveal().decode() in whole else "cut, "
            counted[cut + (capture.reason or capture.confidence)] += 1
        counted["nothing"] += len(tokens) - len(captures)
    return counted


def written(folders: Iterable[Path]) -> Iterator[bytes]:
    """The first 20 characters of each distinct run in the text files of `folders`."""
    seen: set[bytes] = set()
    for folder in folders:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            content = file.read_bytes()
            content = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
            runs = {run[:20] for run in _RUN.findall(content)} if b"\0" not in content else set()
            yield from runs - seen
            seen |= runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sides = parser.add_subparsers(dest="side", required=True)
    drawn = sides.add_parser("drawn")
    drawn.add_argument("--each", type=int, default=100_000, metavar="N")
    drawn.add_argument("--seed", type=int, default=0, metavar="N")
    drawn.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS), metavar="PREFIX")
    sides.add_parser("written").add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    chosen = parser.parse_args()
    if chosen.side == "drawn":
        matcher = Matcher(rulebook.load())
        for kind in chosen.kind:
            counted = reported(matcher, KINDS[kind], chosen.each, random.Random(f"{kind} {chosen.seed}"))
            findings = counted["high"] + counted["medium"]
            shown = ", ".join(f"{reason} {number:,}" for reason, number in counted.most_common() if number)
            print(f"{kind:17} {findings / chosen.each:9.4%} of {chosen.each:,}: {shown}", flush=True)
        return
    numbers = [likelihood.bits(body, 60) for body in written(chosen.folders)]
    print(f"{len(numbers):,} distinct runs")
    for least in _LEAST:
        print(f"{sum(number >= least for number in numbers) / len(numbers):.3%} have at least {least} bits")


if __name__ == "__main__":
    main()
