"""The forms of tokens as ``git filter-repo --replace-text`` and ``--replace-message`` read them: a line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from patscan.secret import Secret

_PLAIN = re.compile(rb"[\x20-\x7e]+")


def lines(tokens: Mapping[str, Secret], forms: Mapping[str, Iterable[bytes]]) -> list[bytes]:
    """Each token as it is and in its `forms`, by fingerprint; the longest first, for one may stand in another.

    Every token has a replacement of its own, so that two branches or files whose names hold tokens stay two. It is fit for a ref's name.
    """
    replaced = {form: b"REMOVED-" + name[:8].encode() for name, token in tokens.items() for form in {token.reveal(), *forms.get(name, ())}}
    return [_line(form, replaced[form]) for form in sorted(replaced, key=lambda form: (-len(form), form))]


def holds(text: str, tokens: Iterable[Secret]) -> bool:
    """Whether a token stands in `text`."""
    return any(token.reveal() in text.encode("utf-8", "surrogateescape") for token in tokens)


def _line(form: bytes, replacement: bytes) -> bytes:
    if _PLAIN.fullmatch(form):
        return b"literal:" + form + b"==>" + replacement
    # A line feed would end the line of the file, and a carriage return or a blank may be taken off its end.
    escaped = b"".join(re.escape(byte) if _PLAIN.fullmatch(byte) else b"\\x%02x" % byte[0] for byte in map(bytes, zip(form, strict=True)))
    return b"regex:" + escaped + b"==>" + replacement
