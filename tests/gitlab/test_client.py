"""The door to the network: faults, certificates, proxies, limits, and that no token leaves by another way."""

from __future__ import annotations

import logging
import random
import socket
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from patscan.errors import ConfigError
from patscan.gitlab.client import Client, NoAnswer, OverBudget, Request, Sealed, Settings
from patscan.gitlab.hosts import Instance
from patscan.secret import Secret
from tests import tokens
from tests.gitlab import certificates
from tests.gitlab.asking import ask, finding, instances, settings
from tests.gitlab.faults import Fault
from tests.gitlab.loopback import GitLab, Limit
from tests.gitlab.proxy import Proxy

PAT = "personal-access-token"
SELF = "/api/v4/personal_access_tokens/self"


def at(gitlab: GitLab) -> Instance:
    (instance,) = instances(gitlab.url).instances
    return instance


def question(value: str) -> Request:
    return Request("GET", SELF, {"PRIVATE-TOKEN": Sealed(Secret(value.encode(), b"glpat-"))})


@pytest.fixture
def value(rng: random.Random) -> str:
    return tokens.classic(rng)


FAULTS: dict[str, tuple[Fault, str]] = {
    "slow": (Fault("slow", more={"seconds": 3.0}), "no answer within"),
    "drip": (Fault("drip"), "too slowly"),
    "reset": (Fault("reset"), "ended before the answer"),
    "half": (Fault("half"), "ended before the answer"),
    "huge": (Fault("huge"), "larger than 1 MiB"),
    "bad gateway": (Fault("status"), "failed (status 502)"),
    "maintenance": (Fault("status", more={"code": 503}), "failed (status 503)"),
    "redirect to itself": (Fault("redirect", more={"to": "/users/sign_in"}), "no redirect is followed"),
    "redirect elsewhere": (Fault("redirect", more={"to": "https://sso.example.com/login?next=1"}), "redirects to sso.example.com"),
    "login page": (Fault("login"), "a login page"),
    "half a JSON": (Fault("wrong_json"), "a login page"),
    "other JSON": (Fault("wrong_json", more={"body": b"[1, 2]"}), "a login page"),
    "deep JSON": (Fault("wrong_json", more={"body": b"[" * 100_000}), "a login page"),
    "ban": (Fault("status", more={"code": 403, "body": b"Forbidden\n"}), "status 403"),
    "firewall": (Fault("status", more={"code": 403, "body": b'{"message": "Your request has been blocked."}'}), "status 403"),
    "proxy's login": (Fault("status", more={"code": 401, "body": b"<html>401</html>"}), "status 401"),
    "teapot": (Fault("status", more={"code": 418}), "status 418"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_is_a_verdict_on_the_token(name: str, value: str) -> None:
    fault, text = FAULTS[name]
    with GitLab() as gitlab:
        gitlab.add(PAT, value)
        gitlab.faults = [fault]
        client = Client(settings(timeout=0.5))
        (asked,) = ask([finding(PAT, value)], gitlab.url, client=client).findings
        assert (asked.verdict.state, text in asked.verdict.reason) == ("error", True), asked.verdict
        assert value not in asked.verdict.reason


@pytest.mark.parametrize("name", ["reset", "half", "bad gateway", "maintenance"])
def test_what_passes_is_asked_again(name: str, value: str) -> None:
    with GitLab() as gitlab:
        gitlab.add(PAT, value)
        fault = FAULTS[name][0]
        gitlab.faults = [Fault(fault.what, 2, SELF, fault.more)]
        (asked,) = ask([finding(PAT, value)], gitlab.url).findings
        assert asked.verdict.state == "active"


def test_what_writes_is_never_asked_again(value: str) -> None:
    with GitLab() as gitlab:
        gitlab.faults = [Fault("reset")]
        request = Request("POST", "/api/v4/runners/verify", {}, {"token": Sealed(Secret(value.encode()))}, repeatable=False)
        with pytest.raises(NoAnswer):
            Client(settings()).ask(at(gitlab), request)
        assert len(gitlab.requests) == 1


def test_no_redirect_is_followed(value: str) -> None:
    with GitLab() as other, GitLab() as gitlab:
        for to in (f"{other.url}{SELF}", f"{gitlab.url}/api/v4/user"):
            gitlab.faults = [Fault("redirect", path="self", more={"to": to})]
            answer = Client(settings()).ask(at(gitlab), question(value))
            assert answer.status == 302
        assert not other.requests
        assert [request.path for request in gitlab.requests] == [SELF, SELF]


@pytest.mark.parametrize(("kind", "text"), [("expired", "expired"), ("self-signed", "certificate"), ("wrong-name", "not valid for")])
def test_an_untrusted_certificate_gets_no_token(kind: str, text: str, value: str, tmp_path: Path) -> None:
    with GitLab(tls=kind) as gitlab:
        with pytest.raises(NoAnswer, match=text) as caught:
            Client(settings(ca_bundle=certificates.bundle(tmp_path))).ask(at(gitlab), question(value))
        assert not caught.value.sent
        with pytest.raises(NoAnswer, match="--ca-bundle"):
            Client(settings()).ask(at(gitlab), question(value))
        assert not gitlab.requests


def test_a_trusted_one_does_and_a_relative_root_too(value: str, tmp_path: Path) -> None:
    with GitLab(tls="good", root="/tools/gitlab") as gitlab:
        gitlab.add(PAT, value)
        client = Client(settings(ca_bundle=certificates.bundle(tmp_path)))
        (asked,) = ask([finding(PAT, value)], gitlab.url, client=client).findings
        assert (asked.verdict.state, asked.verdict.instance) == ("active", gitlab.url)
        (wrong,) = ask([finding(PAT, value)], gitlab.url.removesuffix("/tools/gitlab"), client=client).findings
        assert wrong.verdict.state == "error"


def test_a_bundle_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "b.pem").write_text("hello")
    for name, text in (("b.pem", "no certificate"), ("absent.pem", "no such file")):
        with pytest.raises(ConfigError, match=text):
            Client(Settings(ca_bundle=tmp_path / name))


@pytest.mark.parametrize(("url", "text"), [("https://no-such-host.invalid", "no such host"), ("http://127.0.0.1:1", "refused")])
def test_nobody_there_is_a_sentence(url: str, text: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def offline(host: str, *more: Any) -> Any:  # a real name server may take its time to say no
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *more)

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    outcome = ask([finding(PAT, value)], url)
    assert outcome.findings[0].verdict.state == "error"
    assert text in outcome.findings[0].verdict.reason
    assert outcome.findings[0].verdict.asked_at is None


def test_an_instance_that_is_down_is_not_asked_for_ever(rng: random.Random) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        client = Client(settings(timeout=0.2))
        outcome = ask([finding(PAT, tokens.classic(rng)) for _ in range(200)], f"http://127.0.0.1:{silent.getsockname()[1]}", client=client)
        assert {one.verdict.state for one in outcome.findings} == {"error"}
        assert client.requests < 40
        assert time.monotonic() - began < 8


class TestProxies:
    def test_https_goes_through_a_tunnel(self, value: str, tmp_path: Path) -> None:
        with GitLab(tls="good") as gitlab, Proxy() as proxy:
            gitlab.add(PAT, value)
            login = proxy.url.replace("http://", "http://me:pass%20word@")
            client = Client(settings(ca_bundle=certificates.bundle(tmp_path), proxies={"https": login}))
            (asked,) = ask([finding(PAT, value)], gitlab.url, client=client).findings
            assert asked.verdict.state == "active"
            assert {line.split()[0] for line in proxy.lines} == {"CONNECT"}
            assert value not in "".join([*proxy.lines, *proxy.heads])

    def test_one_that_refuses_is_a_sentence(self, value: str, tmp_path: Path) -> None:
        with GitLab(tls="good") as gitlab, Proxy(refuse=407) as proxy:
            login = proxy.url.replace("http://", "http://me:hidden@")
            client = Client(settings(ca_bundle=certificates.bundle(tmp_path), proxies={"https": login}))
            (asked,) = ask([finding(PAT, value)], gitlab.url, client=client).findings
            assert asked.verdict.state == "error"
            assert "proxy" in asked.verdict.reason
            assert "hidden" not in asked.verdict.reason

    def test_the_environment_adds_nothing(self, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with GitLab() as gitlab, Proxy() as proxy:
            gitlab.add(PAT, value)
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
                monkeypatch.setenv(name.lower(), proxy.url)
            monkeypatch.setenv("HOME", str(tmp_path))
            (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password stolen\n")
            ask([finding(PAT, value)], gitlab.url)
            assert not proxy.lines
            for request in gitlab.requests:
                assert {name.lower() for name in request.headers} <= {"host", "user-agent", "accept", "accept-encoding", "private-token"}

    def test_exempt_hosts_are_asked_directly(self, value: str) -> None:
        with GitLab() as gitlab, Proxy() as proxy:
            for exempt, count in ((("127.0.0.1",), 0), ((".example.com", "*.corp"), 1)):
                Client(settings(proxies={"http": proxy.url}, no_proxy=exempt)).ask(at(gitlab), question(value))
                assert len(proxy.lines) == count


def test_no_cookie_is_kept(value: str) -> None:
    with GitLab() as gitlab:
        gitlab.faults = [Fault("status", 1, more={"code": 200, "headers": {"Set-Cookie": "_gitlab_session=1; Path=/"}})]
        client = Client(settings())
        client.ask(at(gitlab), question(value))
        client.ask(at(gitlab), question(value))
        assert "cookie" not in {name.lower() for name in gitlab.requests[1].headers}


@pytest.mark.parametrize("kind", ["reset", "huge", "login", "too_many", "none"])
def test_no_token_in_any_log_or_traceback(kind: str, value: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = Secret(value.encode(), b"glpat-")
    request = Request("GET", SELF, {"PRIVATE-TOKEN": Sealed(secret)}, {"token": Sealed(secret, "a", basic=True)})
    text = ""
    with GitLab() as gitlab:
        gitlab.faults = [] if kind == "none" else [Fault(kind)]
        try:
            text = repr(Client(settings(patience=0.1)).ask(at(gitlab), request))
        except NoAnswer as error:
            text = "".join(traceback.format_exception(error)) + repr(error) + str(error.__context__)
    for shown in (text, caplog.text, repr(request), str(request)):
        assert value not in shown
        assert value[6:] not in shown


def test_a_token_that_no_header_can_carry_is_not_sent() -> None:
    with GitLab() as gitlab:
        for value in ("glpat-a\r\nX-Evil: 1", "glpat-ä", "glpat-a b"):
            (asked,) = ask([finding(PAT, value)], gitlab.url).findings
            assert asked.verdict.state == "unverifiable"
        assert not gitlab.requests


class TestLimits:
    def many(self, rng: random.Random, count: int) -> list[Any]:
        return [finding(PAT, tokens.classic(rng)) for _ in range(count)]

    @pytest.mark.parametrize("known", [True, False])
    def test_a_thousand_tokens_at_a_limit(self, rng: random.Random, known: bool) -> None:
        """600 in a window, which lasts two seconds here instead of a minute."""
        with GitLab() as gitlab:
            gitlab.limit = Limit(600, 2, headers=known)
            findings = self.many(rng, 1000)
            began = time.monotonic()
            outcome = ask(findings, gitlab.url)
            assert {one.verdict.state for one in outcome.findings} == {"not-found"}
            answered = [request.headers["PRIVATE-TOKEN"] for request in gitlab.requests if request.status == 401]
            assert len(answered) == len(set(answered)) == 1000
            # Where GitLab says how many are left, none is refused; where it doesn't, those under way at that moment are.
            assert gitlab.statuses[429] == 0 if known else gitlab.statuses[429] <= 32
            assert time.monotonic() - began < 9

    def test_a_hundred_tokens_take_under_two_seconds(self, rng: random.Random) -> None:
        with GitLab(latency=0.05) as gitlab:
            gitlab.limit = Limit(10_000, 60)
            findings = self.many(rng, 100)
            for one in findings:
                gitlab.add(PAT, one.secret.reveal().decode())
            began = time.monotonic()
            outcome = ask(findings, gitlab.url)
            took = time.monotonic() - began
            assert {one.verdict.state for one in outcome.findings} == {"active"}
            assert len(gitlab.requests) == 300
            assert gitlab.busiest <= 16
            assert gitlab.statuses[429] == 0
            assert took < 2

    def test_a_storm_is_waited_out(self, value: str) -> None:
        with GitLab() as gitlab:
            gitlab.add(PAT, value)
            gitlab.faults = [Fault("too_many", 3, more={"headers": {"Retry-After": "1"}})]
            began = time.monotonic()
            (asked,) = ask([finding(PAT, value)], gitlab.url).findings
            assert asked.verdict.state == "active"
            assert time.monotonic() - began >= 3

    def test_one_that_never_ends_is_an_error_and_stops_the_asking(self, rng: random.Random) -> None:
        with GitLab() as gitlab:
            gitlab.faults = [Fault("too_many", more={"headers": {"Retry-After": "3600"}})]
            outcome = ask(self.many(rng, 50), gitlab.url)
            assert {one.verdict.state for one in outcome.findings} == {"error"}
            assert len(gitlab.requests) == 1

    def test_a_budget_is_kept(self, rng: random.Random) -> None:
        with GitLab() as gitlab:
            outcome = ask(self.many(rng, 50), gitlab.url, client=Client(settings(max_requests=20)))
            states = [one.verdict.state for one in outcome.findings]
            assert (states.count("not-found"), states.count("unchecked")) == (20, 30)
            assert len(gitlab.requests) == outcome.requests == 20
            assert any("--max-requests" in one.verdict.reason for one in outcome.findings)

    def test_what_waits_when_it_is_stopped_is_over_budget(self, value: str) -> None:
        with GitLab() as gitlab:
            client = Client(settings())
            client.ask(at(gitlab), question(value))
            client.stop()
            with pytest.raises(OverBudget):
                client.ask(at(gitlab), question(value))


@pytest.mark.parametrize("name", ["ban", "firewall", "login page", "bad gateway", "redirect to itself"])
@pytest.mark.parametrize(
    ("kind", "prefix"),
    [("runner-authentication-token", "glrt-"), ("ci-job-token", "glcbt-64_"), ("session-cookie", ""), ("deploy-token", "gldt-")],
)
def test_nor_on_a_token_of_another_kind(name: str, kind: str, prefix: str, rng: random.Random) -> None:
    with GitLab() as gitlab:
        gitlab.faults = [FAULTS[name][0]]
        (asked,) = ask([finding(kind, prefix + tokens.friendly(rng))], gitlab.url).findings
        assert asked.verdict.state in {"error", "unverifiable"}
