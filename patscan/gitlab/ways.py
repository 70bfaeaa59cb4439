"""How each kind of token is ended or replaced: one request, and who may send it.

Sources: ``doc/api/personal_access_tokens.md``, ``project_access_tokens.md``, ``deploy_tokens.md``, ``pipeline_triggers.md``,
``cluster_agents.md``, ``runners.md``, ``runner_controllers.md``, ``admin/token.md``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from patscan.gitlab.access_token import SELF
from patscan.gitlab.administrator import BEFORE
from patscan.gitlab.advice import whom
from patscan.gitlab.client import Request, Sealed
from patscan.gitlab.question import API
from patscan.gitlab.reach import names, owner
from patscan.model import Finding
from patscan.secret import Secret

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
"""What ``--at`` may name: where GitLab's API keeps a token of this kind."""
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
"""What ``DELETE /admin/token`` revokes or resets; a job's token it only knows."""
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
    """What may act besides the token itself, at the one instance that the token is known to."""

    administrator: Secret | None = None
    other: Secret | None = None
    """The token of ``--with-token-file``."""
    at: str = ""
    """The path of ``--at``, which fits `ROWS`."""


class Way(NamedTuple):
    """One request, and who sends it in the words of the question and the audit log."""

    request: Request
    by: str
    effect: str = ""
    """What else stops, as half a sentence; empty if nothing else does."""

    @property
    def line(self) -> str:
        """The request's method and path, which hold no token."""
        return f"{self.request.method} {self.request.path}"


def revoking(finding: Finding, means: Means) -> Way | None:
    """How to end the token of `finding`, which has GitLab's verdict; ``None``: it can't be done from here."""
    kind, live = finding.rule.kind, finding.verdict.state.startswith("active")
    effect = _EFFECTS.get(kind, "")
    if means.at and means.other:
        # An access token that GitLab doesn't know may not even be one: then --at would end another.
        able = kind in ROWS and (live or kind != PAT)
        return Way(_as_other("DELETE", means.at, means.other), _OTHER, effect) if able else None
    if means.administrator and live and finding.verdict.asked_at is None and kind in _ADMINISTERED:
        # The administrator's question knew it: otherwise the token itself would have been sent.
        token = Sealed(finding.secret, BEFORE.get(kind, ""))
        headers = {"PRIVATE-TOKEN": Sealed(means.administrator)}
        return Way(Request("DELETE", f"{API}/admin/token", headers, {"token": token}, repeatable=False), "as an administrator", effect)
    if kind == PAT and finding.verdict.state == "active":
        return Way(Request("DELETE", SELF, {"PRIVATE-TOKEN": Sealed(finding.secret)}, repeatable=False), "by itself")
    if kind == RUNNER:
        return _reset(finding, f"{effect}, which nobody is shown: patscan rotate keeps it")
    return None


def rotating(finding: Finding, means: Means, expires: str) -> Way | None:
    """How to replace the token of `finding`, which is known to live, by one that ends on `expires`; ``None``: not from here."""
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
    """Where GitLab keeps an access token, by the id that it says of itself and by its bot's name (``project_42_bot_…``)."""
    number, bot = finding.verdict.facts.get("id"), owner(finding.verdict.facts)
    named = re.match(r"(project|group)_(\d+)_bot", str(bot.get("username", ""))) if bot.get("bot") is True else None
    return f"{named[1]}s/{named[2]}/access_tokens/{number}" if named else f"personal_access_tokens/{number}"


def elsewhere(finding: Finding) -> str:
    """Where and by whom a token is ended that can't be ended from here, as a sentence."""
    kind = finding.rule.kind
    page = f" Page: {_PAGES[kind]}." if kind in _PAGES else ""
    flags = f" Or --with-token-file FILE --at {_EXAMPLES[kind]}, as GitLab's API names it." if kind in _EXAMPLES else ""
    administrator = " An administrator's token ends it, too: --admin-token-file FILE." if kind in _ADMINISTERED else ""
    return f"it isn't ended from here. Who can: {whom(finding)}.{page}{flags}{administrator}"


def _as_other(method: str, at: str, token: Secret) -> Request:
    return Request(method, f"{API}/{at}", {"PRIVATE-TOKEN": Sealed(token)}, repeatable=False)


def _reset(finding: Finding, effect: str) -> Way:
    fields = {"token": Sealed(finding.secret)}
    return Way(Request("POST", f"{API}/runners/reset_authentication_token", {}, fields, repeatable=False), "by itself", effect)
