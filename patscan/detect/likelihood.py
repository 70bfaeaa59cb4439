"""Tell bodies that a generator drew from those that a person or a program wrote.

The odds of `patscan.detect.written` decide. The tests here explain them in words: a run, a sequence, a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from patscan.detect.written import bits

NEVER_DRAWN = frozenset(b"lIO0")
"""The symbols of base64 for URLs that ``Devise.friendly_token`` replaces (heartcombo/devise lib/devise.rb)."""

WRITTEN, DOUBTFUL = -3, 7
"""The odds in bits below which a body was written, and those below which it may have been. docs/likelihood.md has the error rates."""
EVEN = 0
"""The odds in bits from which a body without a prefix is a candidate. One drawn body of 20 characters in 100,000 is below them."""

_WORDS = """
access changeme demo dummy example fake foobar gitlab here insert invalid mock password personal
placeholder private project redacted replace sample secret snip some test token user value your
""".split()  # noqa: SIM905 - a list of words is read as words
# In consistent case: lower, UPPER, Title.
_WORD = re.compile("|".join(form for word in _WORDS for form in (word, word.upper(), word.title())).encode())
_TYPED = re.compile(rb"[a-z_-]+|[A-Z_-]+|[0-9_-]+")


def placeholder(body: bytes, alphabet: int) -> str:
    """Why `body` was written and not drawn from `alphabet` symbols; empty if it may be drawn."""
    if not body or bits(body, alphabet) >= WRITTEN:
        return ""
    return look(body, alphabet) or "it reads like what people or programs write"


def is_drawn(body: bytes, alphabet: int) -> bool:
    """Whether `body` is much likelier drawn than written, and contains no symbol that is never drawn."""
    return bits(body, alphabet) >= DOUBTFUL and (alphabet != 60 or NEVER_DRAWN.isdisjoint(body))


def odds(number: int) -> str:
    """Log odds of `number` bits in words: ``a million times likelier drawn by a generator than written``."""
    size = 2 ** abs(number)
    if size < 10:
        return "about as likely drawn by a generator as written"
    names = [(10**9, "over a billion"), (10**6, "a million"), (10**3, "a thousand"), (100, "a hundred"), (10, "ten")]
    times = next(name for least, name in names if size >= least)
    return f"{times} times likelier " + ("drawn by a generator than written" if number > 0 else "written than drawn by a generator")


def look(body: bytes, alphabet: int) -> str:
    """The pattern that a reader sees in `body` and that a generator of `alphabet` symbols wouldn't draw; empty if there is none."""
    folded = body.lower()
    # A drawn body has a run or sequence of k symbols with a probability of len * alphabet^(1-k): 1e-6 for 5 of 60, 3e-6 for 7 of 16.
    long = 5 if alphabet > 32 else 7
    if len(set(body)) * 2 <= min(len(body), alphabet) * 3 // 4:
        return "few distinct characters"
    if _run(folded, lambda a, b: a == b) >= long:
        return "one character repeated"
    if _period(body):
        return "a repeated group"
    if max(_run(folded, _follows), _run(folded[::-1], _follows)) >= long:
        return "a sequence"
    if any(_run(folded[half::2], _follows) >= long for half in (0, 1)):
        return "interleaved sequences"
    if alphabet > 32 and (word := _WORD.search(body)):
        return f"the word {word[0].decode().lower()!r}"
    if alphabet > 36 and _TYPED.fullmatch(body):
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
