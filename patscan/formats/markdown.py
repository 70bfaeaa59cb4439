"""Markdown for a job summary or a comment on a merge request, short enough for both.

GitHub takes 65,536 characters in a comment and 1 MiB in a job summary, GitLab 1,000,000 characters in a comment. Text of a
repository is in code spans (CommonMark 6.1), in which HTML, links, mentions and references don't count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from patscan.counts import counted
from patscan.formats.advice import remedy
from patscan.formats.logs import harmless, write_lines
from patscan.formats.places import SHORT, listed, place
from patscan.formats.verdicts import is_live, life
from patscan.formats.words import by_reason, named, prominent, since, skips, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from patscan.formats import Style
    from patscan.model import Finding, Occurrence, Report

_FINDINGS, _PLACES, _REMARKS, _RULES = 30, 2, 10, 5
"""Items listed of each. The longest possible report is shorter than GitHub's limit for a comment."""
_LONGEST = 100
"""Characters shown of a name."""
_POLICY = 600
"""Characters shown of a note about a repository's own file."""
_VERDICT = 200
"""Characters shown of GitLab's verdict."""
_TITLE, _REMEDY = 80, 500
"""Characters shown of a rule's name and remedy."""
MARKER = "<!-- patscan-report -->"
"""The first, invisible line of a CI job's report. A bot finds its earlier comment by it, and replaces it."""
_MARKS = re.compile(r"[\\`*_{}\[\]<>#!|~&$^@]")


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report`, the worst findings first, with the number of those left out."""
    write_lines(stream, _lines(report))


def _lines(report: Report) -> Iterator[str]:
    findings, gaps = sorted(report.findings, key=lambda finding: not is_live(finding)), list(skips(report))
    if report.target.type == "ci":
        yield MARKER
    title = counted(len(findings), "leaked token") if findings else "no token found"
    yield f"### patscan: {title}{' in what could be looked at' if gaps else ''}"
    if report.target.reason:
        yield from ("", prose(report.target.reason, _REMEDY))
    if findings:
        yield ""
        yield from map(_item, findings[:_FINDINGS])
        yield from _more(len(findings) - _FINDINGS, "more token")
        yield from _remedies(findings[:_FINDINGS])
    if gaps:
        yield from ("", f"**Incomplete:** {counted(len(gaps), 'thing')} could not be looked at:", "")
        yield from (f"- {code(where)}: {code(reason)}" for where, reason in gaps[:_REMARKS])
        yield from _more(len(gaps) - _REMARKS, "more thing")
    if notes := prominent(report):
        yield ""
        yield from (f"- {code(note.where)}: {code(note.reason, _POLICY)}" for note in notes[:_REMARKS])
    if rest := len(report.coverage.notes) - len(notes[:_REMARKS]):
        yield from ("", f"{counted(rest, 'note')}: see the JSON report.")
    if report.ignored:
        yield from ("", f"Ignored: {code(', '.join(by_reason(report.ignored)))}.")


def _item(finding: Finding) -> str:
    places = listed(finding.occurrences)
    where = ", ".join(map(_place, places[:_PLACES])) + (
        f" and {counted(len(places) - _PLACES, 'more place')}" if len(places) > _PLACES else ""
    )
    first = f", since {code(since(finding.exposure))}" if finding.exposure.first_seen else ""
    alive = f" ({code(life(finding.verdict), _VERDICT)})" if life(finding.verdict) else ""
    return f"- **{finding.confidence}** {code(named(finding))}{alive} {prose(finding.rule.name, _TITLE)} in {where}{_now(finding)}{first}"


def _now(finding: Finding) -> str:
    """Where the token is today, if it isn't at HEAD."""
    past = all(one.at_head is False for one in listed(finding.occurrences))
    return f" ({code(standing(finding) or 'in history only')})" if past else ""


def _place(occurrence: Occurrence) -> str:
    return f"{code(place(occurrence, SHORT))} line {occurrence.position.line}"


def _remedies(findings: Sequence[Finding]) -> Iterator[str]:
    remedies = list(dict.fromkeys((finding.rule.name, remedy(finding)) for finding in findings))
    yield from ("", "**What to do**", "")
    yield from (f"- {prose(name, _TITLE)}: {prose(text, _REMEDY)}" for name, text in remedies[:_RULES])
    yield from _more(len(remedies) - _RULES, "more kind")


def _more(number: int, noun: str) -> Iterator[str]:
    if number > 0:
        yield f"- and {counted(number, noun)}: see the JSON report"


def prose(text: str, longest: int) -> str:
    """A rule's text with Markdown escaped, cut to `longest` characters."""
    text = harmless(text if len(text) <= longest else f"{text[:longest]}…")
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", text)


def code(text: str, longest: int = _LONGEST) -> str:
    """A code span with `text`. A longer text than `longest` loses its middle, because a path's end says most."""
    text = harmless(text)
    if len(text) > longest:
        text = f"{text[: longest // 2 - 1]}…{text[-longest // 2 :]}"
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    # Markdown strips one space at both ends, unless the text is all spaces.
    space = " " if text[:1] in {"`", " "} or text[-1:] in {"`", " "} else ""
    return f"{fence}{space}{text or ' '}{space}{fence}"
