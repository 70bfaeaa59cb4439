"""GitLab's secret detection report in schema 15.0.7, the oldest that every GitLab since 15.0 takes.

The schema is in gitlab.com/gitlab-org/security-products/security-report-schemas. There is a vulnerability for each token in each file,
because GitLab tracks a token by its file. Within a pipeline, GitLab merges two vulnerabilities that share an identifier and a fingerprint:
that of ``file:start_line:end_line`` (lib/gitlab/ci/reports/security/locations/secret_detection.rb) or a signature in ``tracking``
(``Finding#keys`` in lib/gitlab/ci/reports/security/finding.rb). So every place has a signature derived from the token, which stays when
lines move, and no two places of a report have the same location. GitLab's analyzer gives no end line. Here the first token in a line has
none either, so that GitLab merges the reports of both tools. A place that is no file gets a path that no file can have.

Between pipelines, GitLab identifies a vulnerability by its signature, and by its location only if it was stored without a signature
(ee/app/services/security/override_uuids_service.rb). So a token that replaces another in its line is a new vulnerability.

Tokens are masked. With ``--show-secrets`` the whole token is in ``raw_source_code_extract``, by which GitLab Ultimate checks and
revokes it, and nowhere else. Ignored findings are counted in a message.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO
from uuid import NAMESPACE_URL, uuid5

from patscan import HOME, __version__
from patscan.counts import counted
from patscan.dates import instant
from patscan.formats.advice import remedy
from patscan.formats.ascii_json import indented, write_items
from patscan.formats.places import by_place, file_name, identity, in_file, name, printable, slashed
from patscan.formats.verdicts import advice, life
from patscan.formats.words import by_reason, named, reasons, skips, standing, whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from patscan.formats import Style
    from patscan.model import Exposure, Finding, Occurrence, Report

_VERSION = "15.0.7"
_NO_COMMIT = "0000000"
"""The commit that GitLab's analyzer writes for a file of the working tree. GitLab shows no link for it."""
_NAME, _SOLUTION = 255, 7000
"""The schema's maximum lengths of texts."""
_LAST = 253_402_300_799
"""The end of the year 9999, in seconds since 1970."""
_TIPS, _LINES = 20, 50
"""Items listed in a detail."""
_PAT, _RUNNER = "gitlab_personal_access_token", "gitlab_runner_auth_token"
_RULES = {
    "gitlab-pat": _PAT,
    "gitlab-pat-routable": f"{_PAT}_routable",
    "gitlab-pat-routable-versioned": f"{_PAT}_routable_versioned",
    "gitlab-agent-token": "gitlab_kubernetes_agent_token",
    "gitlab-deploy-token": "gitlab_deploy_token",
    "gitlab-feed-token": "gitlab_feed_token_v2",
    "gitlab-feed-token-url": "gitlab_feed_token",
    "gitlab-incoming-mail-token": "gitlab_incoming_email_token",
    "gitlab-job-token": "gitlab_ci_build_token",
    "gitlab-oauth-application-secret": "gitlab_oauth_app_secret",
    "gitlab-runner-registration-token": "gitlab_runner_registration_token",
    "gitlab-runner-token": _RUNNER,
    "gitlab-runner-token-typed": _RUNNER,
    "gitlab-runner-token-routable": f"{_RUNNER}_routable",
    "gitlab-scim-token": "gitlab_scim_oauth_token",
    "gitlab-trigger-token": "gitlab_pipeline_trigger_token",
}
"""GitLab's names of our rules (doc/user/application_security/secret_detection/detected_secrets.md; the ``_routable`` ones are in the
release notes for 19.4 and in GitLab's token lookup). Other rules keep patscan's names."""


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report`, one vulnerability at a time."""
    margin = "\n  "
    stream.write(f'{{{margin}"version": "{_VERSION}",{margin}"scan": {indented(_scan(report, style), margin)},{margin}"vulnerabilities": ')
    write_items(stream, _vulnerabilities(report, style), margin)
    stream.write("\n}\n")


def _scan(report: Report, style: Style) -> dict[str, Any]:
    tool = {"id": "patscan", "name": "patscan", "url": HOME, "version": __version__, "vendor": {"name": "patscan"}}
    when = _when(report, style)
    messages = [{"level": "warn", "value": printable(f"Not looked at: {where}: {reason}")} for where, reason in skips(report)]
    messages += [{"level": "info", "value": printable(f"{where}: {reason}")} for where, reason, _ in report.coverage.notes]
    if report.ignored:
        messages.append({"level": "info", "value": f"Ignored: {', '.join(by_reason(report.ignored))}."})
    status = "success" if report.coverage.complete and not report.interrupted else "failure"
    return {
        "analyzer": tool,
        "scanner": tool,
        "type": "secret_detection",
        "start_time": when,
        "end_time": when,
        "status": status,
        "messages": messages,
    }


def _when(report: Report, style: Style) -> str:
    """The time of the scan, or else the newest date in the report; in UTC without a zone, as the schema demands."""
    newest = max((instant(one.sighting.date) for finding in report.findings for one in finding.occurrences), default=0)
    seconds = min(instant(style.when) or max(newest, 0), _LAST)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _vulnerabilities(report: Report, style: Style) -> Iterator[dict[str, Any]]:
    ends: dict[tuple[str, str, int], int] = {}
    for finding in report.findings:
        for places in by_place(finding.occurrences):
            first = places[0]
            spot = (_RULES.get(finding.rule.id, finding.rule.id), file_name(first.sighting), first.position.line)
            end = first.position.end_line if first.position.end_line != first.position.line else None
            if spot in ends:
                end = max(ends[spot] + 1, first.position.end_line)
            ends[spot] = end or first.position.line - 1
            yield _vulnerability(finding, places, end, style)


def _vulnerability(finding: Finding, places: Sequence[Occurrence], end: int | None, style: Style) -> dict[str, Any]:
    """The entry for one token in one file. `end` is the location's end line."""
    rule, first = finding.rule, places[0]
    same = identity(finding.fingerprint, name(first.sighting))
    entry: dict[str, Any] = {
        "id": str(uuid5(NAMESPACE_URL, f"{HOME}#{same}")),
        "category": "secret_detection",
        "name": rule.name[:_NAME],
        "description": f"{named(finding)}. {rule.description}",
        "severity": finding.severity.capitalize(),
        "solution": _solution(remedy(finding)),
        "identifiers": _identifiers(rule.id),
        "links": _links(rule.references),
        "location": _location(first, end),
        "tracking": {"type": "source", "items": [{"signatures": [{"algorithm": "hash", "value": same}]}]},
        "details": _details(finding, places),
    }
    if doubt := _doubt(finding):
        entry["flags"] = [{"type": "flagged-as-likely-false-positive", "origin": "patscan", "description": doubt}]
    if style.reveal and (token := finding.secret.reveal()):
        entry["raw_source_code_extract"] = token.decode("utf-8", "backslashreplace")
    return entry


def _doubt(finding: Finding) -> str:
    """Why the finding needs no action; empty if it does."""
    if finding.verdict.state in {"inactive", "not-found"}:
        return printable(f"GitLab says: {life(finding.verdict)}")
    return printable("; ".join(reasons(finding)) or "probably not a token") if finding.confidence == "low" else ""


@lru_cache(maxsize=1024)
def _solution(text: str) -> str:
    return printable(text)[:_SOLUTION]


@lru_cache(maxsize=1024)
def _links(references: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"url": reference} for reference in references if reference.startswith(("https://", "http://"))]


@lru_cache(maxsize=1024)
def _identifiers(rule: str) -> list[dict[str, str]]:
    """GitLab's identifier for the rule with this id, then patscan's: GitLab compares the first."""
    theirs = _RULES.get(rule, rule)
    return [
        {"type": "gitleaks_rule_id", "name": f"Gitleaks rule ID {theirs}", "value": theirs},
        {"type": "patscan_rule_id", "name": f"patscan rule {rule}", "value": rule},
    ]


def _location(occurrence: Occurrence, end: int | None) -> dict[str, Any]:
    sighting = occurrence.sighting
    commit = {"sha": sighting.commit or _NO_COMMIT, "author": sighting.author, "date": sighting.date, "message": sighting.message}
    location: dict[str, Any] = {"commit": {key: printable(value) for key, value in commit.items() if value is not None}}
    location |= {"file": slashed(file_name(sighting)), "start_line": occurrence.position.line}
    return location if end is None else location | {"end_line": end}


def _details(finding: Finding, places: Sequence[Occurrence]) -> dict[str, Any]:
    """Facts that GitLab has no field for, as named values."""
    first, exposure = places[0], finding.exposure
    seen = exposure.first_seen
    known = {
        "Token": named(finding),
        "Confidence": finding.confidence,
        "Evidence": "; ".join(reasons(finding)),
        "First seen": _first_seen(exposure),
        "Still at HEAD": {True: "yes", False: f"no, {standing(finding) or 'in history only'}", None: ""}[exposure.at_head],
        "Tips": ", ".join(exposure.tips[:_TIPS]) + _more(len(exposure.tips) - _TIPS, "tip") if exposure.tips else "",
        "Where": "; ".join(whereabouts(finding, first)),
        "Place": "" if in_file(first.sighting) else f"{name(first.sighting)}, line {first.position.line}",
        "Member": first.match.address.member or "",
        "Other lines": ", ".join(str(one.position.line) for one in places[1 : _LINES + 1]) + _more(len(places) - 1 - _LINES, "line"),
        "GitLab says": life(finding.verdict),
        "Advice": " ".join(advice(finding.verdict)),
    }
    details: dict[str, Any] = {
        _key(title): {"type": "text", "name": title, "value": printable(value)} for title, value in known.items() if value
    }
    if seen and seen.id:
        details["first_commit"] = {"type": "commit", "name": "First commit", "value": printable(seen.id)}
    return details


@lru_cache(maxsize=1024)
def _key(title: str) -> str:
    return title.lower().replace(" ", "_")


def _first_seen(exposure: Exposure) -> str:
    if not exposure.first_seen:
        return ""
    first = exposure.first_seen
    when = f"{first.date} or before" if exposure.at_or_before else first.date
    return f"{when} by {first.author}" if first.author else when


def _more(number: int, noun: str) -> str:
    return f" and {counted(number, f'more {noun}')}" if number > 0 else ""
