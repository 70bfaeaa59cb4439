"""What is there and yet isn't this commit's fault: stages that move it among what is ignored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Protocol

from patscan.content import Piece
from patscan.detect.matcher import Matcher
from patscan.errors import TargetError
from patscan.kind import Kind
from patscan.model import Finding, Occurrence
from patscan.run import Run
from patscan.secret import Secret

COMMITTED = "already committed"
COMMENT = "comment line"
STOOD = "was there before"


class Changing(Protocol):
    """A source of what is new in files."""

    def before(self, paths: Collection[str]) -> Iterator[tuple[str, Piece]]:
        """What stood under these paths before: path and piece of content."""


def committed(source: Changing, run: Run) -> Run:
    """`run` without the tokens that stood in the same file before."""
    matcher = Matcher(run.rules)
    paths = {place.sighting.path for finding in run.findings for place in finding.occurrences if place.sighting.path}
    stood: dict[str, set[Secret]] = {}
    with suppress(TargetError):  # what can't be read excuses nothing
        for path, piece in source.before(paths) if paths else ():
            stood.setdefault(path, set()).update(capture.secret for capture in matcher.find(piece.data))

    def reason(finding: Finding, occurrence: Occurrence) -> str:
        # What stood in the file before never stood in its new name.
        named, path = occurrence.sighting.kind is Kind.PATH, occurrence.sighting.path or ""
        return COMMITTED if not named and finding.secret in stood.get(path, ()) else ""

    return _excused(run, reason)


def commented(lines: Collection[int], run: Run) -> Run:
    """`run` without the tokens in these lines of a message, which git takes out."""
    return _excused(run, lambda _, occurrence: COMMENT if occurrence.position.line in lines else "")


def stood(tokens: Collection[str], run: Run) -> Run:
    """`run` without the tokens of these fingerprints, which were there before."""
    return _excused(run, lambda finding, _: STOOD if finding.fingerprint in tokens else "")


def _excused(run: Run, reason: Callable[[Finding, Occurrence], str]) -> Run:
    """`run` with every place for which there is a `reason` apart from those for which there is none (the empty string)."""
    findings: list[Finding] = []
    ignored = list(run.ignored)
    for finding in run.findings:
        places: dict[str, list[Occurrence]] = {}
        for occurrence in finding.occurrences:
            places.setdefault(reason(finding, occurrence), []).append(occurrence)
        for why, group in places.items():
            (ignored if why else findings).append(finding._replace(reason=why, occurrences=tuple(group)))
    return run._replace(findings=findings, ignored=ignored)
