"""GitLab's row at the path of ``--at``, and whether it is the leaked token's."""

from __future__ import annotations

from typing import Any

from patscan.gitlab.client import Answer, Client, NoAnswer, Request, Sealed
from patscan.gitlab.hosts import Instance
from patscan.gitlab.question import API, words
from patscan.gitlab.ways import PAT
from patscan.model import Finding
from patscan.secret import Secret
from patscan.tuples import NamedTuple

_SHORT = 4
"""Characters of a trigger token that GitLab shows to users other than its owner (``lib/api/entities/trigger.rb``)."""
_LOGIN = "gitlab+deploy-token-"
"""The default user name of a deploy token, before its id. No other token has that name."""


class Row(NamedTuple):
    """A row as GitLab's API returned it."""

    name: str
    created: str
    """The date of its creation, as GitLab writes it."""
    gone: bool
    """Whether the row is deleted or revoked."""
    same: bool | None
    """Whether the row is the leaked token's; ``None`` if GitLab doesn't say."""


def row(client: Client, instance: Instance, finding: Finding, at: str, other: Secret) -> Row:
    """The row at the path `at`, requested with the token `other`. Raises `NoAnswer`."""
    answer = client.ask(instance, Request("GET", f"{API}/{at}", {"PRIVATE-TOKEN": Sealed(other)}))
    body = answer.json()
    if answer.status == 404 and isinstance(body, dict) and "404" in str(body.get("message", "")):
        return Row("", "", gone=True, same=None)
    if answer.status != 200 or not isinstance(body, dict) or str(body.get("id")) != at.rpartition("/")[2]:
        raise NoAnswer(f"{instance.host}: {at}: {_refusal(answer)}")
    name = words(body.get("name") or body.get("description") or body.get("username"))
    gone = body.get("revoked") is True or body.get("status") == "revoked"
    return Row(name, words(body.get("created_at"), 40), gone, _is_same(client, instance, finding, body))


def _is_same(client: Client, instance: Instance, finding: Finding, body: dict[str, Any]) -> bool | None:
    kind, known = finding.rule.kind, finding.verdict.facts.get("id")
    if kind in {PAT, "agent-token"} and type(known) is int:
        return bool(body["id"] == known)
    if kind == "pipeline-trigger-token" and isinstance(shown := body.get("token"), str):
        same = Secret(shown.encode()).fingerprint == finding.secret.fingerprint
        return True if same else None if len(shown) <= _SHORT else False
    if kind == "deploy-token" and isinstance(login := body.get("username"), str):
        return _signs_in(client, instance, finding, login, login == f"{_LOGIN}{body['id']}")
    return None


def _signs_in(client: Client, instance: Instance, finding: Finding, login: str, unique: bool) -> bool | None:
    """Whether the deploy token is the password of the user `login`. Source: ``deploy_token_check`` in ``lib/gitlab/auth.rb``."""
    sealed = Sealed(finding.secret, f"{login}:", basic=True)
    answer = client.ask(instance, Request("GET", "/jwt/auth?service=container_registry", {"Authorization": sealed}))
    if answer.status == 200 and unique and isinstance(body := answer.json(), dict) and "token" in body:
        return True
    return False if answer.status == 401 and b"UNAUTHORIZED" in answer.body else None


def _refusal(answer: Answer) -> str:
    if answer.status in {401, 403}:
        return (
            f"the token of --with-token-file can't read it (status {answer.status}). It needs the scope api and the role of a maintainer."
        )
    return f"GitLab's API has no such token there (status {answer.status}). Check the path."
