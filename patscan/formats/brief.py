"""The report of a hook: ten lines at most, for somebody who wanted to commit; one line if there is nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from patscan.formats.redaction import shown
from patscan.model import UNCHANGEABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan.formats import Style
    from patscan.model import Finding, Report, Skip

_TOKENS = 3
_SKIPS = 4
_BOLD, _BAD, _GOOD, _WARNING = "1", "1;31", "32", "1;33"
_THINGS = {"index": "staged file", "push": "object", "message": "message", "history": "object", "ci": "object"}
_ACTS = {"index": "commit", "push": "push", "message": "commit"}
_IDS = {"index": "patscan", "push": "patscan-push", "message": "patscan-commit-msg"}


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` in a few lines."""
    stream.writelines(f"{line}\n" for line in _lines(report, style))


def _lines(report: Report, style: Style) -> Iterator[str]:
    if report.target.reason:
        from patscan.formats.places import printable

        yield printable(report.target.reason)
    if report.findings or report.coverage.skipped:
        for finding in report.findings[:_TOKENS]:
            yield _token(finding, style)
        if (more := len(report.findings) - _TOKENS) > 0:
            yield f"… and {more:,} more (all of them: --format text)"
        yield from _skipped(report.coverage.skipped[: 1 if report.findings else _SKIPS], len(report.coverage.skipped), style)
    if report.findings:
        yield from _advice(report)
    yield _verdict(report, style)


def _token(finding: Finding, style: Style) -> str:
    from patscan.formats.places import SHORT, name, printable, remark
    from patscan.formats.words import count, reasons

    lead = finding.occurrences[0]
    place = name(lead.origin, SHORT)
    spot = place if lead.origin.type == "ref-name" else f"{place}:{lead.position.line}:{lead.position.column}"
    token = shown(finding.secret, style.reveal)
    others = len(finding.occurrences) - 1
    told = [
        *reasons(finding),
        remark(lead.origin) if lead.origin.type != "index" else "",
        f"commit {lead.origin.commit[:SHORT]}" if lead.origin.commit and lead.origin.path else "",
        f"on {finding.exposure.tips[0]}" if finding.exposure.tips else "",
        f"in {count(others, 'more place')}" if others else "",
    ]
    why = printable("; ".join(filter(None, told)))
    sure = _ink(finding.confidence, _BAD, style)
    return f"{_ink(printable(spot), _BOLD, style)}  {finding.rule.name}  {_ink(printable(token), '31', style)}  {sure}: {why}"


def _skipped(shown: tuple[Skip, ...], number: int, style: Style) -> Iterator[str]:
    from patscan.formats.places import printable

    for place, (where, reason) in enumerate(shown, 1):
        more = f" And {number - place:,} more." if place == len(shown) < number else ""
        yield f"{_ink('not looked at', _WARNING, style)}  {printable(f'{where}: {reason}')}{more}"


def _advice(report: Report) -> Iterator[str]:
    """What to do now, how to accept it, how to skip once."""
    kind = report.target.type
    first = report.findings[0]
    page = next(iter(first.rule.references), "")
    yield from _now(kind, report, page)
    yield from _accept(kind, report)
    if kind in _ACTS:
        yield f"  skip    this once: git {_ACTS[kind]} --no-verify, or with pre-commit SKIP={_IDS[kind]}"


def _accept(kind: str, report: Report) -> Iterator[str]:
    """A comment where one counts, else the baseline; a message that isn't committed yet can be in neither."""
    for finding in report.findings:
        place = finding.occurrences[0]
        if place.origin.type not in UNCHANGEABLE and place.origin.path is not None and place.at_head is not False:
            yield f"  accept  a comment on its line, with the reason: # patscan:ignore {finding.rule.id} -- REASON"
            return
    if kind != "message":
        history = "" if kind == "index" else " --history"
        yield f"  accept  no comment counts there; the baseline does: patscan baseline write{history} --reason REASON"


def _now(kind: str, report: Report, page: str) -> Iterator[str]:
    from patscan.formats.places import printable

    pushed = [finding for finding in report.findings if finding.exposure.pushed]
    if kind != "push":
        yield "  now     take it out and commit again. If it was ever pushed, revoke it:"
        yield f"          {page}"
        return
    remote = printable(report.target.remote or "the remote")
    if len(pushed) < len(report.findings):
        sure = all(finding.exposure.pushed is False for finding in report.findings if finding not in pushed)
        told = "nothing to revoke" if sure else f"and if {remote} has it from elsewhere, revoke it: {page}"
        yield f"  now     not pushed yet: amend or rebase, {told}"
    for finding in pushed[:1]:
        place = f"{len(pushed)} of them " if len(report.findings) > 1 else ""
        yield f"  now     {place}already on {remote}: revoke it: {next(iter(finding.rule.references), page)}"


def _verdict(report: Report, style: Style) -> str:
    from patscan.formats.places import printable
    from patscan.formats.words import count

    kind, coverage = report.target.type, report.coverage
    looked = "the message" if kind == "message" else count(coverage.blobs + coverage.commits, _THINGS.get(kind, "file"))
    ignored = f" Ignored: {_reasons(report)}." if report.ignored else ""
    if report.interrupted:
        return _ink(f"patscan: interrupted after {looked}.", _WARNING, style)
    blocked = f": {_ACTS[kind]} blocked" if report.exit_code and kind in _ACTS else ""
    if report.findings:
        return _ink(f"patscan: {count(len(report.findings), 'token')} in {looked}{blocked}.", _BAD, style) + ignored
    if coverage.skipped:
        return _ink(f"patscan: no token in {looked}, but not everything could be looked at{blocked}.", _WARNING, style) + ignored
    if not coverage.blobs + coverage.commits:
        return f"patscan: nothing to look at: {printable(coverage.notes[0].reason) if coverage.notes else 'it is empty.'}"
    return _ink(f"patscan: no token in {looked}.", _GOOD, style) + ignored


def _reasons(report: Report) -> str:
    from patscan.formats.places import printable

    counted: dict[str, int] = {}
    for finding in report.ignored:
        counted[finding.reason] = counted.get(finding.reason, 0) + 1
    return ", ".join(f"{number:,} {printable(reason)}" for reason, number in sorted(counted.items()))


def _ink(text: str, color: str, style: Style) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if style.color else text
