"""Parts of a rule beside its pattern: its conditions for a secret, and its examples."""

from __future__ import annotations

from patscan.secret import Secret
from patscan.tuples import NamedTuple


class Example(NamedTuple):
    """A text, and the secret that a rule must capture in it; empty in a counter-example."""

    text: str
    secret: str


class Demands(NamedTuple):
    """The conditions of a user's rule for a secret. `patscan.detect.own` checks them."""

    alphabet: str = ""
    """The characters that may follow the prefix; empty: any."""
    length: tuple[int, int] = (0, 0)
    """The least and the greatest number of characters after the prefix; zeros: any."""
    min_entropy: float = 0.0
    """The least Shannon entropy of the whole secret, in bits per character."""
    near: tuple[str, ...] = ()
    """Words in lower case. One of them must be near the secret; empty: no condition."""
    allow_list: tuple[str, ...] = ()
    """Regular expressions for whole secrets that aren't leaks."""
    key: Secret | None = None
    """The user's key for fingerprints, once it is known."""
