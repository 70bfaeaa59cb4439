"""JUnit's XML, for the test tabs of GitLab, Jenkins and others: a failed test for each token in each file.

A skip is a test with an error, an ignored token a skipped test. A report without either has one test that passed, because several
readers reject a file without tests. Every text begins with the message: ActiveSupport, which reads it for GitLab, drops the attributes of
an element with text. Only characters that XML 1.0 allows (section 2.2) are written.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, TextIO

from patscan.formats.advice import remedy
from patscan.formats.places import by_place, in_file, name, printable, slashed
from patscan.formats.places import place as place_of
from patscan.formats.verdicts import advice
from patscan.formats.words import headline, named, reasons, skips, whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from patscan.formats import Style
    from patscan.model import Finding, Occurrence, Report


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` as one suite."""
    failures, skipped = (sum(len(by_place(one.occurrences)) for one in some) for some in (report.findings, report.ignored))
    errors = sum(1 for _ in skips(report))
    passed = not failures and not errors
    counts = _attributes(tests=failures + skipped + errors + passed, failures=failures, errors=errors, skipped=skipped)
    stream.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{counts}>\n  <testsuite name="patscan"{counts}>\n')
    stream.writelines(f"    {case}\n" for case in _cases(report, passed))
    stream.writelines(f"    <system-out>{_text(f'{note.where}: {note.reason}')}</system-out>\n" for note in report.coverage.notes)
    stream.write("  </testsuite>\n</testsuites>\n")


def _cases(report: Report, passed: bool) -> Iterator[str]:
    for finding in report.findings:
        for places in by_place(finding.occurrences):
            yield _case(finding, places, headline(finding, places[0]), "failure", type=finding.rule.id)
    for where, reason in skips(report):
        error = _element("error", f"{where}: {reason}", (), type="patscan-incomplete")
        yield f"<testcase{_attributes(classname='patscan', name=f'{where} is looked at')}>{error}</testcase>"
    for finding in report.ignored:
        for places in by_place(finding.occurrences):
            yield _case(finding, places, finding.reason, "skipped")
    if passed:
        yield f"<testcase{_attributes(classname='patscan', name='no token')}/>"


def _case(finding: Finding, places: Sequence[Occurrence], message: str, tag: str, **attributes: str) -> str:
    first = places[0]
    place = slashed(name(first.sighting))
    # The token's short id keeps two tokens of a kind in one file apart, and stays the same in the next run.
    label = f"{finding.rule.name} {named(finding)}"
    file = {"file": place} if in_file(first.sighting) else {}
    spots = ", ".join(f"{slashed(place_of(one))}:{one.position.line}:{one.position.column}" for one in places)
    facts = (spots, "; ".join(reasons(finding)), "; ".join(whereabouts(finding, first)), *advice(finding.verdict), remedy(finding))
    return f"<testcase{_attributes(classname=place, name=label, **file)}>{_element(tag, message, facts, **attributes)}</testcase>"


def _element(tag: str, message: str, facts: Sequence[str], **attributes: str) -> str:
    text = "\n".join((message, *filter(None, facts)))
    return f"<{tag}{_attributes(message=message, **attributes)}>{_text(text)}</{tag}>"


def _attributes(**values: str | int) -> str:
    return "".join(f' {key}="{_escaped(str(value))}"' for key, value in values.items())


def _text(text: str) -> str:
    return "\n".join(map(_escaped, text.split("\n")))


@lru_cache(maxsize=1024)
def _escaped(line: str) -> str:
    """`line` as XML. Remedies, which are the longest lines, are those of most tokens."""
    return escape(printable(line))
