"""``patscan verify``: reads the tokens of a saved report again, asks GitLab about them, and writes the report with the verdicts."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from patscan.cli import asking, cache, output
from patscan.cli.environment import environment
from patscan.cli.parser import add_output
from patscan.cli.report import delivered, saved
from patscan.formats.address import unreadable
from patscan.model import Evidence, Finding, Report, Rule, Target, Verdict
from patscan.secret import Secret

_HEAD = 32
"""Bytes of a token in which its prefix stands, perhaps after an instance's own."""
_OLD = "the report doesn't say where its bytes lie: an older patscan wrote it. Scan again."


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan verify`` takes."""
    command.add_argument("inputs", nargs=1, type=Path, metavar="REPORT", help="a JSON report that patscan wrote, or - for standard input")
    command.add_argument("--repository", type=Path, metavar="PATH", help="where the repository or the folder lies that was scanned")
    asking.add_asking(command, always=True)
    add_output(command, secrets=False)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Ask about the tokens of a saved report."""
    output.check(chosen)
    report = again(saved(chosen.inputs[0]), chosen.repository)
    return delivered(asking.verified(chosen, report, asking.proposed(report)), chosen)


def again(report: Report, repository: Path | None) -> Report:
    """`report` with its tokens, where they can be read; a verdict says why one can't."""
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
            findings.append(_unread(finding, "a rule of your own found it, so GitLab isn't asked."))
            continue
        token = tokens.get(finding.fingerprint) or absence(finding, report.target, repository)
        findings.append(_read(finding, token, rules) if isinstance(token, Secret) else _unread(finding, token))
    return report._replace(findings=tuple(findings))


def _is_whole(finding: Finding) -> bool:
    """Whether the report was written with ``--show-secrets``, and what it shows is what its fingerprint says."""
    return len(finding.secret) > 0 and finding.secret.fingerprint == finding.fingerprint


def places(target: Target) -> Iterator[Path]:
    """What the report says was scanned, as far as it is here: one folder, or some that blanks separate."""
    names = [target.path] if os.path.lexists(target.path) else target.path.split(" ")
    yield from (Path(name) for name in names if name and os.path.lexists(name))


def _unread(finding: Finding, reason: str) -> Finding:
    return finding._replace(
        secret=Secret.masked(str(finding.secret)), verdict=Verdict("unchecked", reason, asked_at=finding.verdict.asked_at)
    )


def _read(finding: Finding, token: Secret, rules: Iterable[Rule]) -> Finding:
    """`finding` with its token, unless the report calls it something else than it is: then GitLab's answer would mislead."""
    head = token.reveal()[:_HEAD]
    kinds = {rule.kind for rule in rules if rule.prefix and rule.prefix.encode() in head}
    if kinds and finding.rule.kind not in kinds:
        return _unread(finding, f"the report calls it a {finding.rule.kind}, but it begins like a {' or a '.join(sorted(kinds))}.")
    return finding._replace(secret=token, evidence=tuple(_evidence(finding, token)))


def _evidence(finding: Finding, token: Secret) -> Iterator[Evidence]:
    """The evidence, with what a JWT says of itself read from the token: the report's word alone makes none expired."""
    from patscan.detect import jwt

    for evidence in finding.evidence:
        yield evidence._replace(facts=jwt.facts(token.reveal()) or {}) if evidence.type == "jwt" else evidence


def absence(finding: Finding, target: Target, repository: Path | None) -> str:
    """Why there is no place to read the token at."""
    lead = finding.occurrences[0]
    if not any(one.match.address.name for one in finding.occurrences):
        return _OLD
    if reason := unreadable(lead, target):
        return reason
    return f"{repository or target.path}: isn't here. Say where it lies: --repository PATH."
