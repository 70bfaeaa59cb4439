"""What other people's test vectors taught, and every bound of the judge from both sides."""

from __future__ import annotations

import random

import pytest

from patscan import rulebook
from patscan.detect import judge
from patscan.detect.matcher import Capture, Matcher
from tests.tokens import base36, classic, friendly, hexadecimal, plain, routable

LARGEST = base36(2**128 - 1)
ENGLISH = "thisisalongenglishsentencethatstandsbehindtheprefix"
UNDECODABLE = "glpat-~vSY1cyL948aAB440qB6L4zlu9OzsUmEV.01.0w0sfevch"


def one(matcher: Matcher, text: str, binary: bool = False) -> Capture:
    (capture,) = matcher.captures(text.encode(), matcher.anchors.hits(text.encode()), binary)
    return capture


def result(matcher: Matcher, text: str, binary: bool = False) -> tuple[str, str]:
    capture = one(matcher, text, binary)
    return capture.confidence, capture.reason


def seen(matcher: Matcher, text: str) -> str:
    return "; ".join(str(evidence.facts.get("text", "")) for evidence in one(matcher, text).evidence)


@pytest.mark.parametrize(
    "text", [f"see {UNDECODABLE}", f'expect("{UNDECODABLE}")', f"token {UNDECODABLE}", f"x-private-tokens: 1\n{UNDECODABLE}"]
)
def test_a_checksum_without_a_payload_is_low(matcher: Matcher, text: str) -> None:
    assert result(matcher, plain(text)) == ("low", "payload")


@pytest.mark.parametrize(
    "name",
    [
        "PRIVATE-TOKEN: ",
        "Job-Token: ",
        "deploy-token: ",
        '"Private-Token": "',
        "Authorization: Bearer ",
        "GITLAB_TOKEN=",
        "gitlab_password => '",
    ],
)
def test_a_name_in_front_makes_it_medium(matcher: Matcher, name: str) -> None:
    assert result(matcher, name + plain(UNDECODABLE)) == ("medium", "")


def test_a_name_counts_where_it_is_read(matcher: Matcher) -> None:
    padded = "GITLAB_" + "x" * 39 + "TOKEN"
    assert result(matcher, f"{padded}    =    '{plain(UNDECODABLE)}") == ("medium", "")
    assert result(matcher, f"{padded.replace('x', 'xx', 1)}='{plain(UNDECODABLE)}") == ("low", "payload")
    assert result(matcher, f"GITLAB_TOKEN=     {plain(UNDECODABLE)}") == ("low", "payload")
    longest = "gitlab" + "-" * 40 + 'password"    =>    bearer "'
    assert len(longest) == judge._NAMED
    assert result(matcher, f"  {longest}{plain(UNDECODABLE)}") == ("medium", "")


def test_a_prefixless_checksum_without_a_payload_is_nothing(matcher: Matcher, rng: random.Random) -> None:
    token = routable(rng, "", "no payload")
    assert matcher.find(token.encode()) == []


@pytest.mark.parametrize("prefix", ["glsoat-", "glpat-", "glagent-", "gliamrt-", "gliamac-", "glcbt-1_", "glrt-t1_"])
def test_english_behind_a_prefix_is_low(matcher: Matcher, prefix: str) -> None:
    assert len(ENGLISH) == 51
    for words in (
        ENGLISH,
        ENGLISH.upper(),
        "this_is_a_long_english_sentence_that_stands_behind_i",
        "This-Is-A-Long-English-Sentence-That-Stands-Behind-I",
    ):
        captures = matcher.find((prefix + words).encode())
        assert {capture.confidence for capture in captures} == {"low"}, words


@pytest.mark.parametrize("body", ["translating-articles", "rectangularsidewalks", "MergeRequestApproval"])
def test_twenty_letters_of_english_are_a_placeholder(matcher: Matcher, body: str) -> None:
    assert len(body) == 20
    assert result(matcher, f"glsoat-{body} ") == ("low", "placeholder")


def test_a_mail_token_is_no_larger_than_its_number(matcher: Matcher) -> None:
    assert result(matcher, f"glimt-{LARGEST}") == ("high", "")
    assert result(matcher, f"glimt-{base36(2**128)}") == ("medium", "")
    assert "larger number" in seen(matcher, f"glimt-{base36(2**128)}")
    assert result(matcher, f"glimt-z{LARGEST[2:]}") == ("high", "")  # 24 characters
    assert result(matcher, f"group-1-{base36(2**128)}-issue@example.com".replace("group", "x-5")) == ("medium", "")


def test_a_short_mail_token_is_less_sure(matcher: Matcher) -> None:
    body = "q7zp4kx2mwv9rtyb4ndh3f6cs"
    assert result(matcher, f"glimt-{body[:23]}") == ("high", "")
    assert result(matcher, f"glimt-{body[:22]}") == ("medium", "")
    assert "shorter" in seen(matcher, f"glimt-{body[:22]}")
    assert result(matcher, f"glimt-{body[:20]}") == ("medium", "")
    assert result(matcher, f"glimt-{body[:19]}") == ("low", "length")
    assert result(matcher, f"glimt-{body}a") == ("low", "length")


@pytest.mark.parametrize("make", [lambda rng: friendly(rng, 20), lambda rng: hexadecimal(rng, "", 20)])
def test_a_short_trigger_token_is_medium_if_it_was_drawn(matcher: Matcher, rng: random.Random, make) -> None:
    body = make(rng)
    assert result(matcher, f"glptt-{body}\n") == ("medium", "")
    assert result(matcher, f"glptt-{body[:-1]}\n") == ("low", "length")
    assert result(matcher, f"glptt-{body}a\n") == ("low", "length")
    assert result(matcher, f"gldt-{friendly(rng, 21)}\n") == ("low", "length")


@pytest.mark.parametrize("body", ["1234567890abcdefghij", "0123456789abcdef0123", "your-trigger-token-1", "translating-articles"])
def test_a_short_trigger_token_that_was_written_is_low(matcher: Matcher, body: str) -> None:
    assert result(matcher, f"glptt-{body}\n")[0] == "low"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("12345678901234567890123456789012", "placeholder"),
        ("8f14e45fceea167a5a36dedd4bea254", "length"),
        ("8f14e45fceea167a5a36dedd4bea25431", "length"),
        ("8f14e45g", "length"),
        ("BAh7B0kiD3Nlc3Npb25faWQGOgZFVEkiJT%3D%3D--a1", "length"),
    ],
)
def test_a_rejected_cookie_stands_under_ignored(matcher: Matcher, value: str, reason: str) -> None:
    capture = one(matcher, f"Cookie: a=b; _gitlab_session={value}; c=d")
    assert (capture.confidence, capture.reason, capture.rule.id) == ("low", reason, "gitlab-session-cookie")
    assert capture.secret.reveal().decode() in value
    assert "…(" in str(capture.secret)


@pytest.mark.parametrize(
    "text", ["_gitlab_session=", "_gitlab_session=8f14e45", "_gitlab_session=#{cookie}", "`_gitlab_session=` is its name"]
)
def test_a_mention_of_the_cookie_is_nothing(matcher: Matcher, text: str) -> None:
    assert matcher.find(text.encode()) == []


def test_a_type_of_runner_is_one_of_three(matcher: Matcher, rng: random.Random) -> None:
    body = friendly(rng, 17)
    for prefix in ("glrt-", "glrtr-"):
        for number in "123":
            assert result(matcher, f"{prefix}t{number}_{body}") == ("low", "length")
        for letter in "4a":
            assert result(matcher, f"{prefix}t{letter}_{body}") == ("high", "")
    assert result(matcher, f"gldt-t1_{body}") == ("high", "")


def test_the_odds_are_evidence(matcher: Matcher, rng: random.Random) -> None:
    capture = one(matcher, classic(rng))
    (evidence,) = capture.evidence
    assert evidence.type == "likelihood"
    assert evidence.facts["bits"] > 7
    assert "likelier drawn by a generator" in evidence.facts["text"]
    (evidence,) = one(matcher, "glpat-my-personal-token-ab").evidence
    assert (evidence.facts["text"], evidence.facts["bits"] < -3) == ("the word 'personal'", True)


def test_doubtful_odds_make_it_medium(matcher: Matcher) -> None:
    for body, expected in (("MySecretGtLabXToken1", ("medium", "")), ("MySecretGitLabToken1", ("low", "placeholder"))):
        assert result(matcher, f"glpat-{body}") == expected


def test_in_a_binary_file_more_may_follow_a_drawn_body(matcher: Matcher, rng: random.Random) -> None:
    token = classic(rng)
    assert result(matcher, f"{token}next", binary=True) == ("medium", "")
    assert result(matcher, f"{token}next") == ("low", "length")
    assert result(matcher, "glpat-get_merge_request_idnext", binary=True)[0] == "low"


@pytest.mark.parametrize("prefix", ["ACME-", "a1-", "A" * 23 + "-"])
def test_an_instance_prefix_is_looked_for_in_24_characters(matcher: Matcher, rng: random.Random, prefix: str) -> None:
    assert "instance prefix" in seen(matcher, f"{prefix}{classic(rng)}")


@pytest.mark.parametrize("prefix", ["1-", "-", "ACME_"])
def test_what_is_no_instance_prefix_is_none(matcher: Matcher, rng: random.Random, prefix: str) -> None:
    assert "instance prefix" not in seen(matcher, f"{prefix}{classic(rng)}")


def test_alphabets_have_the_sizes_that_generators_draw_from(matcher: Matcher) -> None:
    assert judge.ALPHABETS == {"friendly": 60, "hex": 16, "base36": 36, "opaque": 64}
    rules = {rule.id: rule for rule in rulebook.load()}
    assert judge._symbols(rules["gitlab-pat"]) == 60
    assert judge._symbols(rules["gitlab-pat-routable"]) == 64


def test_a_near_miss_is_told_from_a_mention(matcher: Matcher) -> None:
    assert matcher.find(b"glpat-Zq7kX3f ") == []
    assert result(matcher, "glpat-Zq7kX3fw ") == ("low", "length")
    assert result(matcher, "glpat-xxx ") == ("low", "placeholder")
    assert matcher.find(b"glpat-xx ") == []
    assert result(matcher, "glptt-xxx ") == ("low", "placeholder")
    assert matcher.find(b"glptt-aaa ") == []
    assert result(matcher, "glimt-xXxX ") == ("low", "placeholder")
    assert result(matcher, "glptt-xX-_xX-_xX-_ ") == ("low", "placeholder")


def test_a_hyphen_ends_what_holds_none(matcher: Matcher, rng: random.Random) -> None:
    body = "q7zp4kx2mwv9rtyb4ndh3f6c"
    assert result(matcher, f"glimt-{body}_x") == ("high", "")
    assert result(matcher, f"{classic(rng)}_x") == ("medium", "")


def test_a_letter_in_front_counts_at_the_beginning_of_a_content_too(matcher: Matcher, rng: random.Random) -> None:
    assert result(matcher, f"x{classic(rng)}") == ("medium", "")
    assert result(matcher, f"-{classic(rng)}") == ("high", "")


def test_a_template_is_shown_as_far_as_24_characters(matcher: Matcher) -> None:
    assert one(matcher, "glpat-{" + "t" * 40 + "}").secret.reveal() == b"glpat-{" + b"t" * 23
    assert one(matcher, "glpat-{token}").secret.reveal() == b"glpat-{token}"


def test_a_run_is_read_512_characters_far(matcher: Matcher) -> None:
    assert len(one(matcher, "glpat-" + "Zq7kX3fw" * 100).secret) == 6 + 512


def test_the_configured_instance_prefix_counts_from_the_first_byte_on(rng: random.Random) -> None:
    configured = Matcher(rulebook.with_prefixes(rulebook.load(), instance_prefix="ACME"))
    token = classic(rng)
    for before in ("", " ", "x="):
        assert one(configured, f"{before}ACME-{token}").secret.reveal().decode() == f"ACME-{token}"
    assert one(configured, f"xACME-{token}").secret.reveal().decode() == token


def test_of_a_near_miss_64_characters_are_judged(matcher: Matcher) -> None:
    drawn = "q7Zp_kX2mWv9RtYb4NdH" * 2 + "w3Hs-Tc8VnJ5gLrE6yKa"
    assert result(matcher, f"glpat-{drawn}demoQ") == ("low", "placeholder")
    assert result(matcher, f"glpat-{drawn}Qdemo") == ("low", "length")
