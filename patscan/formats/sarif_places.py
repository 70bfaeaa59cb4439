"""Locations in a SARIF log: URIs, regions, and stand-ins for places that are no file."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import sarif_om as om

from patscan.formats.places import as_bytes, in_file, name, place, printable, stand_in
from patscan.formats.sarif_json import members
from patscan.kind import Kind
from patscan.model import Position
from patscan.secret import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patscan.formats.sarif_json import Members
    from patscan.model import Occurrence, Report

ROOT = "SRCROOT"
"""The conventional name of the folder that relative URIs are relative to."""

_MASK = re.compile(rf"(?:{PREFIXES})?…\(\d+\)")
_DIGITS = 5
"""Digits of a mask's length. A longer number isn't one."""


def root_of(report: Report) -> str:
    """The absolute path of the scanned folder; empty if it is unknown, or if there were several."""
    target = report.target
    if not os.path.isabs(target.path):
        return ""
    if target.type == "files":
        places = (one.sighting.path for finding in (*report.findings, *report.ignored) for one in finding.occurrences)
        if not all(path is None or _is_below(path, target.path) for path in places):
            return ""
    return target.path


def base(root: str) -> om.ArtifactLocation:
    """The location of `ROOT`. Its URI ends with a slash (SARIF 2.1.0 section 3.14.14)."""
    text = "The top folder of what was scanned."
    return om.ArtifactLocation(uri=f"{_file_uri(root).rstrip('/')}/" if root else None, description=om.Message(text=text))


def location(occurrence: Occurrence, root: str, mask: str, number: int | None = None, text: str = "") -> Members:
    """A file and a region with `mask` for the token, and a name if there is no file. Related locations have `number` and `text`."""
    sighting, position = occurrence.sighting, occurrence.position
    if sighting.kind is Kind.REF_NAME:
        # The scan read a list of refs, whose line numbers mean nothing elsewhere.
        position = Position(1, position.column, 1, position.end_column)
    # Without lines of another version: SonarQube drops a result with a related location that isn't valid at HEAD.
    has_lines = occurrence.at_head is not False or number is None
    named = None if in_file(sighting) else _logical(name(sighting), sighting.kind)
    if occurrence.match.address.members and occurrence.match.address.member:
        # GitHub resolves no nested artifact (`parentIndex`).
        named = _logical(place(occurrence), "member")
    return members(
        om.Location,
        id=number,
        physical_location=members(
            om.PhysicalLocation,
            artifact_location=_artifact(occurrence, root, number is None),
            region=_region(position, mask) if has_lines else None,
            context_region=_context(occurrence, mask) if has_lines else None,
        ),
        logical_locations=named,
        message=members(om.Message, text=text) if text else None,
    )


def _logical(path: str, kind: str) -> list[Members]:
    return [members(om.LogicalLocation, fully_qualified_name=printable(path), kind=kind)]


def _artifact(occurrence: Occurrence, root: str, leads: bool) -> Members:
    sighting = occurrence.sighting
    path = sighting.path or ""
    if not in_file(sighting):
        return members(om.ArtifactLocation, uri=_quoted(stand_in(sighting)), uri_base_id=ROOT)
    if leads and occurrence.at_head is False and sighting.kind is not Kind.INDEX:
        # The file at HEAD has other lines, and GitHub would hash a wrong one.
        return members(om.ArtifactLocation, uri=_quoted(f".git/blob/{sighting.blob or sighting.commit}/{path}"), uri_base_id=ROOT)
    if occurrence.match.address.members and (leads or occurrence.at_head is not False):
        # Lines count inside the member. GitHub would hash a line of the archive, and SonarQube drops a result whose line isn't there.
        inside = place(occurrence)
        inside = os.path.relpath(inside, root) if root and _is_below(inside, root) else inside.lstrip("/")
        return members(om.ArtifactLocation, uri=_quoted(f".git/member/{inside}"), uri_base_id=ROOT)
    if not os.path.isabs(path):
        # A URI with a base may not begin with ".." (section 3.4.4).
        return members(om.ArtifactLocation, uri=_quoted(path), uri_base_id=None if path.startswith("..") else ROOT)
    if root and _is_below(path, root):
        return members(om.ArtifactLocation, uri=_quoted(os.path.relpath(path, root)), uri_base_id=ROOT)
    return members(om.ArtifactLocation, uri=_file_uri(path))


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _file_uri(path: str) -> str:
    return f"file:///{_quoted(path).lstrip('/')}"


def _quoted(path: str) -> str:
    """`path` as a URI reference, with its bytes percent-encoded (RFC 3986 section 2.1)."""
    return quote(as_bytes(path.replace(os.sep, "/")), safe="/")


def _region(position: Position, mask: str) -> Members:
    """Lines and columns from 1, the end column one past the last character (SARIF 2.1.0 section 3.30.8)."""
    return members(
        om.Region,
        start_line=position.line,
        start_column=position.column,
        end_line=position.end_line,
        end_column=position.end_column,
        snippet=members(om.ArtifactContent, text=mask),
    )


def _context(occurrence: Occurrence, mask: str) -> Members | None:
    """The masked lines around the token; ``None`` if they add nothing to the region (section 3.29.5 demands a proper superset)."""
    position, first = occurrence.position, occurrence.frame_line
    # The empty text after a file's last line feed is no line.
    lines = occurrence.frame[:-1] if occurrence.frame[-1:] == ("",) else occurrence.frame
    # The frame shows a token that spans lines (folded base64) on one line.
    last = first + len(lines) - 1 + position.end_line - position.line
    if occurrence.sighting.kind is Kind.REF_NAME or lines == (mask,) or not first <= position.line <= position.end_line <= last:
        return None
    text = "\n".join(_fitted(occurrence, mask, lines))
    return members(om.Region, start_line=first, end_line=last, snippet=members(om.ArtifactContent, text=text))


@lru_cache(maxsize=1024)
def padded(mask: str) -> str:
    """`mask` padded to the length of its token."""
    prefix, _, size = mask.removesuffix(")").rpartition("…(")
    return prefix + "*" * max(int(size) - len(prefix), 0) if size.isdecimal() and len(size) < _DIGITS else mask


def _fitted(occurrence: Occurrence, mask: str, lines: Sequence[str]) -> Sequence[str]:
    """`lines` with padded masks, so that the region's columns fit; unchanged if the token's line is cut."""
    position, hit = occurrence.position, occurrence.position.line - occurrence.frame_line
    width = position.end_column - position.column
    before, *rest = lines[hit].split(mask)
    while rest:
        if len(_widened(before)) == position.column - 1 and position.line == position.end_line:
            own = padded(mask).ljust(width, "*")[:width]
            return [*map(_widened, lines[:hit]), _widened(before) + own + _widened(mask.join(rest)), *map(_widened, lines[hit + 1 :])]
        before += mask + rest.pop(0)
    return lines


def _widened(line: str) -> str:
    return _MASK.sub(lambda mask: padded(mask[0]), line) if "…(" in line else line
