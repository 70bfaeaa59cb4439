"""Prefixes that an instance sets: what must not be taken for one first."""

from __future__ import annotations

import base64
import random

import pytest

from patscan import rulebook
from patscan.detect.matcher import Matcher
from patscan.model import Rule
from tests.tokens import classic, jwt, routable


@pytest.fixture(scope="module")
def own(rules: tuple[Rule, ...]) -> Matcher:
    return Matcher(rulebook.with_prefixes(rules, "acme_", "ACME"))


def tokens_in(matcher: Matcher, text: str | bytes) -> list[tuple[str, str, str]]:
    matches = matcher.find(text.encode() if isinstance(text, str) else text)
    return [(match.rule.id, match.secret.reveal().decode(), match.confidence) for match in matches if match.confidence != "low"]


def test_without_configuration_nothing_changes(rules: tuple[Rule, ...]) -> None:
    assert rulebook.with_prefixes(rules) == rules
    assert rulebook.with_prefixes(rules, "glpat-") == rules


def test_unknown_prefixes_are_no_part_of_a_token(matcher: Matcher, own: Matcher, rng: random.Random) -> None:
    token = classic(rng)
    assert tokens_in(matcher, f"acme_{token[6:]}") == []
    for text in (f"XACME-{token}", f"acme-{token}", f"ACME {token}", f"ACME{token}"):
        assert [secret for _, secret, _ in tokens_in(own, text)] == [token], text


def test_a_configured_pat_prefix_beside_gitlabs(own: Matcher, rng: random.Random) -> None:
    for prefix in ("glpat-", "acme_"):
        token = classic(rng, prefix)
        assert tokens_in(own, f"t={token}\n") == [("gitlab-pat", token, "high")]
        for version, rule in ((1, "gitlab-pat-routable-versioned"), (0, "gitlab-pat-routable")):
            token = routable(rng, prefix, version=version)
            assert tokens_in(own, f"t={token}\n") == [(rule, token, "certain")]


@pytest.mark.parametrize("prefix", ["glpat-", "acme_", "gldt-", "glft-", "glrt-", "glsoat-"])
def test_a_configured_instance_prefix_belongs_to_every_kind(own: Matcher, rng: random.Random, prefix: str) -> None:
    token = f"ACME-{classic(rng, prefix)}"
    for before in ("", "t=", "\\n", "é"):
        ((_, secret, confidence),) = tokens_in(own, before + token)
        assert (secret, confidence) == (token, "high")
    (match,) = own.find(f"a {token}".encode())
    assert (match.start, match.end) == (2, 2 + len(token))
    assert str(match.secret) == f"{('ACME-' + prefix)[:12]}…({len(token)})"


def test_of_a_routable_one_the_checksum_says_where_it_begins(own: Matcher, rng: random.Random) -> None:
    whole = routable(rng, "ACME-glpat-")
    assert tokens_in(own, whole) == [("gitlab-pat-routable-versioned", whole, "certain")]
    short = routable(rng)
    assert tokens_in(own, f"ACME-{short}") == [("gitlab-pat-routable-versioned", short, "certain")]


def test_jwt_and_encoded_ones(own: Matcher, rng: random.Random) -> None:
    token = f"ACME-{jwt(rng)}"
    assert [secret for _, secret, _ in tokens_in(own, f"t={token} ")] == [token]
    token = f"ACME-{classic(rng)}"
    assert [secret for _, secret, _ in tokens_in(own, base64.b64encode(f"password={token}\n".encode()))] == [token]


def test_prefixes_of_every_allowed_sign(rules: tuple[Rule, ...], rng: random.Random) -> None:
    for prefix in ("a+b.", "x=y/@:.-+z", "tok:", "+=/@:.-_"):
        token = classic(rng, prefix)
        matcher = Matcher(rulebook.with_prefixes(rules, prefix))
        assert matcher.find(f"t {token}".encode())
        assert [secret for _, secret, _ in tokens_in(matcher, f"t {token} ")] == [token]
