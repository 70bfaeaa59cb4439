"""Apply a project's policy: ignored paths, ignore comments and accepted tokens. Ignored findings are listed, never dropped.

Each place is judged separately. A token is a finding as long as one of its places isn't ignored.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from patscan.dates import instant
from patscan.errors import ConfigError
from patscan.kind import Kind
from patscan.model import Finding, Ignore, Occurrence, Sighting
from patscan.tuples import NamedTuple

_NAMELESS = (Kind.REF_NAME, Kind.STDIN, Kind.MESSAGE)
"""Kinds of places whose path isn't a file of the project."""
_STARS, _DEEP = 3, 3
"""The most stars in one name of a pattern, and the most ``**``. Each multiplies the time for a hostile path."""


class Policy(NamedTuple):
    """What a project ignores."""

    ignored_paths: tuple[str, ...] = ()
    """Patterns in gitignore syntax, for paths relative to `root`."""
    root: str = ""
    """The folder to which paths are relative; empty: they already are."""
    inside: str = ""
    """The folder of a submodule, a prefix of its paths."""
    accepted: Mapping[str, str] = {}
    """The reasons of accepted tokens, by their fingerprints in the baseline."""
    salt: bytes = b""
    """The baseline's salt of these fingerprints."""
    require_reason: bool = False
    """Whether an ignore comment needs a reason."""


class _Doubt(NamedTuple):
    """Why a place is ignored, and a person's written reason."""

    reason: str
    justification: str


class Triage:
    """Applies a policy to findings."""

    def __init__(self, policy: Policy) -> None:
        """Raises `ConfigError` for a pattern that is none."""
        self.unreasoned: set[str] = set()
        """Places of ignore comments that lack the required reason."""
        self._policy = policy
        self._excluded = cache(excluded(policy.ignored_paths)) if policy.ignored_paths else None

    def split(self, finding: Finding) -> Iterator[Finding]:
        """Split `finding` into one with the places that count, if any, and an ignored one for each reason."""
        if finding.reason:
            yield finding
            return
        if self._policy.accepted and (accepted := self._accepted(finding)) is not None:
            yield finding._replace(reason="baseline", justification=accepted)
            return
        groups: dict[_Doubt | None, list[Occurrence]] = {}
        for occurrence, doubt in zip(finding.occurrences, self._doubts(finding.occurrences), strict=True):
            groups.setdefault(doubt, []).append(occurrence)
        for doubt, places in groups.items():
            reason, justification = doubt or ("", "")
            yield finding._replace(reason=reason, justification=justification, occurrences=tuple(places))

    def _accepted(self, finding: Finding) -> str | None:
        salt = self._policy.salt
        return self._policy.accepted.get(finding.secret.keyed(salt) if salt else finding.fingerprint)

    def _doubts(self, occurrences: Sequence[Occurrence]) -> list[_Doubt | None]:
        """Why each place is ignored."""
        doubts: list[_Doubt | None] = [None] * len(occurrences)
        comments = {
            number: one.match.ignore for number, one in enumerate(occurrences) if one.match.ignore and self._counts(one, one.match.ignore)
        }
        for number, comment in _spread(occurrences, comments) if comments else ():
            doubts[number] = _Doubt("inline comment", comment.reason)
        doubts = _uncommitted(occurrences, doubts)
        if self._excluded:
            return [
                _Doubt("path", "") if self._is_excluded(one.sighting) else doubt for one, doubt in zip(occurrences, doubts, strict=True)
            ]
        return doubts

    def _counts(self, occurrence: Occurrence, comment: Ignore) -> bool:
        if not occurrence.sighting.kind.commentable:
            return False
        if self._policy.require_reason and not comment.reason:
            self.unreasoned.add(f"{_name(occurrence.sighting)}:{comment.line}")
            return False
        return True

    def _is_excluded(self, sighting: Sighting) -> bool:
        if sighting.path is None or sighting.kind in _NAMELESS or self._excluded is None:
            return False
        root = self._policy.root
        path = os.path.relpath(sighting.path, root) if root else sighting.path
        outside = path.split(os.sep, 1)[0] == os.pardir or os.path.isabs(path)
        return not outside and self._excluded(posixpath.join(self._policy.inside, path.replace(os.sep, "/")))


def excluded(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path matches `patterns`, as git reads a .gitignore. Raises `ConfigError`."""
    from pathspec import GitIgnoreSpec

    patterns = tuple(patterns)
    for pattern in patterns:
        # A regex engine may end a pattern at NUL, and then match everything.
        if "\0" in pattern:
            raise ConfigError(f"ignore-paths: {pattern!r} contains a NUL, which no path does.")
        if pattern.count("**") > _DEEP or any(part != "**" and part.count("*") > _STARS for part in pattern.split("/")):
            raise ConfigError(f"ignore-paths: {pattern!r} has too many stars: at most {_STARS} in a name, and ** at most {_DEEP} times.")
    try:
        return GitIgnoreSpec.from_lines(patterns).match_file
    except (ValueError, re.error) as error:
        raise ConfigError(f"ignore-paths: {error}. Write patterns as in a .gitignore.") from error


def _spread(occurrences: Sequence[Occurrence], comments: Mapping[int, Ignore]) -> Iterator[tuple[int, Ignore]]:
    """Apply the comments in the newest version of a file to all its versions. A comment only in an older version hides nothing."""
    files: dict[str, list[int]] = {}
    for number, occurrence in enumerate(occurrences):
        files.setdefault(_name(occurrence.sighting), []).append(number)
    for versions in files.values():
        deciding = _newest(occurrences, versions)
        covered = [(number, comments[number]) for number in deciding if number in comments]
        whole = len(covered) == len(deciding)
        yield from ((number, comments.get(number, covered[0][1])) for number in versions) if whole else covered


def _uncommitted(occurrences: Sequence[Occurrence], doubts: list[_Doubt | None]) -> list[_Doubt | None]:
    """Ignore contents without a commit too, if comments at HEAD ignore all other places: they are drafts of these files."""
    at_head = next((doubt for one, doubt in zip(occurrences, doubts, strict=True) if doubt and one.at_head), None)
    if not at_head or not all(doubt or _is_loose(one.sighting) for one, doubt in zip(occurrences, doubts, strict=True)):
        return doubts
    return [doubt or at_head for doubt in doubts]


def _is_loose(sighting: Sighting) -> bool:
    return sighting.kind is Kind.BLOB and sighting.path is None and sighting.commit is None


def _newest(occurrences: Sequence[Occurrence], versions: Sequence[int]) -> list[int]:
    """The versions at HEAD; without any, the version that was introduced last."""
    if here := [number for number in versions if occurrences[number].at_head]:
        return here
    last = occurrences[max(versions, key=lambda number: instant(occurrences[number].sighting.date))].sighting
    return [
        number for number in versions if (occurrences[number].sighting.blob, occurrences[number].sighting.kind) == (last.blob, last.kind)
    ]


def _name(sighting: Sighting) -> str:
    return sighting.path if sighting.path is not None else f"{sighting.kind} {sighting.commit or sighting.blob}"
