"""The report for people: a block for each token, live ones first, then coverage, skips, notes and a summary."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, TextIO

from patscan.counts import counted
from patscan.dates import instant
from patscan.formats.advice import NO_TRACE, remedy, undoing
from patscan.formats.logs import harmless, write_lines
from patscan.formats.places import SHORT, current, place, remark
from patscan.formats.redaction import shown
from patscan.formats.summary import summary
from patscan.formats.verdicts import advice, is_live, life
from patscan.formats.words import GENERATED, by_reason, named, reasons, since, whereabouts
from patscan.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from patscan.formats import Style
    from patscan.model import Coverage, Exposure, Finding, Note, Occurrence, Report, Skip

_PLACES = 3
"""Other places listed for a token. ``--all`` and the JSON report list all."""
_FEW = 10
"""With more tokens, each has fewer lines: its own line without neighbours, and the first sentence of the remedy."""
_SURE = ("high", "certain")
_REMARKS = 10
"""Skips and notes listed."""
_NARROWEST = 40
_KILO = 1000

_BOLD, _TOKEN, _GOOD, _WARNING, _LIVE = "1", "31", "32", "1;33", "1;37;41"
_CONFIDENCE = {"certain": "1;31", "high": "31", "medium": "33", "low": "2"}


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` as text."""
    style = style._replace(width=max(style.width, _NARROWEST))
    write_lines(stream, _lines(report, style))


def _lines(report: Report, style: Style) -> Iterator[str]:
    if report.target.reason:
        yield harmless(report.target.reason)
    findings = sorted(report.findings, key=lambda finding: not is_live(finding))
    remedies: set[str] = set()
    for finding in findings:
        yield from _block(finding, report, style)
        if (text := remedy(finding)) not in remedies:
            remedies.add(text)
            yield from _remedy(finding, text, len(findings) > _FEW, style)
        yield ""
    yield from _looked_at(report, style)
    if report.ignored:
        yield from _wrapped("", harmless(f"Ignored: {', '.join(by_reason(report.ignored))}. The JSON report lists them."), style)
    if len(findings) > 1:
        for label, text in summary(findings):
            yield from _row(label, text, style)
    yield _verdict(report, style)


def _block(finding: Finding, report: Report, style: Style) -> Iterator[str]:
    """The lines about one token, without its remedy."""
    here = current(finding.occurrences)
    lead = here[0] if len(here) == 1 else max(here, key=lambda one: (one.sighting.path is not None, instant(one.sighting.date)))
    yield _title(finding, style)
    yield from _place(finding, lead, style)
    yield from _facts(finding, lead, len(report.findings), style)
    yield from _others([one for one in here if one is not lead], style)
    yield from _frame(finding, lead, len(report.findings) > _FEW, style)
    if report.target.type == "push" and not finding.exposure.pushed:
        yield from _row("undo", undoing(finding, report.target.head), style)


def _title(finding: Finding, style: Style) -> str:
    """The mask, the id, and the most important facts."""
    exposure = finding.exposure
    words = [_ink(finding.confidence, _CONFIDENCE[finding.confidence], style)]
    words += ["pushed"] * (exposure.pushed is True) + ["not at HEAD"] * (exposure.at_head is False)
    live = [_ink("LIVE", _LIVE, style)] if is_live(finding) else []
    return "  ".join((_ink(harmless(named(finding, style.reveal)), _TOKEN, style), *live, ", ".join(words)))


def _place(finding: Finding, lead: Occurrence, style: Style) -> Iterator[str]:
    """The place in the form of grep and editors, and the rule's name."""
    spot, kind = _spot(lead), finding.rule.name
    fits = len(spot) + len(kind) + 6 <= style.width
    yield f"    {_ink(spot, _BOLD, style)}{f'  {kind}' if fits else ''}"
    if not fits:
        yield f"    {kind}"


def _facts(finding: Finding, lead: Occurrence, number: int, style: Style) -> Iterator[str]:
    """GitLab's verdict, the evidence, since when, and where. `number` tokens are reported; with many, there are fewer lines."""
    yield from _row("GitLab", life(finding.verdict), style)
    for sentence in advice(finding.verdict):
        yield from _row("", sentence, style)
    if number > _FEW and finding.confidence in _SURE:
        # The odds of nearly every such token are alike.
        finding = finding._replace(evidence=tuple([one for one in finding.evidence if "bits" not in one.facts]))
    yield from _row("why", "; ".join(text for text in reasons(finding) if text != GENERATED), style)
    known = {"pushed", "at HEAD", *([NO_TRACE] if number > 1 else [])}
    where = "; ".join(text for text in whereabouts(finding, lead) if text not in known)
    author = finding.exposure.first_seen.author if finding.exposure.first_seen else ""
    if number > _FEW:
        seen = _since(finding.exposure, author.partition(" <")[0])
        yield from _row("since" if seen else "where", "; ".join(filter(None, (seen, where))), style)
        return
    yield from _row("since", _since(finding.exposure, author), style)
    yield from _row("where", where, style)


def _since(exposure: Exposure, author: str) -> str:
    if not exposure.first_seen:
        return ""
    who = f"by {author}" if author else "(history is cut off there)" if exposure.at_or_before else ""
    return f"{since(exposure)} in {exposure.first_seen.id[:SHORT]} {who}".rstrip()


def _others(others: Sequence[Occurrence], style: Style) -> Iterator[str]:
    """The token's other places."""
    shown = others if style.every else others[:_PLACES]
    for i, other in enumerate(shown):
        odd = remark(other.sighting)
        yield from _row("" if i else "also", _spot(other) + (f" ({odd})" if odd else ""), style)
    if more := len(others) - len(shown):
        yield from _row("", f"and {counted(more, 'more place')} (--all shows them)", style)


def _frame(finding: Finding, lead: Occurrence, short: bool, style: Style) -> Iterator[str]:
    """The token's line with its neighbours, or alone where there are many tokens."""
    # The neighbours of a ref name are other ref names.
    if not lead.frame or lead.sighting.kind is Kind.REF_NAME:
        return
    from patscan.formats.frames import draw

    mask = str(finding.secret)
    if style.reveal and any((token := harmless(shown(finding.secret, True))) in line for line in lead.frame):
        mask = token
    if not short:
        yield ""
    for line in draw(lead, mask, style, short, margin=4):
        yield f"    {line}"
    if not short:
        yield ""


def _remedy(finding: Finding, text: str, short: bool, style: Style) -> Iterator[str]:
    """The remedy; with `short` only its first sentence and the rule's page."""
    page = finding.rule.references[:1]
    if short and text == finding.rule.remedy and page:
        yield from _wrapped("    → ", harmless(f"{text.partition('. ')[0].rstrip('.')}: {page[0]}"), style)
        return
    yield from _wrapped("    → ", harmless(text), style)
    yield from (f"      {reference}" for reference in page)


def _spot(occurrence: Occurrence) -> str:
    spot = place(occurrence, SHORT)
    if occurrence.sighting.kind is Kind.REF_NAME:
        return harmless(spot)
    return harmless(f"{spot}:{occurrence.position.line}:{occurrence.position.column}")


def _looked_at(report: Report, style: Style) -> Iterator[str]:
    coverage = report.coverage
    yield f"Looked at {', '.join(_amounts(coverage, report.target.type))}."
    if coverage.skipped:
        title = f"INCOMPLETE: {counted(len(coverage.skipped), 'thing')} could not be looked at:"
        yield _ink(title, _WARNING, style)
        yield from _remarks(coverage.skipped, style)
    if coverage.notes:
        yield f"{counted(len(coverage.notes), 'note')}:"
        first = [note for note in coverage.notes if note.kind]
        yield from _remarks([*first, *(note for note in coverage.notes if not note.kind)], style)


def _amounts(coverage: Coverage, target: str) -> Iterator[str]:
    if target in {"history", "push", "ci"}:
        yield counted(coverage.commits, "commit")
        yield counted(coverage.blobs, "blob")
    elif target == "stdin":
        yield "standard input"
    elif target == "message":
        yield "the message"
    else:
        yield counted(coverage.blobs, "file")
    yield _size(coverage.bytes)


def _remarks(remarks: Sequence[Skip | Note], style: Style) -> Iterator[str]:
    for where, reason, *_ in remarks[:_REMARKS]:
        yield from _wrapped("  ", harmless(f"{where}: {reason}"), style)
    if len(remarks) > _REMARKS:
        yield f"  and {len(remarks) - _REMARKS:,} more"


def _verdict(report: Report, style: Style) -> str:
    result = f"{counted(len(report.findings), 'token')} found" if report.findings else "No token found"
    if report.interrupted:
        return _ink(f"Interrupted. {result} so far.", _WARNING, style)
    if report.coverage.skipped:
        return _ink(f"{result} in what could be looked at.", _WARNING, style)
    return _ink(f"{result}.", _CONFIDENCE["certain"] if report.findings else _GOOD, style)


def _size(size: int) -> str:
    if size < _KILO:
        return counted(size, "byte")
    power = min((len(str(size)) - 1) // 3, 4)
    return f"{size / _KILO**power:,.1f} {' kMGT'[power]}B"


def _row(label: str, text: str, style: Style) -> Iterable[str]:
    return _wrapped(f"    {label:<7}", harmless(text), style) if text else ()


def _wrapped(label: str, text: str, style: Style) -> Iterable[str]:
    room = style.width - len(label)
    # Most texts are short, and textwrap is slow even for those.
    lines = [text] if 0 < len(text) <= room and text == text.strip() else wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return [f"{label if i == 0 else ' ' * len(label)}{line}" for i, line in enumerate(lines)]


def _ink(text: str, color: str, style: Style) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if style.color else text
