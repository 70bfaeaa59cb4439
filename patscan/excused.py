"""What is there and yet isn't this commit's fault: stages that move it among what is ignored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from patscan.content import Failure, Key, Piece
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

    def before(self, paths: Collection[str]) -> Iterator[tuple[Sequence[str], Piece]]:
        """What stood under these paths before: a content's paths and its pieces."""


class _Before(NamedTuple):
    """What stood under some paths, as a shard: it is looked at as anything else, archives included."""

    contents: Iterable[tuple[Sequence[str], Piece]]
    paths: dict[str, Sequence[str]]
    """The paths of each content, once it was read."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        for paths, piece in self.contents:
            self.paths[str(piece.key)] = paths
            yield piece

    def engines(self) -> tuple[str, ...]:
        """None: nothing is read in a special way."""
        return ()

    def name(self, key: Key) -> str:
        """A key is the object's id."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> None:
        """Not asked."""


def committed(source: Changing, run: Run) -> Run:
    """`run` without the tokens that stood in the same file before. Looks in this process, where the scan looked."""
    from patscan.look import look

    paths = {place.sighting.path for finding in run.findings for place in finding.occurrences if place.sighting.path}
    stood: dict[str, set[Secret]] = {}
    with suppress(TargetError):  # what can't be read excuses nothing
        before = _Before(source.before(paths), {})
        for match in look(before).matches if paths else ():
            for path in before.paths[match.address.name]:
                stood.setdefault(path, set()).add(match.secret)

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
