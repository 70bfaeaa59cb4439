"""Every context in both directions: the token is found whole, and what isn't one stays unreported."""

from __future__ import annotations

import base64
import random
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from patscan import rulebook
from patscan.detect import likelihood
from patscan.detect.contexts import reader
from patscan.detect.contexts.table import CONTEXTS
from patscan.detect.matcher import Capture, Matcher
from patscan.detect.written import bits
from patscan.layers import decoded
from tests.contexts.corpus import Sample, samples
from tests.tokens import friendly, hexadecimal

RULES = rulebook.load()
MATCHER = Matcher(RULES)
SAMPLES = list(samples())
IDS = [sample.name for sample in SAMPLES]
NO_TOKENS = (
    "$CI_JOB_TOKEN",
    "${GITLAB_PRIVATE_TOKEN}",
    "{{ gitlab_token_secret }}",
    "<your_access_token_a>",
    "xxxxxxxxxxxxxxxxxxxx",
    "your-private-token-a",
    "gitlabPrivateTokenAb",
    "0123456789abcdefghij",
)


def captures_in(content: str | bytes, matcher: Matcher = MATCHER) -> list[Capture]:
    data = content if isinstance(content, bytes) else content.encode()
    return [capture for capture in matcher.find(data) if capture.confidence != "low"]


def drawn(sample: Sample, rng: random.Random) -> str:
    """A token that also passes the one test which a drawn token may fail."""
    while True:
        token = sample.token(rng)
        if sample.body not in {"friendly", "agent"} or len(re.findall("[a-z]+|[A-Z]+|[0-9]+|[_-]+", token)) > 9:
            return token


def test_there_are_enough_contexts_each_with_a_source() -> None:
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) >= 120
    assert all("/" in sample.source and "@" in sample.text for sample in SAMPLES)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_a_token_is_found_whole(sample: Sample, rng: random.Random) -> None:
    token = drawn(sample, rng)
    (capture,) = captures_in(f"# a line\n{sample.filled(token)}# another\n")
    assert capture.secret.reveal().decode().removeprefix("cell-1-") == token
    assert capture.confidence == "medium"
    assert any(evidence.type == "context" for evidence in capture.evidence)


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_what_is_no_token_stays_unreported(sample: Sample, rng: random.Random) -> None:
    token = drawn(sample, rng)
    values = [*NO_TOKENS, token[:-1], token + "A"]
    # A rule with an anchor takes these two names, and letters that are never drawn.
    if "feed_token=" not in sample.text and "rss_token=" not in sample.text:
        values.append(token[:-1] + "0" if sample.body in {"friendly", "agent"} else token[:-1] + "g")
    for value in values:
        assert not captures_in(sample.filled(value)), value


@pytest.mark.parametrize("sample", SAMPLES, ids=IDS)
def test_the_same_token_without_its_context_stays_unreported(sample: Sample, rng: random.Random) -> None:
    token = drawn(sample, rng)
    assert not captures_in(f"checksum of the build\n\nrevision: {token}\n")
    assert not captures_in(f"see {token} for that, and gitlab.example.com for more\n")


def test_every_context_is_carried_by_a_rule_and_shown_by_a_sample(rng: random.Random) -> None:
    carried = {context for rule in RULES for context in rule.contexts}
    assert carried == {context.id for context in CONTEXTS}
    rules = {capture.rule.id for sample in SAMPLES for capture in captures_in(sample.filled(drawn(sample, rng)))}
    assert {rule.id for rule in RULES if rule.contexts} - rules == set()


@pytest.mark.parametrize(
    "text",
    [
        "token: !vault {}  # gitlab",
        "gitlab_token = var.{}",
        "GITLAB_TOKEN: ${{{{ secrets.{} }}}}",
        "gitlab_token = ENV[{}]",
        "private_token = {}(1)",
        "private_token = {}[0]",
        "github_password: {}",
        "gitlab_version: {}",
        "https://gitlab.example.com/acme/{}/tree",
        "https://anna:{}@bitbucket.example.com/acme/a.git",
        "MAVEN_SETTINGS_PROFILE: {} # GITLAB_ACCESS_TOKEN",
        "password: {}",
        'gitlab = {{Authorization = "Bearer a", {} = "2022"}}',
        'gitlab_token: {{"{}": 1}}',
    ],
)
def test_a_reference_or_another_name_is_no_token(text: str, rng: random.Random) -> None:
    assert not captures_in(text.format(friendly(rng)))


def test_a_candidate_is_at_least_as_likely_drawn_as_written(rng: random.Random) -> None:
    words = ("backup", "Server", "deploy", "Master", "config", "Folder", "update", "Client")
    numbers = set()
    while not {likelihood.EVEN - 1, likelihood.EVEN} <= numbers:
        body = rng.choice(words) + rng.choice(words) + friendly(rng, 8)
        number = bits(body.encode(), 60)
        numbers.add(number)
        if number in {likelihood.EVEN - 1, likelihood.EVEN} and likelihood.NEVER_DRAWN.isdisjoint(body.encode()):
            assert bool(captures_in(f"private_token={body}\n")) == (number >= likelihood.EVEN), body


@pytest.mark.parametrize("fold", [str.lower, str.upper])
def test_letters_of_one_case_need_three_digits(fold: Callable[[str], str]) -> None:
    for body, is_token in (("qmzkxt_bwhj7vp-fd3gc", False), ("q9zkxt_bwhj7vp-fd3gc", True)):
        assert bits(fold(body).encode(), 60) >= likelihood.EVEN
        assert bool(captures_in(f"private_token={fold(body)}\n")) == is_token
    assert captures_in(f"private_token={'qmzkxt_bwhj7vp-fd3gc'.replace('p', 'P')}\n")


def test_two_weak_contexts_make_a_strong_one_if_they_are_close(rng: random.Random) -> None:
    token = friendly(rng)
    assert not captures_in(f"password: {token}\n")
    assert captures_in(f"host: gitlab.example.com\npassword: {token}\n")
    filler = "setting: on\n"
    assert captures_in(f"host: gitlab.example.com\n{filler * 55}password: {token}\n")
    assert not captures_in(f"host: gitlab.example.com\n{filler * 60}password: {token}\n")
    assert captures_in(f"password: {token}\n{filler * 24}host: gitlab.example.com\n")
    assert not captures_in(f"password: {token}\n{filler * 27}host: gitlab.example.com\n")


@pytest.mark.parametrize("variable", ["CI_API_V4_URL", "CI_PROJECT_ID", "CI_REGISTRY", "CI_SERVER_HOST"])
def test_the_variables_of_a_job_show_gitlab(variable: str, rng: random.Random) -> None:
    token = friendly(rng)
    assert not captures_in(f"revision: {token}\nurl: ${variable}/x\n")
    assert not captures_in(f"password: {token}\nurl: $CI_URL/x\n")
    assert captures_in(f"password: {token}\nurl: ${variable}/x\n")


def test_a_here_string_is_a_value_and_a_file_is_none(rng: random.Random) -> None:
    token = friendly(rng)
    login = "docker login registry.gitlab.example.com -u anna --password-stdin"
    assert not captures_in(f"{login} <{token}\n")
    assert not captures_in(f"{login}\nmd5sum <<<{token}\n")
    assert captures_in(f"{login} <<<{token}\n")


@pytest.mark.parametrize("encode", [lambda text: text.encode("utf-16"), lambda text: base64.b64encode(text.encode())])
def test_a_context_is_read_behind_a_layer(encode, rng: random.Random) -> None:
    token = friendly(rng)
    (capture,) = captures_in(encode(f'{{"auths": {{"registry.gitlab.com": {{"username": "anna", "password": "{token}"}}}}}}\n'))
    assert capture.secret.reveal() == token.encode()
    assert capture.encodings


def test_the_place_of_a_token_in_base64_is_that_of_its_characters(rng: random.Random) -> None:
    token = friendly(rng)
    content = f"Authorization: Basic {base64.b64encode(f'gitlab-ci-token:{token}'.encode()).decode()}\n".encode()
    (capture,) = captures_in(content)
    assert capture.rule.kind == "ci-job-token"
    assert token.encode() in decoded(content[capture.start : capture.end], capture.layers)
    assert capture.end - capture.start <= 28


def test_without_hyperscan_the_same_is_found(monkeypatch: pytest.MonkeyPatch, rng: random.Random) -> None:
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    plain = Matcher(RULES)
    for sample in SAMPLES[::10]:
        text = sample.filled(drawn(sample, rng))
        assert [capture.secret for capture in captures_in(text, plain)] == [capture.secret for capture in captures_in(text)] != []


def test_much_of_nothing_takes_little_time(rng: random.Random) -> None:
    import time

    token = friendly(rng)
    line = '(function(){var gitlab="gitlab.com";call(this,token,{password:x})});'
    for content in (line * 70_000 + f'"gitlab_token":"{token}"', "private_token=" * 350_000 + token):
        begun = time.process_time()
        assert [capture.secret.reveal() for capture in captures_in(content)] == [token.encode()]
        assert time.process_time() - begun < 10


def test_many_different_tokens_are_all_found(rng: random.Random) -> None:
    tokens = [friendly(rng) for _ in range(1000)]
    captures = captures_in("".join(f"private_token={token}\n" for token in tokens))
    assert len(captures) >= 990


def test_the_surroundings_of_a_token_are_read_once(monkeypatch: pytest.MonkeyPatch, rng: random.Random) -> None:
    # More tokens than surroundings that are remembered.
    tokens = 9_000
    calls = 0
    surroundings = reader.surroundings

    def counted(*arguments: Any) -> reader.Surroundings | None:
        nonlocal calls
        calls += 1
        return surroundings(*arguments)

    monkeypatch.setattr(reader, "surroundings", counted)
    captures = captures_in("".join(f"private_token={friendly(rng)}\n" for _ in range(tokens)))
    assert len(captures) > 0.99 * tokens
    assert calls <= tokens


@pytest.mark.parametrize("head", ["gitlab token\n", "gitlab token = ", '{"gitlab_token": ["', "gitlab secret "])
@pytest.mark.parametrize("between", ["\n", " ", ", ", '", "'])
def test_a_list_of_digests_is_no_token(head: str, between: str, rng: random.Random) -> None:
    assert not captures_in(head + between.join(hexadecimal(rng, "", 64) for _ in range(50)) + "\n")


def test_a_character_class_is_no_token() -> None:
    parts = ["A-HJ-NP-Z", "a-km-z", "1-9_-"]
    alphabet = "".join(parts)
    assert len(alphabet) == 20
    for quantifier in ("{20}", "+", "*"):
        assert not captures_in(f"gitlab deploy token, PRIVATE-TOKEN: private_token = '(?P<secret>[{alphabet}]{quantifier})'")
