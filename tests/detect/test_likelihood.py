"""Written or drawn: what was written comes first."""

from __future__ import annotations

import base64
import hashlib
import math
import random
import string

import pytest

from benchmarks.train_likelihood import table
from patscan.detect import likelihood, written
from patscan.detect.likelihood import DOUBTFUL, WRITTEN, is_drawn, look, odds, placeholder
from patscan.detect.written import bits
from tests.tokens import FRIENDLY

HEX = "0123456789abcdef"
BASE36 = string.digits + string.ascii_lowercase

WRITTEN_BODIES = [
    "your-access-token-xx",
    "token-string-here123",
    "MySecretGitLabToken1",
    "correct-horse-batter",
    "P4ssw0rd-P4ssw0rd-12",
    "get_merge_request_id",
    "MAVEN_SETTINGS_PROFI",
    "add-a-file-using-the",
    "2024-01-15T10-30-00Z",
    "v1-2-3-rc4-build5678",
    "ab12cd34ef56gh78ij90",
    "ffffffff-ffff-ffff-f",
    "1qaz2wsx3edc4rfv5tgb",
    "qwertyuiopasdfghjklz",
    "a1s2d3f4g5h6j7k8l9z0",
    "da39a3ee5e6b4b0d3255",
    "DA39A3EE5E6B4B0D3255",
    "550e8400-e29b-41d4-a",
    base64.urlsafe_b64encode(b"Hello world, how").decode()[:20],
]


@pytest.mark.parametrize("body", WRITTEN_BODIES)
def test_what_people_and_programs_write_is_no_token(body: str) -> None:
    assert len(body) == 20
    assert bits(body.encode(), 60) < WRITTEN
    assert placeholder(body.encode(), 60)
    assert not is_drawn(body.encode(), 60)


@pytest.mark.parametrize(
    "body",
    ["f" * 40, "deadbeef" * 5, "0123456789abcdef0123456789abcdef01234567", "00112233445566778899aabbccddeeff00112233", "1234567890" * 4],
)
def test_hexadecimal_is_written_too(body: str) -> None:
    assert bits(body.encode(), 16) < WRITTEN


def test_a_hash_is_no_body_of_sixty_symbols_but_one_of_sixteen() -> None:
    digest = hashlib.sha1(b"a").hexdigest().encode()
    assert placeholder(digest, 60)
    assert placeholder(digest, 36)
    assert is_drawn(digest, 16)


@pytest.mark.parametrize(
    ("alphabet", "size", "length"), [(FRIENDLY, 60, 20), (FRIENDLY, 60, 50), (HEX, 16, 32), (HEX, 16, 40), (BASE36, 36, 25)]
)
def test_a_drawn_body_is_hardly_ever_lost(alphabet: str, size: int, length: int) -> None:
    rng = random.Random(18)
    numbers = [bits("".join(rng.choices(alphabet, k=length)).encode(), size) for _ in range(5_000)]
    assert min(numbers) >= WRITTEN
    assert sum(number < DOUBTFUL for number in numbers) <= 20  # docs/likelihood.md: at most 0.2 %
    assert sum(numbers) / len(numbers) > 24


@pytest.mark.parametrize(
    ("body", "alphabet", "number"),
    [
        ("", 60, 0),
        ("x", 60, 3),
        ("xx", 60, 2),
        ("token", 60, -9),
        ("Zk3-", 60, 14),
        ("q7Zp_kX2mWv9RtYb4NdH", 60, 51),
        ("q7Zp_kX2mWv9RtYb4NdH", 64, 49),
        ("q7zp4kx2mwv9rtyb4ndh3f6cs", 36, 69),
        ("8f14e45fceea167a5a36dedd4bea2543", 16, 39),
        ("8f14e45fceea167a5a36", 17, 12),
        ("dGhpcyBpcyBhIHRlc3Q", 60, -45),
        ("GhpcyBpcyBhIHRlc3Qg", 60, 35),
        ("abcABCabc", 60, -10),
        ("kX3fq7Zw_BkX3fq7Zw_B", 60, -3),
        ("q7Zp_kX2mWv9q7Zp_kX2mWv9q7Zp_kX2mWv9", 60, -75),
        ("98765432109", 60, -26),
        ("a b.c/d+e", 64, -24),
    ],
)
def test_the_odds_are_these(body: str, alphabet: int, number: int) -> None:
    assert bits(body.encode(), alphabet) == number


def test_the_odds_of_all_bodies_are_a_distribution() -> None:
    # What a writer's habits give to all bodies of two symbols is at most one, or Markov's inequality says nothing.
    total = sum(2 ** -written._cost(bytes(pair), True) for pair in ((a, b) for a in written.SYMBOLS for b in written.SYMBOLS))
    assert 0.8 < total <= 1.01


def test_the_table_is_small_and_is_what_the_training_makes() -> None:
    assert written.TABLE.stat().st_size == (38 + 4) * 64 * 64 <= 200_000
    text = [b"def is_private_token(value):\n    return value == 'changeme'\n" * 20, "é GitLab: https://example.com/v4\n".encode() * 40]
    made = table(text)
    assert made == table(reversed(text))
    assert len(made) == written.TABLE.stat().st_size
    assert hashlib.sha256(made).hexdigest()[:16] == "7be42ade71820fc8"


def test_the_costs_of_what_follows_add_up_to_a_certainty() -> None:
    content = written.TABLE.read_bytes()
    for row in range(0, len(content), 64):
        assert math.isclose(sum(2 ** (-cost / written.SCALE) for cost in content[row : row + 64]), 1, abs_tol=0.05)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "about as likely drawn by a generator as written"),
        (3, "about as likely drawn by a generator as written"),
        (-3, "about as likely drawn by a generator as written"),
        (4, "ten times likelier drawn by a generator than written"),
        (-4, "ten times likelier written than drawn by a generator"),
        (6, "ten times likelier drawn by a generator than written"),
        (7, "a hundred times likelier drawn by a generator than written"),
        (9, "a hundred times likelier drawn by a generator than written"),
        (10, "a thousand times likelier drawn by a generator than written"),
        (19, "a thousand times likelier drawn by a generator than written"),
        (20, "a million times likelier drawn by a generator than written"),
        (29, "a million times likelier drawn by a generator than written"),
        (30, "over a billion times likelier drawn by a generator than written"),
    ],
)
def test_odds_are_said_in_words(number: int, words: str) -> None:
    assert odds(number) == words


@pytest.mark.parametrize(
    ("body", "alphabet", "seen"),
    [
        ("abcdefgabcdefghkmnpq", 60, "a sequence"),
        ("aaBB77aaB9", 60, ""),
        ("aaBB77aaBB", 60, "few distinct characters"),
        ("Zk3" + "q" * 5 + "7Bw-9_fGXT", 60, "one character repeated"),
        ("Zk3" + "q" * 4 + "7Bw-9_fGXT", 60, ""),
        ("Zk3abcde7Bw-9_fGXT", 60, "a sequence"),
        ("Zk3abcd7Bw-9_fGXT", 60, ""),
        ("Zk3edcba7Bw-9_fGXT", 60, "a sequence"),
        ("Zk3edcb7Bw-9_fGXT", 60, ""),
        ("89012" + "fGXT-b_Wq7Kc", 60, "a sequence"),
        ("789ab" + "fGXT-b_Wq7Kc", 60, "a sequence"),
        ("xyzab" + "fGXT-b_Wq7Kc", 60, "a sequence"),
        ("k1f2X3q4Z5", 60, "interleaved sequences"),
        ("k1f2X3q4Z9", 60, ""),
        ("kX3fq7Zw_BkX3fq7Zw_B", 60, "a repeated group"),
        ("kX3fq7Zw_BkX3fq7Zw_C", 60, ""),
        ("kX3fq7Zw_demo-W9", 60, "the word 'demo'"),
        ("kX3fq7Zw_Demo-W9", 60, "the word 'demo'"),
        ("kX3fq7Zw_DEMO-W9", 60, "the word 'demo'"),
        ("kX3fq7Zw_DeMO-W9", 60, ""),
        ("qmzkxtbwhjr", 60, "one class of characters"),
        ("QMZ_KXT-BWHJR", 60, "one class of characters"),
        ("917-404_662", 60, "one class of characters"),
        ("qmzkxtbwhjr", 36, ""),
        ("kx3fq7zwdemow9", 36, "the word 'demo'"),
        ("1bdemo7f29", 32, ""),
        ("0f1234567a9c3e5b8d2", 16, "a sequence"),
        ("0f123456ea9c3e5b8d2", 16, ""),
        ("0f1234569c3e8d5ba7", 33, "a sequence"),
        ("0f1234569c3e8d5ba7", 32, ""),
        ("0a1b2c3d4e5f6a7", 16, "interleaved sequences"),
        ("0123012301230123" * 2, 16, "few distinct characters"),
        ("012345671032547698", 16, "a sequence"),
    ],
)
def test_what_a_reader_sees_at_once_is_said(body: str, alphabet: int, seen: str) -> None:
    assert look(body.encode(), alphabet) == seen


def test_few_characters_of_sixteen() -> None:
    # Of 40 characters of sixteen, six distinct ones are few, seven aren't.
    assert look(b"0a3c5e" * 6 + b"0a3d", 16) != "few distinct characters"
    assert look(b"0a3c5e" * 6 + b"0a3c", 16) == "few distinct characters"


def test_a_reason_is_given_for_what_was_written_alone() -> None:
    drawn = b"kX3fq7Zw_demo-W9Btg5"
    assert look(drawn, 60)
    assert placeholder(drawn, 60) == ""
    assert placeholder(b"", 60) == ""
    assert placeholder(b"get2merge4request6id", 60) == "it reads like what people or programs write"


def _of(number: int) -> bytes:
    """A body of 20 symbols with odds of `number` bits."""
    rng = random.Random(7)
    while True:
        words = b"".join(rng.choice([b"to", b"ken", b"in", b"er", b"st", bytes([rng.choice(FRIENDLY.encode())])]) for _ in range(20))[:20]
        if len(words) == 20 and bits(words, 60) == number and likelihood.NEVER_DRAWN.isdisjoint(words):
            return words


def test_the_bounds_are_where_they_are_said_to_be() -> None:
    assert placeholder(_of(WRITTEN - 1), 60)
    assert not placeholder(_of(WRITTEN), 60)
    assert not is_drawn(_of(DOUBTFUL - 1), 60)
    assert is_drawn(_of(DOUBTFUL), 60)
    assert (WRITTEN, DOUBTFUL, likelihood.EVEN) == (-3, 7, 0)


@pytest.mark.parametrize("letter", "lIO0")
def test_a_letter_that_is_never_drawn_was_not_drawn(letter: str) -> None:
    body = f"q7Zp_kX2mWv9RtYb4Nd{letter}".encode()
    assert bits(body, 60) > DOUBTFUL
    assert not is_drawn(body, 60)
    assert is_drawn(body, 64)


def test_the_cost_is_exact() -> None:
    assert written._cost(b"", True) == 0
    assert written._cost(b"q7Zp_kX2mWv9RtYb4NdH", True) == pytest.approx(169.042, abs=0.001)
    assert written._cost(b"a1b2c3-zyx-abcabc-00", True) == pytest.approx(110.339, abs=0.001)


def test_letters_of_both_cases_make_a_sequence_and_a_run() -> None:
    assert look(b"q7aBcDX2mWv9RtYk4NdH", 60) == ""
    assert look(b"q7aBcDeX2mWv9RtYk4NH", 60) == "a sequence"
    assert look(b"q7wWwWwX2mKv9RtYk4NH", 60) == "one character repeated"
