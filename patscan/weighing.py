"""The stage that lets paths change the confidence of tokens that only their context shows."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from patscan.kind import Kind
from patscan.model import Evidence, Match, Occurrence

if TYPE_CHECKING:
    from patscan.purpose import Purpose
    from patscan.run import Options, Run

_FILES = (Kind.BLOB, Kind.INDEX, Kind.FILE)


def weigh(run: Run) -> Run:
    """Lower what stands only in tests, examples and documentation; raise what stands in a file of credentials, and in none of those.

    A path neither makes a match nor drops one.
    """
    purposes: dict[str, set[Purpose | None]] = {}
    for one in run.occurrences:
        if _is_contextual(one.match):
            purposes.setdefault(one.match.fingerprint, set()).add(_purpose(one, run.options))

    def weighed(one: Occurrence) -> Occurrence:
        return _weighed(one, purposes[one.match.fingerprint]) if _is_contextual(one.match) else one

    return run._replace(occurrences=list(map(weighed, run.occurrences))) if purposes else run


def strongest(match: Match) -> Match:
    """`match` with the highest confidence that a path can give it."""
    return match._replace(confidence="high") if _is_contextual(match) else match


def _weighed(occurrence: Occurrence, purposes: Collection[Purpose | None]) -> Occurrence:
    """`occurrence` of a token whose files have these `purposes`; ``None`` is among them if a place has no known purpose."""
    from patscan.purpose import UNUSED, Purpose

    match = occurrence.match
    unused = sorted(UNUSED.intersection(purposes))
    if len(unused) == len(purposes):
        evidence = Evidence("path", {"text": f"only files for {' and '.join(unused)} contain it"})
        match = match._replace(confidence="low", reason="test or example", evidence=(*match.evidence, evidence))
    elif Purpose.CREDENTIALS in purposes and not unused:
        evidence = Evidence("path", {"text": "a file that programs read credentials from contains it"})
        match = match._replace(confidence="high", evidence=(*match.evidence, evidence))
    return occurrence._replace(match=match)


def _is_contextual(match: Match) -> bool:
    """Whether only its context makes it a match, no prefix, checksum or user's rule, and nothing speaks against it yet."""
    is_open = not (match.rule.prefix or match.rule.demands or match.reason)
    return is_open and any(one.type == "context" for one in match.evidence)


def _purpose(occurrence: Occurrence, options: Options) -> Purpose | None:
    """The purpose of the file; ``None`` if it isn't known, or there is none. A member of an archive has its path behind the archive's."""
    from patscan.purpose import purpose

    sighting = occurrence.sighting
    if sighting.kind not in _FILES or sighting.path is None:
        return None
    path = os.path.relpath(sighting.path, options.root) if options.root else sighting.path
    # The folders of a file outside the project, such as /tmp/test, say nothing of it.
    path = os.path.basename(path) if path.split(os.sep, 1)[0] == os.pardir else path
    return purpose("/".join([path.replace(os.sep, "/"), *filter(None, occurrence.match.address.members)]))
