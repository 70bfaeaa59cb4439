"""What a rule holds beside its pattern: what it demands of a secret, and the examples it must hold for."""

from __future__ import annotations

from typing import NamedTuple

from patscan.secret import Secret


class Example(NamedTuple):
    """A text and the bytes a rule must capture in it; ``secret`` is empty in a counter-example."""

    text: str
    secret: str


class Demands(NamedTuple):
    """What a rule of a user's own demands of a secret; `patscan.detect.own` says whether one meets it."""

    alphabet: str = ""
    """Every character that may stand behind the prefix; empty if the rule doesn't say."""
    length: tuple[int, int] = (0, 0)
    """The least and the greatest number of characters behind the prefix; zeros if the rule doesn't say."""
    min_entropy: float = 0.0
    """The least Shannon entropy of the whole secret, in bits per character."""
    near: tuple[str, ...] = ()
    """Words in lower case, one of which must stand near; none if the secret may stand anywhere."""
    allow_list: tuple[str, ...] = ()
    """Regular expressions for whole secrets that are no leak."""
    key: Secret | None = None
    """The user's key for fingerprints, once it is known."""
