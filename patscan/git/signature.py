"""Author and date of a commit or a tag, from the object itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from patscan.dates import iso
from patscan.kind import Kind
from patscan.model import Sighting

if TYPE_CHECKING:
    from collections.abc import Callable

    from patscan.content import Key, Piece

_SIGNATURE = re.compile(rb"^(?:author|tagger) (.*?) ?(-?\d+) ([+-]\d{4})$", re.MULTILINE)
_MESSAGES = {"commit": Kind.COMMIT_MESSAGE, "tag": Kind.TAG_MESSAGE}


def signed(piece: Piece, identify: Callable[[Key], str], start: int) -> Sighting | None:
    """The sighting of a match at byte `start` of a commit or tag, in its header or its message; ``None`` in a blob.

    `identify` gives the object's id.
    """
    if piece.kind == "blob":
        return None
    name = identify(piece.key)
    if piece.offset:
        return Sighting(_MESSAGES[piece.kind], None, name)
    header, _, message = bytes(piece.data).partition(b"\n\n")
    author, date, subject = None, None, _text(message.lstrip(b"\n").partition(b"\n")[0])
    if signature := _SIGNATURE.search(header):
        author, date = _text(signature[1]), iso(signature[2].decode(), signature[3].decode())
    if start < len(header):
        return Sighting(Kind.AUTHOR, None, name, author, date, message=subject)
    return Sighting(_MESSAGES[piece.kind], None, name, author, date, message=subject)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
