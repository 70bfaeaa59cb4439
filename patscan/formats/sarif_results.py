"""The results of a SARIF log: one for each line of a file at the tip with a token, and one for each token that is in none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sarif_om as om

from patscan.dates import instant
from patscan.formats.places import SHORT, current, in_file, printable
from patscan.formats.sarif_json import members
from patscan.formats.sarif_places import location
from patscan.formats.sarif_rules import GRADES, MESSAGES, template, unlinked
from patscan.formats.verdicts import life, plain
from patscan.formats.words import ident, named, reasons, standing
from patscan.kind import Kind
from patscan.model import Verdict
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from patscan.formats.sarif_json import Members
    from patscan.model import Finding, Occurrence, Report, Sighting

SUPPRESSED = {"inline comment": "inSource", "baseline": "external", "path": "external"}
"""Reasons of findings that the user decided to ignore, which are suppressed results (SARIF 2.1.0 section 3.35)."""

_LEVELS = {"certain": "error", "high": "error", "medium": "warning", "low": "note"}
_STATES = {"active": "error", "active-blocked": "error", "inactive": "note"}
_RANKS = {"active": 100.0, "active-blocked": 95.0, "inactive": 5.0, "certain": 90.0, "high": 75.0, "medium": 50.0, "low": 20.0}
_UNASKED = Verdict()
_MOST = 25_000
"""Results of a run that GitHub takes."""
_MOST_RELATED = 100
"""Related locations of a result that GitHub keeps."""


class Place(NamedTuple):
    """The place of one result, and its related places."""

    lead: Occurrence
    also: Sequence[Occurrence]
    message: str
    """The key of its text in `MESSAGES`."""


def level(finding: Finding) -> str:
    """The level of its results. GitLab's verdict outweighs the confidence."""
    return _STATES.get(finding.verdict.state, _LEVELS[finding.confidence])


def rank(finding: Finding) -> float:
    """The priority from 0 to 100. Live tokens come before merely certain ones."""
    return _RANKS.get(finding.verdict.state, _RANKS[finding.confidence])


def reported(report: Report) -> list[Finding]:
    """The findings with results: those reported, then those suppressed."""
    return [*report.findings, *(finding for finding in report.ignored if finding.reason in SUPPRESSED)]


class Results:
    """Creates the results of a report one by one, and counts those that exceed GitHub's limits."""

    def __init__(self, root: str, rules: Sequence[tuple[str, str]]) -> None:
        """`root` is the scanned folder's absolute path, or empty. `rules` are the ids and levels of the log's rules, in order."""
        self.total = self.unrelated = 0
        self._root, self._rules = root, {rule: number for number, rule in enumerate(rules)}

    @property
    def left_out(self) -> int:
        """The number of results above the limit."""
        return max(0, self.total - _MOST)

    def of(self, findings: Sequence[Finding]) -> Iterator[Members]:
        """The results of `findings`, in their order."""
        for finding in findings:
            for place in places(finding):
                self.total += 1
                if self.total <= _MOST:
                    yield self._result(finding, place)

    def _result(self, finding: Finding, place: Place) -> Members:
        rule, mask, grade = finding.rule, str(finding.secret), level(finding)
        self.unrelated += max(0, len(place.also) - _MOST_RELATED)
        related = [
            location(one, self._root, mask, number, _remark(one.sighting)) for number, one in enumerate(place.also[:_MOST_RELATED], start=1)
        ]
        return members(
            om.Result,
            rule_id=rule.id + GRADES[grade],
            rule_index=self._rules[rule.id, grade],
            kind="fail",
            level=grade,
            rank=rank(finding),
            message=_message(finding, place),
            locations=[location(place.lead, self._root, mask)],
            related_locations=related or None,
            partial_fingerprints=_fingerprints(finding, place),
            suppressions=_suppressions(finding),
            properties=_properties(finding, place.lead),
        )


def places(finding: Finding) -> Iterator[Place]:
    """A place for each line at the tip; the first has all other places as related ones. Without any, the newest place in history."""
    if len(finding.occurrences) == 1:
        lead = finding.occurrences[0]
        yield Place(lead, (), "tip") if _is_at_tip(lead) else Place(lead, (lead,), _message_key(lead.sighting))
        return
    tip = current([one for one in finding.occurrences if _is_at_tip(one)])
    lines: dict[tuple[str | None, str | None, int], list[Occurrence]] = {}
    for one in tip:
        lines.setdefault((one.sighting.path, one.match.address.member, one.position.line), []).append(one)
    others = sorted(current([one for one in finding.occurrences if not _is_at_tip(one)]), key=_last, reverse=True)
    if not tip:
        yield Place(others[0], others, _message_key(others[0].sighting))
    for number, (lead, *same) in enumerate(lines.values()):
        yield Place(lead, [*same, *others] if number == 0 else same, "tip")


def _is_at_tip(occurrence: Occurrence) -> bool:
    """Whether the file can be opened now. Without a history (`at_head` is ``None``) every file can."""
    return occurrence.at_head is not False and (in_file(occurrence.sighting) or occurrence.sighting.kind is Kind.STDIN)


def _last(occurrence: Occurrence) -> tuple[bool, float]:
    return in_file(occurrence.sighting), instant(occurrence.sighting.date)


def _message_key(sighting: Sighting) -> str:
    """The key of the message for a place that isn't at the tip."""
    if sighting.kind in MESSAGES:
        return sighting.kind
    return "history" if sighting.commit else "unreferenced"


def _message(finding: Finding, place: Place) -> Members:
    """The message: a text, which GitHub demands, and its id and arguments, by which dashboards group messages."""
    sighting = place.lead.sighting
    arguments = [named(finding), finding.confidence, unlinked(life(finding.verdict)) or finding.verdict.state]
    commit, date = (sighting.commit or "unknown")[:SHORT], (sighting.date or "unknown")[:10]
    if place.message == "history":
        arguments += [f"{commit} of {date}", unlinked(standing(finding)) or "in history only"]
    elif "{3}" in MESSAGES[place.message]:
        arguments += [commit, date]
    text = f"{template(finding.rule)} {MESSAGES[place.message]}".format(*arguments)
    return members(om.Message, text=text, id=place.message, arguments=arguments)


def _remark(sighting: Sighting) -> str:
    """The text of a related location."""
    commit = f"commit '{sighting.commit[:SHORT]}' of '{sighting.date or 'unknown'}'" if sighting.commit else ""
    blob = f"blob '{sighting.blob[:SHORT]}'" if sighting.blob else ""
    details = ", ".join(filter(None, [commit, blob]))
    return f"The same token: {details}." if details else "The same token."


def _fingerprints(finding: Finding, place: Place) -> dict[str, str]:
    """The token's fingerprint by patscan, and the line's by GitHub. Where GitHub can't compute its own, patscan's replaces it."""
    ours, lead = finding.fingerprint, place.lead
    there = place.message == "tip" and in_file(lead.sighting) and not lead.match.address.members
    line = lead.line_hash or (None if there else f"{ours[:16]}:1")
    return {"patscan/v1": ours} | ({"primaryLocationLineHash": line} if line else {})


def _suppressions(finding: Finding) -> list[Members]:
    """The suppressions, an empty list for a result without one: all results have the field or none has (section 3.27.23)."""
    kind = SUPPRESSED.get(finding.reason)
    return [members(om.Suppression, kind=kind, justification=printable(finding.justification) or None)] if kind else []


def _properties(finding: Finding, lead: Occurrence) -> dict[str, object]:
    """Facts that SARIF has no field for. Authors are left out, because a dashboard has more readers than a repository."""
    sighting, exposure, verdict = lead.sighting, finding.exposure, finding.verdict
    details = {
        "confidence": finding.confidence,
        "evidence": list(reasons(finding)),
        "encodings": lead.encodings,
        "commit": sighting.commit,
        "authorDate": sighting.date,
        "blob": sighting.blob,
        "firstSeen": exposure.first_seen and exposure.first_seen.date,
        "atOrBefore": exposure.at_or_before or None,
        "atHead": exposure.at_head,
        "pushed": exposure.pushed,
        "standing": standing(finding),
        "tips": exposure.tips,
        "state": verdict.state,
        "id": ident(finding),
        **(_answer(verdict) if verdict != _UNASKED else {}),
    }
    return {key: value for key, value in details.items() if value or value is False}


def _answer(verdict: Verdict) -> dict[str, object]:
    """GitLab's answer besides the state."""
    return {
        "stateReason": verdict.reason,
        "stateFacts": plain(verdict.facts),
        "lifecycle": [check._asdict() for check in verdict.lifecycle],
        "thiefSeverity": verdict.severity,
        "thiefSeverityReasons": verdict.severity_reasons,
        "instance": verdict.instance,
    }
