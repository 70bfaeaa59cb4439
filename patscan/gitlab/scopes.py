"""What a thief gains by each scope, and the severity.

Source: GitLab's ``doc/security/tokens/access_token_scopes.md`` and ``lib/gitlab/auth.rb``.
"""

from __future__ import annotations

from collections.abc import Iterable

from patscan.model import SEVERITIES
from patscan.tuples import NamedTuple


class Scope(NamedTuple):
    """A scope's severity, what a thief gains, and whether it lets them change something."""

    severity: str
    gains: str
    writes: bool = False


SCOPES = {
    "sudo": Scope("critical", "acts as any user: the whole instance", writes=True),
    "admin_mode": Scope("critical", "administers the instance even where Admin Mode is on", writes=True),
    "api": Scope("critical", "reads and changes everything its user can, and may make further tokens and keys to stay", writes=True),
    "write_repository": Scope("critical", "pushes code, and so runs CI jobs", writes=True),
    "self_rotate": Scope("high", "replaces this token and locks its owner out", writes=True),
    "manage_runner": Scope("high", "assigns, changes and deletes runners", writes=True),
    "create_runner": Scope("high", "registers a runner, which is handed jobs with their variables", writes=True),
    "k8s_proxy": Scope("high", "calls clusters' Kubernetes API through the agent", writes=True),
    "write_registry": Scope("high", "replaces container images", writes=True),
    "write_package_registry": Scope("high", "publishes packages", writes=True),
    "write_virtual_registry": Scope("high", "replaces images and packages in the dependency proxy", writes=True),
    "write_observability": Scope("medium", "writes traces and metrics", writes=True),
    "ai_workflows": Scope("high", "runs AI workflows in its user's name", writes=True),
    "mcp": Scope("high", "calls GitLab's tools for AI agents in its user's name", writes=True),
    "read_api": Scope("high", "reads everything its user can, CI variables too where the role sees them"),
    "read_repository": Scope("high", "clones private code"),
    "read_registry": Scope("medium", "pulls container images"),
    "read_package_registry": Scope("medium", "downloads packages"),
    "read_virtual_registry": Scope("medium", "pulls through the dependency proxy"),
    "read_user": Scope("low", "reads profiles, its user's e-mail address among them"),
    "ai_features": Scope("medium", "uses AI features at its owner's cost"),
    "read_service_ping": Scope("low", "reads the instance's usage data"),
    "read_observability": Scope("medium", "reads traces and metrics"),
    "openid": Scope("low", "reads who its user is"),
    "profile": Scope("low", "reads its user's profile"),
    "email": Scope("low", "reads its user's e-mail address"),
}

UNKNOWN = Scope("high", "a scope that patscan doesn't know")


def scope(name: str) -> Scope:
    """The scope called `name`. ``user:7`` and the like allow acting for another user."""
    return SCOPES.get(name) or (Scope("critical", "acts for another user", writes=True) if name.startswith("user:") else UNKNOWN)


def gains(names: Iterable[str]) -> tuple[str, ...]:
    """A line for each scope, the worst first."""
    ranked = sorted(names, key=lambda name: -SEVERITIES.index(scope(name).severity))
    return tuple(f"{name}: {scope(name).gains}" for name in ranked)
