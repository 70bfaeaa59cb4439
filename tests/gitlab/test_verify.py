"""Findings in, findings with verdicts out: once a token, with what it reaches and how its life is led."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patscan.gitlab.client import Client
from patscan.gitlab.verify import Options, verify
from patscan.model import Commit, Evidence, Exposure, Finding, Verdict
from patscan.secret import Secret
from tests import tokens
from tests.gitlab.asking import ask, finding, instances, settings
from tests.gitlab.faults import Fault
from tests.gitlab.loopback import GitLab

PAT = "personal-access-token"
NOW = datetime.now(UTC)


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def group(number: int, level: int = 30) -> dict[str, Any]:
    page = f"https://gitlab.example.com/groups/acme/g{number}"
    return {
        "id": number,
        "name": f"g{number}",
        "web_url": page,
        "parent_id": None,
        "organization_id": 1,
        "access_levels": level,
        "visibility": "private",
    }


def project(number: int, level: int | None = 40, inherited: int | None = None) -> dict[str, Any]:
    levels = {"project_access_level": level, "group_access_level": inherited}
    names = {
        "name": f"p{number}",
        "name_with_namespace": f"Acme / p{number}",
        "path": f"p{number}",
        "path_with_namespace": f"acme/p{number}",
    }
    more = {"description": None, "created_at": "2024-07-02T13:37:00.123Z", "visibility": "private", "namespace": {"id": 1, "kind": "group"}}
    return {"id": number, "access_levels": levels, "web_url": f"https://gitlab.example.com/acme/p{number}"} | names | more


@pytest.fixture
def value(rng: random.Random) -> str:
    return tokens.classic(rng)


def one(gitlab: GitLab, leak: Finding, **options: Any) -> Verdict:
    return ask([leak], gitlab.url, **options).findings[0].verdict


class TestOnce:
    def test_a_token_is_asked_about_once_wherever_it_stands(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value)
            outcome = ask([finding(PAT, value, path=f"{number}.env") for number in range(5)], gitlab.url)
            assert [asked.verdict.state for asked in outcome.findings] == ["active"] * 5
            assert len(gitlab.requests) == 3

    def test_findings_keep_their_order(self, rng: random.Random) -> None:
        findings = [finding(PAT, tokens.classic(rng)) for _ in range(40)]
        with GitLab() as gitlab:
            done: list[tuple[int, int]] = []
            client = Client(settings())
            outcome = verify(findings, instances(gitlab.url), client, Options(), lambda *both: done.append(both))
        assert [one.fingerprint for one in outcome.findings] == [one.fingerprint for one in findings]
        assert done == [(number, 40) for number in range(1, 41)]

    def test_ctrl_c_keeps_what_was_answered(self, rng: random.Random) -> None:
        def progress(done: int, of: int) -> None:
            if done == 5:
                raise KeyboardInterrupt

        findings = [finding(PAT, tokens.classic(rng)) for _ in range(200)]
        with GitLab(latency=0.05) as gitlab:
            began = time.monotonic()
            outcome = verify(findings, instances(gitlab.url), Client(settings()), Options(), progress)
            assert time.monotonic() - began < 2
        states = [one.verdict.state for one in outcome.findings]
        assert outcome.interrupted
        assert states.count("not-found") == 5
        assert states.count("unchecked") == 195
        # Those under way may have been marked as used.
        under_way = [one for one in outcome.findings if one.verdict.state == "unchecked" and one.verdict.asked_at]
        assert 5 <= len(under_way) <= 32


class TestNotSent:
    @pytest.mark.parametrize(
        ("evidence", "state"),
        [
            (Evidence("checksum", {"ok": False}), "unverifiable"),
            (Evidence("truncated", {"text": "the tail with the checksum is missing"}), "unverifiable"),
            (Evidence("jwt", {"expires": "2025-01-01T00:00:00+00:00"}), "inactive"),
        ],
    )
    def test_what_is_known_without_asking(self, value: str, evidence: Evidence, state: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value)
            verdict = one(gitlab, finding(PAT, value)._replace(evidence=(evidence,)))
            assert verdict.state == state
            assert not gitlab.requests

    def test_a_mask_is_no_token(self, value: str) -> None:
        with GitLab() as gitlab:
            masked = [finding(PAT, value)._replace(secret=Secret.masked("glpat-…(26)"), fingerprint=name) for name in ("a", "b")]
            assert [asked.verdict.state for asked in ask(masked, gitlab.url).findings] == ["unchecked"] * 2
            assert not gitlab.requests

    @pytest.mark.parametrize(
        "evidence",
        [
            Evidence("edge", {"text": "cut at the exact length; more follows"}),
            Evidence("prefix", {"text": "an instance prefix may stand before it"}),
        ],
    )
    def test_a_token_that_may_be_cut_wrongly_is_not_called_unknown(self, value: str, evidence: Evidence) -> None:
        with GitLab() as gitlab:
            leak = finding(PAT, value)._replace(evidence=(evidence,))
            assert one(gitlab, leak).state == "unverifiable"
            gitlab.add(PAT, value)
            assert one(gitlab, leak).state == "active"


class TestReach:
    def test_owner_groups_and_projects(self, value: str) -> None:
        with GitLab() as gitlab:
            token = gitlab.add(PAT, value, scopes=("api", "read_user"))
            gitlab.memberships[token.user.id] = ([group(1, 50), group(2, 0)], [project(3), project(4, None, 20)])
            verdict = one(gitlab, finding(PAT, value))
        assert verdict.facts["owner"] == {
            "id": 1,
            "username": "anna",
            "name": "Anna",
            "state": "active",
            "email": "anna@example.com",
            "bot": False,
            "administrator": False,
        }
        assert verdict.facts["groups"] == ({"id": 1, "path": "acme/g1", "access": "owner"},)
        assert verdict.facts["projects"] == (
            {"id": 3, "path": "acme/p3", "access": "maintainer"},
            {"id": 4, "path": "acme/p4", "access": "reporter"},
        )
        assert verdict.severity == "critical"
        assert verdict.severity_reasons[0].startswith("api: ")
        assert "unknown" not in verdict.facts

    def test_pages_are_followed_and_bounded(self, value: str) -> None:
        with GitLab() as gitlab:
            token = gitlab.add(PAT, value)
            gitlab.memberships[token.user.id] = ([group(1)], [project(number) for number in range(250)])
            verdict = one(gitlab, finding(PAT, value))
            assert len(verdict.facts["projects"]) == 250  # type: ignore[arg-type]
            gitlab.memberships[token.user.id] = ([group(number) for number in range(5000)], [])
            gitlab.requests.clear()
            verdict = one(gitlab, finding(PAT, value))
            assert len(verdict.facts["groups"]) == 500  # type: ignore[arg-type]
            assert "beyond the first 500" in str(verdict.facts["unknown"])
            assert len(gitlab.requests) < 10

    def test_what_cannot_be_asked_leaves_the_verdict(self, value: str) -> None:
        with GitLab((16, 0)) as gitlab:
            gitlab.add(PAT, value, scopes=("read_registry",))
            verdict = one(gitlab, finding(PAT, value))
            assert verdict.state == "active"
            assert "its scopes don't show that" in str(verdict.facts["unknown"])
            assert "groups" not in verdict.facts

    @pytest.mark.parametrize(
        ("scopes", "more", "severity"),
        [
            (("read_user",), {}, "low"),
            (("read_registry",), {}, "medium"),
            (("read_repository",), {}, "high"),
            (("read_api",), {"bot": True}, "high"),
            (("api",), {"admin": True}, "critical"),
            (("sudo", "read_user"), {}, "critical"),
            (("something_new",), {}, "high"),
        ],
    )
    def test_severity_goes_by_what_a_thief_gets(self, scopes: tuple[str, ...], more: dict[str, Any], severity: str, value: str) -> None:
        with GitLab() as gitlab:
            token = gitlab.add(PAT, value, gitlab.user("bob", **more), scopes=scopes)
            gitlab.memberships[token.user.id] = ([group(1)], [])
            verdict = one(gitlab, finding(PAT, value))
            assert verdict.severity == severity
            gitlab.memberships.clear()
            bare = one(gitlab, finding(PAT, value))
            lower = {"low": "low", "medium": "low", "high": "medium", "critical": "critical" if "api" in scopes else "high"}
            assert bare.severity == lower[severity]

    def test_a_dead_one_matters_little(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, revoked=True)
            assert one(gitlab, finding(PAT, value)).severity == "low"

    def test_what_a_server_says_is_bounded_and_one_line(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, name="a\x1b[31m\r\nb" + "x" * 1000, scopes=("s" * 500,) * 200)
            verdict = one(gitlab, finding(PAT, value))
            name = str(verdict.facts["name"])
            assert len(name) == 200
            assert name.isprintable()
            assert len(str(verdict.facts["scopes"])) < 5000


class TestLifecycle:
    def checks(self, verdict: Verdict) -> set[str]:
        assert all(check.reference.startswith("https://docs.gitlab.com/") and check.message for check in verdict.lifecycle)
        return {check.check for check in verdict.lifecycle} - {"last-use-unknown", "never-used"}

    @pytest.mark.parametrize(
        ("days", "check"),
        [(None, "no-expiry"), (91, "long-life"), (90, ""), (8, ""), (7, "expires-soon"), (1, "expires-soon"), (-1, "")],
    )
    def test_expiry(self, days: int | None, check: str, value: str) -> None:
        with GitLab() as gitlab:
            expires = None if days is None else datetime.now(UTC).date() + timedelta(days=days)
            gitlab.add(PAT, value, scopes=("read_user",), expires=expires)
            assert self.checks(one(gitlab, finding(PAT, value))) == ({check} if check else set())

    def test_breadth_names_what_each_scope_allows(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, scopes=("write_repository", "read_api"))
            (check,) = (check for check in one(gitlab, finding(PAT, value)).lifecycle if check.check == "broad-scope")
            assert "write_repository pushes code" in check.message
            assert "read_api" not in check.message

    @pytest.mark.parametrize("path", [".gitlab-ci.yml", "ci/build.gitlab-ci.yml", ".github/workflows/a.yml", "sub/Jenkinsfile"])
    def test_a_persons_token_in_ci(self, path: str, value: str, rng: random.Random) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, scopes=("read_api",))
            assert self.checks(one(gitlab, finding(PAT, value, path=path))) == {"person-in-ci"}
            bot = tokens.classic(rng)
            gitlab.add(PAT, bot, gitlab.user("project_1_bot", bot=True), scopes=("read_api",))
            assert self.checks(one(gitlab, finding(PAT, bot, path=path))) == set()

    def test_a_persons_token_in_several_repositories(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, scopes=("read_api",))
            leak = finding(PAT, value)
            (place,) = leak.occurrences
            inner = place._replace(sighting=place.sighting._replace(submodule="lib"))
            assert self.checks(one(gitlab, leak._replace(occurrences=(place, inner)))) == {"person-in-several"}
            outcome = ask([leak, leak._replace(occurrences=(inner,))], gitlab.url)
            assert [self.checks(asked.verdict) for asked in outcome.findings] == [{"person-in-several"}] * 2


class TestLastUse:
    """Asking is a use, which GitLab writes before it answers: every ten minutes at most since 16.1."""

    LEAKED = (NOW - timedelta(days=3)).isoformat()

    def names(self, verdict: Verdict) -> set[str]:
        return {check.check for check in verdict.lifecycle} & {"used-since-leak", "last-use-unknown", "never-used", "unused"}

    def test_our_own_asking_is_no_use(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, last_used=ago(days=10))
            verdict = one(gitlab, finding(PAT, value, leaked=self.LEAKED))
            assert self.names(verdict) == {"last-use-unknown"}
            assert verdict.facts["last_used"] is None
            assert gitlab.tokens[value].last_used > ago(minutes=1)  # type: ignore[operator]

    @pytest.mark.parametrize("latency", [0.0, 1.2])
    def test_a_slow_answer_hides_nothing_of_ours(self, latency: float, value: str) -> None:
        with GitLab(latency=latency) as gitlab:
            gitlab.add(PAT, value, last_used=ago(days=10))
            assert self.names(one(gitlab, finding(PAT, value, leaked=self.LEAKED))) == {"last-use-unknown"}

    def test_nor_one_whose_first_attempt_broke_off(self, value: str) -> None:
        """The token was used by an attempt without an answer, a second and more before the one with it."""
        with GitLab() as gitlab:
            gitlab.add(PAT, value, last_used=ago(days=10))
            gitlab.faults = [Fault("slow", 1, more={"seconds": 1.5})]
            client = Client(settings(timeout=1.0))
            gitlab.use(gitlab.tokens[value])
            used = gitlab.tokens[value].last_used
            verdict = one(gitlab, finding(PAT, value, leaked=self.LEAKED), client=client)
            assert used == gitlab.tokens[value].last_used
            assert datetime.fromisoformat(str(verdict.asked_at)) <= used + timedelta(seconds=1)

    def test_a_use_just_before_is_somebody_elses(self, value: str) -> None:
        with GitLab() as gitlab:
            used = ago(minutes=5)
            gitlab.add(PAT, value, last_used=used)
            verdict = one(gitlab, finding(PAT, value, leaked=self.LEAKED))
            assert self.names(verdict) == {"used-since-leak"}
            assert verdict.lifecycle[0].severity == "critical"
            assert "unless an earlier check was that use" in verdict.lifecycle[0].message
            assert str(verdict.facts["last_used"])[:16] == used.isoformat()[:16]
            assert self.names(one(gitlab, finding(PAT, value, leaked=ago(minutes=0).isoformat()))) == set()

    def test_before_16_1_a_day_is_between_two_writes(self, value: str) -> None:
        with GitLab((15, 11)) as gitlab:
            gitlab.add(PAT, value, last_used=ago(hours=20))
            assert self.names(one(gitlab, finding(PAT, value, leaked=self.LEAKED))) == {"used-since-leak"}

    def test_a_use_since_an_asking_that_the_report_knows_cannot_be_told(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, last_used=ago(minutes=5))
            leak = finding(PAT, value, leaked=self.LEAKED)
            earlier = ago(minutes=6).isoformat(timespec="seconds")
            verdict = one(gitlab, leak._replace(verdict=Verdict("active", asked_at=earlier)))
            assert self.names(verdict) == {"last-use-unknown"}
            assert datetime.fromisoformat(str(verdict.asked_at)) == datetime.fromisoformat(earlier)
            later = ago(minutes=4).isoformat(timespec="seconds")
            verdict = one(gitlab, leak._replace(verdict=Verdict("active", asked_at=later)))
            assert self.names(verdict) == {"used-since-leak"}
            assert "Unless" not in verdict.lifecycle[0].message

    def administrator(self, gitlab: GitLab, rng: random.Random) -> Secret:
        root = tokens.classic(rng)
        gitlab.add(PAT, root, gitlab.user("root", admin=True))
        return Secret(root.encode())

    def test_an_administrator_leaves_no_trace(self, value: str, rng: random.Random) -> None:
        with GitLab() as gitlab:
            used = ago(days=2)
            token = gitlab.add(PAT, value, last_used=used)
            gitlab.memberships[token.user.id] = ([group(1, 50)], [project(2)])
            verdict = one(gitlab, finding(PAT, value, leaked=self.LEAKED), administrator=self.administrator(gitlab, rng))
            assert self.names(verdict) == {"used-since-leak"}
            assert (token.last_used, verdict.asked_at) == (used, None)
            assert verdict.facts["groups"] == ({"id": 1, "path": "g1", "access": "owner"},)
            assert verdict.facts["projects"] == ({"id": 2, "path": "p2", "access": "maintainer"},)
            assert not any(request.headers.get("PRIVATE-TOKEN") == value for request in gitlab.requests)

    @pytest.mark.parametrize(("used", "check"), [(None, "never-used"), (31, "unused"), (29, "")])
    def test_unused(self, used: int | None, check: str, value: str, rng: random.Random) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, last_used=used and ago(days=used))
            verdict = one(gitlab, finding(PAT, value), administrator=self.administrator(gitlab, rng))
            assert self.names(verdict) == ({check} if check else set())

    def test_a_revoked_one_that_was_used_since_is_told(self, value: str, rng: random.Random) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, last_used=ago(days=2), revoked=True)
            verdict = one(gitlab, finding(PAT, value, leaked=self.LEAKED), administrator=self.administrator(gitlab, rng))
            assert verdict.state == "inactive"
            assert [check.check for check in verdict.lifecycle] == ["used-since-leak"]

    def test_the_commit_date_is_when_it_leaked(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value, last_used=ago(minutes=5))
            first = Commit("c" * 40, "anna", ago(days=9).isoformat(), "anna", ago(minutes=1).isoformat())
            leak = finding(PAT, value)._replace(exposure=Exposure(first_seen=first))
            assert self.names(one(gitlab, leak)) == set()


class TestAdministrator:
    @pytest.mark.parametrize(("denied", "text"), [(False, "is no administrator"), (True, "refuses it (status 401)")])
    def test_one_that_isnt_is_told_and_everything_is_asked(self, denied: bool, text: str, rng: random.Random) -> None:
        with GitLab() as gitlab:
            token, value = tokens.classic(rng), tokens.classic(rng)
            gitlab.add(PAT, value)
            if not denied:
                gitlab.add(PAT, token, gitlab.user("bob"))
            outcome = ask([finding(PAT, value)], gitlab.url, administrator=Secret(token.encode()))
            (skip,) = outcome.skipped
            assert text in skip.reason
            assert outcome.findings[0].verdict.state == "active"
            assert not any(value.encode() in request.body for request in gitlab.requests)

    def test_an_older_gitlab_is_told_once(self, rng: random.Random) -> None:
        with GitLab((17, 4)) as gitlab:
            root = tokens.classic(rng)
            gitlab.add(PAT, root, gitlab.user("root", admin=True))
            outcome = ask([finding(PAT, tokens.classic(rng)) for _ in range(5)], gitlab.url, administrator=Secret(root.encode()))
            assert "17.8 and later" in outcome.skipped[0].reason
            assert [asked.verdict.state for asked in outcome.findings] == ["not-found"] * 5

    def test_its_token_goes_to_the_first_instance_alone(self, rng: random.Random) -> None:
        with GitLab() as gitlab, GitLab() as other:
            root = tokens.classic(rng)
            gitlab.add(PAT, root, gitlab.user("root", admin=True))
            outcome = ask([finding(PAT, tokens.classic(rng))], gitlab.url, other.url, administrator=Secret(root.encode()))
            assert other.requests
            assert not any(root in str(request) for request in other.requests)
            assert outcome.notes[0].where == gitlab.url
