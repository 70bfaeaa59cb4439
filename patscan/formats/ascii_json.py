"""JSON in ASCII, with the bytes that ``json.dumps`` would write, in a fraction of its time."""

from __future__ import annotations

import codecs
import json
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, TextIO

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Default = Callable[[Any], Any] | None

_ELLIPSIS = "…".encode()
_ESCAPED = "patscan.formats.ascii_json"
"""The name of an error handler that escapes characters as JSON does."""


def compact(value: Any, default: Default = None) -> str:
    """`value` on one line, without spaces. `default` gives a JSON value for an object of another type."""
    try:
        return _ascii(orjson.dumps(value, default))
    except TypeError:
        # A lone surrogate, or a number of more than 64 bits.
        return json.dumps(value, default=default, separators=(",", ":"))


def indented(value: Any, margin: str = "\n") -> str:
    """The result of ``json.dumps(value, indent=2)``, with `margin` for its line feeds."""
    try:
        text = _ascii(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    except TypeError:
        text = json.dumps(value, indent=2)
    return text.replace("\n", margin)


def write_items(stream: TextIO, items: Iterable[dict[str, Any]], margin: str = "\n") -> None:
    """Write a list item by item, in the form of `indented`, without the whole text in memory."""
    inner, comma = f"{margin}  ", ""
    stream.write("[")
    for item in items:
        stream.write(f"{comma}{inner}{indented(item, inner)}")
        comma = ","
    stream.write(f"{margin}]" if comma else "]")


def _ascii(data: bytes) -> str:
    """JSON in UTF-8 as JSON in ASCII. `json` escapes DEL as well."""
    # Every mask has an ellipsis. To replace those first is faster than the error handler.
    text = data.replace(_ELLIPSIS, b"\\u2026").decode()
    return (text if text.isascii() else text.encode("ascii", _ESCAPED).decode()).replace("\x7f", "\\u007f")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - only an encoder calls this
    return encode_basestring_ascii(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPED, _escaped)
