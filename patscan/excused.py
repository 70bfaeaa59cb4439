"""Stages that move tokens to the ignored ones because the scanned change didn't introduce them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from patscan.content import Failure, Key, Piece
from patscan.errors import TargetError
from patscan.kind import Kind
from patscan.model import Finding, Occurrence
from patscan.run import Run
from patscan.secret import Secret
from patscan.tuples import NamedTuple

COMMITTED = "already committed"
COMMENT = "comment line"
STOOD = "was there before"


class Changing(Protocol):
    """A source of changed files."""

    def before(self, paths: Collection[str]) -> Iterator[tuple[Sequence[str], Piece]]:
        """The old contents of these paths: the paths of each content, and its pieces."""


class _Before(NamedTuple):
    """The old contents of some paths, as a shard, so that the look treats them as any content, also archives."""

    contents: Iterable[tuple[Sequence[str], Piece]]
    paths: dict[str, Sequence[str]]
    """The paths of each content, once it was read."""

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        """See `patscan.content.Shard.pieces`."""
        for paths, piece in self.contents:
            self.paths[str(piece.key)] = paths
            yield piece

    def engines(self) -> tuple[str, ...]:
        """None: reading needs no engine."""
        return ()

    def name(self, key: Key) -> str:
        """A key is the object's id."""
        return str(key)

    def sighting(self, piece: Piece, start: int) -> None:
        """None: the paths are enough."""


def committed(source: Changing, run: Run) -> Run:
    """`run` without the tokens that were in the same file before. The look at old contents runs in this process."""
    from patscan.look import look

    paths = {place.sighting.path for finding in run.findings for place in finding.occurrences if place.sighting.path}
    old_tokens: dict[str, set[Secret]] = {}
    with suppress(TargetError):  # an unreadable content excuses no finding
        before = _Before(source.before(paths), {})
        for match in look(before).matches if paths else ():
            for path in before.paths[match.address.name]:
                old_tokens.setdefault(path, set()).add(match.secret)

    def reason(finding: Finding, occurrence: Occurrence) -> str:
        # A token in the file's old content doesn't excuse one in its new name.
        named, path = occurrence.sighting.kind is Kind.PATH, occurrence.sighting.path or ""
        return COMMITTED if not named and finding.secret in old_tokens.get(path, ()) else ""

    return _excused(run, reason)


def commented(lines: Collection[int], run: Run) -> Run:
    """`run` without the tokens in these lines of a message, which git removes."""
    return _excused(run, lambda _, occurrence: COMMENT if occurrence.position.line in lines else "")


def stood(tokens: Collection[str], run: Run) -> Run:
    """`run` without the tokens with these fingerprints, which were there before."""
    return _excused(run, lambda finding, _: STOOD if finding.fingerprint in tokens else "")


def _excused(run: Run, reason: Callable[[Finding, Occurrence], str]) -> Run:
    """`run` with places moved to the ignored ones if `reason` gives a reason for them, not an empty string."""
    findings: list[Finding] = []
    ignored = list(run.ignored)
    for finding in run.findings:
        places: dict[str, list[Occurrence]] = {}
        for occurrence in finding.occurrences:
            places.setdefault(reason(finding, occurrence), []).append(occurrence)
        for group_reason, group in places.items():
            (ignored if group_reason else findings).append(finding._replace(reason=group_reason, occurrences=tuple(group)))
    return run._replace(findings=findings, ignored=ignored)
