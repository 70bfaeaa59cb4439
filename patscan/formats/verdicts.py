"""GitLab's verdicts in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from patscan.counts import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patscan.model import Fact, Finding, Verdict

_SCOPES = 4
"""Scopes that are listed."""


def is_live(finding: Finding) -> bool:
    """Whether GitLab says that the token works."""
    return finding.verdict.state.startswith("active")


def life(verdict: Verdict) -> str:
    """The state with its main facts (``LIVE: api, owner anna, expires 2027-01-31``); empty if GitLab wasn't asked."""
    if verdict.state == "unchecked" and not verdict.reason:
        return ""
    if not verdict.state.startswith("active"):
        return ": ".join(filter(None, (verdict.state, verdict.reason)))
    words = ", ".join([*_scopes(verdict), *_owner(verdict), *_times(verdict)])
    blocked = " (its user is blocked)" if verdict.state == "active-blocked" else ""
    return f"LIVE{blocked}{f': {words}' if words else f': {verdict.reason}' if verdict.reason else ''}"


def advice(verdict: Verdict) -> Iterator[str]:
    """The severity of the leak, and the problems of the token's lifecycle, one sentence each."""
    if verdict.severity:
        yield ": ".join(filter(None, (f"severity {verdict.severity}", "; ".join(verdict.severity_reasons))))
    yield from (check.message for check in verdict.lifecycle)


def owner(verdict: Verdict) -> str:
    """The token's owner; empty if unknown."""
    user = verdict.facts.get("owner")
    if not isinstance(user, Mapping):
        return ""
    name = user.get("username") or user.get("name") or user.get("id")
    marks = [mark for mark in ("bot", "administrator") if user.get(mark) is True]
    return f"{name} ({', '.join(marks)})" if name is not None and marks else "" if name is None else str(name)


def scopes(verdict: Verdict) -> tuple[str, ...]:
    """The token's scopes."""
    names = verdict.facts.get("scopes")
    return tuple(map(str, names)) if isinstance(names, tuple) else ()


def plain(fact: Fact) -> object:
    """A fact as a JSON value."""
    if isinstance(fact, tuple):
        return [plain(item) for item in fact]
    return {key: plain(value) for key, value in fact.items()} if isinstance(fact, Mapping) else fact


def _scopes(verdict: Verdict) -> Iterator[str]:
    names = scopes(verdict)
    yield from names[:_SCOPES]
    if (more := len(names) - _SCOPES) > 0:
        yield counted(more, "more scope")


def _owner(verdict: Verdict) -> Iterator[str]:
    if name := owner(verdict):
        yield f"owner {name}"


def _times(verdict: Verdict) -> Iterator[str]:
    if "expires" in verdict.facts:
        end = verdict.facts["expires"]
        yield f"expires {str(end)[:10]}" if end else "never expires"
    if last := verdict.facts.get("last_used"):
        yield f"last used {str(last)[:10]}"
