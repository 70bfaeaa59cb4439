"""Git LFS: a pointer stands in the repository, its content in a folder beside git's objects (git-lfs, docs/spec.md)."""

from __future__ import annotations

import re

BEGIN = b"ve"
"""The first two bytes of every pointer."""
LONGEST = 1023
"""Bytes of a pointer at most."""
AGAIN = "lfs:"
"""How a name begins that asks for the content of a pointer: its id and the pointer's own name follow, each behind a colon."""
_POINTER = rb"version https?://[^\n]{1,100}/spec/v1\n(?:[^\n]+\n)*oid sha256:([0-9a-f]{64})\n(?:[^\n]+\n)*"


def content_id(data: bytes | memoryview) -> str | None:
    """The id of the content if `data` is a pointer."""
    pointer = re.fullmatch(_POINTER, data) if len(data) <= LONGEST and data[:2] == BEGIN else None
    return pointer[1].decode() if pointer else None


def pointer(name: str) -> tuple[str, str]:
    """The content's id and the pointer's own name in a name that begins with `AGAIN`."""
    content, _, own = name.removeprefix(AGAIN).partition(":")
    return content, own


def stored_as(content: str) -> str:
    """The path of a content in the folder ``lfs/objects``."""
    return f"{content[:2]}/{content[2:4]}/{content}"
