"""The odds that a generator drew a body, against people and programs that write text, in bits.

A writer is modelled as a mixture of habits: words and names, walks (runs, sequences, neighbouring keys), two alternating walks, copies
of earlier text, digits, hexadecimal, and base64 of text. A writer changes habits once in 16 symbols, so the forward algorithm of a
hidden Markov model computes the odds. ``benchmarks/train_likelihood.py`` writes the probabilities of words and of base64 to
`written.bin`. docs/likelihood.md has the error rates.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

SYMBOLS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""The 64 symbols of the model, in the order of base64 for URLs. Any other byte counts as the last one."""
FOLDED = (*range(26), *range(26), *range(26, 38))
"""For each of `SYMBOLS`, its number among the 38 without case."""
SCALE = 16
"""Units of a cost per bit: a byte of the table is a number of sixteenths of a bit."""
TABLE = Path(__file__).parent / "written.bin"

_NUMBERS = bytes(SYMBOLS.find(byte) if byte in SYMBOLS else 63 for byte in range(256))
_WORDS = 38 * 64 * 64
"""The number of costs in the table before those of base64."""
_HABITS = 7
_STAY, _CHANGE = 15 / 16, 1 / 16 / _HABITS
"""The probability that a writer keeps a habit for the next symbol, and that of changing to each of them."""
_KEYS = ("1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm", *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik", "9ol"))


@lru_cache(maxsize=4096)  # a file may hold one token a million times
def bits(body: bytes, alphabet: int) -> int:
    """The binary logarithm of the odds that a generator of `alphabet` symbols drew `body`, against a writer.

    0 means that both are equally likely. A drawn body is below -n with a probability of less than 2**-n (Markov's inequality).
    """
    return round(_cost(body, alphabet > 16) - len(body) * math.log2(alphabet))


def _cost(body: bytes, hexadecimal: bool) -> float:
    """The cost of `body` for a writer, in bits. `hexadecimal` is false if the generator draws hexadecimal, too."""
    costs, steps, chances = _costs(), _steps(), _CHANCES
    hexes = _HEXADECIMAL if hexadecimal else _NEVER
    word = walk = turn = copy = digit = hex_ = base64 = 1 / _HABITS
    cost = 0.0
    first = second = 62  # the hyphen at the end of a prefix
    followed: dict[int, int] = {}
    for at, number in enumerate(body.translate(_NUMBERS)):
        pair, place = FOLDED[first] * 64 + second, second * 64 + number
        word *= chances[costs[pair * 64 + number]]
        walk *= steps[place]
        turn *= steps[first * 64 + number]
        copy *= _COPIED if followed.get(pair) == number else _STRAYED
        digit *= _DIGITS[number]
        hex_ *= hexes[number]
        base64 *= chances[costs[_WORDS + at % 4 * 4096 + place]]
        total = word + walk + turn + copy + digit + hex_ + base64
        cost -= math.log2(total)
        stay = _STAY / total
        word, walk, turn, copy = word * stay + _CHANGE, walk * stay + _CHANGE, turn * stay + _CHANGE, copy * stay + _CHANGE
        digit, hex_, base64 = digit * stay + _CHANGE, hex_ * stay + _CHANGE, base64 * stay + _CHANGE
        followed[pair] = number
        first, second = second, number
    return cost


@cache
def _steps() -> tuple[float, ...]:
    """The probability of each symbol after each other one in a walk: the same, the next, the previous, or a neighbouring key."""
    near: list[set[int]] = [set() for _ in range(38)]
    for keys in _KEYS:
        for one, other in pairwise(FOLDED[SYMBOLS.find(key)] for key in keys.encode()):
            near[one].add(other)
            near[other].add(one)
    return tuple(_step(near[FOLDED[before]], before, number) for before in range(64) for number in range(64))


def _step(near: set[int], before: int, number: int) -> float:
    stride = FOLDED[number] - FOLDED[before]
    chance = _STRIDES.get(stride) or (0.3 / len(near) if FOLDED[number] in near else 0)
    if number < 52:  # letters mostly keep their case
        chance *= 0.7 if before >= 52 or number // 26 == before // 26 else 0.3
    return chance + _STRAYED


@cache
def _costs() -> bytes:
    return TABLE.read_bytes()


def _among(symbols: bytes) -> tuple[float, ...]:
    return tuple(0.98 / len(symbols) if symbol in symbols else 0.02 / 64 for symbol in SYMBOLS)


_DIGITS = _among(b"0123456789")
_HEXADECIMAL = _among(b"0123456789abcdefABCDEF")
_NEVER = (0.0,) * 64
_CHANCES = tuple(2 ** (-cost / SCALE) for cost in range(256))
_STRIDES = {0: 0.25, 1: 0.25, -1: 0.1}
_COPIED = 0.8
_STRAYED = 0.1 / 64
"""The probability of each symbol that a habit doesn't expect."""
