"""``patscan inspect``: explains the tokens on standard input. Prints no token, and sends none without ``--verify``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from textwrap import wrap
from typing import IO

from patscan.cli import asking, output
from patscan.cli.parser import add_output, add_rules
from patscan.errors import TargetError
from patscan.model import Evidence, Fact, Finding, Report, Rule, Verdict

_WIDTH = 100
_LISTED = 5
"""Groups, projects and the like to list. The JSON report lists all."""
_RUNNERS = {1: "instance", 2: "group", 3: "project"}
"""Source: the payload's ``t`` in GitLab's ``app/models/ci/runner.rb``."""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan inspect`` takes."""
    add_rules(command)
    asking.add_asking(command)
    add_output(command, secrets=False)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Explain each token on standard input."""
    from patscan import rulebook

    output.check(chosen)
    if sys.stdin is None:
        raise TargetError("-: standard input is closed. Pipe a text into it: pbpaste | patscan inspect.")
    if sys.stdin.isatty():
        print(f"Paste a text, then press Ctrl-D.{'' if chosen.verify else ' Nothing of it leaves this machine.'}", file=sys.stderr)
    report = asking.verified(chosen, _judged(_scanned(sys.stdin.buffer, rulebook.load(chosen.rules))))
    if chosen.format == "text" and not chosen.quiet:
        from patscan.formats.redaction import redacted

        print("\n".join(_lines(redacted(report), chosen.verify)))
        chosen.quiet = True
    return output.deliver(report, chosen)


def _scanned(stream: IO[bytes], rules: tuple[Rule, ...]) -> Report:
    """The report of scanning a text."""
    from patscan import scan
    from patscan.cli import pools
    from patscan.run import Options
    from patscan.sources.stream import Stream

    return scan.scan(Stream(stream), rules, pools.small, lambda _: None, Options())


def _judged(report: Report) -> Report:
    """`report` with the verdicts that need no request."""
    from patscan.gitlab import offline

    now = datetime.now(UTC)
    known = ((finding, offline.verdict(finding, now)) for finding in report.findings)
    return report._replace(findings=tuple(finding._replace(verdict=verdict) if verdict else finding for finding, verdict in known))


def _lines(report: Report, verified: bool) -> Iterator[str]:
    from patscan.counts import counted
    from patscan.formats.logs import harmless
    from patscan.formats.words import ident

    ignored = [finding for finding in report.ignored if finding.reason != "verdict"]
    for finding in (*report.findings, *ignored):
        place = finding.occurrences[0].position
        title = f"{finding.rule.name}  {finding.secret} {ident(finding)}  line {place.line}, column {place.column}"
        yield harmless(title)
        for label, text in _rows(finding):
            head = f"    {label:<9}"
            yield from wrap(harmless(text), _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)
        yield ""
    unlikely = f" {counted(len(ignored), 'more match', 'more matches')} probably not a token." if ignored else ""
    yield f"{counted(len(report.findings), 'token')}.{unlikely}{'' if verified else ' Nothing was sent anywhere.'}"


def _rows(finding: Finding) -> Iterator[tuple[str, str]]:
    evidence = {one.type: one for one in finding.evidence}
    yield "whole", _whole(finding, evidence)
    yield "checksum", _checksum(finding, evidence.get("checksum"))
    if facts := ", ".join(_decoded(finding.evidence)):
        yield "says", facts
    yield "likely", "; ".join(_likelihood(finding))
    yield from _life(finding.verdict)
    if finding.reason:
        return
    from patscan.gitlab.advice import whom

    yield "can do", finding.rule.description
    yield "ask", whom(finding)
    yield "do", finding.rule.remedy
    yield from (("", reference) for reference in finding.rule.references[:2])


def _life(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """GitLab's verdict, or what is known without it."""
    if verdict.state == "unchecked" and not verdict.reason:
        return
    alive = "LIVE, " if verdict.state.startswith("active") else ""
    at = f" ({verdict.instance})" if verdict.instance else ""
    yield "life", f"{alive}{verdict.state}{f': {verdict.reason}' if verdict.reason else ''}{at}"
    texts = (f"{name.replace('_', ' ')} {_in_words(fact)}" for name, fact in verdict.facts.items() if fact not in (None, ()))
    if facts := "; ".join(texts):
        yield "GitLab", facts
    if verdict.severity:
        yield "severity", "; ".join((verdict.severity, *verdict.severity_reasons))
    yield from (("" if number else "advice", f"{check.message} {check.reference}") for number, check in enumerate(verdict.lifecycle))


def _in_words(fact: Fact) -> str:
    if isinstance(fact, tuple):
        more = len(fact) - _LISTED
        return ", ".join(map(_in_words, fact[:_LISTED])) + (f" and {more} more" if more > 0 else "")
    if isinstance(fact, Mapping):
        named = fact.get("username") or fact.get("path") or f"#{fact.get('id')}"
        marks = [str(fact["access"])] if fact.get("access") else [name for name in ("bot", "administrator") if fact.get(name) is True]
        return f"{named} ({', '.join(marks)})" if marks else str(named)
    return str(fact)


def _whole(finding: Finding, evidence: dict[str, Evidence]) -> str:
    for kind, text in (("truncated", "cut off"), ("edge", "perhaps not"), ("length", "unknown")):
        if kind in evidence:
            return f"{text}: {evidence[kind].facts.get('text')}"
    if finding.reason == "length":
        return "no: tokens of this kind have another length"
    if finding.reason:
        return f"no: {finding.reason}"
    return "yes, by its length field" if finding.rule.body == "routable" else "yes: it has the shape of its kind"


def _checksum(finding: Finding, evidence: Evidence | None) -> str:
    if evidence is None:
        return "none in this form" if finding.rule.body != "routable" else "missing"
    return "right" if evidence.facts.get("ok") else "wrong: GitLab didn't create it, or a character was lost"


def _decoded(evidence: Iterable[Evidence]) -> Iterator[str]:
    for one in evidence:
        if one.type not in {"routing", "jwt"}:
            continue
        for name, value in one.facts.items():
            yield f"{_RUNNERS.get(value, value)} runner" if name == "runner_type" and type(value) is int else f"{name} {value}"


def _likelihood(finding: Finding) -> Iterator[str]:
    from patscan.formats.words import reasons

    yield f"{finding.confidence}, {finding.reason}" if finding.reason else finding.confidence
    yield from reasons(finding)
    yield from (f"encoded as {encoding}" for encoding in finding.occurrences[0].encodings)
    if (places := len(finding.occurrences)) > 1:
        yield f"stands in {places:,} places"
