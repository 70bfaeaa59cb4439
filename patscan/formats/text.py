"""The report for people: a block for each token, the worst first, then what was looked at and what wasn't."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, TextIO

from patscan.dates import instant
from patscan.formats.advice import remedy, undoing
from patscan.formats.places import SHORT, current, place, printable, remark
from patscan.formats.redaction import shown
from patscan.formats.words import by_reason, count, reasons, since, whereabouts
from patscan.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from patscan.formats import Style
    from patscan.model import Coverage, Finding, Note, Occurrence, Report, Skip

_PLACES = 3
"""Other places listed for a token; the JSON report has them all."""
_REMARKS = 10
"""Skips and notes listed."""
_NARROWEST = 40
_KILO = 1000

_BOLD, _TOKEN, _GOOD, _WARNING = "1", "31", "32", "1;33"
_CONFIDENCE = {"certain": "1;31", "high": "31", "medium": "33", "low": "2"}


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` as text."""
    style = style._replace(width=max(style.width, _NARROWEST))
    stream.writelines(f"{line}\n" for line in _lines(report, style))


def _lines(report: Report, style: Style) -> Iterator[str]:
    if report.target.reason:
        yield printable(report.target.reason)
    told: dict[str, Occurrence] = {}
    for finding in report.findings:
        here = current(finding.occurrences)
        lead = max(here, key=lambda one: (one.sighting.path is not None, instant(one.sighting.date)))
        yield from _title(finding, lead, style)
        yield from _facts(finding, lead, [one for one in here if one is not lead], style)
        yield from _frame(finding, lead, style)
        if report.target.type == "push" and not finding.exposure.pushed:
            yield from _row("undo", undoing(finding, report.target.head), style)
        yield from _remedy(finding, told.setdefault(remedy(finding), lead), lead, style)
        yield ""
    yield from _looked_at(report, style)
    if report.ignored:
        yield f"Ignored: {', '.join(by_reason(report.ignored))}. The JSON report lists them."
    yield _verdict(report, style)


def _title(finding: Finding, lead: Occurrence, style: Style) -> Iterator[str]:
    """One line that grep and editors understand: the place comes first."""
    place, confidence = _ink(_spot(lead), _BOLD, style), _ink(finding.confidence, _CONFIDENCE[finding.confidence], style)
    yield "  ".join((place, finding.rule.name, _ink(_token(finding, style), _TOKEN, style), confidence))


def _facts(finding: Finding, lead: Occurrence, others: Sequence[Occurrence], style: Style) -> Iterator[str]:
    """Why we believe it, since when, and where else."""
    yield from _row("why", "; ".join(reasons(finding)), style)
    if finding.verdict.state != "unchecked":
        yield from _row("GitLab", ": ".join(filter(None, (finding.verdict.state, finding.verdict.reason))), style)
    if first := finding.exposure.first_seen:
        who = f"by {first.author}" if first.author else "(history is cut off there)" if finding.exposure.at_or_before else ""
        yield from _row("since", f"{since(finding.exposure)} in {first.id[:SHORT]} {who}".rstrip(), style)
    yield from _row("where", "; ".join(whereabouts(finding, lead)), style)
    for i, other in enumerate(others[:_PLACES]):
        odd = remark(other.sighting)
        yield from _row("" if i else "also", _spot(other) + (f" ({odd})" if odd else ""), style)
    if (more := len(others) - _PLACES) > 0:
        yield from _row("", f"and {count(more, 'more place')}", style)


def _frame(finding: Finding, lead: Occurrence, style: Style) -> Iterator[str]:
    # The neighbours of a ref name are other ref names.
    if not lead.frame or lead.sighting.kind is Kind.REF_NAME:
        return
    from patscan.formats.frames import draw

    token = _token(finding, style)
    shown = token if any(token in line for line in lead.frame) else str(finding.secret)
    yield ""
    yield from (f"    {line}" for line in draw(lead, shown, style._replace(width=style.width - 4)))
    yield ""


def _remedy(finding: Finding, first: Occurrence, lead: Occurrence, style: Style) -> Iterator[str]:
    """What to do, told once."""
    if first is not lead:
        yield f"    → As for {_spot(first)} above."
        return
    yield from _wrapped("    → ", printable(remedy(finding)), style)
    yield from (f"      {reference}" for reference in finding.rule.references[:1])


def _token(finding: Finding, style: Style) -> str:
    return printable(shown(finding.secret, style.reveal))


def _spot(occurrence: Occurrence) -> str:
    spot = place(occurrence, SHORT)
    if occurrence.sighting.kind is Kind.REF_NAME:
        return printable(spot)
    return printable(f"{spot}:{occurrence.position.line}:{occurrence.position.column}")


def _looked_at(report: Report, style: Style) -> Iterator[str]:
    coverage = report.coverage
    yield f"Looked at {', '.join(_amounts(coverage, report.target.type))}."
    if coverage.skipped:
        title = f"INCOMPLETE: {count(len(coverage.skipped), 'thing')} could not be looked at:"
        yield _ink(title, _WARNING, style)
        yield from _remarks(coverage.skipped, style)
    if coverage.notes:
        yield f"{count(len(coverage.notes), 'note')}:"
        first = [note for note in coverage.notes if note.kind]
        yield from _remarks([*first, *(note for note in coverage.notes if not note.kind)], style)


def _amounts(coverage: Coverage, target: str) -> Iterator[str]:
    if target in {"history", "push", "ci"}:
        yield count(coverage.commits, "commit")
        yield count(coverage.blobs, "blob")
    elif target == "stdin":
        yield "standard input"
    elif target == "message":
        yield "the message"
    else:
        yield count(coverage.blobs, "file")
    yield _size(coverage.bytes)


def _remarks(remarks: Sequence[Skip | Note], style: Style) -> Iterator[str]:
    for where, reason, *_ in remarks[:_REMARKS]:
        yield from _wrapped("  ", printable(f"{where}: {reason}"), style)
    if len(remarks) > _REMARKS:
        yield f"  and {len(remarks) - _REMARKS:,} more"


def _verdict(report: Report, style: Style) -> str:
    found = f"{count(len(report.findings), 'token')} found" if report.findings else "No token found"
    if report.interrupted:
        return _ink(f"Interrupted. {found} so far.", _WARNING, style)
    if report.coverage.skipped:
        return _ink(f"{found} in what could be looked at.", _WARNING, style)
    return _ink(f"{found}.", _CONFIDENCE["certain"] if report.findings else _GOOD, style)


def _size(size: int) -> str:
    if size < _KILO:
        return count(size, "byte")
    power = min((len(str(size)) - 1) // 3, 4)
    return f"{size / _KILO**power:,.1f} {' kMGT'[power]}B"


def _row(label: str, text: str, style: Style) -> Iterable[str]:
    return _wrapped(f"    {label:<7}", printable(text), style)


def _wrapped(label: str, text: str, style: Style) -> Iterable[str]:
    room = style.width - len(label)
    # Most texts are short, and textwrap takes its time even for those.
    lines = [text] if 0 < len(text) <= room and text == text.strip() else wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return [f"{label if i == 0 else ' ' * len(label)}{line}" for i, line in enumerate(lines)]


def _ink(text: str, color: str, style: Style) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if style.color else text
