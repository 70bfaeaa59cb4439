"""What may be asked, what is only proposed."""

from __future__ import annotations

import random

import pytest

from patscan.errors import ConfigError
from patscan.gitlab.client import Client
from patscan.gitlab.hosts import Approved, host_of, instance
from patscan.gitlab.verify import Options, verify
from tests import tokens
from tests.gitlab.asking import ask, finding, settings
from tests.gitlab.loopback import GitLab

PAT = "personal-access-token"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://gitlab.example.com/", "https://gitlab.example.com"),
        ("gitlab.example.com", "https://gitlab.example.com"),
        ("HTTPS://GitLab.Example.com.:443/tools/gitlab/", "https://gitlab.example.com/tools/gitlab"),
        ("https://gitlab.example.com:8443/api/v4", "https://gitlab.example.com:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:8080/git", "http://[::1]:8080/git"),
    ],
)
def test_a_url_has_one_form(text: str, url: str) -> None:
    assert instance(text, "--gitlab-url").url == url


@pytest.mark.parametrize(
    "text",
    [
        *("", "https://", "ftp://gitlab.example.com", "https://me:hidden@gitlab.example.com", "https://gitlab.example.com?a=hidden"),
        *("https://gitlab.example.com/#hidden", "https://gitlab.example.com:99999", "https://gitlab.example.com/a/../hidden"),
        *("https://exa mple.com", "http://gitlab.example.com", "http://10.0.0.1", "http://localhost.evil.com", "https://a\r\nb.com"),
    ],
)
def test_what_is_none_is_a_sentence_without_what_it_held(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^PATSCAN_GITLAB_URL: ") as caught:
        instance(text, "PATSCAN_GITLAB_URL")
    assert "hidden" not in str(caught.value)


def test_http_is_for_who_wants_it() -> None:
    assert instance("http://gitlab.example.com", "--gitlab-url", insecure_http=True).url == "http://gitlab.example.com"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://me:pass@gitlab.example.com/a/b.git", "gitlab.example.com"),
        ("git@gitlab.example.com:a/b.git", "gitlab.example.com"),
        ("ssh://git@gitlab.example.com:2222/a/b.git", "gitlab.example.com"),
        ("../elsewhere", ""),
        ("C:\\repo", ""),
    ],
)
def test_a_remote_names_a_host(url: str, host: str) -> None:
    assert host_of(url) == host


def test_without_approval_nothing_is_sent_and_the_sentence_names_who_was_seen(rng: random.Random) -> None:
    value = tokens.jwt(rng, {"sub": "gid://gitlab/Ci::Build/1", "iss": "git.corp.example", "exp": 4_000_000_000})
    findings = (finding("ci-job-token", value), finding(PAT, tokens.classic(rng)))
    client = Client(settings())
    options = Options(proposed=("gitlab.example.com",))
    outcome = verify(findings, Approved(), client, options, lambda done, of: None)
    assert client.requests == 0
    assert [one.verdict.state for one in outcome.findings] == ["unchecked", "unchecked"]
    job, access = (one.verdict.reason for one in outcome.findings)
    assert "git.corp.example and gitlab.example.com" in job
    assert "--gitlab-url https://gitlab.example.com" in access


def test_an_issuer_chooses_among_approved_instances_only(rng: random.Random) -> None:
    claims = {"sub": "gid://gitlab/Ci::Build/1", "exp": 4_000_000_000}
    with GitLab() as one, GitLab() as two:
        local = tokens.jwt(rng, claims | {"iss": "localhost"})
        urls = (one.url, two.url.replace("127.0.0.1", "localhost"))
        ask([finding("ci-job-token", local)], *urls)
        assert (len(one.requests), len(two.requests)) == (0, 1)
        foreign = tokens.jwt(rng, claims | {"iss": "evil.example"})
        ask([finding("ci-job-token", foreign)], *urls)
        assert (len(one.requests), len(two.requests)) == (1, 2)


def test_of_several_instances_the_one_that_knows_it_counts(rng: random.Random) -> None:
    value = tokens.classic(rng)
    with GitLab() as one, GitLab() as two:
        two.add(PAT, value)
        (asked,) = ask([finding(PAT, value)], one.url, two.url).findings
        assert (asked.verdict.state, asked.verdict.instance) == ("active", two.url)
        one.requests.clear()
        (asked,) = ask([finding(PAT, value)], two.url, one.url).findings
        assert asked.verdict.state == "active"
        assert not one.requests


def test_one_that_cannot_answer_leaves_it_open(rng: random.Random) -> None:
    with GitLab() as one:
        (asked,) = ask([finding(PAT, tokens.classic(rng))], one.url, "http://127.0.0.1:1").findings
        assert asked.verdict.state == "error"
