"""The report of a hook: a dozen lines at most, one line if no token was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from patscan.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan.formats import Style
    from patscan.model import Finding, Report, Skip, Target

_TOKENS = 3
_SKIPS = 4
_NOTES = 2
_LONGEST = 400
"""Characters of a note."""
_BOLD, _BAD, _GOOD, _WARNING = "1", "1;31", "32", "1;33"
_THINGS = {"index": "staged file", "push": "object", "message": "message", "history": "object", "ci": "object"}
_ACTS = {"index": "commit", "push": "push", "message": "commit"}
_IDS = {"index": "patscan", "push": "patscan-push", "message": "patscan-commit-msg"}


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` in a few lines."""
    from patscan.formats.logs import write_lines

    write_lines(stream, _lines(report, style))


def _lines(report: Report, style: Style) -> Iterator[str]:
    if report.target.reason:
        from patscan.formats.logs import harmless

        yield harmless(report.target.reason)
    if report.findings or report.coverage.skipped:
        for finding in report.findings[:_TOKENS]:
            yield _token(finding, report.target, style)
        if (more := len(report.findings) - _TOKENS) > 0:
            yield f"… and {more:,} more (all of them: --format text)"
        yield from _skipped(report.coverage.skipped[: 1 if report.findings else _SKIPS], len(report.coverage.skipped), style)
    if report.findings:
        yield from _advice(report)
    yield from _notes(report)
    yield _verdict(report, style)


def _notes(report: Report) -> Iterator[str]:
    """The notes about what a repository's files hide and about patscan's cache; those that need an action come first."""
    notes = sorted((note for note in report.coverage.notes if note.kind), key=lambda note: note.kind != "unstaged")
    if notes:
        from patscan.formats.logs import harmless

        for place, note in enumerate(notes[:_NOTES], 1):
            more = f" And {len(notes) - place:,} more." if place == _NOTES < len(notes) else ""
            text = harmless(f"{note.where}: {note.reason}")
            yield f"  note    {text if len(text) <= _LONGEST else f'{text[:_LONGEST]}…'}{more}"


def _token(finding: Finding, target: Target, style: Style) -> str:
    from patscan.counts import counted
    from patscan.formats.logs import harmless
    from patscan.formats.places import SHORT, place, remark
    from patscan.formats.verdicts import life
    from patscan.formats.words import named, reasons, standing

    lead = finding.occurrences[0]
    called = place(lead, SHORT)
    spot = called if lead.sighting.kind is Kind.REF_NAME else f"{called}:{lead.position.line}:{lead.position.column}"
    token = named(finding, style.reveal)
    others = len(finding.occurrences) - 1
    facts = [
        life(finding.verdict),
        *reasons(finding),
        remark(lead.sighting) if lead.sighting.kind is not Kind.INDEX else "",
        f"commit {lead.sighting.commit[:SHORT]}" if lead.sighting.commit and lead.sighting.path else "",
        standing(finding),
        f"in {counted(others, 'more place')}" if others else "",
        _on_remote(finding, target) if target.type == "push" else "",
    ]
    why = harmless("; ".join(filter(None, facts)))
    sure = _ink(finding.confidence, _BAD, style)
    return f"{_ink(harmless(spot), _BOLD, style)}  {finding.rule.name}  {_ink(harmless(token), '31', style)}  {sure}: {why}"


def _on_remote(finding: Finding, target: Target) -> str:
    """Whether it was pushed; if not, the commands that remove it."""
    from patscan.formats.advice import undoing

    if finding.exposure.pushed:
        remotes = [tip for tip in finding.exposure.tips or () if tip.startswith("refs/remotes/")]
        return f"already on {remotes[0].removeprefix('refs/remotes/')}" if remotes else "already pushed"
    return ": ".join(filter(None, (f"not known on {target.remote or 'the remote'}", undoing(finding, target.head))))


def _skipped(shown: tuple[Skip, ...], number: int, style: Style) -> Iterator[str]:
    from patscan.formats.logs import harmless

    for place, (where, reason) in enumerate(shown, 1):
        more = f" And {number - place:,} more." if place == len(shown) < number else ""
        yield f"{_ink('not looked at', _WARNING, style)}  {harmless(f'{where}: {reason}')}{more}"


def _advice(report: Report) -> Iterator[str]:
    """What to do now, how to accept the token, how to skip the hook once."""
    kind = report.target.type
    first = report.findings[0]
    page = next(iter(first.rule.references), "")
    yield from _now(kind, report, page)
    yield from _accept(kind, report)
    if kind in _ACTS:
        yield f"  skip    this once: git {_ACTS[kind]} --no-verify, or with pre-commit SKIP={_IDS[kind]}"


def _accept(kind: str, report: Report) -> Iterator[str]:
    """How to accept: by a comment where one counts, else by the baseline. An uncommitted message allows neither."""
    for finding in report.findings:
        place = finding.occurrences[0]
        if place.sighting.kind.commentable and place.sighting.path is not None and place.at_head is not False:
            yield f"  accept  a comment on its line, with the reason: # patscan:ignore {finding.rule.id} -- REASON"
            if kind != "message":
                yield f"          or the baseline: {_baseline(kind)}"
            return
    if kind != "message":
        yield f"  accept  by the baseline, since a comment doesn't count there: {_baseline(kind)}"


def _baseline(kind: str) -> str:
    history = "" if kind == "index" else " --history"
    return f"patscan baseline write{history} --reason REASON, then git add .patscan-baseline"


def _now(kind: str, report: Report, page: str) -> Iterator[str]:
    from patscan.formats.logs import harmless

    if kind != "push":
        yield "  now     remove it and commit again. If it was ever pushed, revoke it:"
        yield f"          {page}"
        return
    from patscan.formats.advice import NO_TRACE, UNKNOWN

    pushed = [finding for finding in report.findings if finding.exposure.pushed]
    others = [finding for finding in report.findings if not finding.exposure.pushed]
    for finding in pushed[:1]:
        state = harmless(_on_remote(finding, report.target)) if len(pushed) == 1 else f"{len(pushed):,} already pushed"
        yield f"  now     {state}: revoke it: {next(iter(finding.rule.references), page)}"
    for finding in others[:1]:
        sure = all(finding.exposure.pushed is False for finding in others)
        state = NO_TRACE if sure else f"{UNKNOWN}; if it was, revoke it"
        number = f"{len(others):,} to remove: " if pushed else ""
        yield f"  now     {number}{state}: {next(iter(finding.rule.references), page)}"


def _verdict(report: Report, style: Style) -> str:
    from patscan.counts import counted
    from patscan.formats.logs import harmless

    kind, coverage = report.target.type, report.coverage
    scope = "the message" if kind == "message" else counted(coverage.blobs + coverage.commits, _THINGS.get(kind, "file"))
    ignored = f" Ignored: {_reasons(report)}." if report.ignored else ""
    if report.interrupted:
        return _ink(f"patscan: interrupted after {scope}.", _WARNING, style)
    blocked = f": {_ACTS[kind]} blocked" if report.exit_code and kind in _ACTS else ""
    if report.findings:
        return _ink(f"patscan: {counted(len(report.findings), 'token')} in {scope}{blocked}.", _BAD, style) + ignored
    if coverage.skipped:
        return _ink(f"patscan: no token in {scope}, but not everything could be looked at{blocked}.", _WARNING, style) + ignored
    if not coverage.blobs + coverage.commits:
        return f"patscan: nothing to look at: {harmless(coverage.notes[0].reason) if coverage.notes else 'there is no content.'}"
    return _ink(f"patscan: no token in {scope}.", _GOOD, style) + ignored


def _reasons(report: Report) -> str:
    from patscan.formats.logs import harmless

    numbers: dict[str, int] = {}
    for finding in report.ignored:
        numbers[finding.reason] = numbers.get(finding.reason, 0) + 1
    return ", ".join(f"{number:,} {harmless(reason)}" for reason, number in sorted(numbers.items()))


def _ink(text: str, color: str, style: Style) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if style.color else text
