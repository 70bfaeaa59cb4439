"""What the loopback GitLab does when it is asked to end or replace a token, written from GitLab's documentation and sources.

Apart from `patscan.gitlab`, so that the two can disagree.
"""

from __future__ import annotations

import random
from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests import tokens
from tests.gitlab.answers import (
    API,
    FORBIDDEN,
    KINDS_SINCE,
    PAT,
    PREFIXES,
    UNAUTHORIZED,
    Answer,
    Call,
    Route,
    access_token,
    administrator,
    plain,
    signed_in,
    stamp,
)

if TYPE_CHECKING:
    from tests.gitlab.loopback import GitLab, Token

RUNNER = "runner-authentication-token"
DONE = Answer(204, b"")
_NONE = plain(404, {"message": "404 Not Found"})
_RANDOM = random.Random()


def family(token: Token) -> int:
    return token.family or token.id


def _revoke(gitlab: GitLab, token: Token) -> None:
    gitlab.acts.append(("revoke", token.id))
    token.revoked = True


def _revoke_self(call: Call) -> Answer:
    """doc/api/personal_access_tokens.md: any scope since 15.4, api before."""
    token = signed_in(call, None if call.gitlab.version >= (15, 4) else {"api"})
    if isinstance(token, Answer):
        return token
    _revoke(call.gitlab, token)
    return DONE


def _at(call: Call, kind: str, row: str) -> Token | Answer:
    """The token of a row, for a signed-in user with the scope api who is its owner or an administrator."""
    actor = signed_in(call, {"api"})
    if isinstance(actor, Answer):
        return actor
    token = next((one for one in call.gitlab.tokens.values() if (one.kind, one.row, str(one.id)) == (kind, row, call.groups[-1])), None)
    if token is None:
        return _NONE if actor.user.admin or row else UNAUTHORIZED
    if kind == "runner-controller-token" and not actor.user.admin:
        return FORBIDDEN
    return token if actor.user.admin or actor.user is token.user else _NONE


def _personal(call: Call) -> Answer:
    token = _at(call, PAT, "")
    if isinstance(token, Answer) or call.request.method == "GET":
        return token if isinstance(token, Answer) else plain(200, access_token(token))
    if token.revoked:
        return plain(400, {"message": "400 Bad request - Not revoked"})
    _revoke(call.gitlab, token)
    return DONE


def _resource(call: Call) -> Answer:
    """doc/api/project_access_tokens.md and group_access_tokens.md."""
    token = _at(call, PAT, call.path.removeprefix(API).rpartition("/")[0])
    if isinstance(token, Answer):
        return token
    if call.request.method == "GET":
        return plain(200, _of_resource(token))
    _revoke(call.gitlab, token)
    return DONE


def _of_resource(token: Token) -> dict[str, Any]:
    """doc/api/project_access_tokens.md @017a6c12."""
    return access_token(token) | ({"access_level": 40} if token.row else {})


def _rotate_self(call: Call) -> Answer:
    """doc/api/personal_access_tokens.md; lib/gitlab/auth/auth_finders.rb: reuse of a revoked token ends its family."""
    if refusal := _reuse(call, call.header("PRIVATE-TOKEN")):
        return refusal
    token = signed_in(call, {"api", "self_rotate"})
    return token if isinstance(token, Answer) else _rotated(call, token)


def _rotate(call: Call) -> Answer:
    if refusal := _reuse(call, call.header("PRIVATE-TOKEN")):
        return refusal
    token = _at(
        call, PAT, "" if call.path.startswith(f"{API}personal") else call.path.removeprefix(API).split(f"/{call.groups[-1]}/rotate")[0]
    )
    if isinstance(token, Answer):
        return token
    return _reuse(call, token.value) or _rotated(call, token)


def _reuse(call: Call, value: str) -> Answer | None:
    token = call.gitlab.find(value, PAT)
    if token is None or not token.revoked:
        return None
    for one in call.gitlab.tokens.values():
        if one.kind == PAT and family(one) == family(token):
            call.gitlab.acts.append(("family", one.id))
            one.revoked = True
    return UNAUTHORIZED


def _rotated(call: Call, token: Token) -> Answer:
    if token.expired or token.revoked:
        return UNAUTHORIZED
    wanted = call.fields().get("expires_at")
    end = date.fromisoformat(wanted) if wanted else datetime.now(UTC).date() + timedelta(days=7)
    if end > datetime.now(UTC).date() + timedelta(days=400):
        return plain(400, {"message": "400 Bad request - Expiration date of access token must be before 400 days from now"})
    new = tokens.classic(_RANDOM)
    more: dict[str, Any] = {"scopes": token.scopes, "expires": end, "row": token.row, "family": family(token), "name": token.name}
    token.revoked = True
    call.gitlab.acts.append(("rotate", token.id))
    made = call.gitlab.add(PAT, new, token.user, created=datetime.now(UTC), **more)
    return plain(200, _of_resource(made) | {"token": new})


def _kept(kind: str) -> Route:
    """A row of another kind, to be looked at or ended."""

    def route(call: Call) -> Answer:
        token = _at(call, kind, call.path.removeprefix(API).rpartition("/")[0])
        if isinstance(token, Answer):
            return token
        if call.request.method == "DELETE":
            call.gitlab.acts.append(("revoke", token.id))
            del call.gitlab.tokens[token.value]
            return DONE
        return plain(200, _entity(token, call))

    return route


def _entity(token: Token, call: Call) -> dict[str, Any]:
    row = {"id": token.id, "created_at": stamp(token.created)}
    if token.kind == "pipeline-trigger-token":
        """lib/api/entities/trigger.rb: whole for its owner alone."""
        whole = call.gitlab.tokens[call.header("PRIVATE-TOKEN")].user is token.user
        row |= {"description": token.name, "token": token.value if whole else token.value[:4], "updated_at": stamp(token.created)}
        return row | {"last_used": None, "expires_at": None, "owner": None}
    if token.kind == "deploy-token":
        end = f"{token.expires.isoformat()}T00:00:00.000Z" if token.expires else None
        names = {"id": token.id, "name": token.name, "username": _login(token), "expires_at": end, "scopes": list(token.scopes)}
        return names | {"revoked": token.revoked, "expired": token.expired}
    if token.kind == "agent-token":
        agent = {"agent_id": 5, "status": "active", "created_by_user_id": token.user.id, "last_used_at": None}
        return row | {"name": token.name, "description": None} | agent
    return row | {"name": token.name}


def _login(token: Token) -> str:
    return token.login or f"gitlab+deploy-token-{token.id}"


def _registry(call: Call) -> Answer:
    """jwt_controller.rb @5bc58bac with lib/gitlab/auth.rb @017a6c12: the user's name must be the deploy token's."""
    login, _, password = b64decode(call.header("Authorization").removeprefix("Basic ")).decode().partition(":")
    token = call.gitlab.find(password, "deploy-token")
    if token is None or token.revoked or token.expired or _login(token) != login:
        return plain(401, {"errors": [{"code": "UNAUTHORIZED", "message": "HTTP Basic: Access denied."}]})
    return plain(200, {"token": "e30.e30.e30"})


def _reset_runner(call: Call) -> Answer:
    """lib/api/ci/runner.rb."""
    token = call.gitlab.find(call.fields().get("token", ""), RUNNER)
    if token is None:
        return FORBIDDEN
    return plain(201, {"token": _reset(call.gitlab, token), "token_expires_at": None})


def _reset(gitlab: GitLab, token: Token) -> str:
    gitlab.acts.append(("reset", token.id))
    del gitlab.tokens[token.value]
    prefix = next(
        prefix
        for prefix, kind in PREFIXES.items()
        if kind == token.kind and token.value.startswith(prefix.removeprefix("_gitlab_session="))
    )
    token.value = tokens.classic(_RANDOM, prefix)
    gitlab.tokens[token.value] = token
    return token.value


def _admin(call: Call) -> Answer:
    """doc/api/admin/token.md: revokes what has a life, resets what a user or a project always has."""
    if refusal := administrator(call):
        return refusal
    value = call.fields()["token"]
    kind = next((kind for prefix, kind in PREFIXES.items() if value.startswith(prefix)), "")
    if not kind or kind == "ci-job-token" or call.gitlab.version < KINDS_SINCE[kind]:
        return plain(422, {"message": "Token type not supported."})
    token = call.gitlab.find(value.removeprefix("_gitlab_session="), kind)
    if token is None:
        return plain(404, {"message": {"error": "Not found"}})
    if kind in {PAT, "deploy-token", "agent-token"}:
        _revoke(call.gitlab, token)
    elif kind in {"session-cookie", "pipeline-trigger-token"}:
        call.gitlab.acts.append(("revoke", token.id))
        del call.gitlab.tokens[token.value]
    else:
        _reset(call.gitlab, token)
    return DONE


_RESOURCES = API + r"(?:projects|groups)/\d+/"
_KEPT = {
    "deploy-token": _RESOURCES + r"deploy_tokens/(\d+)",
    "pipeline-trigger-token": API + r"projects/\d+/triggers/(\d+)",
    "agent-token": API + r"projects/\d+/cluster_agents/\d+/tokens/(\d+)",
    "runner-controller-token": API + r"runner_controllers/\d+/tokens/(\d+)",
}
ROUTES: tuple[tuple[str, str, tuple[int, int], Route], ...] = (
    ("DELETE", API + "personal_access_tokens/self", (15, 0), _revoke_self),
    ("POST", API + "personal_access_tokens/self/rotate", (16, 10), _rotate_self),
    *((method, API + r"personal_access_tokens/(\d+)", (14, 0), _personal) for method in ("GET", "DELETE")),
    ("POST", API + r"personal_access_tokens/(\d+)/rotate", (16, 0), _rotate),
    *((method, _RESOURCES + r"access_tokens/(\d+)", (14, 10), _resource) for method in ("GET", "DELETE")),
    ("POST", _RESOURCES + r"access_tokens/(\d+)/rotate", (16, 0), _rotate),
    *((method, pattern, (14, 0), _kept(kind)) for kind, pattern in _KEPT.items() for method in ("GET", "DELETE")),
    ("GET", "jwt/auth", (8, 0), _registry),
    ("POST", API + "runners/reset_authentication_token", (14, 6), _reset_runner),
    ("DELETE", API + "admin/token", (17, 8), _admin),
)
