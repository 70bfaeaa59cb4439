"""The table of edges, lengths and placeholders: what must not be a finding comes first."""

from __future__ import annotations

import random

import pytest

from patscan.detect.matcher import Matcher
from tests.tokens import FRIENDLY, classic, friendly, hexadecimal, jwt, plain, routable


def only(matcher: Matcher, text: str) -> tuple[str, str, str]:
    """Rule, confidence and reason of the one match; its span and its secret agree."""
    content = text.encode()
    (match,) = matcher.find(content)
    assert content[match.start : match.end] == match.secret.reveal()
    return match.rule.id, match.confidence, match.reason


@pytest.mark.parametrize(
    "text",
    ["the `glpat-` prefix", '"glpat-" + token', "glpat-", "openglft-", "a-issue@example.com", "feed_token=params[:feed_token]", "1.01.2"],
)
def test_a_mention_is_nothing(matcher: Matcher, text: str) -> None:
    assert matcher.find(text.encode()) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r"glpat-[\w-]{20}", "regex"),
        (r"(glpat|gldt)... glpat-\w{20}", "regex"),
        ("glpat-.{20}", "regex"),
        ("glpat-${TOKEN}", "interpolation"),
        ("glpat-<your token>", "interpolation"),
        ("glpat-{token}", "interpolation"),
        ("glpat-%020d", "interpolation"),
        ("glpat-#{token}", "interpolation"),
        ("glpat-...", "elision"),
        ("glpat-…", "elision"),
        ("glpat-ab12…", "elision"),
        ("glpat-********", "elision"),
        ("glpat-~xxxxxxxxxxxxxxxxxxxx", "placeholder"),
        ("glpat-~XXXXXXXXXXX-XXXXXXXX", "placeholder"),
        ("glpat-~aBcDeFgHiJkLmNoPqRsT", "placeholder"),
        ("glpat-~00000000000000000000", "placeholder"),
        ("glpat-~12345678901234567890", "placeholder"),
        ("glpat-~PROJECT-SPECIFIC-TOK", "placeholder"),
        ("glpat-~my-personal-token-ab", "placeholder"),
        ("GR1348941~12312312312312312312", "placeholder"),
        ("glptt-~" + 40 * "x", "placeholder"),
        ("glpat-~3fZ1p5y4XWcCvMGVlfakeW86MQp1Oml3Ymg0Cw.01.1203afake", "checksum"),
        ("glptt-~1234567890abcdefghij", "length"),
        ("glpat-~abc123def456ghi789jk", "placeholder"),
    ],
)
def test_what_only_looks_like_a_token_is_ignored_with_the_reason(matcher: Matcher, text: str, reason: str) -> None:
    assert only(matcher, plain(text))[1:] == ("low", reason)


@pytest.mark.parametrize("more", ["a", "9", "Zz9"])
def test_a_longer_body_is_the_wrong_length(matcher: Matcher, rng: random.Random, more: str) -> None:
    assert only(matcher, f"x {classic(rng)}{more} y")[1:] == ("low", "length")


def test_a_shorter_body_is_the_wrong_length(matcher: Matcher, rng: random.Random) -> None:
    assert only(matcher, f"x {classic(rng)[:-3]} y")[1:] == ("low", "length")


@pytest.mark.parametrize("after", ["", "\n", '"', "'", " ", ",", ";", ")", "@host", "\\n", "<", ".", "-", "_", "-\n", '_"', "=", "\0"])
def test_anything_else_behind_leaves_it_whole(matcher: Matcher, rng: random.Random, after: str) -> None:
    token = classic(rng)
    assert only(matcher, f"x={token}{after}") == ("gitlab-pat", "high", "")


@pytest.mark.parametrize("after", ["_old", "-old", "_1"])
def test_a_word_behind_cuts_at_the_exact_length(matcher: Matcher, rng: random.Random, after: str) -> None:
    token = classic(rng)
    (match,) = matcher.find(f"x={token}{after}".encode())
    assert (match.secret.reveal().decode(), match.confidence) == (token, "medium")


@pytest.mark.parametrize("before", ["MY_", "\\n", "\\t", "x%3D", "\x1b[31m", "\\u003d", "\\x3d", "oauth2:", "=", '"', "é", "/"])
def test_what_stands_in_front_is_no_part_of_it(matcher: Matcher, rng: random.Random, before: str) -> None:
    token = classic(rng)
    (match,) = matcher.find(f"{before}{token} ".encode())
    assert (match.secret.reveal().decode(), match.confidence) == (token, "high")


def test_two_tokens_without_anything_between_are_two(matcher: Matcher, rng: random.Random) -> None:
    first, second = classic(rng), classic(rng)
    assert [match.secret.reveal().decode() for match in matcher.find(f"{first}{second}".encode())] == [first, second]


def test_a_mention_ends_where_the_line_does(matcher: Matcher) -> None:
    (match,) = matcher.find(b'"glpat-...\nnext line"')
    assert match.secret.reveal() == b"glpat-..."


def test_a_letter_in_front_makes_it_less_sure(matcher: Matcher, rng: random.Random) -> None:
    assert only(matcher, f"open{classic(rng, 'glft-')}") == ("gitlab-feed-token", "medium", "")


def test_an_instance_prefix_is_said_when_nothing_proves_it(matcher: Matcher, rng: random.Random) -> None:
    token = classic(rng)
    (match,) = matcher.find(f"ACME-{token}".encode())
    assert match.secret.reveal().decode() == token
    assert [evidence.type for evidence in match.evidence] == ["prefix", "likelihood"]


@pytest.mark.parametrize("prefix", ["ACME-glpat-", "glpat-", "ACME-glrt-", "glrtr-", "gldt-", "glrt-t1_"])
def test_a_checksum_takes_the_prefix_in(matcher: Matcher, rng: random.Random, prefix: str) -> None:
    token = routable(rng, prefix)
    (match,) = matcher.find(f"token: {token}_x".encode())
    assert (match.secret.reveal().decode(), match.confidence) == (token, "certain")


@pytest.mark.parametrize(
    ("prefix", "rule"),
    [("acmepat_", "gitlab-routable-custom-prefix"), ("", "gitlab-routable-custom-prefix"), ("glagent-", "gitlab-agent-token-routable")],
)
def test_a_prefix_nobody_knows_is_found_by_the_checksum(matcher: Matcher, rng: random.Random, prefix: str, rule: str) -> None:
    token = routable(rng, prefix)
    (match,) = matcher.find(f"token: '{token}'".encode())
    assert (match.secret.reveal().decode(), match.confidence, match.rule.id) == (token, "certain", rule)


def test_the_first_twenty_characters_of_a_routable_token_are_no_classic_one(matcher: Matcher, rng: random.Random) -> None:
    for version in (0, 1):
        token = routable(rng, version=version)
        assert [match.secret.reveal().decode() for match in matcher.find(token.encode())] == [token]


def test_a_cut_routable_token_is_told_from_noise(matcher: Matcher, rng: random.Random) -> None:
    token = routable(rng).rsplit(".", 2)[0]
    (match,) = matcher.find(f"x {token}\n".encode())
    assert (match.confidence, match.evidence[0].type) == ("medium", "truncated")


def test_a_letter_that_is_never_drawn_makes_it_less_sure(matcher: Matcher, rng: random.Random) -> None:
    assert only(matcher, f"x glpat-{friendly(rng)[:-2]}0A y") == ("gitlab-pat", "medium", "")


KINDS = [
    ("gitlab-runner-token", lambda rng: classic(rng, "glrt-")),
    ("gitlab-runner-token-registered", lambda rng: classic(rng, "glrtr-")),
    ("gitlab-runner-token-typed", lambda rng: classic(rng, "glrt-t3_")),
    ("gitlab-runner-registration-token", lambda rng: classic(rng, "GR1348941")),
    ("gitlab-deploy-token", lambda rng: classic(rng, "gldt-")),
    ("gitlab-job-token", lambda rng: classic(rng, "glcbt-70_")),
    ("gitlab-job-token-jwt", jwt),
    ("gitlab-trigger-token", lambda rng: hexadecimal(rng, "glptt-", 40)),
    ("gitlab-feed-token", lambda rng: classic(rng, "glft-")),
    ("gitlab-feed-token-path", lambda rng: hexadecimal(rng, "glft-", 64) + "-42"),
    ("gitlab-agent-token", lambda rng: "glagent-" + friendly(rng, 50)),
    ("gitlab-scim-token", lambda rng: classic(rng, "glsoat-")),
    ("gitlab-feature-flags-token", lambda rng: classic(rng, "glffct-")),
    ("gitlab-oauth-application-secret", lambda rng: hexadecimal(rng, "gloas-", 64)),
    ("gitlab-workspace-token", lambda rng: classic(rng, "glwt-")),
    ("gitlab-runner-controller-token", lambda rng: classic(rng, "glrct-")),
    ("gitlab-incoming-mail-token", lambda rng: "glimt-" + "".join(rng.choices("0123456789abcdefghijkmnpqrstuvwyz", k=24))),
]


@pytest.mark.parametrize(("rule", "make"), KINDS, ids=[rule for rule, _ in KINDS])
def test_every_kind_is_taken_whole(matcher: Matcher, rng: random.Random, rule: str, make) -> None:
    token = make(rng)
    for before, after in (("", ""), ('{"t": "', '"}'), ("export T='", "'\n"), ("https://oauth2:", "@gitlab.example.com/a.git")):
        (match,) = matcher.find(f"{before}{token}{after}".encode())
        assert (match.rule.id, match.secret.reveal().decode(), match.confidence) == (rule, token, "high")


def test_the_cookie_of_a_cell_is_taken_whole(matcher: Matcher, rng: random.Random) -> None:
    value = hexadecimal(rng, "cell-1-", 32)
    (match,) = matcher.find(f"Cookie: _gitlab_session={value}; x=1".encode())
    assert match.secret.reveal().decode() == value


def test_a_random_body_is_hardly_ever_taken_for_a_placeholder(matcher: Matcher) -> None:
    rng = random.Random(20261121)
    drawn = ["glpat-" + "".join(rng.choices(FRIENDLY, k=20)) for _ in range(20_000)]
    lost = [match for match in matcher.find("\n".join(drawn).encode()) if match.reason]
    assert len(lost) <= 6  # 1e-4 each at most; a token lost to a word would cost its owner more than a placeholder reported
