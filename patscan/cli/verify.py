"""``patscan verify``: reads the tokens of a saved report again, asks GitLab about them, and writes the report with the verdicts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from patscan.cli import asking, cache, output
from patscan.cli.environment import environment
from patscan.cli.parser import add_output
from patscan.cli.report import deliver, saved
from patscan.formats.address import unreadable
from patscan.model import Evidence, Finding, Report, Rule, Target, Verdict
from patscan.secret import Secret

_HEAD = 32
"""First bytes of a token, which contain its prefix, even after an instance's prefix."""
_OLD = "an older patscan wrote the report, without the token's address. Scan again."


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan verify`` takes."""
    command.add_argument("inputs", nargs=1, type=Path, metavar="REPORT", help="a JSON report that patscan wrote, or - for standard input")
    command.add_argument("--repository", type=Path, metavar="PATH", help="the scanned repository or folder")
    asking.add_asking(command, always=True)
    add_output(command, secrets=False)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Ask GitLab about the tokens of a saved report."""
    output.check(chosen)
    report = reread(saved(chosen.inputs[0]), chosen.repository)
    return deliver(asking.verified(chosen, report, asking.proposed(report)), chosen)


def reread(report: Report, repository: Path | None) -> Report:
    """`report` with its tokens read again. The verdict of an unreadable one gives the reason."""
    if not report.findings:
        return report
    from patscan.sources.addresses import Addresses

    tokens: dict[str, Secret | str] = {finding.fingerprint: finding.secret for finding in report.findings if _is_whole(finding)}
    for place in [repository] if repository else places(report.target):
        wanted = [finding for finding in report.findings if not isinstance(tokens.get(finding.fingerprint), Secret)]
        named = [report.target.path, *map(str, places(report.target))]
        tokens |= Addresses(place, named, environment(place)).tokens(wanted)
    rules = cache.rules([], True, [])
    findings, kinds = [], {rule.kind for rule in rules}
    for finding in report.findings:
        if finding.rule.kind not in kinds:
            findings.append(_without_token(finding, "one of your own rules found it, so GitLab isn't asked."))
            continue
        token = tokens.get(finding.fingerprint) or absence(finding, report.target, repository)
        findings.append(_with_token(finding, token, rules) if isinstance(token, Secret) else _without_token(finding, token))
    return report._replace(findings=tuple(findings))


def _is_whole(finding: Finding) -> bool:
    """Whether the report contains the whole token, and its fingerprint fits."""
    return len(finding.secret) > 0 and finding.secret.fingerprint == finding.fingerprint


def places(target: Target) -> Iterator[Path]:
    """The scanned paths that exist here: the target's path, or several that blanks separate."""
    names = [target.path] if os.path.lexists(target.path) else target.path.split(" ")
    yield from (Path(name) for name in names if name and os.path.lexists(name))


def _without_token(finding: Finding, reason: str) -> Finding:
    return finding._replace(
        secret=Secret.masked(str(finding.secret)), verdict=Verdict("unchecked", reason, asked_at=finding.verdict.asked_at)
    )


def _with_token(finding: Finding, token: Secret, rules: Iterable[Rule]) -> Finding:
    """`finding` with its token. If its prefix contradicts the report's kind, the token is left out, and GitLab isn't asked."""
    head = token.reveal()[:_HEAD]
    kinds = {rule.kind for rule in rules if rule.prefix and rule.prefix.encode() in head}
    if kinds and finding.rule.kind not in kinds:
        return _without_token(
            finding, f"the report calls it a {finding.rule.kind}, but it has the prefix of a {' or a '.join(sorted(kinds))}."
        )
    return finding._replace(secret=token, evidence=tuple(_evidence(finding, token)))


def _evidence(finding: Finding, token: Secret) -> Iterator[Evidence]:
    """The evidence, with a JWT's claims read from the token itself, since the report is untrusted."""
    from patscan.detect import jwt

    for evidence in finding.evidence:
        yield evidence._replace(facts=jwt.facts(token.reveal()) or {}) if evidence.type == "jwt" else evidence


def absence(finding: Finding, target: Target, repository: Path | None) -> str:
    """Why the token can't be read again."""
    lead = finding.occurrences[0]
    if not any(one.match.address.name for one in finding.occurrences):
        return _OLD
    if reason := unreadable(lead, target):
        return reason
    return f"{repository or target.path}: doesn't exist here. Name it: --repository PATH."
