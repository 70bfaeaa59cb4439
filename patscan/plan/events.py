"""What to look for in GitLab's audit events and logs after a leak, and since when.

Source: GitLab's ``doc/security/responding_to_security_incidents.md`` (credential exposure), ``doc/api/audit_events.md``.
"""

from __future__ import annotations

from patscan.dates import instant
from patscan.model import Exposure, Finding

_CODE = "pushes, merge requests and tags that nobody in the team created; changes to protected branches and to `.gitlab-ci.yml`"
_PIPELINES = "pipelines and jobs that nobody in the team started, with their logs and artifacts"
_SETTINGS = "changes to CI/CD variables, members, webhooks, deploy keys, runners and mirrors; exports of projects"
_STAYING = "new tokens, SSH and GPG keys, users and OAuth applications: a thief's way to stay"
_PACKAGES = "packages and container images that were published or replaced"
_RUNNERS = "runners that were registered or changed, jobs that ran on a runner that isn't yours, and the variables that those jobs got"
READING = "Reading leaves no audit event. Administrators see it in `production_json.log` and `api_json.log`."

_LOOKS = {
    "personal-access-token": (_STAYING, _SETTINGS, _CODE, _PIPELINES, _PACKAGES),
    "deploy-token": (_PACKAGES, "clones and pulls by the deploy token's user name"),
    "runner-authentication-token": (_RUNNERS, _PIPELINES),
    "runner-registration-token": (_RUNNERS, _PIPELINES),
    "runner-controller-token": (_RUNNERS,),
    "ci-job-token": (_PACKAGES, _PIPELINES, _CODE),
    "pipeline-trigger-token": (_PIPELINES,),
    "feature-flags-token": ("nothing: it only reads the project's feature flags",),
    "agent-token": ("the agent's activity on its page, and what changed in the cluster",),
    "oauth-application-secret": (_STAYING, "authorizations of this application"),
    "feed-token": ("nothing: it only reads its user's feeds and calendars",),
    "incoming-mail-token": ("issues and merge requests by mail that its user didn't send",),
    "scim-token": ("users who were added to the group, removed from it, or changed",),
}
_OTHERS = (_STAYING, _SETTINGS, _CODE, _PIPELINES)


def looks(finding: Finding) -> tuple[str, ...]:
    """What to look for: what a thief may have done with a token of this kind."""
    return _LOOKS.get(finding.rule.kind, _OTHERS)


def since(exposure: Exposure) -> str:
    """When the token was first exposed (ISO 8601), by the commit that introduced it; empty if unknown.

    It is the earlier of the commit's dates: a commit's author date survives a rebase, and either may be wrong.
    """
    first = exposure.first_seen
    return min(filter(None, (first.date, first.committed)), key=instant, default="") if first else ""
