"""Every kind, way and answer: nothing that lives is called dead, nothing is done twice, and no other token is touched."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from patscan.audit import AuditLog
from patscan.gitlab.acting import Actor, Deed
from patscan.gitlab.client import Client
from patscan.gitlab.revoke import Outcome, plan, revoke
from patscan.gitlab.verify import Options
from patscan.model import Finding
from patscan.secret import Secret
from tests import tokens
from tests.gitlab.asking import RULES, finding, instances, settings
from tests.gitlab.cells import make
from tests.gitlab.faults import Fault
from tests.gitlab.loopback import GitLab, Token

PAT, RUNNER = "personal-access-token", "runner-authentication-token"
PREFIX = {
    PAT: "glpat-",
    "deploy-token": "gldt-",
    "pipeline-trigger-token": "glptt-",
    "agent-token": "glagent-",
    "runner-controller-token": "glrct-",
    RUNNER: "glrt-",
    "feed-token": "glft-",
    "oauth-application-secret": "gloas-",
    "incoming-mail-token": "glimt-",
    "feature-flags-token": "glffct-",
    "session-cookie": "",
}
ROW = {
    "personal": (PAT, "personal_access_tokens", ""),
    "project": (PAT, "projects/42/access_tokens", "projects/42/access_tokens"),
    "group": (PAT, "groups/42/access_tokens", "groups/42/access_tokens"),
    "deploy": ("deploy-token", "projects/42/deploy_tokens", "projects/42/deploy_tokens"),
    "group deploy": ("deploy-token", "groups/42/deploy_tokens", "groups/42/deploy_tokens"),
    "trigger": ("pipeline-trigger-token", "projects/42/triggers", "projects/42/triggers"),
    "agent": ("agent-token", "projects/42/cluster_agents/5/tokens", "projects/42/cluster_agents/5/tokens"),
    "controller": ("runner-controller-token", "runner_controllers/5/tokens", "runner_controllers/5/tokens"),
}
"""What ``--at`` may name: the kind, the path, and where the loopback keeps it."""
ADMINISTERED = [kind for kind in PREFIX if kind != "runner-controller-token"]


class World(NamedTuple):
    gitlab: GitLab
    token: Token
    actor: Actor
    log: AuditLog
    file: Path

    def asked(self) -> Finding:
        instance = self.actor.approved.instances[0]
        one = finding(self.token.kind, self.token.value)
        return one._replace(verdict=self.actor.verdict(one, instance))

    def run(self, *faults: Fault) -> Outcome:
        deed = plan(self.asked(), self.actor, unsent=False)
        self.gitlab.faults += faults
        return revoke(deed, self.actor, self.log) if isinstance(deed, Deed) else deed


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    opened = AuditLog(tmp_path / "audit.jsonl")
    yield opened
    opened.close()


WAYS = [f"self {kind}" for kind in (PAT, RUNNER)] + [f"row {name}" for name in ROW] + [f"admin {kind}" for kind in ADMINISTERED]


def world(gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path, way: str, **more: Any) -> World:
    """A leaked token that `way` ends, among others of every kind."""
    how, _, name = way.partition(" ")
    kind, at, row = ROW.get(name, (name, "", "")) if how == "row" else (name, "", "")
    owner, root = gitlab.user("anna"), tokens.classic(rng)
    admin = gitlab.user("root", admin=True)
    gitlab.add(PAT, root, admin)
    for other in PREFIX:
        gitlab.add(other, made(other, rng), owner, row=row if other == kind else "")
    token = gitlab.add(kind, made(kind, rng), owner, row=row, **more)
    other_secret = None
    if how == "row":
        helper = tokens.classic(rng)
        gitlab.add(PAT, helper, admin if name == "controller" else owner)
        other_secret = Secret(helper.encode())
    options = Options(administrator=Secret(root.encode()) if how == "admin" else None)
    approved = instances(gitlab.url)
    client = Client(settings(timeout=0.4, patience=0.5))
    actor = Actor(approved, client, options, other_secret, f"{at}/{token.id}" if at else "", "tester")
    return World(gitlab, token, actor, log, tmp_path / "audit.jsonl")


def made(kind: str, rng: random.Random) -> str:
    return tokens.hexadecimal(rng, "", 32) if kind == "session-cookie" else tokens.classic(rng, PREFIX[kind])


PROVED = {"self", "admin"}
TOLD = {"personal", "project", "group", "deploy", "group deploy", "trigger"}
"""Rows of which GitLab shows whose they are."""


@pytest.mark.parametrize("way", WAYS)
def test_what_is_ended_is_said_to_be_inactive(way: str, gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path) -> None:
    one = world(gitlab, log, rng, tmp_path, way)
    value = one.token.value
    outcome = one.run()
    assert [number for _, number in gitlab.acts] == [one.token.id]
    how, _, name = way.partition(" ")
    assert outcome.state == ("inactive" if how in PROVED or name in TOLD else "unknown"), outcome
    text = one.file.read_text()
    assert [line.split('"event": "')[1].split('"')[0] for line in text.splitlines()] == ["asked", "answered", "asked again"]
    assert value not in text + repr(outcome)
    assert one.token.value not in text + repr(outcome)


ANSWERS: dict[str, dict[str, Any]] = {
    "200": {"what": "status", "more": {"code": 200, "body": b"{}"}},
    "204": {"what": "status", "more": {"code": 204, "body": b""}},
    **{str(code): {"what": "status", "more": {"code": code, "body": b'{"message":"no"}'}} for code in (400, 401, 403, 404, 405, 410, 422)},
    "429": {"what": "too_many", "more": {"headers": {"Retry-After": "900"}}},
    **{str(code): {"what": "status", "more": {"code": code}} for code in (500, 502, 503, 504)},
    "302": {"what": "redirect", "more": {"to": "https://elsewhere.example.com/"}},
    "login": {"what": "login"},
    "time-out": {"what": "silent", "more": {"acted": False, "seconds": 1.0}},
    "reset": {"what": "reset"},
    "acted, time-out": {"what": "silent", "more": {"acted": True, "seconds": 1.0}},
    "acted, reset": {"what": "after", "more": {"what": "reset"}},
    "acted, 502": {"what": "after", "more": {"what": "status"}},
    "acted, 404": {"what": "after", "more": {"what": "status", "code": 404, "body": b'{"message":"404 Not Found"}'}},
}
LIVE = [answer for answer in ANSWERS if not answer.startswith("acted")]
WRITES = {"self " + PAT: ("DELETE", "/personal_access_tokens/self"), "self " + RUNNER: ("POST", "/reset_authentication_token")}


def method(way: str) -> str:
    return WRITES.get(way, ("DELETE", ""))[0]


def faulty(way: str, answer: str) -> Fault:
    """The fault, once for the request that changes something."""
    return Fault(times=1, method=method(way), path=WRITES.get(way, ("", ""))[1], **ANSWERS[answer])


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("way", WAYS)
def test_no_answer_is_believed(way: str, answer: str, gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path) -> None:
    one = world(gitlab, log, rng, tmp_path, way)
    value = one.token.value
    outcome = one.run(faulty(way, answer))
    acted = answer.startswith("acted")
    assert [number for _, number in gitlab.acts] == ([one.token.id] if acted else [])
    how, _, name = way.partition(" ")
    tellable = how in PROVED or name in {"personal", "project", "group"} or (acted and name in TOLD)
    if answer == "429":
        # Nothing more is asked of an instance that wants no questions.
        assert outcome.state == "unknown"
    elif tellable:
        assert outcome.state == ("inactive" if acted else "active"), outcome
    else:
        assert outcome.state in ({"unknown"} if acted else {"unknown", "active"}), outcome
    sent = [request for request in gitlab.requests if request.method == method(way) and request.path != "/api/v4/admin/token"]
    sent += [request for request in gitlab.requests if request.method == "DELETE" and request.path == "/api/v4/admin/token"]
    assert len(sent) == 1
    assert value not in one.file.read_text()
    assert '"event": "answered"' in one.file.read_text()


def test_a_rate_limit_that_ends_soon_is_waited_for(gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path) -> None:
    """GitLab refuses with 429 before it does anything, so what is sent again isn't done again."""
    one = world(gitlab, log, rng, tmp_path, f"self {PAT}")
    settled = one._replace(actor=one.actor._replace(client=Client(settings(timeout=2.0, patience=5.0))))
    outcome = settled.run(Fault("too_many", 2, "/self", {"headers": {"Retry-After": "1"}}, method="DELETE"))
    assert (outcome.state, gitlab.acts) == ("inactive", [("revoke", one.token.id)])


@pytest.mark.parametrize("name", ["personal", "project", "deploy", "trigger"])
def test_another_tokens_row_is_left_alone(name: str, gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path) -> None:
    one = world(gitlab, log, rng, tmp_path, f"row {name}")
    kind, at, row = ROW[name]
    other = gitlab.add(kind, made(kind, rng), one.token.user, row=row)
    outcome = one._replace(actor=one.actor._replace(at=f"{at}/{other.id}")).run()
    assert outcome.state != "inactive"
    assert "is another token's" in outcome.reason
    assert not gitlab.acts
    assert not one.file.read_text()


def test_a_trigger_that_is_shown_in_part_only_is_never_said_to_be_dead(
    gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path
) -> None:
    one = world(gitlab, log, rng, tmp_path, "row trigger")
    root = next(token for token in gitlab.tokens.values() if token.user.admin)
    actor = one.actor._replace(other=Secret(root.value.encode()))
    outcome = one._replace(actor=actor).run()
    assert (outcome.state, gitlab.acts) == ("unknown", [("revoke", one.token.id)])


@pytest.mark.parametrize("login", ["", "deployer"])
def test_a_deploy_token_is_known_by_gitlabs_own_name_only(
    login: str, gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path
) -> None:
    gitlab.deploy_by_token_alone = False
    one = world(gitlab, log, rng, tmp_path, "row deploy", login=login)
    assert one.run().state == ("unknown" if login else "inactive")


@pytest.mark.parametrize("state", ["revoked", "expired", "unknown", "blocked", "down"])
def test_what_is_dead_blocked_or_not_to_be_asked_is_sent_nothing(
    state: str, gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path
) -> None:
    one = world(gitlab, log, rng, tmp_path, f"self {PAT}")
    if state == "revoked":
        one.token.revoked = True
    elif state == "expired":
        one.token.expires = one.token.created.date()
    elif state == "unknown":
        del gitlab.tokens[one.token.value]
    elif state == "blocked":
        one.token.user.denied = "Your account has been blocked."
    else:
        gitlab.faults.append(Fault("status"))
    outcome = one.run()
    assert outcome.state == {"revoked": "inactive", "expired": "inactive", "blocked": "active"}.get(state, "unknown")
    assert {request.method for request in gitlab.requests} == {"GET"}


@pytest.mark.parametrize("kind", [kind for kind in PREFIX if kind not in {PAT, RUNNER}])
def test_where_there_is_no_way_the_page_and_the_role_are_named(
    kind: str, gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path
) -> None:
    one = world(gitlab, log, rng, tmp_path, f"self {kind}")
    outcome = one.run()
    assert outcome.state in {"active", "unknown"}
    assert "It can be revoked by " in outcome.reason
    assert "Page: " in outcome.reason
    assert not gitlab.acts


def test_old_gitlabs_want_the_scope_api_and_say_so(gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path) -> None:
    for version, scopes, state in (((15, 3), ("read_api",), "active"), ((15, 4), ("read_api",), "inactive"), ((14, 0), ("api",), "active")):
        gitlab.version = version
        one = world(gitlab, log, rng, tmp_path, f"self {PAT}", scopes=scopes)
        assert one.run().state == state


def test_a_log_that_breaks_stops_what_follows(gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path) -> None:
    one = world(gitlab, log, rng, tmp_path, f"self {PAT}")
    deed = plan(one.asked(), one.actor, unsent=False)
    assert isinstance(deed, Deed)
    log.close()
    from patscan.errors import AuditError

    with pytest.raises(AuditError, match="Nothing was sent"):
        revoke(deed, one.actor, log)
    assert not gitlab.acts


def test_a_blocked_users_token_is_ended_by_another(gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path) -> None:
    one = world(gitlab, log, rng, tmp_path, "row personal")
    helper = next(token for token in gitlab.tokens.values() if token.user.admin)
    one.token.user.denied = "Your account has been blocked."
    outcome = one._replace(actor=one.actor._replace(other=Secret(helper.value.encode()))).run()
    assert (outcome.state, gitlab.acts) == ("inactive", [("revoke", one.token.id)]), outcome


@pytest.mark.parametrize("mode", ["", "admin"])
@pytest.mark.parametrize("kind", sorted(set(RULES) - set(PREFIX)))
def test_what_has_no_way_is_sent_to_no_writing_end_point(
    kind: str, mode: str, gitlab: GitLab, log: AuditLog, rng: random.Random, tmp_path: Path
) -> None:
    one = world(gitlab, log, rng, tmp_path, f"admin {PAT}" if mode else f"self {PAT}")
    value = make(kind, rng) if kind != "iam-access-token" else tokens.classic(rng, RULES[kind].prefix)
    leaked = one._replace(token=gitlab.add(kind, value, project=11))
    outcome = leaked.run()
    assert outcome.state in {"active", "unknown"}
    assert "It can be revoked by " in outcome.reason or "not-found" in outcome.reason
    assert not gitlab.acts
    assert {(one.method, one.path) for one in gitlab.requests if one.method != "GET"} <= {("POST", "/api/v4/admin/token")}
