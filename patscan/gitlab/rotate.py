"""A new token for an old one. The new one is kept before anything else is done with it, and never shown.

A revoked token that is sent to a path that ends in ``/rotate`` makes GitLab revoke the whole family of its successors
(``lib/gitlab/auth/auth_finders.rb``, ``revoke_token_family``). So the token is asked about by ``GET`` immediately before, and never
sent there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from patscan.audit import AuditLog
from patscan.errors import AuditError
from patscan.gitlab.access_token import SELF
from patscan.gitlab.acting import Actor, Deed, done, in_words, standing, written
from patscan.gitlab.client import Answer, NoAnswer, Request, Sealed
from patscan.gitlab.hosts import Instance
from patscan.gitlab.question import API, words
from patscan.gitlab.rows import row
from patscan.gitlab.ways import PAT, RUNNER, Way, elsewhere, rotating
from patscan.keeping import Place
from patscan.model import Finding, Verdict
from patscan.secret import Secret

_LONGEST = 4000
"""Characters of a token that `Place` has room for."""
_REASON = 200


class Outcome(NamedTuple):
    """What has become of the old token and the new one.

    ``rotated``: the new one is kept in `place`, and the old one is dead. ``kept``: the new one is kept, but the old one still works.
    ``unchanged``: there is no new one. ``ended``: the new one couldn't be kept, and was revoked again.
    ``lost``: the old one is dead, and nobody has the new one. ``unknown``: of one of them it can't be told.
    """

    state: str
    reason: str
    place: Place | None = None


def planned(finding: Finding, actor: Actor, expires: date) -> Deed | Outcome:
    """What would replace the token of `finding`, which was just asked about; an `Outcome` where nothing is to be sent."""
    verdict, kind = finding.verdict, finding.rule.kind
    if kind not in {PAT, RUNNER} and verdict.state not in {"unchecked", "error"}:
        return Outcome("unchanged", f"GitLab replaces access tokens and runners' tokens only; end this one: {elsewhere(finding)}")
    instance = next((one for one in actor.approved.instances if one.url == verdict.instance), None)
    if verdict.state != "active" or instance is None:
        state = "unchanged" if verdict.state in {"active", "active-blocked", "inactive"} else "unknown"
        return Outcome(state, f"only a token that works is rotated, and this one is {standing(verdict)}")
    if kind == PAT and type(verdict.facts.get("id")) is not int:
        return Outcome("unchanged", "GitLab before 15.5 doesn't say which id the token has, and has no way to rotate it")
    means = actor.means(instance)
    way = rotating(finding, means, expires.isoformat())
    if way is None:
        needed = "It needs self_rotate or api, or else --with-token-file FILE with a token of its user's that has api"
        return Outcome("unchanged", f"its scopes don't let it rotate itself. {needed}")
    if means.other and kind == PAT and (problem := _unfit(finding, actor, instance, way, means.other)):
        return Outcome("unchanged", problem)
    return Deed("rotate", finding, instance, way)


def rotated(deed: Deed, actor: Actor, log: AuditLog, places: Sequence[Place]) -> Outcome:
    """Replace the token once, and keep the new one in the first of `places` that takes it.

    Raises `AuditError` if nothing was sent.
    """
    before = actor.asked(deed.finding, deed.instance)
    if before.state != "active":
        state = "unchanged" if before.state in {"active-blocked", "inactive"} else "unknown"
        return Outcome(state, f"nothing was sent: it is {standing(before)} now")
    answer = done(deed, actor, log, {"if_unanswered": advice(deed)})
    token = _new_token(deed.finding, answer)
    place = _kept(token, places) if token else None
    written(deed, actor, log, answer, _new_facts(answer) | {"kept": str(place.path) if place else None})
    if token is None:
        return _unanswered(deed, actor, answer)
    return _judged(deed, actor, place) if place else _taken_back(deed, actor, log, token, _new_facts(answer))


def advice(deed: Deed) -> str:
    """How a successor is ended that was made and never arrived here."""
    if deed.finding.rule.kind == RUNNER:
        return "If GitLab has reset the runner's token, the new one is unknown: its maintainers reset it again, or delete the runner."
    number, name = deed.finding.verdict.facts.get("id"), words(deed.finding.verdict.facts.get("name"))
    return (
        f"If GitLab has rotated the token with id {number}, its successor has the same name ({name!r}), was created at the time of the "
        "request, and nobody has it. Its owner revokes it under User settings > Access tokens (a project's or a group's: Settings > Access "
        f"tokens there), an administrator with DELETE {API}/personal_access_tokens/ID. Don't send the old token to a rotate path again."
    )


def _unfit(finding: Finding, actor: Actor, instance: Instance, way: Way, other: Secret) -> str:
    """Why `other`, the token of ``--with-token-file``, mustn't be sent to a rotate path; empty if it may."""
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
    """The new token's id and its end, for the log."""
    body = answer.json() if isinstance(answer, Answer) else None
    if not isinstance(body, dict) or "token" not in body:
        return {}
    number = body.get("id")
    return {"new_id": number if type(number) is int else None, "new_expires": words(body.get("expires_at"), 40) or None}


def _kept(token: Secret, places: Sequence[Place]) -> Place | None:
    for place in places:
        try:
            place.fill(token)
        except OSError:
            continue
        return place
    return None


def _unanswered(deed: Deed, actor: Actor, answer: Answer | NoAnswer) -> Outcome:
    """No new token came: whether there is one, the old one's state tells."""
    after = actor.asked(deed.finding, deed.instance)
    came = _came(answer)
    if after.state == "active":
        return Outcome("unchanged", f"the old token still works; the request: {came}")
    if after.state in {"inactive", "not-found"}:
        return Outcome("lost", f"the old token is dead, and no new one came ({came.rstrip('.')}). {advice(deed)}")
    return Outcome("unknown", f"the old token: {standing(after)}; the request: {came.rstrip('.')}. {advice(deed)}")


def _judged(deed: Deed, actor: Actor, place: Place) -> Outcome:
    """The new token is kept; does the old one still work?"""
    after = actor.asked(deed.finding, deed.instance)
    dead = after.state == "inactive" or (after.state == "not-found" and deed.finding.verdict.state == "active")
    if dead:
        return Outcome("rotated", "", place)
    return Outcome("kept" if after.state.startswith("active") else "unknown", f"the old token: {standing(after)}", place)


def _taken_back(deed: Deed, actor: Actor, log: AuditLog, token: Secret, facts: dict[str, object]) -> Outcome:
    """End the new token, which no file would take."""
    if deed.finding.rule.kind == RUNNER:
        return Outcome("lost", f"no file took the new token. {advice(deed)}")
    way = Way(Request("DELETE", SELF, {"PRIVATE-TOKEN": Sealed(token)}, repeatable=False), "by itself")
    verdict = Verdict("active", facts={"id": number} if isinstance(number := facts.get("new_id"), int) else {})
    finding = deed.finding._replace(secret=token, fingerprint=token.fingerprint, verdict=verdict)
    again = Deed("revoke again", finding, deed.instance, way)
    try:
        answer = done(again, actor, log)
    except AuditError as error:
        return Outcome("lost", f"no file took the new token (id {number}), and it wasn't revoked: {error} {advice(deed)}")
    written(again, actor, log, answer)
    after = actor.asked(finding, deed.instance)
    if after.state == "inactive":
        return Outcome("ended", "no file took the new token, so it was revoked again; the old one is dead, too")
    return Outcome("lost", f"no file took the new token (id {number}), and revoking it failed: {standing(after)}. {advice(deed)}")


def _came(answer: Answer | NoAnswer) -> str:
    """What came back, with GitLab's own reason for a refusal."""
    if isinstance(answer, Answer) and 400 <= answer.status < 500 and isinstance(body := answer.json(), dict):
        reason = body.get("message") or body.get("error_description") or body.get("error")
        return f"{in_words(answer)}: {words(str(reason), _REASON)}"
    return in_words(answer)
