"""The stages from matches to findings. Each takes a `Run` and returns one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from patscan.kind import Kind
from patscan.model import CONFIDENCES, SEVERITIES, Evidence, Exposure, Finding, Match, Occurrence, Sighting
from patscan.weighing import strongest, weigh

if TYPE_CHECKING:
    from patscan.run import Options, Run, Source, Stage


def sightings(run: Run) -> Run:
    """Find the files and commits of each match. Duplicates are removed, because a content in two packs is looked at twice."""
    matches = {match.address: match for match in run.matches}.values()
    likely = {match.fingerprint for match in matches if run.options.every_place or not _is_weak(strongest(match), run.options)}
    wanted = {match.address.name for match in matches if match.sighting is None and match.fingerprint in likely}
    # One search for all takes hardly longer than the one for the matches.
    archives = {gap.name for gap in run.gaps if gap.path is None}
    sightings = run.source.sightings(wanted | archives, run.each) if wanted else {}
    occurrences = [one for match in matches for one in _occurrences(run.source, match, sightings)]
    return run._replace(occurrences=occurrences, archives={name: sightings[name] for name in archives if name in sightings})


def unsighted(run: Run) -> Run:
    """Give each match only its address, for an interrupted run."""
    return run._replace(
        occurrences=[Occurrence(match, match.sighting or Sighting(Kind.BLOB, blob=match.address.name)) for match in run.matches]
    )


def _occurrences(source: Source, match: Match, sightings: Mapping[str, Sequence[Sighting]]) -> Iterable[Occurrence]:
    """One occurrence for each commit that introduced the content at a path."""
    if match.sighting:
        yield Occurrence(match, source.vouched(match.sighting), source.at_head(match.sighting))
        return
    name = match.address.name
    if name not in sightings:
        yield Occurrence(match, _unknown(match))
    for sighting in dict.fromkeys(sightings.get(name, ())):
        yield Occurrence(match, sighting, source.at_head(sighting))


def _unknown(match: Match) -> Sighting:
    return Sighting(Kind.BLOB, blob=match.address.name)


def group(run: Run) -> Run:
    """Group occurrences into one finding for each token."""
    tokens: dict[str, list[Occurrence]] = {}
    for occurrence in run.occurrences:
        tokens.setdefault(occurrence.match.fingerprint, []).append(occurrence)
    return run._replace(findings=[_finding(occurrences, run.options) for occurrences in tokens.values()])


def _finding(occurrences: list[Occurrence], options: Options) -> Finding:
    best = max((one.match for one in occurrences), key=lambda match: (CONFIDENCES.index(match.confidence), not match.reason))
    occurrences.sort(key=_place)
    weak = _is_weak(best, options)
    selected = any(_is_selected(occurrence.sighting, options) for occurrence in occurrences)
    reason = (best.reason or "confidence") if weak else "" if selected else "narrowed"
    # With --min-confidence low, a finding still shows the reason against it.
    against = (Evidence("reason", {"text": best.reason}),) if best.reason and not weak else ()
    return Finding(best.rule, best.secret, best.fingerprint, best.confidence, reason, (*best.evidence, *against), tuple(occurrences))


def _is_selected(sighting: Sighting, options: Options) -> bool:
    """Whether a place matches ``--since``, ``--until`` and ``--author``."""
    if options.since is None and options.until is None and not options.author:
        return True
    if sighting.date is None or options.author.casefold() not in (sighting.author or "").casefold():
        return False
    when = datetime.fromisoformat(sighting.date).timestamp()
    return (options.since is None or options.since <= when) and (options.until is None or when <= options.until)


def _is_weak(match: Match, options: Options) -> bool:
    return CONFIDENCES.index(match.confidence) < CONFIDENCES.index(options.min_confidence)


def exposure(run: Run) -> Run:
    """Find since when tokens are in history, and where they still are."""
    asked = [finding for finding in run.findings if run.options.every_place or not finding.reason]
    exposures = run.source.exposures({finding.fingerprint: [one.sighting for one in finding.occurrences] for finding in asked})
    unknown = Exposure()
    return run._replace(findings=[finding._replace(exposure=exposures.get(finding.fingerprint, unknown)) for finding in run.findings])


def excuse(run: Run) -> Run:
    """Move findings that the policy ignores to `ignored`, with the reason."""
    from patscan.triage import Policy, Triage

    triage = Triage(run.options.policy or Policy())
    parts = sorted((part for finding in run.findings for part in triage.split(finding)), key=order)
    findings, ignored = [part for part in parts if not part.reason], [part for part in parts if part.reason]
    return run._replace(findings=findings, ignored=ignored, unreasoned=tuple(sorted(triage.unreasoned)))


def hash_lines(run: Run) -> Run:
    """Add GitHub's hashes of lines to findings at HEAD. This is the only second reading of contents."""
    from patscan.detect.linehash import LARGEST, line_hashes

    lines: dict[str, set[int]] = {}
    for occurrence in (one for finding in run.findings for one in finding.occurrences if _has_line(one)):
        lines.setdefault(occurrence.match.address.name, set()).add(occurrence.position.line)
    hashes: dict[tuple[str, int], str] = {}
    for piece in run.source.read(lines) if lines else ():
        if not piece.offset and piece.last and len(piece.data) <= LARGEST:
            name = str(piece.key)
            hashes |= {(name, line): digest for line, digest in line_hashes(bytes(piece.data), lines[name]).items()}

    def hashed(one: Occurrence) -> Occurrence:
        return one._replace(line_hash=hashes.get((one.match.address.name, one.position.line))) if _has_line(one) else one

    return run._replace(findings=[one._replace(occurrences=tuple(map(hashed, one.occurrences))) for one in run.findings])


def _has_line(occurrence: Occurrence) -> bool:
    """Whether a reader can open the line. For a link, editors open its target instead."""
    sighting = occurrence.sighting
    has_file = sighting.kind in _LINED and sighting.path is not None and not occurrence.match.address.members
    # A hash of the line has no key, so it would confirm a guessed password.
    return occurrence.at_head is not False and has_file and not occurrence.match.secret.is_keyed


def _place(occurrence: Occurrence) -> tuple[str, int, str, str]:
    sighting = occurrence.sighting
    return (sighting.path or "", occurrence.start, sighting.date or "", f"{sighting.kind} {sighting.commit} {sighting.blob}")


def order(finding: Finding) -> tuple[bool, int, bool, bool, int, str, tuple[str, int, str, str], str]:
    """A sort key, the worst first: committed, most certain, at HEAD, pushed, most severe."""
    sure, bad = -CONFIDENCES.index(finding.confidence), -SEVERITIES.index(finding.rule.severity)
    worst = (finding.exposure.kept_by == "nothing", sure, not finding.exposure.at_head, not finding.exposure.pushed, bad)
    return (*worst, finding.rule.id, _place(finding.occurrences[0]), finding.fingerprint)


_LINED = (Kind.BLOB, Kind.INDEX, Kind.FILE)
STAGES: tuple[Stage, ...] = (sightings, weigh, group, exposure, excuse)
"""The stages after the look. The stages of a command and `hash_lines` follow."""
INTERRUPTED: tuple[Stage, ...] = (unsighted, weigh, group, excuse)
"""The stages after an interruption."""
