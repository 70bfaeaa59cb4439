"""The routable token format, whose checksum and payload can be checked offline.

Source: GitLab's ``lib/authn/token_field/generator/routable_token.rb`` (v1, and v0 of November 2024 to April 2025) and
``lib/authn/token_field/decoders/v1/routable_payload.rb``::

    v1  prefix B64(16 random bytes, payload, len(payload)) . 01 . LL CCCCCCC
    v0  prefix B64(payload, random bytes, len(random))         . LL CCCCCCC

``LL`` is the length of ``B64`` and ``CCCCCCC`` the CRC-32 of everything before it, prefix included, both in base36.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from zlib import crc32

from patscan.tuples import NamedTuple

MAX_PREFIX = 41
"""Characters of a PAT's prefix (20), an instance prefix (20) and its hyphen (application_setting.rb)."""

ROUTES = {"c": "cell", "g": "group", "o": "organization", "p": "project", "t": "runner_type", "u": "user"}

_BODY = re.compile(rb"[A-Za-z0-9_-]+")
_PREFIX = re.compile(rb"[A-Za-z0-9_+=/@:.-]*\Z")
_VERSIONED = re.compile(rb"\.([0-9a-z]{2})\Z")
_PAIR = re.compile(rb"([a-z]):([0-9a-z]+)")
_RANDOM = 16
_CRC = 7


class Layout(NamedTuple):
    """The byte offsets of a routable token's parts, by its length field. The body is ``[body, body_end)``."""

    version: int
    body: int
    body_end: int
    end: int


class Proof(NamedTuple):
    """A correct checksum. `start` is the first byte of the prefix. `payload` is ``None`` if it can't be decoded."""

    start: int
    payload: Mapping[str, int] | None


def layout(text: bytes, end: int) -> Layout | None:
    """The layout of the token that ends at `end`; ``None`` if its length field doesn't span base64."""
    head = end - _CRC - 3
    versioned = _VERSIONED.search(text, max(head - 3, 0), head) if head > 0 else None
    body_end = versioned.start() if versioned else head
    try:
        length = int(text[head + 1 : head + 3], 36)
    except ValueError:
        return None
    body = body_end - length
    if length < 2 or body < 0 or not _BODY.fullmatch(text, body, body_end):
        return None
    return Layout(int(versioned[1], 36) if versioned else 0, body, body_end, end)


def prove(text: bytes, shape: Layout, at: int | None = None) -> Proof | None:
    """Find the prefix that the checksum covers: first the one that starts at `at`, then one of any length. ``None`` if there is none."""
    want = text[shape.end - _CRC : shape.end]
    for start in _starts(text, shape.body, at):
        if base36(crc32(text[start : shape.end - _CRC])) == want:
            return Proof(start, payload(text[shape.body : shape.body_end], shape.version))
    return None


def _starts(text: bytes, body: int, at: int | None) -> Iterator[int]:
    if at is not None and at <= body:
        yield at
    front = _PREFIX.search(text, max(body - MAX_PREFIX, 0), body)
    yield from range(body, front.start() - 1 if front else body - 1, -1)


def base36(number: int) -> bytes:
    """`number` in lowercase base36, padded to the seven characters of a checksum."""
    digits = bytearray(_CRC)
    for place in range(_CRC - 1, -1, -1):
        number, digit = divmod(number, 36)
        digits[place] = b"0123456789abcdefghijklmnopqrstuvwxyz"[digit]
    return bytes(digits)


def payload(body: bytes, version: int) -> Mapping[str, int] | None:
    """The routing payload by name (``organization``, ``user``…); ``None`` if the generator doesn't write such bytes."""
    try:
        raw = a2b_base64(body.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(body) % 4))
    except Base64Error:
        return None
    if not raw or (version and len(raw) != _RANDOM + raw[-1] + 1):
        return None
    inner = raw[_RANDOM:-1] if version else raw[: -raw[-1] - 1]
    pairs = [_PAIR.fullmatch(line) for line in inner.split(b"\n")]
    if not all(pairs):
        return None
    letters = {pair[1].decode(): int(pair[2], 36) for pair in pairs if pair}
    return {ROUTES.get(letter, letter): number for letter, number in letters.items()}
