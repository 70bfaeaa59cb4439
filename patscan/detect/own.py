"""The demands of users' own rules on a secret, and the key for its fingerprint."""

from __future__ import annotations

import math
import re
from collections import Counter

from patscan.demands import Demands
from patscan.model import Rule
from patscan.secret import Secret
from patscan.tuples import NamedTuple

NEAR = 200
"""Bytes before and after a secret that must contain one of a rule's words."""
SAFE = 80
"""Bits of a secret from which its fingerprint needs no key, because nobody can guess it."""


class Unmet(NamedTuple):
    """A demand that a secret doesn't meet: the reason for the report, and a sentence."""

    reason: str
    text: str


def is_near(demands: Demands, text: bytes, start: int, end: int) -> bool:
    """Whether one of the words, in letters of any case, is near ``[start, end)``, or none is demanded."""
    around = text[max(start - NEAR, 0) : start].lower(), text[end : end + NEAR].lower()
    return not demands.near or any(word.encode() in side for word in demands.near for side in around)


def unmet(rule: Rule, demands: Demands, secret: bytes) -> Unmet | None:
    """The first demand that `secret` doesn't meet; ``None`` if it meets all."""
    body = secret[len(rule.prefix) :]
    if any(re.fullmatch(pattern.encode(), secret) for pattern in demands.allow_list):
        return Unmet("allow-list", "the rule's allow-list contains it")
    if not _has_length(demands, body):
        return Unmet("length", "not of the length that the rule demands")
    if not _has_alphabet(demands, body):
        return Unmet("alphabet", "contains a character that isn't in the rule's alphabet")
    if (bits := entropy(secret)) < demands.min_entropy:
        return Unmet("entropy", f"{bits:.2f} bits per character, where the rule demands {demands.min_entropy:g}")
    return None


def entropy(secret: bytes) -> float:
    """The Shannon entropy of `secret` in bits per character. It depends on how often each character occurs, not on their order."""
    total = len(secret)
    return sum(count / total * math.log2(total / count) for count in Counter(secret).values())


def key(rule: Rule, secret: bytes) -> Secret | None:
    """The user's key for the fingerprint of `secret`; ``None`` if length and alphabet promise `SAFE` bits."""
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
