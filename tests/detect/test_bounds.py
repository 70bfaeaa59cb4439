"""Bounds of the judge and what belongs to it, from both sides, where no other test here shows them."""

from __future__ import annotations

import base64
import json
import random

import pytest

from patscan.demands import Demands
from patscan.detect import judge, jwt, own, routable, written
from patscan.detect.judge import near_miss, rejected_cookie
from patscan.detect.matcher import Capture, Matcher
from patscan.model import Rule
from tests.tokens import base36, classic, friendly, hexadecimal
from tests.tokens import routable as make_routable


def segment(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def signed(algorithm: str, length: int, **claims: object) -> bytes:
    return b"glcbt-" + b".".join([segment({"alg": algorithm}), segment(claims), b"s" * length])


def rule(rules: tuple[Rule, ...], name: str) -> Rule:
    (chosen,) = (rule for rule in rules if rule.id == name)
    return chosen


def one(matcher: Matcher, text: str) -> Capture:
    (capture,) = matcher.find(text.encode())
    return capture


@pytest.mark.parametrize(
    ("algorithm", "lengths"),
    [("RS256", (342, 512, 683)), ("RS384", (342, 512, 683)), ("RS512", (342, 512, 683)), ("ES256", (86,)), ("HS256", (43,))],
)
def test_a_signature_has_one_of_these_lengths(algorithm: str, lengths: tuple[int, ...]) -> None:
    for shorter, length in zip((None, *lengths), lengths, strict=False):
        token = signed(algorithm, length)
        begin = len(token) - length
        assert jwt.end(token, 0, len(token)) == len(token)
        assert jwt.end(token, 0, len(token) - 1) == (begin + shorter if shorter else None)
        assert jwt.end(token + b"s", 0, len(token) + 1) == len(token)


def test_a_jwt_has_an_algorithm_and_two_objects() -> None:
    claims = segment({"iss": "a"})
    assert jwt.facts(b"glcbt-" + segment({"alg": "RS256"}) + b"." + claims + b".s") == {"issuer": "a"}
    assert jwt.facts(b"glcbt-" + segment({"typ": "JWT"}) + b"." + claims + b".s") is None
    assert jwt.facts(b"glcbt-" + segment({"alg": "RS256"}) + b"." + segment([1]) + b".s") is None
    assert jwt.facts(b"glcbt-" + segment(["alg"]) + b"." + claims + b".s") is None


def test_a_jwt_expires_between_1970_and_3058() -> None:
    for expires, is_date in ((0, False), (1, True), ((1 << 35) - 1, True), (1 << 35, False), (-1, False)):
        assert ("expires" in (jwt.facts(signed("HS256", 43, exp=expires)) or {})) == is_date, expires


def test_claims_are_read_as_gitlab_writes_them() -> None:
    facts = jwt.facts(signed("HS256", 43, sub="gid://gitlab/Ci::Build/10", u="1z", c="a-b", g=5, o=""))
    assert facts == {"job": 10, "user": 71}


def test_a_prefix_has_at_most_41_characters(rng: random.Random) -> None:
    assert routable.MAX_PREFIX == 20 + 1 + 20
    for length, is_token in ((41, True), (42, False)):
        token = make_routable(rng, "A" * (length - 1) + "-").encode()
        shape = routable.layout(token, len(token))
        assert shape is not None
        proof = routable.prove(token, shape)
        assert (proof is not None and proof.start == 0) == is_token, length


def test_a_layout_needs_two_characters_of_base64() -> None:
    for body, is_layout in (("A", False), ("AB", True)):
        text = f"{body}.{base36(len(body), 2)}0000000".encode()
        assert (routable.layout(text, len(text)) is not None) == is_layout


def test_a_version_is_two_digits_of_base36() -> None:
    for version, number in (("01", 1), ("0a", 10), ("z9", 35 * 36 + 9), ("00", 0)):
        text = f"{'A' * 28}.{version}.0s0000000".encode()
        shape = routable.layout(text, len(text))
        assert shape is not None
        assert (shape.version, shape.body_end) == (number, 28)


@pytest.mark.parametrize("payload", ["o:1", "u:9z\no:0", "a:0123456789", "o:abcdefghijklmnopqrstuvwxyz"])
def test_a_payload_is_pairs_of_a_letter_and_base36(payload: str) -> None:
    raw = bytes(16) + payload.encode() + bytes([len(payload)])
    pairs = dict(line.split(":") for line in payload.split("\n"))
    assert routable.payload(base64.urlsafe_b64encode(raw).rstrip(b"="), 1) == {
        routable.ROUTES.get(letter, letter): int(digits, 36) for letter, digits in pairs.items()
    }
    for wrong in (payload + "\n", payload.replace(":", ";"), payload.upper(), "1" + payload):
        raw = bytes(16) + wrong.encode() + bytes([len(wrong)])
        assert routable.payload(base64.urlsafe_b64encode(raw).rstrip(b"="), 1) is None


def test_a_wrong_checksum_behind_a_prefix_was_meant_if_the_length_fits(matcher: Matcher, rng: random.Random) -> None:
    token = make_routable(rng, "glpat-")
    body, tail = token[6:].split(".", 1)
    wrong = f"{tail[:-1]}{'0' if tail[-1] != '0' else '1'}"
    # The prefix, and a type or partition of four characters at most, stand before the body that the length field counts.
    for front, is_meant in (("", True), ("abcd", True), ("abcde", False)):
        captures = matcher.find(f"glpat-{front}{body}.{wrong} ".encode())
        rejected = [capture.reason for capture in captures if capture.rule.body == "routable"]
        assert (rejected == ["checksum"]) == is_meant, front


def test_what_lacks_a_checksum_has_a_tail_of_nine(matcher: Matcher, rng: random.Random) -> None:
    for body, tail, reason in (
        (friendly(rng, 27), "0z9z9z9z9", "checksum"),
        (friendly(rng, 27), "29.0z9z9z9z9", "checksum"),
        (friendly(rng, 26), "0z9z9z9z9", "length"),
        (friendly(rng, 27), "0z9z9z9z", "length"),
        (friendly(rng, 27), "0z9z9z9z9z", "length"),
    ):
        assert one(matcher, f"glpat-{body}.{tail} ").reason == reason, tail


@pytest.mark.parametrize("after", ["%s", "%9d", "%123x", "%-", "%g", "$x", "{y", "<z", "@w", "#{"])
def test_an_interpolation_behind_it(matcher: Matcher, rng: random.Random, after: str) -> None:
    assert one(matcher, f"glpat-{friendly(rng, 8)}{after} ").reason == "interpolation"


@pytest.mark.parametrize("after", [f"%{digit}0" for digit in "0123456789ABCDEF"])
def test_a_percent_escape_is_no_interpolation(matcher: Matcher, rng: random.Random, after: str) -> None:
    assert one(matcher, f"glpat-{friendly(rng, 8)}{after} ").reason == "length"


def test_an_old_trigger_token_is_drawn_from_sixty_or_from_sixteen(matcher: Matcher, rng: random.Random) -> None:
    drawn = friendly(rng)
    assert one(matcher, f"glptt-{drawn} ").confidence == "medium"
    for letter in "lIO0":
        assert one(matcher, f"glptt-{drawn[:9]}{letter}{drawn[10:]} ").confidence == "low"
    assert one(matcher, f"glptt-{hexadecimal(rng, '', 19)}0 ").confidence == "medium"


def test_one_class_of_characters_counts_from_37_symbols(rules: tuple[Rule, ...]) -> None:
    text = b"glpat-dontusethis "
    for size, reason in ((36, "length"), (37, "placeholder")):
        alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_"[:size]
        ours = rule(rules, "gitlab-pat")._replace(body="drawn", demands=Demands(alphabet=alphabet))
        claim = near_miss(ours, text, 0)
        assert claim is not None
        assert claim.reason == reason


def test_an_unmet_entropy_is_told_to_two_places(rules: tuple[Rule, ...]) -> None:
    unmet = own.unmet(rule(rules, "gitlab-pat"), Demands(min_entropy=3.5), b"glpat-aab")
    assert unmet is not None
    assert unmet.text == "2.64 bits per character, where the rule demands 3.5"


@pytest.mark.parametrize(
    "keys", ["1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik", "9ol"]
)
def test_a_walk_goes_from_a_key_to_the_ones_beside_it(keys: str) -> None:
    numbers = [written.SYMBOLS.index(key.encode()) for key in keys]
    steps = written._steps()
    for one_key, other in [*zip(numbers, numbers[1:], strict=False), *zip(numbers[1:], numbers, strict=False)]:
        assert steps[one_key * 64 + other] > 0.02
    assert steps[written.SYMBOLS.index(b"3") * 64 + written.SYMBOLS.index(b"k")] < 0.01


def test_a_rejected_cookie_has_eight_to_512_characters(rules: tuple[Rule, ...]) -> None:
    cookie = rule(rules, "gitlab-session-cookie")
    for value, length in (("0123456", None), ("01234567", 8), ("89azAZ%_.=-", 11), ("x" * 513, 512), ("0123456;8", None), ("01234567;", 8)):
        claim = rejected_cookie(cookie, f"={value}\n".encode(), 1)
        assert (claim and claim.end - claim.start) == length, value


@pytest.mark.parametrize("digits", [1, 2, 4, 5])
def test_a_partition_has_one_to_five_digits(matcher: Matcher, rng: random.Random, digits: int) -> None:
    capture = one(matcher, f"glcbt-{'9f0a8'[:digits]}_{friendly(rng)} ")
    assert (capture.confidence, len(capture.secret)) == ("high", 6 + digits + 1 + 20)
    assert one(matcher, f"glcbt-{'9f0a8b'}_{friendly(rng)} ").confidence == "low"


@pytest.mark.parametrize(
    "escape",
    [
        *(rf"\{letter}" for letter in "abefnrtv0"),
        "%3D",
        "%09",
        "%aF",
        "%F9",
        r"\x09",
        r"\xfA",
        r"\u0039",
        r"\u00fA",
        "\x1b[0m",
        "\x1b[39;1m",
    ],
)
def test_an_escape_in_front_is_no_letter(matcher: Matcher, rng: random.Random, escape: str) -> None:
    assert one(matcher, f"={escape}{classic(rng)} ").confidence == "high"
    assert not judge._is_glued(f"{escape}g".encode(), len(escape))


@pytest.mark.parametrize("front", ["%3", "%g9", r"\x9", r"\xg9", r"\u039", r"\u0g39", r"\d", "[0m", "\x1b[0n"])
def test_half_an_escape_in_front_is_a_letter(matcher: Matcher, rng: random.Random, front: str) -> None:
    capture = one(matcher, f"={front}{classic(rng)} ")
    assert (capture.confidence, capture.evidence[0].type) == ("medium", "edge")
    assert judge._is_glued(f"{front}g".encode(), len(front))


def test_a_letter_beside_the_first_digit_has_either_case() -> None:
    steps, zero = written._steps(), written.SYMBOLS.index(b"0")
    for letter in (b"z", b"Z"):
        assert steps[zero * 64 + written.SYMBOLS.index(letter)] == pytest.approx(0.1 * 0.7 + 0.1 / 64)


def test_tokens_share_their_mask_and_the_evidence_of_equal_odds(matcher: Matcher, rng: random.Random) -> None:
    """A history may have a hundred thousand tokens."""
    captures = matcher.find("\n".join(f"token = {classic(rng)} " for _ in range(200)).encode())
    evidence = [one for capture in captures for one in capture.evidence if one.type == "likelihood" and "bits" in one.facts]
    assert len(captures) == 200
    assert len({id(str(capture.secret)) for capture in captures}) == 1
    assert len({id(one) for one in evidence}) == len({one.facts["bits"] for one in evidence}) < 100
