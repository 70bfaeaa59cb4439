"""sarif_om's objects as JSON. Its own serialiser drops values that equal a default, which changes a log's meaning.

What a log has once is a sarif_om object. A result is a dictionary of the `members` that sarif_om's classes name: to create its ten objects,
with a hundred attributes that are mostly empty, and to read them back would take half of the time of a large log.
"""

from __future__ import annotations

import re
from typing import Any

import attr

from patscan.formats.ascii_json import compact

_SURROGATE = re.compile("[\ud800-\udfff]")

_NUMBERS = (int, float)

Members = dict[str, Any]
"""The members of a sarif_om object by their names in the schema."""


class _Names(dict[type, dict[str, str]]):
    """The schema's name of each attribute of a class. An attribute without one is a mistake."""

    def __missing__(self, kind: type[Any]) -> dict[str, str]:
        names = self[kind] = {field.name: field.metadata["schema_property_name"] for field in attr.fields(kind)}
        return names


_NAMES = _Names()


def members(kind: type[Any], /, **values: Any) -> Members:
    """The members of a sarif_om object of `kind` with the attributes `values`, by their names in the schema; none for ``None``."""
    names = _NAMES[kind]
    return {names[name]: value for name, value in values.items() if value is not None}


def dumped(value: Any) -> str:
    """A sarif_om object, or a collection of them, as ASCII JSON on one line."""
    text = compact(value, _members)
    # The escape of a surrogate, which may be a lone one.
    return compact(plain(value)) if "\\ud" in text else text


def plain(value: Any) -> Any:
    """A sarif_om object as a dictionary with the schema's names, and with U+FFFD for each lone surrogate."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, int | float) or value is None:
        return value
    return {name: plain(item) for name, item in _members(value).items()}


def _members(value: Any) -> Members:
    """The members of a sarif_om object that are set, by their names in the schema."""
    names = _NAMES[type(value)]
    # None and -1 mean "not set". Any other value stays, even a default: a result without a level would take its rule's.
    return {names[name]: item for name, item in vars(value).items() if item is not None and not (type(item) in _NUMBERS and item == -1)}
