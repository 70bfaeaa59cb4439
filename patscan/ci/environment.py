"""Recognize the CI server of an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from patscan.ci import github, gitlab, variables
from patscan.ci.decision import Decision
from patscan.errors import UsageError

_TRUE = {"1", "true"}


def decide(values: Mapping[str, str], payload: Callable[[], bytes | None]) -> Decision:
    """What to scan. `payload` reads the event file. Raises `UsageError` for no known CI server, or contradictory variables."""
    if "PATSCAN_BASE" in values or "PATSCAN_HEAD" in values:
        return variables.decide(values)
    servers = [name for name in ("GITLAB_CI", "GITHUB_ACTIONS") if values.get(name, "").lower() in _TRUE]
    if len(servers) > 1:
        raise UsageError("GITLAB_CI and GITHUB_ACTIONS are both set, and only one can be right. Set PATSCAN_BASE and PATSCAN_HEAD.")
    if not servers:
        raise UsageError(
            "no CI server's variables are set (GITLAB_CI, GITHUB_ACTIONS). Elsewhere set PATSCAN_BASE and PATSCAN_HEAD, "
            "or use patscan history --rev."
        )
    return gitlab.decide(values) if servers == ["GITLAB_CI"] else github.decide(values, payload())
