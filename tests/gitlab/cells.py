"""Kind, state and version: what patscan must say, written from GitLab's sources before there was a client.

A cell whose answer has no source expects ``unverifiable``. ``mode`` is "" (read-only questions), "admin" or "writes".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests import tokens
from tests.gitlab.loopback import GitLab

PAT = "personal-access-token"
V = {
    "old": (14, 0),
    "user": (15, 4),
    "self": (15, 5),
    "mid": (17, 3),
    "admin": (17, 8),
    "last17": (17, 11),
    "router": (18, 7),
    "new": (19, 6),
}
ALL = tuple(V.values())
SELF = tuple(version for version in ALL if version >= (15, 5))
ADMIN = tuple(version for version in ALL if version >= (17, 8))
ADMIN_9 = tuple(version for version in ALL if version >= (17, 9))

GUARD = "lib/api/api_guard.rb @017a6c12"
VALIDATION = "lib/api/api_guard.rb @017a6c12 with access_token_validation_service.rb: expired, revoked, scope, impersonation"
SELF_INFO = "lib/api/personal_access_tokens/self_information.rb @1908a23a: every scope; 15.5+"
USERS = "lib/api/users.rb: api, read_api, read_user"
DENIED = "user_access_denied_reason.rb: the token is live, its user isn't allowed in"
JOBS = "lib/api/ci/jobs.rb @017a6c12: only while the job runs"
ROUTER = "lib/api/ci/runner.rb: authenticate_runner_from_header!, 200 or 501, else 403; 18.7+"
CONAN = "conan endpoints @017a6c12; helper @1eb76928, not read for 19.x, so a 401 proves nothing"
UNLEASH = "lib/api/unleash.rb @044a953e; the project must be known"
TRIGGERS = "lib/api/ci/triggers.rb; a POST; a 404 says the token or the project is wrong"
OAUTH = "Doorkeeper's token endpoint; a POST that needs the application's id"
ADMIN_API = "doc/api/admin/token.md @0016ea05, lib/api/admin/token.rb @1908a23a"
DOORKEEPER = "doc/api/oauth2.md @04b8ef13; token_info_controller_spec.rb @028bb5dd: 200, else 401; Doorkeeper 5 writes by each request"
COOKIE = "lib/api/users.rb with a browser's session"
NONE = ""
"""No source: there is no question, or its answer isn't known."""

Setup = Callable[[GitLab, str], Any]
HINTS: dict[str, dict[str, int | str]] = {
    "feature-flags-token": {"project": 11},
    "pipeline-trigger-token": {"project": 11},
    "oauth-application-secret": {"application": "a" * 64},
}
"""What the finding's evidence knows beside the token."""


class Cell(NamedTuple):
    kind: str
    truth: str
    versions: tuple[tuple[int, int], ...]
    expected: str
    source: str
    mode: str = ""


def make(kind: str, rng: random.Random) -> str:
    """A token of `kind` that GitLab might have made."""
    if kind == "ci-job-token-jwt":
        return tokens.jwt(rng, {"sub": "gid://gitlab/Ci::Build/4711", "iss": "127.0.0.1", "exp": 4_000_000_000, "o": "1"})
    if kind == "ci-job-token":
        return f"glcbt-64_{tokens.friendly(rng)}"
    if kind == "static-object-token":
        return tokens.friendly(rng)
    prefix, length = {
        "pipeline-trigger-token": ("glptt-", 40),
        "oauth-application-secret": ("gloas-", 64),
        "oauth-access-token": ("", 64),
        "session-cookie": ("", 32),
    }.get(kind, ("", 0))
    if length:
        return tokens.hexadecimal(rng, prefix, length)
    prefixes = {
        PAT: "glpat-",
        "deploy-token": "gldt-",
        "runner-authentication-token": "glrt-",
        "runner-registration-token": "GR1348941",
        "feed-token": "glft-",
        "feature-flags-token": "glffct-",
        "scim-token": "glsoat-",
        "runner-controller-token": "glrct-",
        "workspace-token": "glwt-",
        "incoming-mail-token": "glimt-",
        "iam-refresh-token": "gliamrt-",
        "iam-authorization-code": "gliamac-",
        "agent-token": "glagent-",
    }
    return prefixes[kind] + tokens.friendly(rng, 50 if kind == "agent-token" else 20)


def _with(**more: Any) -> Setup:
    return lambda gitlab, value: gitlab.add(gitlab_kind(value), value, **more)


def _denied(sentence: str) -> Setup:
    return lambda gitlab, value: gitlab.add(gitlab_kind(value), value, gitlab.user("gone", denied=sentence))


def _revoked_of_blocked(gitlab: GitLab, value: str) -> None:
    gitlab.add(gitlab_kind(value), value, gitlab.user("gone", denied="Your account has been blocked."), revoked=True)


def _disabled_impersonation(gitlab: GitLab, value: str) -> None:
    gitlab.impersonation = False
    gitlab.add(PAT, value, impersonation=True)


def _router_off(gitlab: GitLab, value: str) -> None:
    gitlab.job_router = False
    gitlab.add("runner-authentication-token", value)


def _packages_off(gitlab: GitLab, value: str) -> None:
    gitlab.packages = False
    gitlab.add("deploy-token", value)


def _unlike_conan(gitlab: GitLab, value: str) -> None:
    gitlab.deploy_by_token_alone = False
    gitlab.add("deploy-token", value)


def gitlab_kind(value: str) -> str:
    starts = {
        "glpat-": PAT,
        "glcbt-": "ci-job-token",
        "glptt-": "pipeline-trigger-token",
        "gloas-": "oauth-application-secret",
        "gldt-": "deploy-token",
        "glrt-": "runner-authentication-token",
        "glft-": "feed-token",
        "glffct-": "feature-flags-token",
        "glagent-": "agent-token",
        "glimt-": "incoming-mail-token",
    }
    return next(
        (kind for start, kind in starts.items() if value.startswith(start)), "session-cookie" if len(value) == 32 else "oauth-access-token"
    )


YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
TRUTHS: dict[str, Setup] = {
    "live": _with(project=11, application="a" * 64),
    "live, other project": _with(project=12, application="b" * 64),
    "no scope for /user": _with(scopes=("read_registry",)),
    "fine-grained": _with(scopes=()),
    "never expires": _with(expires=None),
    "revoked": _with(revoked=True, project=11),
    "expired": _with(expires=YESTERDAY, project=11),
    "expired and revoked": _with(expires=YESTERDAY, revoked=True),
    "user blocked": _denied("Your account has been blocked."),
    "user pending": _denied("Your account is pending approval from your administrator and hence blocked."),
    "user deactivated": _denied("Your account has been deactivated by your administrator."),
    "terms not accepted": _denied("You (@gone) must accept the Terms of Service in order to perform this action."),
    "password expired": _denied("Your password expired. Please access GitLab from a web browser to update your password."),
    "mail not confirmed": _denied("Your primary email address is not confirmed."),
    "internal user": _denied("This action cannot be performed by internal users"),
    "revoked, user blocked": _revoked_of_blocked,
    "impersonation off": _disabled_impersonation,
    "wants DPoP": _with(dpop=True),
    "job over": _with(running=False),
    "router off": _router_off,
    "packages off": _packages_off,
    "not by token alone": _unlike_conan,
    "unknown": lambda gitlab, value: None,
}


def _access_tokens() -> Iterator[Cell]:
    for truth in ("live", "never expires"):
        yield Cell(PAT, truth, ALL, "active", f"{SELF_INFO}; before: {USERS}")
    yield Cell(PAT, "no scope for /user", ALL, "active", f"{SELF_INFO}; before: insufficient_scope, {GUARD}")
    yield Cell(PAT, "fine-grained", SELF, "active", SELF_INFO)
    for truth in ("revoked", "expired", "expired and revoked", "revoked, user blocked"):
        yield Cell(PAT, truth, ALL, "inactive", VALIDATION)
        yield Cell(PAT, truth, ADMIN, "inactive", ADMIN_API, "admin")
    for truth in (
        *("user blocked", "user pending", "user deactivated", "terms not accepted", "password expired", "mail not confirmed"),
        "internal user",
    ):
        yield Cell(PAT, truth, ALL, "active-blocked", DENIED)
    yield Cell(PAT, "impersonation off", ALL, "active-blocked", GUARD)
    yield Cell(PAT, "wants DPoP", ALL, "active-blocked", GUARD)
    yield Cell(PAT, "unknown", ALL, "not-found", GUARD)
    yield Cell(PAT, "live", ALL, "active", f"{ADMIN_API}; before: as without", "admin")
    yield Cell(PAT, "unknown", ALL, "not-found", f"{ADMIN_API}; before: as without", "admin")
    for truth in ("user blocked", "user deactivated"):
        yield Cell(PAT, truth, ADMIN, "active-blocked", f"{ADMIN_API}; doc/api/users.md: state", "admin")


def _jobs() -> Iterator[Cell]:
    for kind in ("ci-job-token", "ci-job-token-jwt"):
        yield Cell(kind, "live", ALL, "active", JOBS)
        yield Cell(kind, "job over", ALL, "not-found", JOBS)
        yield Cell(kind, "unknown", ALL, "not-found", JOBS)
        yield Cell(kind, "live", ADMIN_9, "active", ADMIN_API, "admin")
        yield Cell(kind, "job over", ADMIN_9, "inactive", ADMIN_API, "admin")
        yield Cell(kind, "unknown", ADMIN_9, "not-found", ADMIN_API, "admin")


def _runners() -> Iterator[Cell]:
    kind = "runner-authentication-token"
    before, since = tuple(v for v in ALL if v < (18, 7)), tuple(v for v in ALL if v >= (18, 7))
    for truth in ("live", "router off"):
        yield Cell(kind, truth, since, "active", ROUTER)
        yield Cell(kind, truth, before, "unverifiable", NONE)
        yield Cell(kind, truth, before, "active", "POST /runners/verify: 200; writes a heartbeat", "writes")
        yield Cell(kind, truth, ADMIN, "active", ADMIN_API, "admin")
    yield Cell(kind, "unknown", since, "not-found", ROUTER)
    yield Cell(kind, "unknown", before, "unverifiable", NONE)
    yield Cell(kind, "unknown", before, "not-found", "POST /runners/verify: 403", "writes")
    yield Cell(kind, "unknown", ADMIN, "not-found", ADMIN_API, "admin")


def _deploy_tokens() -> Iterator[Cell]:
    kind = "deploy-token"
    yield Cell(kind, "live", ALL, "active", CONAN)
    for truth in ("revoked", "expired", "unknown", "not by token alone", "packages off"):
        yield Cell(kind, truth, ALL, "unverifiable", NONE)
    for truth in ("live", "not by token alone", "packages off"):
        yield Cell(kind, truth, ADMIN, "active", ADMIN_API, "admin")
    for truth in ("revoked", "expired"):
        yield Cell(kind, truth, ADMIN, "inactive", ADMIN_API, "admin")
    yield Cell(kind, "unknown", ADMIN, "not-found", ADMIN_API, "admin")


def _oauth_tokens() -> Iterator[Cell]:
    for truth in ("live", "user blocked", "expired", "revoked", "unknown"):
        yield Cell("oauth-access-token", truth, ALL, "unverifiable", NONE)
    for truth in ("live", "user blocked"):
        yield Cell("oauth-access-token", truth, ALL, "active", DOORKEEPER, "writes")
    for truth in ("expired", "revoked", "unknown"):
        yield Cell("oauth-access-token", truth, ALL, "not-found", DOORKEEPER, "writes")


def _others() -> Iterator[Cell]:
    yield Cell("feature-flags-token", "live", ALL, "active", UNLEASH)
    for truth in ("live, other project", "unknown"):
        yield Cell("feature-flags-token", truth, ALL, "unverifiable", NONE)
    for kind, source in (("pipeline-trigger-token", TRIGGERS), ("oauth-application-secret", OAUTH)):
        yield Cell(kind, "live", ALL, "unverifiable", NONE)
        yield Cell(kind, "live", ALL, "active", source, "writes")
        for truth in ("live, other project", "unknown"):
            yield Cell(kind, truth, ALL, "unverifiable", NONE)
            yield Cell(kind, truth, ALL, "unverifiable", NONE, "writes")
    yield Cell("session-cookie", "live", ALL, "active", COOKIE)
    yield Cell("session-cookie", "unknown", ALL, "not-found", COOKIE)
    for kind in ("feed-token", "agent-token", "incoming-mail-token", "feature-flags-token", "session-cookie"):
        yield Cell(kind, "live", ADMIN_9, "active", ADMIN_API, "admin")
        yield Cell(kind, "unknown", ADMIN_9, "not-found", ADMIN_API, "admin")
    for kind in ("pipeline-trigger-token", "oauth-application-secret"):
        yield Cell(kind, "live", ADMIN, "active", ADMIN_API, "admin")
        yield Cell(kind, "unknown", ADMIN, "not-found", ADMIN_API, "admin")
    yield Cell("agent-token", "revoked", ADMIN, "inactive", ADMIN_API, "admin")
    unaskable = ("feed-token", "agent-token", "incoming-mail-token", "runner-registration-token", "scim-token")
    for kind in (
        *unaskable,
        "runner-controller-token",
        "workspace-token",
        "static-object-token",
        "iam-refresh-token",
        "iam-authorization-code",
    ):
        for mode in ("", "writes"):
            yield Cell(kind, "unknown", ALL, "unverifiable", NONE, mode)
    for kind in ("feed-token", "agent-token", "incoming-mail-token"):
        yield Cell(kind, "live", ALL, "unverifiable", NONE)
    for kind in ("runner-registration-token", "scim-token", "workspace-token"):
        yield Cell(kind, "unknown", ALL, "unverifiable", NONE, "admin")


CELLS = (*_access_tokens(), *_jobs(), *_runners(), *_deploy_tokens(), *_oauth_tokens(), *_others())
