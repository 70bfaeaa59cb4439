"""A token that doesn't print itself."""

from __future__ import annotations

from sys import intern

_FINGERPRINT_KEY = b"patscan/1"
_SHOWN_PREFIX = 12
PREFIXES = "gl[a-z]{2,6}-|GR1348941"
"""A regular expression for GitLab's prefixes, where no rules are at hand."""


class Secret:
    """A token that doesn't print itself: ``str``, ``repr`` and tracebacks show ``glpat-…(26)``.

    The token is bytes, because content may have any encoding. Only `reveal` returns it. A pickle contains the token: use pickles only
    between patscan's processes, never for a cache, a log or a report.
    """

    __slots__ = ("_key", "_shown", "_token")

    def __init__(self, token: bytes, prefix: bytes = b"", key: Secret | None = None) -> None:
        """`prefix` is the public part of `token` (``glpat-``), the only part that is shown. `key` is the key of its fingerprint."""
        self._token = token
        self._key = key
        shown = prefix[:_SHOWN_PREFIX].decode("ascii", "replace") if token.startswith(prefix) else ""
        self._shown = intern(f"{shown}…({len(token)})")  # tokens of a kind share it

    @classmethod
    def masked(cls, shown: str) -> Secret:
        """A token from a saved report, with only its mask: `reveal` returns no bytes."""
        secret = cls(b"")
        secret._shown = shown
        return secret

    def reveal(self) -> bytes:
        """The token itself. `tests/test_architecture.py` lists the callers."""
        return self._token

    @property
    def fingerprint(self) -> str:
        """BLAKE2b-128 of the token alone, in hex. It doesn't change if the token moves.

        Without a key, anyone can compute it. That is safe for a token with 80 random bits, but a password could be guessed.
        """
        return self.keyed(self._key.reveal() if self._key else _FINGERPRINT_KEY)

    @property
    def is_keyed(self) -> bool:
        """Whether the fingerprint has a private key."""
        return self._key is not None

    def keyed(self, salt: bytes) -> str:
        """The fingerprint with a project's `salt`, so that fingerprints of different projects can't be compared."""
        from patscan.digests import blake2b

        return blake2b(self._token, digest_size=16, key=salt).hexdigest()

    def __len__(self) -> int:
        return len(self._token)

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._token, self._shown) == (other._token, other._shown)

    def __hash__(self) -> int:
        return hash(self._token)
