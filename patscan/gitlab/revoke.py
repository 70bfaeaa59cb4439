"""Revokes a token, and verifies that it is dead. Only GitLab's later verdict counts, never the answer to the request."""

from __future__ import annotations

from patscan.audit import AuditLog
from patscan.gitlab.acting import Actor, Deed, described, entry, log_answer, send, standing
from patscan.gitlab.client import Answer, NoAnswer
from patscan.gitlab.hosts import Instance
from patscan.gitlab.rows import Row, row
from patscan.gitlab.ways import elsewhere, revoking
from patscan.model import Finding, Verdict
from patscan.tuples import NamedTuple

_ASKABLE = {"active", "active-blocked", "unverifiable"}
"""Verdicts after which a request may be sent. Tokens with other verdicts are unknown, dead or elsewhere."""


class Outcome(NamedTuple):
    """A token's state in the end: ``inactive``, ``active`` or ``unknown``, with a reason as a half-sentence."""

    finding: Finding
    state: str
    reason: str


def plan(finding: Finding, actor: Actor, unsent: bool) -> Deed | Outcome:
    """The deed that revokes the token of `finding`, whose verdict must be fresh; an `Outcome` if nothing is to be sent.

    `unsent` means that the verdict needed no request, so no request may carry the token.
    """
    state = finding.verdict.state
    if state == "inactive":
        return Outcome(finding, "inactive", finding.verdict.reason)
    if state not in _ASKABLE or unsent:
        return Outcome(finding, "unknown", f"nothing was sent: {standing(finding.verdict)}")
    instance = _instance(finding, actor)
    if instance is None:
        several = "several GitLabs are approved, and the token's is unknown. Approve that one only"
        return Outcome(finding, "unknown", several)
    means = actor.means(instance)
    way = revoking(finding, means)
    if way is None:
        return Outcome(finding, _life(finding.verdict), elsewhere(finding))
    if not means.at or not means.other:
        return Deed("revoke", finding, instance, way)
    try:
        there = row(actor.client, instance, finding, means.at, means.other)
    except NoAnswer as error:
        return Outcome(finding, _life(finding.verdict), f"nothing was sent: {error}")
    if there.same is False or there.gone:
        wrong = "has no such row any more" if there.gone else "is another token's"
        return Outcome(finding, _life(finding.verdict), f"nothing was sent: --at {means.at} {wrong}")
    return Deed("revoke", finding, instance, way, there)


def revoke(deed: Deed, actor: Actor, log: AuditLog) -> Outcome:
    """Send the request once, and return GitLab's verdict afterwards. Raises `AuditError` if nothing was sent."""
    answer = send(deed, actor, log)
    log_answer(deed, actor, log, answer)
    verdict = actor.verdict(deed.finding, deed.instance)
    state, reason = _judged(deed, verdict, _row_after(deed, actor))
    log.after("asked again", {**entry(deed, actor), "verdict": verdict.state, "result": state})
    if state != "inactive" or not isinstance(answer, Answer):
        reason = f"{reason}; the request: {described(answer).rstrip('.')}"
    return Outcome(deed.finding._replace(verdict=verdict), state, reason)


def _judged(deed: Deed, after: Verdict, there: Row | None) -> tuple[str, str]:
    """The token's state and the reason, by GitLab's verdicts before and after."""
    if after.state == "inactive":
        return "inactive", after.reason
    if after.state.startswith("active"):
        return "active", after.reason or "GitLab says that it still works"
    if after.state == "not-found" and deed.finding.verdict.state.startswith("active"):
        return "inactive", "GitLab doesn't know it any more"
    if there and there.gone and deed.row and deed.row.same:
        return "inactive", "GitLab doesn't have it any more"
    gone = "; GitLab has revoked the token at --at, which may be another one" if there and there.gone else ""
    return "unknown", f"{standing(after)}{gone}"


def _row_after(deed: Deed, actor: Actor) -> Row | None:
    if deed.row is None or actor.other is None:
        return None
    try:
        return row(actor.client, deed.instance, deed.finding, actor.at, actor.other)
    except NoAnswer:
        return None


def _instance(finding: Finding, actor: Actor) -> Instance | None:
    """The instance that knows the token; for an unverifiable one, the only approved instance."""
    instances = actor.approved.instances
    if finding.verdict.state == "unverifiable":
        return instances[0] if len(instances) == 1 else None
    return next((one for one in instances if one.url == finding.verdict.instance), None)


def _life(verdict: Verdict) -> str:
    return "active" if verdict.state.startswith("active") else "unknown"
