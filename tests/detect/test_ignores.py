"""Ignore comments: which token one covers, and above all which it doesn't."""

from __future__ import annotations

import random

import pytest

from patscan.detect.ignores import DIRECTIVES, ignore
from patscan.detect.matcher import Matcher
from patscan.detect.positions import Text
from patscan.model import Ignore
from tests.tokens import classic


def covered(matcher: Matcher, text: str | bytes, encoding: str = "utf-8") -> list[Ignore | None]:
    data = text.encode(encoding) if isinstance(text, str) else text
    matches = matcher.find(data)
    return [ignore(Text.starting(data), match, matches) for match in matches]


@pytest.mark.parametrize(
    "line",
    [
        "T  # patscan:ignored",
        "T  # patscan:ignore-file",
        "T  # notpatscan:ignore",
        "T  # patscan: ignore",
        "T  # ignore, allow",
        "T  # pragma: allowlist nextline secret",
        "T  # patscan:ignore[gitlab-deploy-token]",
        "T  # patscan:ignore gitlab-deploy-token",
        "T  # patscan:ignore gitlab-deploy-token, gitlab-feed-token -- why",
        "T  # patscan:ignore[]",
        "T\n# patscan:ignore",
        "# patscan:ignore\n\nT",
        "x = 1  # patscan:ignore\nT",
        "/* patscan:ignore */ x = 1\nT",
        "U  # patscan:ignore\nT",
        "# patscan:ignore for U\nT",
        "T" + " " * 2000 + "# patscan:ignore",
        "# patscan:ignore" + " " * 2000 + "\nT",
    ],
)
def test_no_other_token_is_hidden(matcher: Matcher, rng: random.Random, line: str) -> None:
    text = line.replace("T", f"t={classic(rng)}").replace("U", f"u={classic(rng)}")
    assert covered(matcher, text)[-1] is None


@pytest.mark.parametrize("directive", DIRECTIVES)
def test_every_directive_counts_before_and_behind(matcher: Matcher, rng: random.Random, directive: str) -> None:
    token = classic(rng)
    for opening, closing in (
        ("# ", ""),
        ("// ", ""),
        ("<!-- ", " -->"),
        ("/* ", " */"),
        ("REM ", ""),
        ("-- ", ""),
        ("{# ", " #}"),
        ("", ""),
    ):
        comment = f"{opening}{directive}{closing}"
        if "nextline" not in directive:
            assert covered(matcher, f'a\nx = "{token}"  {comment}\nb') == [Ignore(2, "")], comment
        assert covered(matcher, f'a\n  {comment}\nx = "{token}"\n') == [Ignore(2, "")], comment


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("# patscan:ignore", ""),
        ("# patscan:ignore --", ""),
        ("<!-- patscan:ignore -->", ""),
        ("# patscan:ignore the test's own", ""),
        ("# patscan:ignore -- the test's own", "the test's own"),
        ("# patscan:ignore: the test's own ", "the test's own"),
        ("# patscan:ignore gitlab-pat -- revoked", "revoked"),
        ("# patscan:ignore gitlab-feed-token, gitlab-pat -- revoked", "revoked"),
        ("# patscan:ignore[gitlab-pat]: revoked", "revoked"),
        ("<!-- patscan:ignore[gitlab-feed-token,gitlab-pat] -- revoked -->", "revoked"),
        ("/* gitleaks:allow -- revoked */", "revoked"),
        ("# ggignore: revoked", "revoked"),
    ],
)
def test_rules_and_reasons(matcher: Matcher, rng: random.Random, comment: str, reason: str) -> None:
    assert covered(matcher, f"{classic(rng)} {comment}") == [Ignore(1, reason)]
    assert covered(matcher, f"{comment}\r\n{classic(rng)}\r\n") == [Ignore(1, reason)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_text(matcher: Matcher, rng: random.Random, encoding: str) -> None:
    # U+0A00 and U+000A share a byte that is no line feed of either.
    text = f"\u0a41\u0a00\n// patscan:ignore -- \u0a0a\nx={classic(rng)}\ny={classic(rng)}\nz={classic(rng)} // \u0a00 ggignore\n"
    assert covered(matcher, "plain head\n" * 60 + text, encoding) == [Ignore(62, "\u0a0a"), None, Ignore(65, "")]


def test_a_reason_shows_no_token(matcher: Matcher, rng: random.Random) -> None:
    token, other = classic(rng), classic(rng)
    for comment in covered(matcher, f"{token} # patscan:ignore -- replaces {other}"):
        assert comment == Ignore(1, "replaces glpat-…(26)")


def test_a_line_of_a_megabyte_takes_no_time(matcher: Matcher, rng: random.Random) -> None:
    line = " ".join(classic(rng) for _ in range(3000)).encode()
    assert covered(matcher, line + b" # ggignore")[0] is None
