"""Rotating, by every way and with every answer: never twice, never with a revoked token, never lost without a word."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from patscan.audit import AuditLog
from patscan.gitlab.acting import Actor, Deed
from patscan.gitlab.client import Client
from patscan.gitlab.rotate import Outcome, plan, rotate
from patscan.gitlab.verify import Options
from patscan.keeping import Place
from patscan.secret import Secret
from tests import tokens
from tests.gitlab.asking import finding, instances, settings
from tests.gitlab.faults import Fault
from tests.gitlab.loopback import GitLab, Token, User
from tests.gitlab.test_revoke import ANSWERS, PAT, RUNNER

END = datetime.now(UTC).date() + timedelta(days=90)
WAYS = {
    "itself": "/self/rotate",
    "another token": "/rotate",
    "project": "/rotate",
    "group": "/rotate",
    "runner": "/reset_authentication_token",
}


class World:
    """A leaked token that is to be rotated in one of `WAYS`, among others."""

    def __init__(self, gitlab: GitLab, rng: random.Random, folder: Path, way: str, scopes: tuple[str, ...] = ("api",)) -> None:
        self.gitlab = gitlab
        self.kind = RUNNER if way == "runner" else PAT
        owner = gitlab.user("anna")
        gitlab.add(PAT, tokens.classic(rng), owner)
        self.helper = gitlab.add(PAT, tokens.classic(rng), owner)
        user = User(900, f"{way}_42_bot_1a2b", bot=True) if way in {"project", "group"} else owner
        row = f"{way}s/42/access_tokens" if way in {"project", "group"} else ""
        if row:
            self.helper.user = user
        self.old = gitlab.add(self.kind, tokens.classic(rng, "glrt-" if way == "runner" else "glpat-"), user, row=row, scopes=scopes)
        self.value = self.old.value
        other = None if way in {"itself", "runner"} else Secret(self.helper.value.encode())
        client = Client(settings(timeout=0.4, patience=0.5))
        self.actor = Actor(instances(gitlab.url), client, Options(), other, "", "tester")
        self.file = folder / "audit.jsonl"
        self.log = AuditLog(self.file)
        self.places = [Place(folder / name, "--token-file") for name in ("new", "second")]

    def run(self, *faults: Fault, expires: date = END) -> Outcome:
        one = finding(self.kind, self.value)
        one = one._replace(verdict=self.actor.verdict(one, self.actor.approved.instances[0]))
        deed = plan(one, self.actor, expires)
        self.gitlab.faults += faults
        return rotate(deed, self.actor, self.log, self.places) if isinstance(deed, Deed) else deed

    @property
    def new(self) -> Token:
        """The successor."""
        if self.kind == RUNNER:
            return self.old
        return next(token for token in self.gitlab.tokens.values() if token.family == self.old.id)

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def sent(self, path: str) -> int:
        return sum(request.path.endswith(path) and request.method == "POST" for request in self.gitlab.requests)


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_the_new_token_is_kept(way: str, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, way)
    outcome = one.run()
    assert outcome.state == "rotated", outcome
    assert (tmp_path / "new").read_text() == f"{one.new.value}\n"
    assert one.new.value not in one.file.read_text() + repr(outcome)
    assert gitlab.acts == [("reset" if way == "runner" else "rotate", one.old.id)]
    if way != "runner":
        assert one.new.expires == END
    path = next(str(line["request"]) for line in one.lines)
    assert (f"{way}s/42/access_tokens/{one.old.id}/rotate" in path) == (way in {"project", "group"})


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("way", WAYS)
def test_after_no_answer_the_state_is_asked(way: str, answer: str, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, way)
    outcome = one.run(Fault(times=1, method="POST", path=WAYS[way], **ANSWERS[answer]))
    acted = answer.startswith("acted")
    expected = "unknown" if answer == "429" else "lost" if acted else "unchanged"
    assert outcome.state == expected, outcome
    assert one.sent(WAYS[way]) == 1
    assert len(gitlab.acts) == acted
    assert [line["event"] for line in one.lines] == ["asked", "answered"]
    assert ("nobody has it" in outcome.reason or "new one is unknown" in outcome.reason) == (expected != "unchanged")
    if way != "runner":
        assert str(one.old.id) in str(one.lines[0]["if_unanswered"])
    for place in one.places:
        place.discard()
    assert sorted(os.listdir(tmp_path)) == ["audit.jsonl"]


@pytest.mark.parametrize("body", [b"{}", b'{"token": ""}', b'{"token": 7}', b'{"token": "a b"}', b"[]", b"<html>"])
def test_an_answer_without_a_token_is_none(body: bytes, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, "itself")
    outcome = one.run(Fault("wrong_json", 1, "/rotate", more={"body": body}))
    assert (outcome.state, outcome.place) == ("unchanged", None)


def test_the_second_place_takes_what_the_first_refuses(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, "itself")
    os.close(one.places[0]._number)
    outcome = one.run()
    assert outcome.place
    assert (outcome.state, outcome.place.path) == ("rotated", tmp_path / "second")
    assert (tmp_path / "second").read_text() == f"{one.new.value}\n"


@pytest.mark.parametrize("refused", [False, True])
def test_a_token_that_no_file_takes_is_revoked_again(refused: bool, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, "itself")
    for place in one.places:
        os.close(place._number)
    faults = [Fault("status", 1, "/self", method="DELETE")] if refused else []
    outcome = one.run(*faults)
    assert (outcome.state, outcome.place, one.new.revoked) == ("lost" if refused else "ended", None, not refused)
    assert ("rotate", one.old.id) in gitlab.acts
    assert "family" not in [act for act, _ in gitlab.acts]
    assert [line["act"] for line in one.lines] == ["rotate", "rotate", "revoke again", "revoke again"]
    assert one.lines[2]["token_id"] == one.new.id
    assert f"id {one.new.id}" in outcome.reason or not refused


@pytest.mark.parametrize("way", ["itself", "another token"])
@pytest.mark.parametrize("state", ["revoked", "expired", "blocked", "unknown", "down"])
def test_only_a_token_that_works_is_sent(state: str, way: str, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, way)
    if state == "revoked":
        one.old.revoked = True
    elif state == "expired":
        one.old.expires = one.old.created.date()
    elif state == "blocked":
        one.old.user.denied = "Your account has been blocked."
    elif state == "unknown":
        del gitlab.tokens[one.value]
    else:
        gitlab.faults.append(Fault("status"))
    outcome = one.run()
    assert outcome.state == ("unknown" if state in {"unknown", "down"} else "unchanged")
    assert {request.method for request in gitlab.requests} == {"GET"}
    assert not one.file.read_text()


def test_a_revoked_helper_never_sees_a_rotate_path(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, "another token")
    one.helper.revoked = True
    assert one.run().state == "unchanged"
    assert not one.sent("/rotate")


def test_a_token_that_may_not_rotate_itself_needs_another(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, "itself", ("read_api",))
    outcome = one.run()
    assert (outcome.state, "self_rotate" in outcome.reason, one.sent("/rotate")) == ("unchanged", True, 0)
    for place in one.places:
        place.discard()
    assert World(gitlab, rng, tmp_path, "another token", ("read_api",)).run().state == "rotated"


def test_gitlabs_own_reason_is_told(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    one = World(gitlab, rng, tmp_path, "itself")
    outcome = one.run(expires=END + timedelta(days=4000))
    assert (outcome.state, "before 400 days" in outcome.reason) == ("unchanged", True)
    gitlab.version = (16, 9)
    assert "404" in one.run().reason
