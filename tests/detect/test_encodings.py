from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patscan import rulebook
from patscan.detect.matcher import Matcher
from tests.tokens import classic, routable

MATCHER = Matcher(rulebook.load())


def captures_in(content: bytes) -> list[tuple[bytes, bytes, tuple[str, ...]]]:
    return [(match.secret.reveal(), content[match.start : match.end], match.encodings) for match in MATCHER.find(content)]


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_base64_in_any_alignment(before: bytes, after: bytes, seed: int, urlsafe: bool, folded: bool) -> None:
    rng = random.Random(seed)
    token = (routable if seed % 2 else classic)(rng).encode()
    raw = before + b"\n" + token + b"\n" + after
    encoded = base64.urlsafe_b64encode(raw) if urlsafe else base64.encodebytes(raw) if folded else base64.b64encode(raw)
    content = b"data:\n  key: " + encoded + b"\n"
    assert token in [secret for secret, _, encodings in captures_in(content) if encodings == ("base64",)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_text_with_and_without_a_mark(rng: random.Random, encoding: str) -> None:
    token = classic(rng)
    content = f"é = '{token}'\r\n".encode(encoding)
    name = "utf-16" if "16" in encoding else "utf-32"
    codec = encoding if encoding[-2:] in {"le", "be"} else f"{encoding}-le"
    assert captures_in(content) == [(token.encode(), token.encode(codec), (name,))]


@pytest.mark.parametrize("upper", [False, True])
def test_hex(rng: random.Random, upper: bool) -> None:
    token = classic(rng).encode()
    encoded = token.hex().upper().encode() if upper else token.hex().encode()
    assert captures_in(b"x'" + encoded + b"'") == [(token, encoded, ("hex",))]


def test_percent_encoding(rng: random.Random) -> None:
    token = routable(rng).encode()
    encoded = token.replace(b"-", b"%2D").replace(b"_", b"%5f")
    assert captures_in(b"https://h/?t=" + encoded + b"&x=1") == [(token, encoded, ("percent",))]


def test_everything_percent_encoded(rng: random.Random) -> None:
    token = classic(rng)
    encoded = "".join(f"%{ord(char):02X}" for char in token).encode()
    assert captures_in(b"?t=" + encoded + b"&x") == [(token.encode(), encoded, ("percent",))]


@pytest.mark.parametrize("encode", [base64.b64encode, lambda raw: raw.hex().encode()])
def test_many_tokens_in_one_encoded_file(rng: random.Random, encode) -> None:
    tokens = [classic(rng).encode() for _ in range(3000)]
    assert [secret for secret, _, _ in captures_in(encode(b"\n".join(tokens)))] == tokens


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd(content: bytes) -> None:
    for literal in (b"Z2xwYXQt", b"g\0l\0p\0a\0t\0-", b"676c7061742d", b"glpat%2D", b"glpat-", b".01."):
        MATCHER.find(content[:150] + literal + content[150:])


@given(st.binary(max_size=200), st.integers(0, 2**32))
def test_a_token_is_found_in_any_noise(noise: bytes, seed: int) -> None:
    token = classic(random.Random(seed)).encode()
    content = noise[:100] + token + noise[100:]
    assert token in [secret for secret, _, _ in captures_in(content)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-be"])
def test_wide_text_far_into_a_file(rng: random.Random, encoding: str) -> None:
    token = classic(rng)
    content = ("x" * 3001 + token + "\n").encode(encoding)
    assert captures_in(content) == [(token.encode(), token.encode(encoding), (encoding[:6],))]
