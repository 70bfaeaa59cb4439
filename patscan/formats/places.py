"""Where a token stands, in words, and what of a repository's text may be shown as it is."""

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
"""Digits shown of an object id."""

_NAMED = {Kind.REF_NAME, Kind.PATH, Kind.NOTE}
"""Kinds whose path says which one is meant."""

SURROGATE = re.compile("[\ud800-\udfff]")
"""What is no Unicode text: a byte that Python couldn't decode, or half a character of a Windows file name."""


def in_file(sighting: Sighting) -> bool:
    """Whether there is a file to open at the path of `sighting`."""
    return sighting.path is not None and sighting.kind.is_file


def name(sighting: Sighting, digits: int | None = None) -> str:
    """What people call the place; object ids cut to `digits`."""
    kind, path = sighting.kind, sighting.path
    if kind is Kind.STDIN:
        return kind.label
    if kind.is_file or not kind.label:
        label = Kind.BLOB.label.format((sighting.blob or "")[:digits])
        return path if path is not None else f"{sighting.submodule}: {label}" if sighting.submodule else label
    label = kind.label.format((sighting.commit or "")[:digits])
    # What is said in a submodule has the submodule's path.
    return f"{path}: {label}" if path else label


def stand_in(sighting: Sighting) -> str:
    """A path for what is in no file. Git never tracks anything under ``.git``, so it can't be taken for a file of the repository."""
    if sighting.kind is Kind.STDIN:
        return "stdin"
    itself = sighting.path if sighting.kind in _NAMED else None
    return f".git/{sighting.kind}/{itself or sighting.commit or sighting.blob or 'unknown'}"


def file_name(sighting: Sighting) -> str:
    """The path of the file, or a stand-in for what is in none."""
    return name(sighting) if in_file(sighting) else stand_in(sighting)


def place(occurrence: Occurrence, digits: int | None = None) -> str:
    """What people call the place, with the member's path if it lies in an archive; object ids cut to `digits`."""
    member = occurrence.match.address.member
    archive = name(occurrence.sighting, digits)
    return f"{archive}!/{member}" if member else archive


def remark(sighting: Sighting) -> str:
    """What is odd about the place, if it isn't simply a file."""
    if sighting.kind is Kind.BLOB and sighting.path is None:
        return "content that no commit refers to"
    return sighting.kind.remark


def current(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """Of each place only what its newest version holds, once: several commits may have changed it, or brought the same."""
    newest: dict[tuple[str, str], Sighting] = {}
    for occurrence in occurrences:
        sighting = occurrence.sighting
        best = newest.setdefault(_key(sighting), sighting)
        if instant(sighting.date) > instant(best.date):
            newest[_key(sighting)] = sighting
    kept = [one for one in occurrences if one.sighting.blob == newest[_key(one.sighting)].blob]
    places = {(_key(one.sighting), one.match.address.members, one.start, one.position): one for one in reversed(kept)}
    return list(places.values())[::-1]


def listed(occurrences: Sequence[Occurrence]) -> list[Occurrence]:
    """Where to look for a token today: what stands at HEAD or outside of history, and if nothing does, where it stood."""
    here = [one for one in occurrences if one.at_head is not False]
    return current(here if any(one.at_head for one in here) else occurrences)


def by_place(occurrences: Sequence[Occurrence]) -> list[list[Occurrence]]:
    """`listed`, one list for each file or other place, its first line first: dashboards follow a token by its file."""
    places: dict[tuple[str, str], list[Occurrence]] = {}
    for occurrence in listed(occurrences):
        places.setdefault(_key(occurrence.sighting), []).append(occurrence)
    return list(places.values())


def identity(*parts: str) -> str:
    """A short name in hex for what `parts` name together, such as a token's fingerprint and its place."""
    from hashlib import blake2b

    return blake2b(b"\0".join(map(as_bytes, parts)), digest_size=16).hexdigest()


def slashed(path: str) -> str:
    """`path` as dashboards want it on every system, fit to be printed."""
    return printable(path.replace(os.sep, "/"))


def versions(occurrence: Occurrence, occurrences: Sequence[Occurrence]) -> int:
    """In how many versions of its place a token stands."""
    return len({one.sighting.blob for one in occurrences if _key(one.sighting) == _key(occurrence.sighting)})


def _key(sighting: Sighting) -> tuple[str, str]:
    return sighting.kind, name(sighting)


def as_bytes(path: str) -> bytes:
    """The bytes that a path of any system was decoded from."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A file name on Windows that is no UTF-16.
        return path.encode("utf-8", "surrogatepass")


def printable(text: str) -> str:
    r"""`text` with escapes for what could steer a terminal or reorder a line: ``\n``, ``\x1b``, ``\u202e``, a stray byte ``\xff``."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    # What "surrogateescape" made of a byte.
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
