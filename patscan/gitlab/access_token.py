"""Personal, impersonation, project and group access tokens. Source: ``lib/api/personal_access_tokens/self_information.rb``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patscan.gitlab import meaning
from patscan.gitlab.question import API, Question, words
from patscan.model import Fact, Verdict

SELF = f"{API}/personal_access_tokens/self"


def ask(question: Question) -> Verdict:
    """The token asked about itself: any scope will do. GitLab before 15.5 is asked who its user is."""
    answer = question.get(SELF, {"PRIVATE-TOKEN": question.sealed()})
    if answer.status == 404:
        return _older(question)
    if answer.status != 200:
        return meaning.refusal(question, answer)
    token = answer.json()
    if not isinstance(token, dict) or type(token.get("id")) is not int:
        raise question.fault(answer)
    # GitLab answers a dead token with 401, so this is belt and braces.
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
    """What GitLab's entity of an access token says, under our names."""
    scopes = token.get("scopes")
    said: dict[str, Fact] = {"id": token["id"]} if type(token.get("id")) is int else {}
    for name, key in (("name", "name"), ("created", "created_at"), ("last_used", "last_used_at"), ("expires", "expires_at")):
        if key in token:
            said[name] = words(token[key]) or None
    if isinstance(scopes, list):
        said["scopes"] = tuple(words(scope, 64) for scope in scopes[:50])
    if isinstance(granular := token.get("granular_scopes"), list):
        said["fine_grained"] = len(granular) > 0
    if type(user := token.get("user_id")) is int:
        said["owner"] = {"id": user}
    return said
