"""Hash functions that are quick to load. hashlib loads OpenSSL, which takes 5 ms of a hook; the random module avoids it, too."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash, blake2b
else:
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b

__all__ = ["blake2b", "object_hash"]

_FEW = 1 << 18
"""Bytes from which OpenSSL's SHA-1 makes up for its loading: it is nine times as quick."""


def object_hash(digits: int, size: int) -> _Hash:
    """The hash of git's ids with so many hexadecimal digits. `size` is the number of all bytes that are to be hashed."""
    if digits == 40 and size < _FEW:
        with suppress(ImportError):
            sha1: _Hash = import_module("_sha1").sha1(usedforsecurity=False)
            return sha1
    import hashlib

    return hashlib.new("sha1" if digits == 40 else "sha256", usedforsecurity=False)
