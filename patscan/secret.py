"""The token, which doesn't print itself."""

from __future__ import annotations

_FINGERPRINT_KEY = b"patscan/1"
_SHOWN_PREFIX = 12
PREFIXES = "gl[a-z]{2,6}-|GR1348941"
"""A regular expression for GitLab's prefixes, where no rules are at hand."""


class Secret:
    """A token that doesn't print itself: ``str``, ``repr`` and tracebacks show ``glpat-…(26)``.

    The token is bytes, because a repository's bytes need not be text in any encoding. `reveal` is the only way in. A pickle holds the
    token: it passes between patscan's own processes only, never into a cache, a log or a report.
    """

    __slots__ = ("_key", "_shown", "_token")

    def __init__(self, token: bytes, prefix: bytes = b"", key: Secret | None = None) -> None:
        """Hold `token`; `prefix` is its public part (``glpat-``), the only part ever shown; `key` is that of the fingerprint."""
        self._token = token
        self._key = key
        shown = prefix[:_SHOWN_PREFIX].decode("ascii", "replace") if token.startswith(prefix) else ""
        self._shown = f"{shown}…({len(token)})"

    @classmethod
    def masked(cls, shown: str) -> Secret:
        """A token of which only the mask is known, as a saved report has it: `reveal` gives nothing."""
        secret = cls(b"")
        secret._shown = shown
        return secret

    def reveal(self) -> bytes:
        """The token itself. Callers: the fingerprint, the checks, the masks, ``--show-secrets``, a request."""
        return self._token

    @property
    def fingerprint(self) -> str:
        """BLAKE2b-128 of the token alone, in hex: no kind, path, line or commit, so it survives rebase and rename.

        Without a key, everyone can compute it, which tells nothing of a token of 80 random bits and gives a password away.
        """
        return self.keyed(self._key.reveal() if self._key else _FINGERPRINT_KEY)

    @property
    def is_keyed(self) -> bool:
        """Whether the fingerprint has a key that nobody else knows."""
        return self._key is not None

    def keyed(self, salt: bytes) -> str:
        """The same under a project's own `salt`: two projects' fingerprints of one token can't be compared."""
        import hashlib

        return hashlib.blake2b(self._token, digest_size=16, key=salt).hexdigest()

    def __len__(self) -> int:
        return len(self._token)

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._token, self._shown) == (other._token, other._shown)

    def __hash__(self) -> int:
        return hash((self._token, self._shown))
