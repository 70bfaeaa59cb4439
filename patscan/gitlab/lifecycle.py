"""Checks of a token's lifecycle against GitLab's advice. Each has a threshold and the page with the advice.

A request with a token is a use of it: GitLab writes ``last_used_at`` before it answers. So a last use counts only if it was before the
first known request by patscan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from patscan.dates import moment
from patscan.gitlab.reach import names, owner
from patscan.gitlab.scopes import scope
from patscan.model import SEVERITIES, Check, Fact, Finding, Verdict
from patscan.tuples import NamedTuple

_DOCS = "https://docs.gitlab.com"
EXPIRY = f"{_DOCS}/user/profile/personal_access_tokens/#access-token-expiration"
USAGE = f"{_DOCS}/user/profile/personal_access_tokens/#view-token-usage-information"
SCOPES = f"{_DOCS}/security/tokens/access_token_scopes/"
OVERVIEW = f"{_DOCS}/security/tokens/"
PROJECT_TOKENS = f"{_DOCS}/user/project/settings/project_access_tokens/"
RESPONSE = f"{_DOCS}/security/responding_to_security_incidents/"

_CI = re.compile(
    r"(?:^|/)(?:[^/]*\.gitlab-ci\.ya?ml|\.gitlab/ci/.*|\.github/workflows/[^/]*|\.circleci/.*|Jenkinsfile[^/]*|\.travis\.yml|\.drone\.yml"
    r"|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml)$"
)


class Thresholds(NamedTuple):
    """In days."""

    longest: int = 90
    """The most days until a token may expire."""
    soon: int = 7
    """Days before its expiry from which a token gets a remark."""
    unused: int = 30


class Times(NamedTuple):
    """The times that checks compare. `asked` is this run's first request with the token, `earlier` the first one in a report."""

    now: datetime
    asked: datetime | None = None
    earlier: datetime | None = None

    @property
    def first_asked(self) -> datetime | None:
        """The first known request by patscan. An earlier use wasn't patscan's."""
        return min(filter(None, (self.asked, self.earlier)), default=None)


def checked(finding: Finding, verdict: Verdict, times: Times, thresholds: Thresholds) -> Verdict:
    """`verdict` with its checks, the worst first. A last use that may be patscan's own is removed."""
    if verdict.state not in {"active", "active-blocked", "inactive"}:
        return verdict
    last_used, facts = moment(verdict.facts.get("last_used")), dict(verdict.facts)
    first = times.first_asked
    ours = last_used is not None and first is not None and last_used >= first
    if ours:
        facts["last_used"] = None
    checks = [*_use(finding, last_used, ours, times, thresholds, facts), *_expiry(facts, times.now, thresholds)]
    if verdict.state != "inactive":
        checks += [*_breadth(facts), *_place(finding, facts)]
    else:
        checks = [check for check in checks if check.check in {"used-since-leak", "expired"}]
    checks.sort(key=lambda check: -SEVERITIES.index(check.severity))
    return verdict._replace(facts=facts, lifecycle=tuple(checks))


def _use(
    finding: Finding, last_used: datetime | None, ours: bool, times: Times, thresholds: Thresholds, facts: Mapping[str, Fact]
) -> Iterator[Check]:
    if "last_used" not in facts:
        return
    if ours:
        text = f"Its last use is unknown: patscan's own request at {_utc(times.first_asked)} counts as a use."
        yield Check("last-use-unknown", "low", f"{text} An administrator's token would show it.", USAGE)
        return
    if last_used is None:
        yield Check("never-used", "medium", "It was never used, so nothing depends on it: revoke it.", USAGE)
        return
    leaked = _exposed(finding)
    if leaked and last_used > leaked:
        doubt = "" if times.earlier else " Treat it as stolen, unless an earlier check was that use."
        text = f"Used at {_utc(last_used)}, after it was exposed at {_utc(leaked)}."
        yield Check("used-since-leak", "critical", text + (doubt or " Treat it as stolen."), RESPONSE)
    if times.now - last_used > timedelta(days=thresholds.unused):
        text = f"Not used since {last_used.date()}, for more than {thresholds.unused} days: revoke it."
        yield Check("unused", "medium", text, USAGE)


def _exposed(finding: Finding) -> datetime | None:
    first = finding.exposure.first_seen
    return moment(first.committed or first.date) if first else None


def _expiry(facts: Mapping[str, Fact], now: datetime, thresholds: Thresholds) -> Iterator[Check]:
    if "expires" not in facts:
        return
    end = moment(facts["expires"])
    if end is None:
        yield Check("no-expiry", "high", "It never expires: a thief can use it until it is revoked.", EXPIRY)
        return
    left = (end.date() - _today(now)).days
    if left <= 0:
        yield Check("expired", "low", f"It expired on {end.date()}.", EXPIRY)
    elif left <= thresholds.soon:
        yield Check(
            "expires-soon", "low", f"It expires on {end.date()}, and its owner will create a new one. Keep that from leaking.", EXPIRY
        )
    elif left > thresholds.longest:
        yield Check("long-life", "medium", f"It expires on {end.date()}, more than {thresholds.longest} days ahead.", EXPIRY)


def _breadth(facts: Mapping[str, Fact]) -> Iterator[Check]:
    broad = [name for name in names(facts) if scope(name).writes]
    if broad:
        text = "; ".join(f"{name} {scope(name).gains}" for name in broad)
        yield Check("broad-scope", "high", f"Its scopes go beyond reading: {text}.", SCOPES)


def _place(finding: Finding, facts: Mapping[str, Fact]) -> Iterator[Check]:
    if owner(facts).get("bot") is not False:
        return
    files = sorted({place.sighting.path for place in finding.occurrences if place.sighting.path and _CI.search(place.sighting.path)})
    if files:
        text = f"A person's token in a CI file ({files[0]}): use a project or group token in a masked variable instead."
        yield Check("person-in-ci", "medium", text, PROJECT_TOKENS)
    if len({place.sighting.submodule for place in finding.occurrences}) > 1:
        text = "A person's token in several repositories: create a project or group token for each."
        yield Check("person-in-several", "medium", text, OVERVIEW)


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _utc(when: datetime | None) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if when else ""
