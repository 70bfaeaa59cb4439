"""All strings of a report, wherever they are in it: collected, and replaced."""

from __future__ import annotations

from itertools import chain
from operator import is_
from typing import TYPE_CHECKING, Any

from patscan.kind import Kind
from patscan.model import Address, Position, Rule, Sighting
from patscan.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from patscan.model import Report

_TEXTLESS = frozenset((type(None), int, bool, Secret, Position, Rule, Kind))
"""Types without a string that a repository decides. Rules are trusted."""
_PATHS = {Sighting: Sighting._fields.index("path"), Address: Address._fields.index("name")}
"""The fields of paths, whose bytes are kept."""


def strings(report: Report) -> set[str]:
    """All strings in `report`."""
    texts: set[str] = set()
    columns: list[Iterable[Any]] = [(report,)]
    # A large report has two million values. They are taken field by field, so that Python's loop runs for types, not for values.
    while columns:
        column = tuple(columns.pop())
        kinds = set(map(type, column))
        for kind in kinds - _TEXTLESS:
            values: Sequence[Any] = column if len(kinds) == 1 else [value for value in column if type(value) is kind]
            if kind is str:
                texts.update(values)
            else:
                columns += _columns(kind, values)
    return texts


def _columns(kind: type, values: Iterable[Any]) -> Iterable[Iterable[Any]]:
    """What `values`, containers of one `kind`, contain: a named tuple's values field by field, those of all others together."""
    if issubclass(kind, dict):
        return [chain.from_iterable(map(kind.values, values))]
    return zip(*values, strict=True) if hasattr(kind, "_fields") else [chain.from_iterable(values)]


def replaced(report: Report, texts: Mapping[str, str], paths: Mapping[str, str]) -> Report:
    """`report` with the strings that are keys of `texts` replaced, and with its paths by `paths`."""
    clean: Report = _replaced(report, texts, paths) if texts or paths else report
    return clean


def _replaced(value: Any, texts: Mapping[str, str], paths: Mapping[str, str]) -> Any:
    """`value`, a container, with its strings replaced. A value without changes stays the same object, which saves memory."""
    kind = type(value)
    if kind is dict:
        return dict(zip(value, _replaced(tuple(value.values()), texts, paths), strict=True))
    items = [
        texts.get(item, item) if type(item) is str else item if not item or type(item) in _TEXTLESS else _replaced(item, texts, paths)
        for item in value
    ]
    place = _PATHS.get(kind)
    if place is not None and value[place]:
        items[place] = paths.get(value[place], value[place])
    if all(map(is_, items, value)):
        return value
    return tuple(items) if kind is tuple else value._make(items)
