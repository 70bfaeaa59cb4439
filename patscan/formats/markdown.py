"""Markdown for a job summary or a comment on a merge request, short enough for both.

GitHub takes 65,536 characters in a comment and 1 MiB in a job summary, GitLab 1,000,000 characters in a comment. What comes
from a repository stands in a code span (CommonMark 6.1), where no HTML, link, mention or reference is looked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from patscan.formats.advice import remedy
from patscan.formats.logs import harmless, write_lines
from patscan.formats.places import SHORT, listed, place
from patscan.formats.verdicts import is_live, life
from patscan.formats.words import by_reason, count, named, prominent, since, standing, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from patscan.formats import Style
    from patscan.model import Finding, Occurrence, Report

_FINDINGS, _PLACES, _REMARKS, _RULES = 30, 2, 10, 5
"""How much is listed of each; the longest possible text stays below GitHub's limit for a comment."""
_LONGEST = 100
"""Characters of a name that are shown."""
_POLICY = 600
"""Characters of what a repository's own file hides."""
_VERDICT = 200
"""Characters of what GitLab said."""
_TITLE, _REMEDY = 80, 500
"""Characters of a rule's own words."""
MARKER = "<!-- patscan-report -->"
"""The first line of a CI job's report, by which a bot finds the comment that it wrote before, to write it anew. Nobody sees it."""
_MARKS = re.compile(r"[\\`*_{}\[\]<>#!|~&$^@]")


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report`, the worst first, and say what is left out."""
    write_lines(stream, _lines(report))


def _lines(report: Report) -> Iterator[str]:
    found, gaps = sorted(report.findings, key=lambda finding: not is_live(finding)), list(unseen(report))
    if report.target.type == "ci":
        yield MARKER
    yield f"### patscan: {count(len(found), 'leaked token') if found else 'no token found'}{' in what could be looked at' if gaps else ''}"
    if report.target.reason:
        yield from ("", prose(report.target.reason, _REMEDY))
    if found:
        yield ""
        yield from map(_item, found[:_FINDINGS])
        yield from _more(len(found) - _FINDINGS, "more token")
        yield from _remedies(found[:_FINDINGS])
    if gaps:
        yield from ("", f"**Incomplete:** {count(len(gaps), 'thing')} could not be looked at:", "")
        yield from (f"- {code(where)}: {code(reason)}" for where, reason in gaps[:_REMARKS])
        yield from _more(len(gaps) - _REMARKS, "more thing")
    if told := prominent(report):
        yield ""
        yield from (f"- {code(note.where)}: {code(note.reason, _POLICY)}" for note in told[:_REMARKS])
    if rest := len(report.coverage.notes) - len(told[:_REMARKS]):
        yield from ("", f"{count(rest, 'note')}: see the JSON report.")
    if report.ignored:
        yield from ("", f"Ignored: {code(', '.join(by_reason(report.ignored)))}.")


def _item(finding: Finding) -> str:
    places = listed(finding.occurrences)
    where = ", ".join(map(_place, places[:_PLACES])) + (
        f" and {count(len(places) - _PLACES, 'more place')}" if len(places) > _PLACES else ""
    )
    first = f", since {code(since(finding.exposure))}" if finding.exposure.first_seen else ""
    alive = f" ({code(life(finding.verdict), _VERDICT)})" if life(finding.verdict) else ""
    return f"- **{finding.confidence}** {code(named(finding))}{alive} {prose(finding.rule.name, _TITLE)} in {where}{_now(finding)}{first}"


def _now(finding: Finding) -> str:
    """Where it is today, if no line at HEAD says so."""
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
        yield f"- and {count(number, noun)}: see the JSON report"


def prose(text: str, longest: int) -> str:
    """A rule's own words, none of which marks anything up."""
    text = harmless(text if len(text) <= longest else f"{text[:longest]}…")
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", text)


def code(text: str, longest: int = _LONGEST) -> str:
    """A code span whose fence is longer than any in `text`; a long `text` loses its middle, for a path's end says most."""
    text = harmless(text)
    if len(text) > longest:
        text = f"{text[: longest // 2 - 1]}…{text[-longest // 2 :]}"
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    # A space at both ends is taken away again, unless there is nothing else.
    space = " " if text[:1] in {"`", " "} or text[-1:] in {"`", " "} else ""
    return f"{fence}{space}{text or ' '}{space}{fence}"
