"""What the loopback GitLab answers, written from GitLab's sources and documentation; each route names its own.

Apart from `patscan.gitlab`, so that the two can disagree.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.gitlab.loopback import GitLab, Recorded, Token

PAT = "personal-access-token"
_EVERY = ("personal_access_tokens/self", "personal_access_tokens/self/associations")
_USER = {"api", "read_api", "read_user"}


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Call(NamedTuple):
    gitlab: GitLab
    request: Recorded
    path: str
    query: dict[str, str]
    groups: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        return next((value for key, value in self.request.headers.items() if key.lower() == name.lower()), "")

    def fields(self) -> dict[str, Any]:
        return dict(json.loads(self.request.body or b"{}"))


def plain(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode())


UNAUTHORIZED = plain(401, {"message": "401 Unauthorized"})
NO_ROUTE = plain(404, {"error": "404 Not Found"})
FORBIDDEN = plain(403, {"message": "403 Forbidden"})


def answer(gitlab: GitLab, request: Recorded) -> Answer:
    parts = urlsplit(request.path)
    if not parts.path.startswith(f"{gitlab.root}/"):
        return Answer(404, b"<html>nginx</html>", {"Content-Type": "text/html"})
    path = parts.path.removeprefix(f"{gitlab.root}/")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    from tests.gitlab import writing

    for method, pattern, since, route in (*ROUTES, *writing.ROUTES):
        match = re.fullmatch(pattern, path)
        if match and method == request.method:
            return route(Call(gitlab, request, path, query, match.groups())) if gitlab.version >= since else NO_ROUTE
    return NO_ROUTE


def bearer_error(status: int, error: str, description: str, **more: object) -> Answer:
    """lib/api/api_guard.rb @017a6c12, through rack-oauth2."""
    return plain(status, {"error": error, "error_description": description, **more})


def signed_in(call: Call, scopes: set[str] | None) -> Token | Answer:
    """What api_guard.rb and access_token_validation_service.rb make of PRIVATE-TOKEN; `scopes` is ``None`` where each will do."""
    token = call.gitlab.find(call.header("PRIVATE-TOKEN"), PAT)
    if token is None:
        return UNAUTHORIZED
    if token.expired:
        return bearer_error(401, "invalid_token", "Token is expired. You can either do re-authorization or token refresh.")
    if token.revoked:
        return bearer_error(401, "invalid_token", "Token was revoked. You have to re-authorize from the user.")
    if scopes is not None and scopes.isdisjoint(token.scopes):
        text = "The request requires higher privileges than provided by the access token."
        return bearer_error(403, "insufficient_scope", text, scope=" ".join(sorted(scopes)))
    if token.impersonation and not call.gitlab.impersonation:
        return bearer_error(401, "invalid_token", "Token is an impersonation token but impersonation was disabled.")
    call.gitlab.use(token)
    if token.user.denied:
        return plain(403, {"message": f"403 Forbidden - {token.user.denied}"})
    if token.dpop:
        return bearer_error(401, "dpop_error", "DPoP header is missing")
    return token


def stamp(moment: Any) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def access_token(token: Token) -> dict[str, Any]:
    """lib/api/entities/personal_access_token.rb."""
    return {
        "id": token.id,
        "name": token.name,
        "revoked": token.revoked,
        "created_at": stamp(token.created),
        "description": None,
        "scopes": list(token.scopes),
        "user_id": token.user.id,
        "last_used_at": stamp(token.last_used),
        "active": not token.revoked and not token.expired,
        "expires_at": token.expires and token.expires.isoformat(),
    }


def _self(call: Call) -> Answer:
    """lib/api/personal_access_tokens/self_information.rb @1908a23a."""
    token = signed_in(call, None)
    return token if isinstance(token, Answer) else plain(200, access_token(token))


def _user(call: Call) -> Answer:
    """lib/api/users.rb; ``is_admin`` stands there for administrators only."""
    if cookie := re.search(r"_gitlab_session=(\S+)", call.header("Cookie")):
        token: Token | Answer | None = call.gitlab.find(cookie[1], "session-cookie")
    else:
        token = signed_in(call, _USER)
    if token is None:
        return UNAUTHORIZED
    return token if isinstance(token, Answer) else plain(200, _person(token, own=True))


def _person(token: Token, own: bool = False) -> dict[str, Any]:
    """lib/api/entities/user.rb: an administrator and the user see more. ``is_admin`` stands there for administrators only."""
    user = token.user
    person = _card(token) | {"bot": user.bot, "created_at": stamp(token.created), "followers": 0, "following": 0, "local_time": None}
    person |= dict.fromkeys(("linkedin", "twitter", "website_url", "discord"), "")
    person |= dict.fromkeys(("bio", "location", "public_email", "organization", "job_title", "pronouns", "work_information"))
    person |= {"email": f"{user.username}@example.com", "commit_email": f"{user.username}@example.com", "identities": []}
    person |= {"theme_id": 1, "color_scheme_id": 1, "projects_limit": 100_000, "last_activity_on": None}
    person |= dict.fromkeys(("last_sign_in_at", "confirmed_at", "current_sign_in_at"))
    person |= {
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
    }
    return person | ({"is_admin": True} if user.admin else {} if own else {"is_admin": False})


def _card(token: Token) -> dict[str, Any]:
    """lib/api/entities/user_basic.rb."""
    user = token.user
    page = f"https://gitlab.example.com/{user.username}"
    names = {"id": user.id, "username": user.username, "name": user.username.title()}
    return names | {"state": user.state, "locked": False, "avatar_url": None, "web_url": page}


_PROFILE = {
    *("id", "username", "name", "state", "locked", "avatar_url", "web_url", "created_at", "bio", "location", "public_email", "linkedin"),
    *("twitter", "discord", "website_url", "organization", "job_title", "pronouns", "bot", "work_information", "followers", "following"),
    "local_time",
}
"""What everybody sees of a user."""


def _associations(call: Call) -> Answer:
    """doc/api/personal_access_tokens.md: both lists are paged with the same page number."""
    token = signed_in(call, None)
    if isinstance(token, Answer):
        return token
    groups, projects = call.gitlab.memberships.get(token.user.id, ([], []))
    least = int(call.query.get("min_access_level", 0))
    page, size = int(call.query.get("page", 1)), min(int(call.query.get("per_page", 20)), 100)
    part = slice((page - 1) * size, page * size)
    shown = [one for one in groups if one["access_levels"] >= least]
    levels = [(one, [level or 0 for level in one["access_levels"].values()]) for one in projects]
    return plain(200, {"groups": shown[part], "projects": [one for one, held in levels if max(held) >= least][part]})


def _job(call: Call) -> Answer:
    """lib/api/ci/jobs.rb @017a6c12."""
    token = call.gitlab.find(call.header("JOB-TOKEN"), "ci-job-token")
    if token is None or not token.running:
        return UNAUTHORIZED
    return plain(200, _job_entity(token))


def _job_entity(token: Token) -> dict[str, Any]:
    """lib/api/entities/ci/job_basic.rb @0286e4c6."""
    status = "running" if token.running else token.finished
    job = {"id": token.id, "name": "deploy", "stage": "deploy", "status": status, "ref": "main", "tag": False, "allow_failure": False}
    job |= {"coverage": None, "duration": None, "queued_duration": 0.5, "created_at": stamp(token.created)}
    job |= dict.fromkeys(("started_at", "finished_at", "erased_at", "runner", "runner_manager", "artifacts_expire_at"))
    job |= {"artifacts": [], "tag_list": [], "archived": False, "commit": {}, "project": {"ci_job_token_scope_enabled": False}}
    pipeline = {"id": 7, "iid": 2, "project_id": token.project or 11, "sha": "c" * 40, "ref": "main", "status": status, "source": "push"}
    profile = {name: value for name, value in _person(token).items() if name in _PROFILE}
    return job | {"web_url": f"https://gitlab.example.com/-/jobs/{token.id}", "pipeline": pipeline, "user": profile}


def _discovery(call: Call) -> Answer:
    """lib/api/ci/runner.rb: authenticate_runner_from_header!, then 501 unless the job router is on."""
    if not call.gitlab.find(call.header("Runner-Token"), "runner-authentication-token"):
        return FORBIDDEN
    if not call.gitlab.job_router:
        return plain(501, {"message": "Job Router is not available. Please contact your administrator."})
    return plain(200, {"server_url": "wss://kas.example.com"})


def _verify_runner(call: Call) -> Answer:
    token = call.gitlab.find(call.fields().get("token", ""), "runner-authentication-token")
    if token is None:
        return FORBIDDEN
    call.gitlab.heartbeats.append(token.value)
    return plain(200, {"id": token.id, "token": token.value, "token_expires_at": None})


def _conan(call: Call) -> Answer:
    """lib/api/concerns/packages/conan @017a6c12; the password alone finds the deploy token (helper @1eb76928)."""
    if not call.gitlab.packages:
        return NO_ROUTE
    _, _, password = b64decode(call.header("Authorization").removeprefix("Basic ")).decode().partition(":")
    token = call.gitlab.find(password, "deploy-token")
    if token is None or token.revoked or token.expired or not call.gitlab.deploy_by_token_alone:
        return UNAUTHORIZED
    return Answer(200, b"ok", {"Content-Type": "text/plain"})


def _unleash(call: Call) -> Answer:
    """lib/api/unleash.rb @044a953e."""
    token = call.gitlab.find(call.header("Unleash-InstanceId"), "feature-flags-token")
    return Answer(200, b"") if token and token.project == int(call.groups[0]) else UNAUTHORIZED


def _trigger(call: Call) -> Answer:
    """lib/api/ci/triggers.rb: a ref that exists would start a pipeline."""
    fields = call.fields()
    token = call.gitlab.find(fields.get("token", ""), "pipeline-trigger-token")
    if token is None or token.project != int(call.groups[0]):
        return plain(404, {"message": "404 Not found"})
    if fields.get("ref") == "main":
        call.gitlab.pipelines.append(token.value)
        return plain(201, {"id": 1})
    return plain(400, {"message": {"base": ["Reference not found"]}})


def _oauth(call: Call) -> Answer:
    """Doorkeeper; peers' experience with a grant that applications may not use."""
    fields = call.fields()
    token = call.gitlab.find(fields.get("client_secret", ""), "oauth-application-secret")
    if token is None or token.application != fields.get("client_id"):
        return plain(401, {"error": "invalid_client", "error_description": "Client authentication failed."})
    return plain(400, {"error": "invalid_scope", "error_description": "The requested scope is invalid, unknown, or malformed."})


def _token_info(call: Call) -> Answer:
    """oauth/token_info_controller.rb; ``invalid_request`` in the older copy of its spec, in which version it changed isn't known."""
    token = call.gitlab.find(call.header("Authorization").removeprefix("Bearer "), "oauth-access-token")
    if token is None or token.expired or token.revoked:
        error = "invalid_token" if call.gitlab.version >= (18, 0) else "invalid_request"
        return plain(401, {"error": error, "error_description": "The access token is invalid", "state": "unauthorized"})
    call.gitlab.acts.append(("revoke previous refresh token", token.id))
    seconds = 7200
    common = {"resource_owner_id": token.user.id, "scope": list(token.scopes), "expires_in": seconds}
    more = {"application": {"uid": "a" * 64}, "created_at": int(token.created.timestamp())}
    return plain(200, common | more | {"scopes": list(token.scopes), "expires_in_seconds": seconds})


def administrator(call: Call) -> Answer | None:
    token = signed_in(call, {"api"})
    if isinstance(token, Answer):
        return token
    return None if token.user.admin else FORBIDDEN


KINDS_SINCE = {
    PAT: (17, 5),
    "deploy-token": (17, 5),
    "feed-token": (17, 6),
    "oauth-application-secret": (17, 7),
    "agent-token": (17, 7),
    "runner-authentication-token": (17, 7),
    "pipeline-trigger-token": (17, 7),
    "ci-job-token": (17, 9),
    "feature-flags-token": (17, 9),
    "session-cookie": (17, 9),
    "incoming-mail-token": (17, 9),
}
"""doc/api/admin/token.md @0016ea05; generally available since 17.8."""

PREFIXES = {
    "glpat-": PAT,
    "gldt-": "deploy-token",
    "glft-": "feed-token",
    "gloas-": "oauth-application-secret",
    "glagent-": "agent-token",
    "glrt-": "runner-authentication-token",
    "glrtr-": "runner-authentication-token",
    "glptt-": "pipeline-trigger-token",
    "glcbt-": "ci-job-token",
    "glffct-": "feature-flags-token",
    "_gitlab_session=": "session-cookie",
    "glimt-": "incoming-mail-token",
}


def _admin_token(call: Call) -> Answer:
    """lib/api/admin/token.rb @1908a23a."""
    if refusal := administrator(call):
        return refusal
    value = call.fields()["token"]
    kind = next((kind for prefix, kind in PREFIXES.items() if value.startswith(prefix)), "")
    if not kind or call.gitlab.version < KINDS_SINCE[kind]:
        return plain(422, {"message": "Token type not supported."})
    token = call.gitlab.find(value.removeprefix("_gitlab_session="), kind)
    if token is None:
        return plain(404, {"message": {"error": "Not found"}})
    return plain(200, _entity(token))


def _stored(token: Token) -> dict[str, Any]:
    """doc/api/admin/token.md @0016ea05: the row of the database, without ``active``."""
    row = {key: value for key, value in access_token(token).items() if key not in {"active", "description"}}
    row |= {"updated_at": stamp(token.created), "impersonation": token.impersonation, "organization_id": 1, "advanced_scopes": None}
    mails = {"expire_notification_delivered": False, "after_expiry_notification_delivered": False}
    return row | mails | {"previous_personal_access_token_id": None}


def _entity(token: Token) -> dict[str, Any]:
    common = {"id": token.id, "created_at": stamp(token.created)}
    expires = token.expires and token.expires.isoformat()
    if token.kind == PAT:
        return _stored(token)
    if token.kind == "deploy-token":
        login = f"gitlab+deploy-token-{token.id}"
        more = {"expires_at": expires, "scopes": list(token.scopes), "revoked": token.revoked, "expired": token.expired}
        return common | {"name": token.name, "username": login} | more
    if token.kind in {"feed-token", "session-cookie", "incoming-mail-token"}:
        return _person(token)
    if token.kind == "agent-token":
        return common | {"name": token.name, "agent_id": 5, "status": "revoked" if token.revoked else "active", "last_used_at": None}
    if token.kind == "ci-job-token":
        return _job_entity(token)
    if token.kind == "runner-authentication-token":
        return {"id": token.id, "description": token.name, "active": True, "paused": False, "runner_type": "project_type"}
    return common | {"name": token.name, "owner": _person(token)}


def _user_by_id(call: Call) -> Answer:
    if refusal := administrator(call):
        return refusal
    token = next((one for one in call.gitlab.tokens.values() if one.user.id == int(call.groups[0])), None)
    return plain(200, _person(token)) if token else plain(404, {"message": "404 User Not Found"})


def _memberships(call: Call) -> Answer:
    """doc/api/users.md: access_level is a text in the documented example."""
    if refusal := administrator(call):
        return refusal
    groups, projects = call.gitlab.memberships.get(int(call.groups[0]), ([], []))
    rows = [
        {"source_id": one["id"], "source_name": one["name"], "source_type": "Namespace", "access_level": str(one["access_levels"])}
        for one in groups
    ]
    for one in projects:
        level = max(level or 0 for level in one["access_levels"].values())
        rows.append({"source_id": one["id"], "source_name": one["name"], "source_type": "Project", "access_level": str(level)})
    page, size = int(call.query.get("page", 1)), min(int(call.query.get("per_page", 20)), 100)
    return plain(200, rows[(page - 1) * size : page * size])


Route = Callable[[Call], Answer]
API = "api/v4/"
ROUTES: tuple[tuple[str, str, tuple[int, int], Route], ...] = (
    ("GET", API + "personal_access_tokens/self", (15, 5), _self),
    ("GET", API + "personal_access_tokens/self/associations", (17, 4), _associations),
    ("GET", API + "user", (8, 0), _user),
    ("GET", API + "job", (13, 3), _job),
    ("GET", API + "runners/router/discovery", (18, 7), _discovery),
    ("POST", API + "runners/verify", (9, 0), _verify_runner),
    ("GET", API + "packages/conan/v1/users/check_credentials", (12, 6), _conan),
    ("GET", API + r"feature_flags/unleash/(\d+)", (12, 5), _unleash),
    ("POST", API + r"projects/(\d+)/trigger/pipeline", (9, 0), _trigger),
    ("POST", "oauth/token", (8, 0), _oauth),
    ("GET", "oauth/token/info", (8, 0), _token_info),
    ("POST", API + "admin/token", (17, 8), _admin_token),
    ("GET", API + r"users/(\d+)", (8, 0), _user_by_id),
    ("GET", API + r"users/(\d+)/memberships", (12, 8), _memberships),
)
