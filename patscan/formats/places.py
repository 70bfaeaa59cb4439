"""The places of tokens in words, and text of repositories made fit to print."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from patscan.dates import instant
from patscan.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patscan.model import Occurrence, Sighting

SHORT = 10
"""Digits shown of an object's id."""

_NAMED = {Kind.REF_NAME, Kind.PATH, Kind.NOTE}
"""Kinds of places that are named by their path."""

SURROGATE = re.compile("[\ud800-\udfff]")
"""Lone surrogates: a byte that Python couldn't decode, or half a character of a Windows file name."""


def in_file(sighting: Sighting) -> bool:
    """Whether the place is a file."""
    return sighting.path is not None and sighting.kind.is_file


def name(sighting: Sighting, digits: int | None = None) -> str:
    """The place's name for people, with object ids cut to `digits`."""
    kind, path = sighting.kind, sighting.path
    if kind is Kind.STDIN:
        return kind.label
    if kind.is_file or not kind.label:
        if path is not None:
            return path
        label = Kind.BLOB.label.format((sighting.blob or "")[:digits])
        return f"{sighting.submodule}: {label}" if sighting.submodule else label
    label = kind.label.format((sighting.commit or "")[:digits])
    # A message in a submodule has the submodule's path.
    return f"{path}: {label}" if path else label


def stand_in(sighting: Sighting) -> str:
    """A path for a place that is no file. Git never tracks a path under ``.git``, so no file of the repository has it."""
    if sighting.kind is Kind.STDIN:
        return "stdin"
    itself = sighting.path if sighting.kind in _NAMED else None
    return f".git/{sighting.kind}/{itself or sighting.commit or sighting.blob or 'unknown'}"


def file_name(sighting: Sighting) -> str:
    """The path of the file, or a stand-in for a place that is no file."""
    return name(sighting) if in_file(sighting) else stand_in(sighting)


def place(occurrence: Occurrence, digits: int | None = None) -> str:
    """The place's name for people, with the path of an archive's member, and with object ids cut to `digits`."""
    member = occurrence.match.address.member
    archive = name(occurrence.sighting, digits)
    return f"{archive}!/{member}" if member else archive


def remark(sighting: Sighting) -> str:
    """What is special about the place; empty for a usual file."""
    if sighting.kind is Kind.BLOB and sighting.path is None:
        return "content that no commit refers to"
    return sighting.kind.remark


def current(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """The occurrences in the newest version of each place, each once even if several commits introduced it."""
    if len(occurrences) == 1:
        return list(occurrences)
    newest: dict[tuple[str, str], Sighting] = {}
    keys = [_key(one.sighting) for one in occurrences]
    for key, occurrence in zip(keys, occurrences, strict=True):
        best = newest.setdefault(key, occurrence.sighting)
        if instant(occurrence.sighting.date) > instant(best.date):
            newest[key] = occurrence.sighting
    kept = [(key, one) for key, one in zip(keys, occurrences, strict=True) if one.sighting.blob == newest[key].blob]
    places = {(key, one.match.address.members, one.start, one.position): one for key, one in reversed(kept)}
    return list(places.values())[::-1]


def listed(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """The places to look for a token today: at HEAD or outside of history; if there are none, its former places."""
    if len(occurrences) == 1:
        return list(occurrences)
    here = [one for one in occurrences if one.at_head is not False]
    return current(here if any(one.at_head for one in here) else occurrences)


def by_place(occurrences: Sequence[Occurrence]) -> list[list[Occurrence]]:
    """`listed` grouped by file or other place, because dashboards track a token by its file."""
    if len(occurrences) == 1:
        return [list(occurrences)]
    places: dict[tuple[str, str], list[Occurrence]] = {}
    for occurrence in listed(occurrences):
        places.setdefault(_key(occurrence.sighting), []).append(occurrence)
    return list(places.values())


def identity(*parts: str) -> str:
    """A hash of `parts` in hex, such as of a token's fingerprint and its place."""
    from patscan.digests import blake2b

    return blake2b(b"\0".join(map(as_bytes, parts)), digest_size=16).hexdigest()


def slashed(path: str) -> str:
    """`path` with slashes on every system, and printable."""
    return printable(path.replace(os.sep, "/"))


def versions(occurrence: Occurrence, occurrences: Sequence[Occurrence]) -> int:
    """The number of versions of its place that contain a token."""
    key = _key(occurrence.sighting)
    return len({one.sighting.blob for one in occurrences if _key(one.sighting) == key}) if len(occurrences) > 1 else 1


def _key(sighting: Sighting) -> tuple[str, str]:
    return sighting.kind, name(sighting)


def as_bytes(path: str) -> bytes:
    """The bytes of a path, on any system."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A Windows file name that isn't valid UTF-16.
        return path.encode("utf-8", "surrogatepass")


def printable(text: str) -> str:
    r"""`text` with escapes for what could steer a terminal or reorder a line: ``\n``, ``\x1b``, ``\u202e``, a stray byte ``\xff``."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    # A byte that "surrogateescape" decoded.
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
