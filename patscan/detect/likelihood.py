"""Would a generator draw this body, or did a person type it?

Every test is chosen so that a random body fails it less than once in 100,000; the odds stand beside it, for 20 characters drawn
from the 60 of ``Devise.friendly_token`` (urlsafe base64 with ``lIO0`` replaced; heartcombo/devise lib/devise.rb).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

NEVER_DRAWN = frozenset(b"lIO0")

_WORDS = """
access changeme demo dummy example fake foobar gitlab here insert invalid mock password personal
placeholder private project redacted replace sample secret snip some test token user value your
""".split()  # noqa: SIM905 - a list of words is read as words
# Case-consistent only (lower, UPPER, Title): a word of four letters then stands in a random body with 4e-6.
_WORD = re.compile("|".join(form for word in _WORDS for form in (word, word.upper(), word.title())).encode())
# One class of letters and no digit: (27/60)^20 = 1e-7. Digits only: (8/60)^20.
_TYPED = re.compile(rb"[a-z_-]+|[A-Z_-]+|[0-9_-]+")


@lru_cache(maxsize=4096)  # a file may hold one token a million times
def placeholder(body: bytes, alphabet: int) -> str:
    """Why `body`, drawn from `alphabet` symbols, looks like a placeholder; empty if it doesn't."""
    folded = body.lower()
    # A run or sequence of k symbols: len * alphabet^(1-k); 5 of 60 is 1e-6, 7 of 16 is 3e-6.
    long = 5 if alphabet > 32 else 7
    if not body:
        return ""
    if len(set(body)) * 2 <= min(len(body), alphabet) * 3 // 4:
        return "few distinct characters"
    if _run(folded, lambda a, b: a == b) >= long:
        return "one character repeated"
    if _period(body):
        return "a repeated group"
    if max(_run(folded, _follows), _run(folded[::-1], _follows)) >= long:
        return "a sequence"
    if len(body) <= 25 and sum(_follows(*pair) for pair in pairwise(folded)) >= 8:
        return "short sequences"
    if any(_run(folded[half::2], _follows) >= long and _run(folded[1 - half :: 2], _follows) >= 3 for half in (0, 1)):
        return "interleaved sequences"
    if alphabet > 32 and (word := _WORD.search(body)) and (alphabet > 36 or len(word[0]) > 4):
        return f"the word {word[0].decode().lower()!r}"
    if alphabet > 36 and len(body) >= 12 and _TYPED.fullmatch(body):
        return "one class of characters"
    return ""


def _follows(first: int, second: int) -> bool:
    return second == first + 1 or (first, second) in ((0x39, 0x30), (0x39, 0x61), (0x7A, 0x61))


def _run(body: Sequence[int], joined: Callable[[int, int], bool]) -> int:
    longest = current = 1
    for first, second in pairwise(body):
        current = current + 1 if joined(first, second) else 1
        longest = max(longest, current)
    return longest


def _period(body: bytes) -> bool:
    return any(body[period:] == body[:-period] for period in range(1, len(body) // 2 + 1))
