"""How often the likelihood is wrong, on both sides.

    python -m benchmarks.likelihood drawn [--each N] [--seed N] [--kind PREFIX …]
    python -m benchmarks.likelihood written FOLDER …

`drawn` makes N tokens of every kind that has no checksum, as GitLab's generators do, and counts those that a scan with default settings
reports. `written` reads the files of folders that `benchmarks.train_likelihood` didn't, and counts the runs of at least 20 characters
whose first 20 would be taken for drawn ones.
"""

# ruff: noqa: SLF001 - the arithmetic of the model again, over arrays
from __future__ import annotations

import argparse
import base64
import gzip
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from patscan import rulebook
from patscan.detect import likelihood
from patscan.detect import written as model
from patscan.detect.matcher import Matcher

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_AT_ONCE, _TOGETHER, _SAMPLE = 20_000, 200, 20_000
_PARTITION = re.compile(r"^t?[0-9a-f]{1,5}_(?=.{20}$)")
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


class Kind(NamedTuple):
    """How tokens of one kind are made: the fixed part, what a generator draws, and from how many symbols."""

    front: str
    draw: Callable[[random.Random], str]
    symbols: int = 60

    def token(self, rng: random.Random) -> str:
        """One token, with its name in front if that isn't a part of it."""
        return self.front + self.draw(rng)


def hexadecimal(length: int) -> Callable[[random.Random], str]:
    """A maker of `length` hexadecimal digits."""
    return lambda rng: rng.randbytes(length // 2).hex()


_PREFIXES = (
    *("glpat-", "gldt-", "glrt-", "glrt-t1_", "glrtr-", "glrtr-t1_", "GR1348941", "glft-", "glsoat-", "glffct-", "glwt-", "glrct-"),
    *("feed_token=", "rss_token="),
)
_NAMES = ("private_token=", "deploy_token=", "job_token=", "runner_token=", "registration_token=", "static_object_token=", "feed-token=")
KINDS = {
    **{front: Kind(front, friendly) for front in _PREFIXES},
    "glcbt-": Kind("glcbt-", lambda rng: f"{rng.randrange(16, 1 << 16):x}_{friendly(rng)}"),
    "glagent-": Kind("glagent-", lambda rng: friendly(rng, 50)),
    "glptt-": Kind("glptt-", hexadecimal(40), 16),
    "gloas-": Kind("gloas-", hexadecimal(64), 16),
    "glimt-": Kind("glimt-", base36, 36),
    "glft-…-ID": Kind("glft-", lambda rng: f"{rng.randbytes(32).hex()}-{rng.randrange(1, 30_000_000)}", 16),
    "_gitlab_session=": Kind("_gitlab_session=", hexadecimal(32), 16),
    **{front: Kind(front, friendly) for front in _NAMES},
    "gitlab_agent_token=": Kind("gitlab_agent_token=", lambda rng: friendly(rng, 50)),
    "trigger_token=": Kind("trigger_token=", hexadecimal(40), 16),
    "gitlab_client_secret=": Kind("gitlab_client_secret=", hexadecimal(64), 16),
    "gitlab_access_token=": Kind("gitlab_access_token=", hexadecimal(64), 16),
}
"""The kinds whose tokens have no checksum and no signature. A name with ``=`` is the plainest context of a token without a prefix."""


def reported(matcher: Matcher, kind: str, each: int, rng: random.Random) -> Counter[str]:
    """How many of `each` tokens are findings, by confidence; what isn't has its reason.

    All have their odds computed. Those that a judge may refuse for them or for how they begin, and `_SAMPLE` others, are matched.
    """
    maker, counted = KINDS[kind], Counter[str]()
    for first in range(0, each, _AT_ONCE):
        tokens = [maker.token(rng) for _ in range(min(_AT_ONCE, each - first))]
        bodies = [_PARTITION.sub("", token.removeprefix(maker.front)) for token in tokens]
        matched = [
            token
            for at, (token, body, number) in enumerate(zip(tokens, bodies, all_bits(bodies, maker.symbols), strict=True))
            if number < likelihood.DOUBTFUL + 1 or first + at < _SAMPLE or _may_be_refused(body, maker)
        ]
        counted["likely"] += len(tokens) - len(matched)
        for low in range(0, len(matched), _TOGETHER):
            counted += _captured(matcher, matched[low : low + _TOGETHER])
    return counted


def _may_be_refused(body: str, maker: Kind) -> bool:
    """Whether a judge may refuse `body` for its letters: all large, all small, or the beginning of a runner's type."""
    is_typed = maker.front.startswith(("glrt-", "glrtr-")) and body.startswith("t")
    return is_typed or (maker.symbols == 60 and body in {body.lower(), body.upper()})


def _captured(matcher: Matcher, tokens: list[str]) -> Counter[str]:
    whole = {token.partition("=")[2] or token for token in tokens}
    captures = matcher.find(b"".join(b"export TOKEN='%s'\n" % token.encode() for token in tokens))
    cut = [capture for capture in captures if capture.secret.reveal().decode() not in whole]
    counted = Counter(capture.reason or capture.confidence for capture in captures if capture not in cut)
    return counted + Counter({"cut": len(cut), "nothing": len(tokens) - len(captures)})


def all_bits(bodies: list[str], alphabet: int) -> np.ndarray:
    """`patscan.detect.written.bits` of many bodies at once, not rounded. Bodies of one length go together."""
    numbers = np.empty(len(bodies))
    lengths = np.array([len(body) for body in bodies])
    for length in set(lengths.tolist()):
        places = np.flatnonzero(lengths == length)
        rows = "".join(bodies[place] for place in places).encode().translate(model._NUMBERS)
        numbers[places] = _costs(np.frombuffer(rows, np.uint8).reshape(-1, length).astype(int), alphabet > 16) - length * np.log2(alphabet)
    return numbers


def _costs(bodies: np.ndarray, hexadecimal: bool) -> np.ndarray:
    """`patscan.detect.written._cost`, of each row."""
    chances = np.array(model._CHANCES)[np.frombuffer(model._costs(), np.uint8)]
    folded, steps, digits = np.array(model.FOLDED), np.array(model._steps()), np.array(model._DIGITS)
    hexes = np.array(model._HEXADECIMAL if hexadecimal else model._NEVER)
    rows, length = bodies.shape
    weights, costs = np.full((7, rows), 1 / model._HABITS), np.zeros(rows)
    padded = np.concatenate([np.full((rows, 2), 62), bodies], axis=1)
    pairs = folded[padded[:, :-1]] * 64 + padded[:, 1:]
    for at in range(length):
        first, second, number = padded[:, at], padded[:, at + 1], padded[:, at + 2]
        copied = np.full(rows, -1)
        for before in range(at):
            copied = np.where(pairs[:, before] == pairs[:, at], bodies[:, before], copied)
        place = second * 64 + number
        weights *= (
            chances[pairs[:, at] * 64 + number],
            steps[place],
            steps[first * 64 + number],
            np.where(copied == number, model._COPIED, model._STRAYED),
            digits[number],
            hexes[number],
            chances[model._WORDS + at % 4 * 4096 + place],
        )
        total = weights.sum(axis=0)
        costs -= np.log2(total)
        weights = weights * (model._STAY / total) + model._CHANGE
    return costs


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
            counted = reported(matcher, kind, chosen.each, random.Random(f"{kind} {chosen.seed}"))
            findings = counted["high"] + counted["likely"] + counted["medium"]
            shown = ", ".join(f"{reason} {number:,}" for reason, number in counted.most_common() if number)
            print(f"{kind:21} {findings / chosen.each:9.4%} of {chosen.each:,}: {shown}", flush=True)
        return
    numbers = [model.bits(body, 60) for body in written(chosen.folders)]
    print(f"{len(numbers):,} distinct runs")
    for least in _LEAST:
        print(f"{sum(number >= least for number in numbers) / len(numbers):.3%} have at least {least} bits")


if __name__ == "__main__":
    main()
