"""Does a secret meet what a rule of a user's own demands, and may everyone know a plain hash of it?"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import NamedTuple

from patscan.demands import Demands
from patscan.model import Rule
from patscan.secret import Secret

NEAR = 200
"""Bytes before and behind a secret in which one of a rule's words must stand."""
SAFE = 80
"""Bits that nobody guesses: the fingerprint of a secret that has so many needs no key."""


class Unmet(NamedTuple):
    """What speaks against a secret: a reason for the report, and the same as a sentence."""

    reason: str
    text: str


def is_near(demands: Demands, text: bytes, start: int, end: int) -> bool:
    """Whether one of the words stands near ``[start, end)``, in any case, or none has to."""
    around = text[max(start - NEAR, 0) : start].lower(), text[end : end + NEAR].lower()
    return not demands.near or any(word.encode() in side for word in demands.near for side in around)


def unmet(rule: Rule, demands: Demands, secret: bytes) -> Unmet | None:
    """The first demand that `secret` doesn't meet."""
    body = secret[len(rule.prefix) :]
    if any(re.fullmatch(pattern.encode(), secret) for pattern in demands.allow_list):
        return Unmet("allow-list", "the rule's allow-list takes it")
    if not _has_length(demands, body):
        return Unmet("length", "not of the length that the rule wants")
    if not _has_alphabet(demands, body):
        return Unmet("alphabet", "holds a character that isn't in the rule's alphabet")
    if (bits := entropy(secret)) < demands.min_entropy:
        return Unmet("entropy", f"{bits:.2f} bits per character, where the rule wants {demands.min_entropy:g}")
    return None


def entropy(secret: bytes) -> float:
    """Shannon entropy over the characters of `secret`, in bits per character: how often each stands there, not in which order."""
    total = len(secret)
    return sum(count / total * math.log2(total / count) for count in Counter(secret).values())


def key(rule: Rule, secret: bytes) -> Secret | None:
    """The user's key for the fingerprint of `secret`; ``None`` if it needs none: its length and alphabet have `SAFE` bits."""
    demands = rule.demands
    if demands is None:
        return None
    body = secret[len(rule.prefix) :]
    promised = demands.length[0] * math.log2(len(demands.alphabet) or 1)
    return None if promised >= SAFE and _has_length(demands, body) and _has_alphabet(demands, body) else demands.key


def _has_length(demands: Demands, body: bytes) -> bool:
    least, most = demands.length
    return not most or least <= len(body) <= most


def _has_alphabet(demands: Demands, body: bytes) -> bool:
    return not demands.alphabet or set(body) <= set(demands.alphabet.encode())
