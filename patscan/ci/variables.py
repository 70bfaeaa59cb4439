"""The variables ``PATSCAN_BASE`` and ``PATSCAN_HEAD``, for other CI servers, and to override known ones."""

from __future__ import annotations

from collections.abc import Mapping

from patscan.ci.decision import DEFAULT_BRANCH, ID, Base, Decision, branch
from patscan.errors import UsageError

_REMEDY = "a full clone (a depth of 0)"


def decide(values: Mapping[str, str]) -> Decision:
    """What to scan. Raises `UsageError`."""
    for name in ("PATSCAN_BASE", "PATSCAN_HEAD"):
        if name in values and not values[name]:
            raise UsageError(f"{name} is empty. Give it a commit or a branch, or unset it.")
    head = values.get("PATSCAN_HEAD", "HEAD")
    if not ID.fullmatch(head):
        branch(values, "PATSCAN_HEAD")
    base = values.get("PATSCAN_BASE", "")
    decision = Decision("variables", "range", head, (), "", _REMEDY)
    if not base:
        return decision._replace(event="everything", reason="everything that PATSCAN_HEAD reaches: PATSCAN_BASE is not set")
    default = Base(DEFAULT_BRANCH, "the server's default branch", branch=True)
    if not base.strip("0"):
        reason = "a new branch, compared with the default branch alone"
        return decision._replace(event="new branch", bases=(default,), reason=reason, may_be_empty=True)
    named = Base(base if ID.fullmatch(base) else _server_ref(values), "PATSCAN_BASE")
    return decision._replace(bases=(named, default), reason="what PATSCAN_HEAD introduces since PATSCAN_BASE")


def _server_ref(values: Mapping[str, str]) -> str:
    """The full name of a branch that is written as ``main``, ``origin/main`` or in full."""
    name = branch(values, "PATSCAN_BASE", "")
    return name if name.startswith("refs/") else f"refs/heads/{name.removeprefix('origin/')}"
