"""Lines for ``git filter-repo --replace-text`` and ``--replace-message``, one for each form of a token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from patscan.secret import Secret

_PLAIN = re.compile(rb"[\x20-\x7e]+")


def lines(tokens: Mapping[str, Secret], forms: Mapping[str, Iterable[bytes]]) -> list[bytes]:
    """The lines for each token and its `forms`, by fingerprint. The longest come first, because one may contain another.

    Each token has a different replacement, so that two branches or files named after tokens stay apart. It is valid in a ref's name.
    """
    replaced = {form: b"REMOVED-" + name[:8].encode() for name, token in tokens.items() for form in {token.reveal(), *forms.get(name, ())}}
    return [_line(form, replaced[form]) for form in sorted(replaced, key=lambda form: (-len(form), form))]


def contains_token(text: str, tokens: Iterable[Secret]) -> bool:
    """Whether `text` contains one of `tokens`."""
    return any(token.reveal() in text.encode("utf-8", "surrogateescape") for token in tokens)


def _line(form: bytes, replacement: bytes) -> bytes:
    if _PLAIN.fullmatch(form):
        return b"literal:" + form + b"==>" + replacement
    # A line feed would end the line, and git filter-repo may strip a carriage return or a blank at its end.
    escaped = b"".join(re.escape(byte) if _PLAIN.fullmatch(byte) else b"\\x%02x" % byte[0] for byte in map(bytes, zip(form, strict=True)))
    return b"regex:" + escaped + b"==>" + replacement
