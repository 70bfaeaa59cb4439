"""Replaces a token by a new one, which is stored before anything else is done with it, and never shown.

If a revoked token is sent to a path that ends in ``/rotate``, GitLab revokes all its successors
(``lib/gitlab/auth/auth_finders.rb``, ``revoke_token_family``). So the token is verified by ``GET`` immediately before, and never sent
there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from patscan.audit import AuditLog
from patscan.errors import AuditError
from patscan.gitlab.access_token import SELF
from patscan.gitlab.acting import Actor, Deed, described, log_answer, send, standing
from patscan.gitlab.client import Answer, NoAnswer, Request, Sealed
from patscan.gitlab.hosts import Instance
from patscan.gitlab.question import API, words
from patscan.gitlab.rows import row
from patscan.gitlab.ways import PAT, RUNNER, Way, elsewhere, rotating
from patscan.keeping import Place
from patscan.model import Finding, Verdict
from patscan.secret import Secret
from patscan.tuples import NamedTuple

_LONGEST = 4000
"""Characters of a token that `Place` has room for."""
_REASON = 200


class Outcome(NamedTuple):
    """The state of the old token and the new one.

    ``rotated``: the new one is stored in `place`, and the old one is dead. ``kept``: the new one is stored, but the old one still works.
    ``unchanged``: there is no new one. ``ended``: the new one couldn't be stored, and was revoked again.
    ``lost``: the old one is dead, and the new one isn't stored. ``unknown``: the state of one of them is unknown.
    """

    state: str
    reason: str
    place: Place | None = None


def plan(finding: Finding, actor: Actor, expires: date) -> Deed | Outcome:
    """The deed that rotates the token of `finding`, whose verdict must be fresh; an `Outcome` if nothing is to be sent."""
    verdict, kind = finding.verdict, finding.rule.kind
    if kind not in {PAT, RUNNER} and verdict.state not in {"unchecked", "error"}:
        return Outcome("unchanged", f"GitLab rotates access tokens and runners' tokens only; {elsewhere(finding)}")
    instance = next((one for one in actor.approved.instances if one.url == verdict.instance), None)
    if verdict.state != "active" or instance is None:
        state = "unchanged" if verdict.state in {"active", "active-blocked", "inactive"} else "unknown"
        return Outcome(state, f"only a token that works is rotated, and this one is {standing(verdict)}")
    if kind == PAT and type(verdict.facts.get("id")) is not int:
        return Outcome("unchanged", "GitLab before 15.5 doesn't give the token's id, and can't rotate it")
    means = actor.means(instance)
    way = rotating(finding, means, expires.isoformat())
    if way is None:
        needed = "It needs self_rotate or api, or --with-token-file FILE with another token of its user that has api"
        return Outcome("unchanged", f"its scopes don't let it rotate itself. {needed}")
    if means.other and kind == PAT and (problem := _unfit(finding, actor, instance, way, means.other)):
        return Outcome("unchanged", problem)
    return Deed("rotate", finding, instance, way)


def rotate(deed: Deed, actor: Actor, log: AuditLog, places: Sequence[Place]) -> Outcome:
    """Rotate the token once, and store the new one in the first of `places` that takes it.

    Raises `AuditError` if nothing was sent.
    """
    before = actor.verdict(deed.finding, deed.instance)
    if before.state != "active":
        state = "unchanged" if before.state in {"active-blocked", "inactive"} else "unknown"
        return Outcome(state, f"nothing was sent: it is {standing(before)} now")
    answer = send(deed, actor, log, {"if_unanswered": advice(deed)})
    token = _new_token(deed.finding, answer)
    place = _place_filled(token, places) if token else None
    log_answer(deed, actor, log, answer, _new_facts(answer) | {"kept": str(place.path) if place else None})
    if token is None:
        return _without_new(deed, actor, answer)
    return _outcome(deed, actor, place) if place else _revoke_new(deed, actor, log, token, _new_facts(answer))


def advice(deed: Deed) -> str:
    """How to revoke a successor that was created but never arrived."""
    if deed.finding.rule.kind == RUNNER:
        return "If GitLab has reset the runner's token, the new one is unknown: its maintainers reset it again, or delete the runner."
    number, name = deed.finding.verdict.facts.get("id"), words(deed.finding.verdict.facts.get("name"))
    return (
        f"If GitLab has rotated the token with id {number}, its successor has the same name ({name!r}), was created at the time of the "
        "request, and nobody has it. Its owner revokes it under User settings > Access tokens (a project's or a group's: Settings > Access "
        f"tokens there), an administrator with DELETE {API}/personal_access_tokens/ID. Don't send the old token to a rotate path again."
    )


def _unfit(finding: Finding, actor: Actor, instance: Instance, way: Way, other: Secret) -> str:
    """Why the token mustn't be rotated with `other`, the token of ``--with-token-file``; empty if it may."""
    at = way.request.path.removeprefix(f"{API}/").removesuffix("/rotate")
    try:
        there = row(actor.client, instance, finding, at, other)
    except NoAnswer as error:
        return f"nothing was sent: {error}"
    return "" if there.same and not there.gone else f"nothing was sent: {at} isn't this token, or is revoked"


def _new_token(finding: Finding, answer: Answer | NoAnswer) -> Secret | None:
    """The token in GitLab's answer; ``None`` if there is none."""
    body = answer.json() if isinstance(answer, Answer) and answer.status in {200, 201} else None
    text = body.get("token") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or " " in text or not 0 < len(text) <= _LONGEST:
        return None
    token = Secret(text.encode(), finding.rule.prefix.encode())
    return token if token.fingerprint != finding.fingerprint else None


def _new_facts(answer: Answer | NoAnswer) -> dict[str, object]:
    """The new token's id and expiry, for the log."""
    body = answer.json() if isinstance(answer, Answer) else None
    if not isinstance(body, dict) or "token" not in body:
        return {}
    number = body.get("id")
    return {"new_id": number if type(number) is int else None, "new_expires": words(body.get("expires_at"), 40) or None}


def _place_filled(token: Secret, places: Sequence[Place]) -> Place | None:
    for place in places:
        try:
            place.fill(token)
        except OSError:
            continue
        return place
    return None


def _without_new(deed: Deed, actor: Actor, answer: Answer | NoAnswer) -> Outcome:
    """The outcome without a new token in the answer: the old token's state says whether there is one."""
    after = actor.verdict(deed.finding, deed.instance)
    answered = _response(answer)
    if after.state == "active":
        return Outcome("unchanged", f"the old token still works; the request: {answered}")
    if after.state in {"inactive", "not-found"}:
        return Outcome("lost", f"the old token is dead, and no new one came ({answered.rstrip('.')}). {advice(deed)}")
    return Outcome("unknown", f"the old token: {standing(after)}; the request: {answered.rstrip('.')}. {advice(deed)}")


def _outcome(deed: Deed, actor: Actor, place: Place) -> Outcome:
    """The outcome with a stored new token, by the state of the old one."""
    after = actor.verdict(deed.finding, deed.instance)
    dead = after.state == "inactive" or (after.state == "not-found" and deed.finding.verdict.state == "active")
    if dead:
        return Outcome("rotated", "", place)
    return Outcome("kept" if after.state.startswith("active") else "unknown", f"the old token: {standing(after)}", place)


def _revoke_new(deed: Deed, actor: Actor, log: AuditLog, token: Secret, facts: dict[str, object]) -> Outcome:
    """Revoke the new token, because it couldn't be stored."""
    if deed.finding.rule.kind == RUNNER:
        return Outcome("lost", f"the new token couldn't be stored. {advice(deed)}")
    way = Way(Request("DELETE", SELF, {"PRIVATE-TOKEN": Sealed(token)}, repeatable=False), "by itself")
    verdict = Verdict("active", facts={"id": number} if isinstance(number := facts.get("new_id"), int) else {})
    finding = deed.finding._replace(secret=token, fingerprint=token.fingerprint, verdict=verdict)
    again = Deed("revoke again", finding, deed.instance, way)
    try:
        answer = send(again, actor, log)
    except AuditError as error:
        return Outcome("lost", f"the new token (id {number}) couldn't be stored, and it wasn't revoked: {error} {advice(deed)}")
    log_answer(again, actor, log, answer)
    after = actor.verdict(finding, deed.instance)
    if after.state == "inactive":
        return Outcome("ended", "the new token couldn't be stored, so it was revoked again; the old one is dead as well")
    return Outcome("lost", f"the new token (id {number}) couldn't be stored, and revoking it failed: {standing(after)}. {advice(deed)}")


def _response(answer: Answer | NoAnswer) -> str:
    """The answer in words, with GitLab's reason for a refusal."""
    if isinstance(answer, Answer) and 400 <= answer.status < 500 and isinstance(body := answer.json(), dict):
        reason = body.get("message") or body.get("error_description") or body.get("error")
        return f"{described(answer)}: {words(str(reason), _REASON)}"
    return described(answer)
