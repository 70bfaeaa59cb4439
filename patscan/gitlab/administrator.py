"""Verdicts by an administrator's token, which leaves no trace on the leaked one. Source: ``doc/api/admin/token.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from patscan.dates import moment
from patscan.gitlab import access_token, job, reach
from patscan.gitlab.client import Answer, Client, NoAnswer, Request, Sealed
from patscan.gitlab.hosts import Instance
from patscan.gitlab.question import API, Question, words
from patscan.model import Fact, Verdict
from patscan.secret import Secret

_OVER = {"success", "failed", "canceled", "skipped", "canceling"}
BEFORE = {"session-cookie": "_gitlab_session="}
"""Text in front of a token, by kind: GitLab recognizes kinds by their prefix."""


class Administrator:
    """An administrator's token, for one instance. Shared by threads."""

    def __init__(self, client: Client, instance: Instance, token: Secret) -> None:
        self.instance = instance
        self._client = client
        self._token = token
        self._lock = Lock()
        self.problem = ""
        """Why the token can't be used, as a sentence; empty if it can."""

    def check(self) -> None:
        """Check that the token is an administrator's before any leaked token is sent. Sets `problem`."""
        try:
            answer = self._get(f"{API}/user")
        except NoAnswer as error:
            self._give_up(str(error))
            return
        user = answer.json()
        if answer.status != 200 or not isinstance(user, dict):
            self._give_up(f"GitLab refuses it (status {answer.status}); it needs the scope api, and admin_mode where that is on.")
        elif user.get("is_admin") is not True:
            self._give_up(f"its user {words(user.get('username'), 64)!r} is no administrator.")

    def verdict(self, question: Question) -> Verdict | None:
        """The verdict by the instance's database; ``None`` if the token itself has to be sent for one."""
        if self.problem or question.instance != self.instance:
            return None
        kind = question.finding.rule.kind
        fields = {"token": question.sealed(BEFORE.get(kind, ""))}
        answer = self._client.ask(self.instance, Request("POST", f"{API}/admin/token", self._headers(), fields))
        body = answer.json()
        if answer.status in {200, 201} and isinstance(body, dict):
            return self._of(kind, body)
        if answer.status == 404 and "Not found" in _texts(body):
            return Verdict("not-found", "this instance doesn't know it, by an administrator's request")
        if answer.status == 404:
            self._give_up("this GitLab has no API for administrators to look tokens up (17.8 and later have).")
        elif answer.status in {401, 403}:
            self._give_up(f"GitLab refuses it (status {answer.status}); it needs the scope api, and admin_mode where that is on.")
        elif answer.status != 422:
            raise question.fault(answer)
        return None

    def _of(self, kind: str, entity: Mapping[str, Any]) -> Verdict:
        if kind in {"feed-token", "session-cookie", "incoming-mail-token"}:
            return _with_account(Verdict("active", "", {"owner": reach.person(entity)}))
        if kind == "ci-job-token":
            state = "inactive" if entity.get("status") in _OVER else "active"
            return Verdict(state, "its job is over" if state == "inactive" else "its job isn't over", job.facts(entity))
        facts = access_token.facts(entity)
        if kind != "personal-access-token":
            facts.pop("last_used", None)
            if isinstance(owner := entity.get("owner"), dict):
                facts["owner"] = reach.person(owner)
        state, reason = _life(entity)
        user = reach.owner(facts).get("id")
        if kind == "personal-access-token" and state == "active" and type(user) is int:
            facts = reach.of_user(self._get, user, facts)
        return _with_account(Verdict(state, reason, facts))

    def _get(self, path: str) -> Answer:
        return self._client.ask(self.instance, Request("GET", path, self._headers()))

    def _headers(self) -> dict[str, str | Sealed]:
        return {"PRIVATE-TOKEN": Sealed(self._token)}

    def _give_up(self, reason: str) -> None:
        with self._lock:
            self.problem = self.problem or f"{self.instance.host}: {reason.removeprefix(f'{self.instance.host}: ')}"


def _life(entity: Mapping[str, Any]) -> tuple[str, str]:
    end = moment(entity.get("expires_at"))
    if entity.get("revoked") is True or entity.get("status") == "revoked":
        return "inactive", "revoked"
    if entity.get("expired") is True or (end is not None and end <= datetime.now(UTC)):
        return "inactive", "expired"
    return "active", ""


def _with_account(verdict: Verdict) -> Verdict:
    """`verdict`, but ``active-blocked`` for an active token of a user who can't sign in."""
    state: Fact = reach.owner(verdict.facts).get("state")
    if verdict.state == "active" and isinstance(state, str) and state != "active":
        return verdict._replace(state="active-blocked", reason=f"it is active, but the user's account is {state.replace('_', ' ')}")
    return verdict


def _texts(value: object) -> Iterator[str]:
    """The texts in a JSON value, however deep: GitLab wraps an error's text in one object or two."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
