"""What a report knows of a token, as a person would say it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from patscan.formats.advice import NEVER_COMMITTED, NO_TRACE, UNKNOWN
from patscan.formats.places import SHORT, in_file, printable, remark, versions
from patscan.model import Skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from patscan.model import Evidence, Exposure, Finding, Note, Occurrence, Report

_TIPS = 3
"""Branches and tags named."""


def reasons(finding: Finding) -> Iterator[str]:
    """Why we believe it."""
    if finding.confidence == "high" and finding.rule.body != "jwt":
        yield "known prefix, exact length, and a body as a generator draws it"
    for evidence in finding.evidence:
        yield _in_words(evidence)


def _in_words(evidence: Evidence) -> str:
    facts = evidence.facts
    if isinstance(facts.get("ok"), bool):
        return f"{evidence.type} {'right' if facts['ok'] else 'wrong'}"
    if evidence.type == "prefix":
        return f"prefix: {facts.get('text')}"
    if "text" in facts:
        return str(facts["text"])
    said = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in facts.items())
    return said if evidence.type == "routing" else f"{evidence.type}: {said}" if said else evidence.type


_KEPT = {
    "stash": "only a stash leads to it",
    "reflog": "only a reflog leads to it",
    "no ref": "no ref leads to it: dangling",
    "index": "staged, never committed",
    "nothing": "never committed",
}


def whereabouts(finding: Finding, lead: Occurrence) -> Iterator[str]:
    """What is to be known of the place of `lead`, besides its name, and of where in history the token lives."""
    sighting = lead.sighting
    yield from filter(None, [remark(sighting)])
    yield from (f"encoded as {encoding}" for encoding in lead.encodings)
    if sighting.path is not None and sighting.blob:
        yield f"blob {sighting.blob[:SHORT]}"
    if (held := versions(lead, finding.occurrences)) > 1:
        yield f"in {held:,} versions of this file"
    yield from _exposed(finding)


def since(exposure: Exposure) -> str:
    """The day of its first sight, as far back as history goes."""
    return f"{exposure.first_seen.date[:10]}{' or before' if exposure.at_or_before else ''}" if exposure.first_seen else ""


def _exposed(finding: Finding) -> Iterator[str]:
    exposure = finding.exposure
    here = any(one.at_head or one.at_head is None for one in finding.occurrences)
    for known, yes, no in (
        (exposure.at_head, "still there at HEAD" if here else "still at HEAD in a place that is ignored", "gone from HEAD"),
        (exposure.reachable, "", _KEPT.get(exposure.kept_by or "", "no ref leads to it")),
    ):
        if known is not None and (text := yes if known else no):
            yield text
    yield from filter(None, [_pushed(exposure)])
    if exposure.removed:
        newest = exposure.removed[-1]
        yield f"taken out by {newest.id[:SHORT]} on {newest.date[:10]}"
    if exposure.tips:
        more = len(exposure.tips) - _TIPS
        yield f"held by {', '.join(exposure.tips[:_TIPS])}" + (f" and {count(more, 'more ref')}" if more > 0 else "")


def _pushed(exposure: Exposure) -> str:
    if exposure.pushed is None:
        return UNKNOWN if exposure.kept_by and exposure.kept_by not in NEVER_COMMITTED else ""
    if exposure.pushed:
        return "pushed"
    return "" if exposure.kept_by in NEVER_COMMITTED else NO_TRACE


def headline(finding: Finding, occurrence: Occurrence) -> str:
    """What stands there and how sure that is, in one line for a dashboard that shows the place itself."""
    sighting = occurrence.sighting
    commit = f" in commit {sighting.commit[:SHORT]}" if sighting.commit and in_file(sighting) else ""
    past = f"; in history only,{commit or ' gone from HEAD'}" if occurrence.at_head is False else ""
    odd = f"; {remark(sighting)}" if remark(sighting) else ""
    member = occurrence.match.address.member
    inside = f"; in {member} of this archive" if member else ""
    return printable(f"{finding.rule.name} {finding.secret} ({finding.confidence}){odd}{inside}{past}")


def unseen(report: Report) -> Iterator[Skip]:
    """Everything that keeps `report` from being complete."""
    yield from report.coverage.skipped
    if report.interrupted:
        yield Skip(report.target.path, "the scan was interrupted: not everything was looked at.")


def prominent(report: Report) -> list[Note]:
    """The notes that every format shows: what a repository's own files hide, and what of patscan's own was changed."""
    return [note for note in report.coverage.notes if note.kind]


def by_reason(ignored: Iterable[Finding]) -> Iterator[str]:
    """How many were ignored, and why, the most frequent reason first."""
    counted = Counter(finding.reason for finding in ignored)
    for reason, number in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        yield f"{number:,} {printable(reason)}"


def count(number: int, noun: str) -> str:
    """``1 token``, ``2,000 tokens``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
