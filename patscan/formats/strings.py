"""All strings of a report, wherever they are in it: collected, and replaced."""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any

from patscan.kind import Kind
from patscan.model import Address, Position, Rule, Sighting
from patscan.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from patscan.model import Report

_TEXTLESS = frozenset((type(None), int, bool, Secret, Position, Rule, Kind))
"""Types without a string that a repository decides. Rules are trusted."""
_PATHS = {Sighting: Sighting._fields.index("path"), Address: Address._fields.index("name")}
"""The fields of paths, whose bytes are kept."""


def strings(report: Report) -> set[str]:
    """All strings in `report`."""
    texts: set[str] = set()
    rest: list[Any] = [report]
    # A loop, because a large report has two million values, and a call for each takes longer than the rest of a format.
    while rest:
        for item in rest.pop():
            kind = type(item)
            if kind is str:
                texts.add(item)
            elif kind not in _TEXTLESS:
                rest.append(item.values() if kind is dict else item)
    return texts


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
