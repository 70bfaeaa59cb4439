"""Pointers of Git LFS. Their contents are in a folder beside git's objects (git-lfs, docs/spec.md)."""

from __future__ import annotations

import re

BEGIN = b"ve"
"""The first two bytes of every pointer."""
LONGEST = 1023
"""The most bytes of a pointer."""
AGAIN = "lfs:"
"""The beginning of a name for a pointer's content, as in ``lfs:CONTENT_ID:POINTER_NAME``."""
_POINTER = rb"version https?://[^\n]{1,100}/spec/v1\n(?:[^\n]+\n)*oid sha256:([0-9a-f]{64})\n(?:[^\n]+\n)*"


def content_id(data: bytes | memoryview) -> str | None:
    """The id of the content if `data` is a pointer."""
    pointer = re.fullmatch(_POINTER, data) if len(data) <= LONGEST and data[:2] == BEGIN else None
    return pointer[1].decode() if pointer else None


def pointer(name: str) -> tuple[str, str]:
    """The content's id and the pointer's name, from a name that begins with `AGAIN`."""
    content, _, pointer_name = name.removeprefix(AGAIN).partition(":")
    return content, pointer_name


def stored_as(content: str) -> str:
    """The path of a content in the folder ``lfs/objects``."""
    return f"{content[:2]}/{content[2:4]}/{content}"
