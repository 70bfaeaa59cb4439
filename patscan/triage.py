"""What of the findings needn't be reported again: paths, ignore comments and accepted tokens. Nothing is dropped, all of it is listed.

Each place of a token is judged for itself, so that a token is found as long as one place of it isn't ignored.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from patscan.dates import instant
from patscan.detect.ignores import Ignore
from patscan.errors import ConfigError
from patscan.model import UNCHANGEABLE, Finding, Occurrence, Origin

_STARS, _DEEP = 3, 3
"""Stars in a part of a pattern's path and ``**`` in a pattern: each multiplies the time that a hostile path takes."""


class Policy(NamedTuple):
    """What a project has decided not to hear of again."""

    ignored_paths: tuple[str, ...] = ()
    """Patterns in gitignore syntax, for paths relative to `root`."""
    root: str = ""
    """The folder that a file's path is taken relative to; empty: paths are relative to it already."""
    inside: str = ""
    """The folder of a submodule, which stands before its paths."""
    accepted: Mapping[str, str] = {}
    """Reasons by the fingerprint of an accepted token."""
    require_reason: bool = False
    """An ignore comment without a reason ignores nothing."""


class _Doubt(NamedTuple):
    """Why a place is ignored, and what somebody wrote as the reason."""

    reason: str
    justification: str


class Triage:
    """A policy at work."""

    def __init__(self, policy: Policy) -> None:
        """Raises `ConfigError` for a pattern that is none."""
        self.unreasoned: set[str] = set()
        """Places of ignore comments that lack the required reason."""
        self._policy = policy
        self._excluded = cache(excluded(policy.ignored_paths)) if policy.ignored_paths else None

    def apart(self, finding: Finding, comments: Mapping[Occurrence, Ignore]) -> Iterator[Finding]:
        """`finding` with the places that count, if any do, and one ignored finding for each reason that others have."""
        if finding.reason:
            yield finding
            return
        if (accepted := self._policy.accepted.get(finding.fingerprint)) is not None:
            yield finding._replace(reason="baseline", justification=accepted)
            return
        doubts = self._doubts(finding.occurrences, comments)
        groups: dict[_Doubt | None, list[Occurrence]] = {}
        for occurrence in finding.occurrences:
            groups.setdefault(doubts.get(occurrence), []).append(occurrence)
        for doubt, places in groups.items():
            reason, justification = doubt or ("", "")
            yield finding._replace(reason=reason, justification=justification, occurrences=tuple(places))

    def _doubts(self, occurrences: Sequence[Occurrence], comments: Mapping[Occurrence, Ignore]) -> dict[Occurrence, _Doubt]:
        found: dict[Occurrence, _Doubt] = {}
        if comments:
            counted = {place: comment for place, comment in comments.items() if self._counts(place, comment)}
            found = {place: _Doubt("inline comment", comment.reason) for place, comment in _spread(occurrences, counted)}
            found |= _uncommitted(occurrences, found)
        if self._excluded:
            found |= {one: _Doubt("path", "") for one in occurrences if self._is_excluded(one.origin)}
        return found

    def _counts(self, occurrence: Occurrence, comment: Ignore) -> bool:
        if occurrence.origin.type in UNCHANGEABLE:
            return False
        if self._policy.require_reason and not comment.reason:
            self.unreasoned.add(f"{_name(occurrence.origin)}:{comment.line}")
            return False
        return True

    def _is_excluded(self, origin: Origin) -> bool:
        if origin.path is None or origin.type in ("ref-name", "stdin", "message") or self._excluded is None:
            return False
        root = self._policy.root
        path = os.path.relpath(origin.path, root) if root else origin.path
        outside = path.split(os.sep, 1)[0] == os.pardir or os.path.isabs(path)
        return not outside and self._excluded(posixpath.join(self._policy.inside, path.replace(os.sep, "/")))


def excluded(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path matches `patterns`, as git reads a .gitignore. Raises `ConfigError`."""
    from pathspec import GitIgnoreSpec

    patterns = tuple(patterns)
    for pattern in patterns:
        # What compiles patterns may take NUL for the end of one, and the rest for everything.
        if "\0" in pattern:
            raise ConfigError(f"ignore-paths: {pattern!r} holds a NUL, which no path does.")
        if pattern.count("**") > _DEEP or any(part != "**" and part.count("*") > _STARS for part in pattern.split("/")):
            raise ConfigError(f"ignore-paths: {pattern!r} has too many stars: at most {_STARS} in a name, and ** at most {_DEEP} times.")
    try:
        return GitIgnoreSpec.from_lines(patterns).match_file
    except (ValueError, re.error) as error:
        raise ConfigError(f"ignore-paths: {error}. They are written as in a .gitignore.") from error


def _spread(occurrences: Sequence[Occurrence], comments: Mapping[Occurrence, Ignore]) -> Iterator[tuple[Occurrence, Ignore]]:
    """The newest version of a file decides for all its versions; an older one's comment hides nothing."""
    files: dict[str, list[Occurrence]] = {}
    for occurrence in occurrences:
        files.setdefault(_name(occurrence.origin), []).append(occurrence)
    for versions in files.values():
        deciding = _newest(versions)
        covered = [(one, comments[one]) for one in deciding if one in comments]
        whole = len(covered) == len(deciding)
        yield from ((one, comments.get(one, covered[0][1])) for one in versions) if whole else covered


def _uncommitted(occurrences: Sequence[Occurrence], doubts: Mapping[Occurrence, _Doubt]) -> dict[Occurrence, _Doubt]:
    """Contents that no commit refers to: versions on the way to the files whose comments accept the token everywhere else."""
    loose = [one for one in occurrences if one.origin.type == "blob" and one.origin.path is None and one.origin.commit is None]
    at_head = [doubts[one] for one in occurrences if one in doubts and one.at_head]
    return dict.fromkeys(loose, at_head[0]) if at_head and len(doubts.keys() | set(loose)) == len(set(occurrences)) else {}


def _newest(versions: Sequence[Occurrence]) -> list[Occurrence]:
    """Those at HEAD; if there are none, those that were brought last."""
    if here := [one for one in versions if one.at_head]:
        return here
    last = max(versions, key=lambda one: instant(one.origin.date)).origin
    return [one for one in versions if (one.origin.blob, one.origin.type) == (last.blob, last.type)]


def _name(origin: Origin) -> str:
    return origin.path if origin.path is not None else f"{origin.type} {origin.commit or origin.blob}"
