"""Facts about a token in plain words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from patscan.formats.advice import NEVER_COMMITTED, NO_TRACE, UNKNOWN
from patscan.formats.places import SHORT, in_file, printable, remark, versions
from patscan.formats.redaction import shown
from patscan.formats.verdicts import life
from patscan.kind import Kind
from patscan.model import Skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from patscan.model import Evidence, Exposure, Finding, Note, Occurrence, Report

GENERATED = "known prefix, exact length, and a body as a generator draws it"
"""The meaning of ``high`` for most kinds."""


def reasons(finding: Finding) -> Iterator[str]:
    """The evidence in words."""
    if finding.confidence == "high" and finding.rule.prefix and finding.rule.body != "jwt":
        yield GENERATED
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
    facts_text = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in facts.items())
    return facts_text if evidence.type == "routing" else f"{evidence.type}: {facts_text}" if facts_text else evidence.type


_KEPT_BY = {
    "stash": "in a stash",
    "reflog": "in a reflog only",
    "no ref": "in a dangling commit",
    "index": "staged, never committed",
    "nothing": "never committed",
}
_TIPS = {
    "refs/heads/": "on branch",
    "refs/remotes/": "on remote branch",
    "refs/merge-requests/": "in merge request",
    "refs/tags/": "in tag",
    "refs/": "in",
}
"""Words for tips that reach a token, by prefix. The first row that fits counts, so a branch comes before a tag."""
_ID = 8
"""Characters of a short id, the beginning of a fingerprint."""


def ident(finding: Finding) -> str:
    """The token's short id, which tells equal masks apart."""
    return f"#{printable(finding.fingerprint[:_ID])}"


def named(finding: Finding, reveal: bool = False) -> str:
    """The token as a report shows it, and its id."""
    return printable(f"{shown(finding.secret, reveal)} {ident(finding)}")


def standing(finding: Finding) -> str:
    """Where the token is today (``at HEAD``, ``on branch topic/x``, ``in a stash``); empty without a history."""
    exposure = finding.exposure
    if exposure.at_head:
        return "at HEAD"
    if any(one.sighting.kind is Kind.NOTE for one in finding.occurrences):
        return "in a git note"
    for prefix, words in _TIPS.items():
        if names := [tip.removeprefix(prefix) for tip in exposure.tips or () if tip.startswith(prefix) and tip != "refs/stash"]:
            return f"{words} {names[0]}" + (f" and {len(names) - 1:,} more" if len(names) > 1 else "")
    if exposure.reachable is False:
        return _KEPT_BY.get(exposure.kept_by or "", "in content that no ref reaches")
    return _KEPT_BY.get(exposure.kept_by or "") or ("in history only" if exposure.at_head is False else "")


def whereabouts(finding: Finding, lead: Occurrence) -> Iterator[str]:
    """Facts about the place of `lead` besides its name, and about the token's exposure in history."""
    sighting = lead.sighting
    yield from (text for text in [remark(sighting)] if text and text not in standing(finding))
    yield from (f"encoded as {encoding}" for encoding in lead.encodings)
    if (number := versions(lead, finding.occurrences)) > 1:
        yield f"in {number:,} versions of this file"
    yield from _exposure(finding)


def since(exposure: Exposure) -> str:
    """The day when the token was first seen, as far back as history goes."""
    return f"{exposure.first_seen.date[:10]}{' or before' if exposure.at_or_before else ''}" if exposure.first_seen else ""


def _exposure(finding: Finding) -> Iterator[str]:
    exposure = finding.exposure
    if exposure.at_head and not any(one.at_head or one.at_head is None for one in finding.occurrences):
        yield "at HEAD in a place that is ignored"
    else:
        yield from filter(None, [standing(finding)])
    yield from filter(None, [_push_state(exposure)])
    if exposure.removed:
        newest = exposure.removed[-1]
        yield f"removed by {newest.id[:SHORT]} on {newest.date[:10]}"


def _push_state(exposure: Exposure) -> str:
    if exposure.pushed is None:
        return UNKNOWN if exposure.kept_by and exposure.kept_by not in NEVER_COMMITTED else ""
    if exposure.pushed:
        return "pushed"
    return "" if exposure.kept_by in NEVER_COMMITTED else NO_TRACE


def headline(finding: Finding, occurrence: Occurrence) -> str:
    """The token, its confidence and its state in one line, for a dashboard that shows the place itself."""
    sighting = occurrence.sighting
    commit = f" in commit {sighting.commit[:SHORT]}" if sighting.commit and in_file(sighting) else ""
    odd = remark(sighting)
    inside = f"in {occurrence.match.address.member} of this archive" if occurrence.match.address.member else ""
    past = f"{standing(finding) or 'in history only'}{commit}" if occurrence.at_head is False else ""
    parts = [
        f"{finding.rule.name} {named(finding)} ({finding.confidence})",
        life(finding.verdict),
        "" if odd in past else odd,
        inside,
        past,
    ]
    return printable("; ".join(filter(None, parts)))


def skips(report: Report) -> Iterator[Skip]:
    """The skips of `report`, and one more if it was interrupted."""
    yield from report.coverage.skipped
    if report.interrupted:
        yield Skip(report.target.path, "the scan was interrupted: not everything was looked at.")


def prominent(report: Report) -> list[Note]:
    """The notes that every format shows: what a repository's own files hide, and damage to patscan's cache."""
    return [note for note in report.coverage.notes if note.kind]


def by_reason(ignored: Iterable[Finding]) -> Iterator[str]:
    """The number of ignored tokens by reason, the most frequent first."""
    numbers = Counter(finding.reason for finding in ignored)
    for reason, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0])):
        yield f"{number:,} {printable(reason)}"
