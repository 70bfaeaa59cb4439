"""The section of ``plan.md`` for one token: revoke it, look for misuse, replace it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from patscan.counts import counted
from patscan.formats.advice import local_removal, undoing
from patscan.formats.markdown import code, prose
from patscan.formats.places import SHORT, current, in_file, place
from patscan.formats.verdicts import life, scopes
from patscan.formats.words import named, standing
from patscan.gitlab.advice import whom
from patscan.gitlab.scopes import gains
from patscan.model import Finding, Occurrence
from patscan.plan.events import READING, looks, since
from patscan.plan.order import is_dead

LONGEST = 2000
"""Characters of a rule's text."""
_NAME = 200
"""Characters of a path."""
_PLACES = 20
"""Places of a token that are listed."""
_VARIABLE = re.compile(r"""([A-Za-z_][A-Za-z0-9_.-]{0,80})["']?\s*[:=]{1,2}\s*["']?[^\s"']*…\(\d+\)""")
"""A name, a sign, and a masked token."""
_CI = re.compile(
    r"(?:^|/)[^/]*gitlab-ci[^/]*\.ya?ml$|(?:^|/)\.gitlab/ci/|(?:^|/)\.github/workflows/|(?:^|/)(?:Jenkinsfile|\.woodpecker\.ya?ml)$"
)
"""Files that a CI server reads."""


def section(number: int, finding: Finding, file: str, head: str | None) -> Iterator[str]:
    """The lines about `finding` of the report in `file`; `head` is the commit at HEAD."""
    facts = filter(None, (finding.severity, life(finding.verdict), _pushed(finding), standing(finding)))
    yield ""
    yield f"## {number}. {code(named(finding))}: {prose(finding.rule.name, _NAME)}"
    yield ""
    yield f"{prose('; '.join(facts), LONGEST)}."
    yield from (f"- Scope {prose(gain, _NAME)}" for gain in gains(scopes(finding.verdict)))
    yield from ("", f"**Revoke** (who can: {prose(whom(finding), _NAME)})", "")
    yield from _revoke(finding, file)
    yield from ("", "**Look at what was done with it**", "")
    yield from _look(finding)
    yield from ("", "**Give its users a new one**", "")
    yield from _users(finding, file)
    if local_removal(finding):
        yield from ("", f"**Remove**: {standing(finding)}, with no trace of a push: `remove.sh` removes it from this clone.")
    elif finding.exposure.pushed is False and (enough := undoing(finding, head)):
        yield from ("", f"**Remove**: no trace of a push. It is enough to change the unpushed commits: {code(enough, LONGEST)}")


def _revoke(finding: Finding, file: str) -> Iterator[str]:
    if is_dead(finding):
        yield f"- Done: {prose(life(finding.verdict), _NAME)}."
        return
    yield f"- {_command('revoke', finding, file)}"
    yield f"- Or by hand: {prose(finding.rule.remedy, LONGEST)}"
    yield from (f"- {prose(page, _NAME)}" for page in finding.rule.references[:1])


def _look(finding: Finding) -> Iterator[str]:
    begin, bound = since(finding.exposure), " or before: history is cut off there" if finding.exposure.at_or_before else ""
    end = "the moment of its revocation"
    interval = (
        f"from {code(begin)}{bound} (its first commit) to {end}" if begin else f"from its creation to {end}: its first commit is unknown"
    )
    yield f"- Audit events {interval}: Secure > Audit events in the project and its groups, Monitoring > Audit events for administrators."
    if begin:
        request = f"GET /api/v4/projects/ID/audit_events?created_after={begin[:10]}"
        yield f"- By API: {code(request)}; groups and the instance have the same."
    yield from (f"- Look for {look}." for look in looks(finding))
    yield f"- {READING}"
    if last := finding.verdict.facts.get("last_used"):
        yield f"- GitLab says that it was last used at {code(str(last))}."


def _users(finding: Finding, file: str) -> Iterator[str]:
    if not is_dead(finding):
        yield f"- If it must stay in use for now: {_command('rotate', finding, file, '--token-file', 'FILE')} *instead of* revoking it"
    places = {_user(one): None for one in current(finding.occurrences) if in_file(one.sighting)}
    yield from list(places)[:_PLACES]
    if (more := len(places) - _PLACES) > 0:
        yield f"- and {counted(more, 'more place')}: see the report"
    names = sorted({name for one in finding.occurrences if (name := _variable(one))})
    called = f", perhaps called {', '.join(map(code, names[:_PLACES]))}" if names else ""
    yield f"- Settings > CI/CD > Variables of the project and its groups, where patscan can't look: find those with this value{called}"
    yield "- Deployments, cron jobs, `~/.netrc`, `~/.config/glab-cli`, container images: what stops working now was using it"


def _user(one: Occurrence) -> str:
    name = _variable(one)
    kind = f", {'CI variable' if _CI.search(one.sighting.path or '') else 'called'} {code(name)}" if name else ""
    past = " (no longer at HEAD)" if one.at_head is False else ""
    return f"- {code(place(one, SHORT), _NAME)} line {one.position.line}{kind}{past}"


def _variable(one: Occurrence) -> str:
    """The name that the token is assigned to in its line; empty if there is none."""
    line = one.position.line - one.frame_line
    match = _VARIABLE.search(one.frame[line]) if 0 <= line < len(one.frame) else None
    return match[1] if match else ""


def _command(verb: str, finding: Finding, file: str, *more: str) -> str:
    instance = ["--gitlab-url", quote(finding.verdict.instance)] if finding.verdict.instance else []
    return code(" ".join(["patscan", verb, quote(file), "--fingerprint", quote(finding.fingerprint), *more, *instance]), LONGEST)


def _pushed(finding: Finding) -> str:
    return {True: "pushed", False: "no trace of a push", None: "perhaps pushed"}[finding.exposure.pushed]
