"""What GitLab's own documents say of each answer that patscan reads: status, fields, JSON types, formats and enumerations.

Facts in our words, none of GitLab's text. The sources:

* ``openapi``: GitLab's OpenAPI 2 description, doc/api/openapi/openapi_v2.yaml, as of 2025-03-12 (GitLab 17.10), sha256 3aa63ade3157….
  It has no list of required fields and no ``nullable``, calls every date a ``date-time`` and some numbers and booleans ``string``.
* ``doc``: the example in the named page of GitLab's documentation. A field that stands in it with another type than in ``openapi`` has the
  example's; a ``null`` in it makes the field nullable.

A field is required if both know it, or if the only one that describes the answer does. ``?`` after a type: may be null. ``?`` after a
name: may be missing, for one of them has no such field, or it depends on version, edition or settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Fields = Mapping[str, Any]
ACCESS_TOKEN: Fields = {
    "id": "integer",
    "name": "string",
    "revoked": "boolean",
    "created_at": "date-time",
    "description": "string?",
    "scopes": ["string"],
    "user_id": "integer",
    "last_used_at": "date-time?",
    "active": "boolean",
    "expires_at": "date?",
}
WITH_ADDRESSES: Fields = {**ACCESS_TOKEN, "last_used_ips?": ["string"]}
ROTATED: Fields = {**ACCESS_TOKEN, "token": "string"}
RESOURCE: Fields = {**ACCESS_TOKEN, "access_level": "10|15|20|30|40|50", "resource_type?": "project|group", "resource_id?": "integer"}
USER_BASIC: Fields = {
    "id": "integer",
    "username": "string",
    "name": "string",
    "state": "string",
    "locked?": "boolean",
    "avatar_url": "string?",
    "avatar_path?": "string?",
    "custom_attributes?": [{"key": "string", "value": "string"}],
    "web_url": "string",
}
USER: Fields = {
    **USER_BASIC,
    "created_at": "date-time",
    "bio": "string?",
    "location": "string?",
    "public_email": "string?",
    "skype?": "string",
    "linkedin": "string",
    "twitter": "string",
    "discord?": "string",
    "github?": "string",
    "website_url": "string",
    "organization": "string?",
    "job_title": "string?",
    "pronouns?": "string?",
    "bot?": "boolean",
    "work_information?": "string?",
    "followers?": "integer",
    "following?": "integer",
    "is_followed?": "boolean",
    "local_time?": "string?",
}
CURRENT_USER: Fields = {
    **USER,
    "last_sign_in_at": "date-time?",
    "confirmed_at": "date-time?",
    "last_activity_on": "date?",
    "email": "string",
    "theme_id": "integer?",
    "color_scheme_id": "integer",
    "projects_limit": "integer",
    "current_sign_in_at": "date-time?",
    "identities": [{"provider": "string", "extern_uid": "string", "saml_provider_id?": "integer?"}],
    "can_create_group": "boolean",
    "can_create_project": "boolean",
    "two_factor_enabled": "boolean",
    "external": "boolean",
    "private_profile": "boolean",
    "commit_email?": "string",
    "preferred_language?": "string",
    "shared_runners_minutes_limit?": "integer?",
    "extra_shared_runners_minutes_limit?": "integer?",
    "is_admin?": "boolean",
    "current_sign_in_ip?": "string?",
    "last_sign_in_ip?": "string?",
}
JOB: Fields = {
    "id": "integer",
    "status": "string",
    "stage": "string",
    "name": "string",
    "ref": "string",
    "tag": "boolean",
    "coverage": "number?",
    "allow_failure": "boolean",
    "created_at": "date-time",
    "started_at": "date-time?",
    "finished_at": "date-time?",
    "erased_at": "date-time?",
    "duration": "number?",
    "queued_duration": "number?",
    "user": USER,
    "commit": "object",
    "pipeline": {
        "id": "integer",
        "iid?": "integer",
        "project_id": "integer",
        "sha": "string",
        "ref": "string",
        "status": "string",
        "source?": "string",
        "created_at?": "date-time",
        "updated_at?": "date-time",
        "web_url?": "string",
    },
    "web_url": "string",
    "project": "object",
    "failure_reason?": "string",
    "artifacts_file?": "object",
    "artifacts": ["object"],
    "runner": "object?",
    "runner_manager": "object?",
    "artifacts_expire_at": "date-time?",
    "archived": "boolean",
    "tag_list": ["string"],
}
ASSOCIATIONS: Fields = {
    "groups": [
        {
            "id": "integer",
            "web_url": "string",
            "name": "string",
            "parent_id": "integer?",
            "organization_id": "integer",
            "access_levels": "integer",
            "visibility": "string",
        }
    ],
    "projects": [
        {
            "id": "integer",
            "description": "string?",
            "name": "string",
            "name_with_namespace": "string",
            "path": "string",
            "path_with_namespace": "string",
            "created_at": "date-time",
            "access_levels": {"project_access_level": "integer?", "group_access_level": "integer?"},
            "visibility": "private|internal|public",
            "web_url": "string",
            "namespace": "object",
        }
    ],
}
ADMIN_ACCESS_TOKEN: Fields = {
    "id": "integer",
    "user_id": "integer",
    "name": "string",
    "revoked": "boolean",
    "expires_at": "date?",
    "created_at": "date-time",
    "updated_at": "date-time",
    "scopes": ["string"],
    "impersonation": "boolean",
    "expire_notification_delivered": "boolean",
    "last_used_at": "date-time?",
    "after_expiry_notification_delivered": "boolean",
    "previous_personal_access_token_id": "integer?",
    "advanced_scopes": "string?",
    "organization_id": "integer",
}
MEMBERSHIP: Fields = {"source_id": "integer", "source_name": "string", "source_type": "Project|Namespace", "access_level": "digits"}
DEPLOY_TOKEN: Fields = {
    "id": "integer",
    "name": "string",
    "username": "string",
    "expires_at": "date-time?",
    "scopes": ["string"],
    "revoked": "boolean",
    "expired": "boolean",
}
TRIGGER: Fields = {
    "id": "integer",
    "token": "string",
    "description": "string",
    "created_at": "date-time",
    "updated_at": "date-time",
    "last_used": "date-time?",
    "expires_at?": "date-time?",
    "deleted_at?": "null",
    "owner": "user?",
}
AGENT_TOKEN: Fields = {
    "id": "integer",
    "name": "string",
    "description": "string?",
    "agent_id": "integer",
    "status": "active|revoked",
    "created_at": "date-time",
    "created_by_user_id": "integer?",
    "last_used_at": "date-time?",
}
TOKEN_INFO: Fields = {
    "resource_owner_id": "integer",
    "scope": ["string"],
    "expires_in": "integer?",
    "application": {"uid": "string"},
    "created_at": "integer",
    "scopes": ["string"],
    "expires_in_seconds": "integer?",
}
OAUTH_ERROR: Fields = {
    "error": "invalid_request|invalid_client|invalid_grant|unauthorized_client|unsupported_grant_type|invalid_scope",
    "error_description?": "string",
    "error_uri?": "string",
}


class Documented(NamedTuple):
    method: str
    path: str
    """Of the request, in the notation of GitLab's pages, without the query."""
    statuses: str
    """Those that the sources name."""
    fields: Any
    """Of the answer with the first status; ``None`` if it has no body or the sources don't describe it."""
    source: str


ANYWHERE = "401"
"""doc/api/rest/troubleshooting.md, "Status codes": for each request without a valid token. Not repeated at each endpoint."""
SELF, ROW = "/personal_access_tokens/self", "/personal_access_tokens/:id"
PAGE, RESOURCES = (
    "doc/api/personal_access_tokens.md @0286e4c6",
    "openapi API_Entities_ResourceAccessToken; doc/api/project_access_tokens.md @017a6c12",
)
DEPLOY = "openapi API_Entities_DeployToken; doc/api/deploy_tokens.md @017a6c12"
TRIGGERS = "openapi API_Entities_Trigger; doc/api/pipeline_triggers.md @0068c449"
AGENTS = "openapi API_Entities_Clusters_AgentToken (each field a string); doc/api/cluster_agents.md @172925da"
DOCUMENTED = (
    Documented("GET", SELF, "200 401 404", ACCESS_TOKEN, f"openapi API_Entities_PersonalAccessToken; {PAGE}"),
    Documented("DELETE", SELF, "204 400", None, f"openapi; {PAGE}"),
    Documented("POST", f"{SELF}/rotate", "200 400 401 403 405", ROTATED, f"openapi API_Entities_PersonalAccessTokenWithToken; {PAGE}"),
    Documented("GET", f"{SELF}/associations", "200 401 404", ASSOCIATIONS, f"{PAGE}; openapi names the wrong entity"),
    Documented("GET", ROW, "200 401 404", WITH_ADDRESSES, f"openapi API_Entities_PersonalAccessTokenWithLastUsedIps; {PAGE}"),
    Documented("DELETE", ROW, "204 400 401 403", None, f"openapi; {PAGE}"),
    Documented("POST", f"{ROW}/rotate", "200 201 400 401 403 404 405", ROTATED, f"{PAGE} has 200, openapi 201"),
    *(
        row
        for kind in ("projects", "groups")
        for row in (
            Documented("GET", f"/{kind}/:id/access_tokens/:id", "200 404", RESOURCE, RESOURCES),
            Documented("DELETE", f"/{kind}/:id/access_tokens/:id", "204 400 404", None, RESOURCES),
            Documented(
                "POST", f"/{kind}/:id/access_tokens/:id/rotate", "200 201 400 401 403 404 405", {**RESOURCE, "token": "string"}, RESOURCES
            ),
            Documented("GET", f"/{kind}/:id/deploy_tokens/:id", "200 401 404", DEPLOY_TOKEN, DEPLOY),
            Documented("DELETE", f"/{kind}/:id/deploy_tokens/:id", "204 401 404", None, DEPLOY),
        )
    ),
    Documented("GET", "/projects/:id/triggers/:id", "200 401 403 404", TRIGGER, TRIGGERS),
    Documented("DELETE", "/projects/:id/triggers/:id", "204 401 403 404 412", None, TRIGGERS),
    Documented("GET", "/projects/:id/cluster_agents/:id/tokens/:id", "200 404", AGENT_TOKEN, AGENTS),
    Documented("DELETE", "/projects/:id/cluster_agents/:id/tokens/:id", "204 404", None, AGENTS),
    Documented(
        "GET", "/user", "200 401 403", CURRENT_USER, "doc/api/users.md @000087ab and later; openapi API_Entities_UserPublic elsewhere"
    ),
    Documented("GET", "/users/:id", "200 404", CURRENT_USER, "doc/api/users.md, for administrators; openapi API_Entities_UserWithAdmin"),
    Documented(
        "GET",
        "/users/:id/memberships",
        "200 404",
        [MEMBERSHIP],
        "openapi API_Entities_Membership (each field a string); lib/api/entities/membership.rb @1ea1db49",
    ),
    Documented("GET", "/job", "200 400 401 404", JOB, "openapi API_Entities_Ci_Job; lib/api/entities/ci/job_basic.rb @0286e4c6"),
    Documented("GET", "/packages/conan/v1/users/check_credentials", "200 401 404", None, "openapi, which describes no body"),
    Documented("GET", "/feature_flags/unleash/:id", "200 401", None, "openapi, which describes no body and names 200 alone"),
    Documented("POST", "/runners/verify", "200 403 422", None, "openapi, which describes no body"),
    Documented(
        "POST",
        "/runners/reset_authentication_token",
        "201 403",
        {"token": "string", "token_expires_at": "date-time?"},
        "openapi API_Entities_Ci_ResetTokenResult; null where runners' tokens don't expire (lib/api/ci/runner.rb)",
    ),
    Documented("POST", "/projects/:id/trigger/pipeline", "201 400 401 403 404", None, "openapi; patscan reads no 201"),
    Documented(
        "POST", "/admin/token", "200 401 403 404 422", ADMIN_ACCESS_TOKEN, "doc/api/admin/token.md @0016ea05, for access tokens alone"
    ),
    Documented("DELETE", "/admin/token", "204 401 403 404 422", None, "doc/api/admin/token.md @0016ea05"),
    Documented("GET", "oauth/token/info", "200 401", TOKEN_INFO, "doc/api/oauth2.md @04b8ef13, with its deprecated fields"),
    Documented("POST", "oauth/token", "400 401", OAUTH_ERROR, "RFC 6749, section 5.2; doc/api/oauth2.md @04b8ef13"),
)
UNDESCRIBED = {
    "GET /runners/router/discovery": "in neither: an internal API for runners (lib/api/ci/runner.rb)",
    "GET /runner_controllers/:id/tokens/:id": "in neither of these versions: an experiment of 18.x",
    "DELETE /runner_controllers/:id/tokens/:id": "the same",
    "GET jwt/auth": "in neither: the container registry's token protocol",
}
"""Answers of the loopback GitLab that no source describes, and why."""

_FORMATS = {
    "date-time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$"},
    "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "digits": {"type": "string", "pattern": r"^\d+$"},
}
_TYPES = {"integer", "string", "boolean", "number", "object", "null"}


def schema(fields: Any) -> dict[str, Any]:
    """The JSON schema of a value in the table's notation: no other field, and each required one."""
    if isinstance(fields, list):
        return {"type": "array", "items": schema(fields[0])}
    if isinstance(fields, str):
        return _scalar(fields)
    return {
        "type": "object",
        "properties": {name.removesuffix("?"): schema(kind) for name, kind in fields.items()},
        "required": [name for name in fields if not name.endswith("?")],
        "additionalProperties": False,
    }


def _scalar(kind: str) -> dict[str, Any]:
    name = kind.removesuffix("?")
    if name == "user":
        known = schema(USER_BASIC)
    elif name in _FORMATS or name in _TYPES:
        known = _FORMATS.get(name) or {"type": name}
    else:
        known = {"enum": [int(value) if value.isdecimal() else value for value in name.split("|")]}
    return {"anyOf": [known, {"type": "null"}]} if kind.endswith("?") else known
