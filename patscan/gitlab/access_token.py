"""Personal, impersonation, project and group access tokens. Source: ``lib/api/personal_access_tokens/self_information.rb``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patscan.gitlab import meaning
from patscan.gitlab.question import API, Question, words
from patscan.model import Fact, Verdict

SELF = f"{API}/personal_access_tokens/self"


def ask(question: Question) -> Verdict:
    """The verdict by the token's own record, for which any scope will do. GitLab before 15.5 is asked for its user instead."""
    answer = question.get(SELF, {"PRIVATE-TOKEN": question.sealed()})
    if answer.status == 404:
        return _older(question)
    if answer.status != 200:
        return meaning.refusal(question, answer)
    token = answer.json()
    if not isinstance(token, dict) or type(token.get("id")) is not int:
        raise question.fault(answer)
    # GitLab answers 401 for a dead token, so this is a second check.
    dead = token.get("revoked") is True or token.get("active") is False
    return Verdict("inactive" if dead else "active", "GitLab says so itself" if dead else "", facts(token))


def _older(question: Question) -> Verdict:
    from patscan.gitlab.reach import person

    answer = question.get(f"{API}/user", {"PRIVATE-TOKEN": question.sealed()})
    if answer.status != 200:
        return meaning.refusal(question, answer)
    user = answer.json()
    if not isinstance(user, dict) or type(user.get("id")) is not int:
        raise question.fault(answer)
    return Verdict("active", "", {"owner": person(user)})


def facts(token: Mapping[str, Any]) -> dict[str, Fact]:
    """The facts in GitLab's entity of an access token, under patscan's names."""
    scopes = token.get("scopes")
    known: dict[str, Fact] = {"id": token["id"]} if type(token.get("id")) is int else {}
    for name, key in (("name", "name"), ("created", "created_at"), ("last_used", "last_used_at"), ("expires", "expires_at")):
        if key in token:
            known[name] = words(token[key]) or None
    if isinstance(scopes, list):
        known["scopes"] = tuple(words(scope, 64) for scope in scopes[:50])
    if isinstance(granular := token.get("granular_scopes"), list):
        known["fine_grained"] = len(granular) > 0
    if type(user := token.get("user_id")) is int:
        known["owner"] = {"id": user}
    return known
