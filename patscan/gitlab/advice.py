"""Who can revoke a token, by its kind. Imports nothing that uses the network."""

from __future__ import annotations

from patscan.model import Finding

WHOM = {
    "personal-access-token": "its user; a project's or a group's token: the maintainers or owners there",
    "deploy-token": "the maintainers of its project, or the owners of its group",
    "runner-authentication-token": "the operator of the runner, or the maintainers or owners where it is registered",
    "runner-registration-token": "the maintainers of its project, the owners of its group, or an administrator",
    "runner-controller-token": "an administrator",
    "ci-job-token": "those who may cancel its job; nobody once the job is over",
    "pipeline-trigger-token": "the maintainers of its project",
    "feature-flags-token": "the maintainers of its project",
    "agent-token": "the maintainers of the agent's project",
    "oauth-application-secret": "the owner of the application",
    "feed-token": "its user",
    "incoming-mail-token": "its user",
    "workspace-token": "its user",
    "session-cookie": "the user who is signed in",
    "scim-token": "the owners of its group",
    "iam-authorization-code": "the user who allowed the application",
    "iam-access-token": "the user who allowed the application",
    "iam-refresh-token": "the user who allowed the application",
}
"""Who can revoke each kind, by GitLab's documentation. An administrator can revoke nearly all."""

_IDS = ("user", "project", "group", "organization", "cell", "job")


def whom(finding: Finding) -> str:
    """Who can revoke the token, with the ids and the host that it contains."""
    who = WHOM.get(finding.rule.kind, "its creator")
    facts = {name: value for evidence in finding.evidence if evidence.type in {"routing", "jwt"} for name, value in evidence.facts.items()}
    named = ", ".join(f"{name} {facts[name]}" for name in _IDS if name in facts)
    host = f" at {facts['issuer']}" if "issuer" in facts else ""
    return f"{who}{f' ({named}{host})' if named else host}"
