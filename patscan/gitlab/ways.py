"""How each kind of token is revoked or rotated: one request, and the token that authorizes it.

Sources: ``doc/api/personal_access_tokens.md``, ``project_access_tokens.md``, ``deploy_tokens.md``, ``pipeline_triggers.md``,
``cluster_agents.md``, ``runners.md``, ``runner_controllers.md``, ``admin/token.md``.
"""

from __future__ import annotations

import re

from patscan.gitlab.access_token import SELF
from patscan.gitlab.administrator import BEFORE
from patscan.gitlab.advice import whom
from patscan.gitlab.client import Request, Sealed
from patscan.gitlab.question import API
from patscan.gitlab.reach import names, owner
from patscan.model import Finding
from patscan.secret import Secret
from patscan.tuples import NamedTuple

PAT = "personal-access-token"
RUNNER = "runner-authentication-token"
_OTHER = "with the token of --with-token-file"

ROWS = {
    PAT: r"personal_access_tokens/\d+|(?:projects|groups)/\d+/access_tokens/\d+",
    "deploy-token": r"(?:projects|groups)/\d+/deploy_tokens/\d+",
    "pipeline-trigger-token": r"projects/\d+/triggers/\d+",
    "agent-token": r"projects/\d+/cluster_agents/\d+/tokens/\d+",
    "runner-controller-token": r"runner_controllers/\d+/tokens/\d+",
}
"""The paths that ``--at`` may have, by kind: those of tokens in GitLab's API."""
_EXAMPLES = {
    PAT: "personal_access_tokens/7",
    "deploy-token": "projects/42/deploy_tokens/7",
    "pipeline-trigger-token": "projects/42/triggers/7",
    "agent-token": "projects/42/cluster_agents/5/tokens/7",
    "runner-controller-token": "runner_controllers/5/tokens/7",
}
_ADMINISTERED = {
    *(PAT, "deploy-token", "agent-token", "pipeline-trigger-token", "feed-token", RUNNER, "oauth-application-secret"),
    *("incoming-mail-token", "feature-flags-token", "session-cookie", "runner-registration-token"),
}
"""Kinds that ``DELETE /admin/token`` revokes or resets. It recognizes a job token, but can't revoke it."""
_EFFECTS = {
    RUNNER: "that runner stops until it has the new token",
    "runner-registration-token": "no further runner registers with it",
    "agent-token": "its agent is cut off until it has another token",
    "oauth-application-secret": "its application can't sign anybody in until it has the new secret",
    "feature-flags-token": "what reads the flags gets none until it has the new token",
    "session-cookie": "the user is signed out",
    "pipeline-trigger-token": "nothing starts pipelines with it any more",
}
_PAGES = {
    PAT: "User settings > Access tokens (a project's or a group's: Settings > Access tokens there)",
    "deploy-token": "Settings > Repository > Deploy tokens",
    "pipeline-trigger-token": "Settings > CI/CD > Pipeline trigger tokens",
    "agent-token": "Operate > Kubernetes clusters, on the agent's tab Access tokens",
    RUNNER: "Settings > CI/CD > Runners",
    "runner-registration-token": "Settings > CI/CD > Runners",
    "runner-controller-token": "the runner controllers' API, /api/v4/runner_controllers",
    "ci-job-token": "Build > Jobs: cancel the job",
    "oauth-application-secret": "User settings > Applications (a group's: Settings > Applications there)",
    "feature-flags-token": "Deploy > Feature flags > Configure",
    "feed-token": "User settings > Access tokens > Feed token",
    "incoming-mail-token": "User settings > Access tokens > Incoming email token",
    "session-cookie": "User settings > Active sessions",
    "scim-token": "the group's Settings > SAML SSO > SCIM token",
    "workspace-token": "Workspaces: stop the workspace",
    "static-object-token": "User settings > Access tokens > Static object token",
    "oauth-access-token": "User settings > Applications > Authorized applications",
}


class Means(NamedTuple):
    """The tokens that may act besides the leaked one, at the instance that knows it."""

    administrator: Secret | None = None
    other: Secret | None = None
    """The token of ``--with-token-file``."""
    at: str = ""
    """The path of ``--at``, which fits `ROWS`."""


class Way(NamedTuple):
    """One request, and who authorizes it, in the words of the question and the audit log."""

    request: Request
    by: str
    effect: str = ""
    """What else stops working, as a half-sentence; empty if nothing does."""

    @property
    def line(self) -> str:
        """The request's method and path, which contain no token."""
        return f"{self.request.method} {self.request.path}"


def revoking(finding: Finding, means: Means) -> Way | None:
    """How to revoke the token of `finding`, which has GitLab's verdict; ``None`` if patscan can't."""
    kind, live = finding.rule.kind, finding.verdict.state.startswith("active")
    effect = _EFFECTS.get(kind, "")
    if means.at and means.other:
        # GitLab doesn't know this access token, so --at would revoke another one.
        able = kind in ROWS and (live or kind != PAT)
        return Way(_as_other("DELETE", means.at, means.other), _OTHER, effect) if able else None
    if means.administrator and live and finding.verdict.asked_at is None and kind in _ADMINISTERED:
        # Without `asked_at` the administrator's request gave the verdict, so GitLab knows the token.
        token = Sealed(finding.secret, BEFORE.get(kind, ""))
        headers = {"PRIVATE-TOKEN": Sealed(means.administrator)}
        return Way(Request("DELETE", f"{API}/admin/token", headers, {"token": token}, repeatable=False), "as an administrator", effect)
    if kind == PAT and finding.verdict.state == "active":
        return Way(Request("DELETE", SELF, {"PRIVATE-TOKEN": Sealed(finding.secret)}, repeatable=False), "by itself")
    if kind == RUNNER:
        return _reset(finding, f"{effect}, which isn't shown: use patscan rotate to store it")
    return None


def rotating(finding: Finding, means: Means, expires: str) -> Way | None:
    """How to rotate the token of `finding`, which is active, to one that expires on `expires`; ``None`` if patscan can't."""
    kind = finding.rule.kind
    if kind == RUNNER:
        return _reset(finding, _EFFECTS[RUNNER])
    if kind != PAT:
        return None
    fields = {"expires_at": expires}
    if means.other:
        path = f"{API}/{means.at or own_row(finding)}/rotate"
        return Way(Request("POST", path, {"PRIVATE-TOKEN": Sealed(means.other)}, fields, repeatable=False), _OTHER)
    scopes = names(finding.verdict.facts)
    if scopes and not {"api", "self_rotate"} & {*scopes}:
        return None
    return Way(Request("POST", f"{SELF}/rotate", {"PRIVATE-TOKEN": Sealed(finding.secret)}, fields, repeatable=False), "by itself")


def own_row(finding: Finding) -> str:
    """The path of an access token in GitLab's API, by its id and its bot's name (``project_42_bot_…``)."""
    number, bot = finding.verdict.facts.get("id"), owner(finding.verdict.facts)
    named = re.match(r"(project|group)_(\d+)_bot", str(bot.get("username", ""))) if bot.get("bot") is True else None
    return f"{named[1]}s/{named[2]}/access_tokens/{number}" if named else f"personal_access_tokens/{number}"


def elsewhere(finding: Finding) -> str:
    """Where and by whom a token can be revoked that patscan can't revoke, as a sentence."""
    kind = finding.rule.kind
    page = f" Page: {_PAGES[kind]}." if kind in _PAGES else ""
    flags = f" Or use --with-token-file FILE --at {_EXAMPLES[kind]}, its path in GitLab's API." if kind in _EXAMPLES else ""
    administrator = " Or use an administrator's token: --admin-token-file FILE." if kind in _ADMINISTERED else ""
    return f"it can't revoke itself. It can be revoked by {whom(finding)}.{page}{flags}{administrator}"


def _as_other(method: str, at: str, token: Secret) -> Request:
    return Request(method, f"{API}/{at}", {"PRIVATE-TOKEN": Sealed(token)}, repeatable=False)


def _reset(finding: Finding, effect: str) -> Way:
    fields = {"token": Sealed(finding.secret)}
    return Way(Request("POST", f"{API}/runners/reset_authentication_token", {}, fields, repeatable=False), "by itself", effect)
