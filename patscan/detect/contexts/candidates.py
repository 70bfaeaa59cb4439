"""Runs of characters that may be tokens without a prefix, by their length and symbols."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64

from patscan.tuples import NamedTuple

BEFORE, AFTER = 700, 320
"""Bytes before and after a token that may contain its context."""
_DRAWN = rb"[A-HJ-NP-Za-km-z1-9_-]"
SHORTEST = 20
"""Characters of the shortest token. Each expression of `runs` ends with as many."""
LONGEST = 400
"""Characters of a user and a token in base64 at most."""
_FRIENDLY = re.compile(_DRAWN + rb"{20}(?:" + _DRAWN + rb"{30})?")
_HEX = re.compile(rb"(?=[0-9]*[a-f])(?=[a-f]*[0-9])(?:[0-9a-f]{30}|[0-9a-f]{40}|[0-9a-f]{64})")
_NUMBERED = re.compile(rb"(?:[^0-9]*[0-9]){3}")
_ANY = re.compile(rb"[A-Za-z0-9_-]{20,65}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{26,%d}={0,2}" % LONGEST)
_PAIR = re.compile(rb"(?P<user>[^\s:]{0,200}):(?P<token>[^\s:]{20,64})\s?")
_ALONE = re.compile(rb"(?P<user>)(?P<token>[^\s:]{20,64})\s?")


class Candidate(NamedTuple):
    """A run ``[start, end)`` of characters that a generator may have drawn."""

    start: int
    end: int
    body: bytes
    """The possible token."""
    at: int = 0
    """Its start in the decoded bytes, if the run is base64."""
    user: bytes | None = None
    """The user before a colon in the decoded bytes; empty if there is none, ``None`` if the run isn't base64."""

    @property
    def symbols(self) -> int:
        """The number of symbols that the body's generator draws from."""
        return 16 if _HEX.fullmatch(self.body) else 60


def at(data: bytes, start: int) -> Candidate | None:
    """The candidate at byte `start`; ``None`` if there is none."""
    run = _ANY.match(data, start)
    if run and _is_body(run[0]):
        return Candidate(start, run.end(), run[0])
    encoded = _BASE64.match(data, start)
    return _decoded(start, encoded[0]) if encoded else None


def _decoded(start: int, encoded: bytes) -> Candidate | None:
    """A token in base64, alone or as a password after a user and a colon."""
    try:
        plain = a2b_base64(encoded + b"=" * (-len(encoded) % 4) if encoded[-1:] != b"=" else encoded)
    except Base64Error:
        return None
    if not plain[-SHORTEST:].isascii():
        return None  # most runs aren't base64 of text
    inner = _PAIR.fullmatch(plain) or _ALONE.fullmatch(plain)
    if inner is None or not _is_body(inner["token"]):
        return None
    return Candidate(start, start + len(encoded), inner["token"], inner.start("token"), inner["user"])


def _is_body(run: bytes) -> bool:
    """Whether a generator draws such runs. One drawn token in 70,000 has letters of one case and fewer than three digits; most names do."""
    if _FRIENDLY.fullmatch(run):
        return run.lower() != run != run.upper() or _NUMBERED.match(run) is not None
    return _HEX.fullmatch(run) is not None
