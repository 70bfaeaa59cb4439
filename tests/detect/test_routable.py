from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patscan.detect import routable
from tests.tokens import base36, plain
from tests.tokens import routable as make

# Public vectors (gitlab-facts 2.5); a ~ stands after the prefix, and is dropped.
SOUND = {
    "glrtr-~W5m1cHR6skC98Bx7XkuYjmM6MQpnOjgKbzpyegp0OjIQ.01.181uebm4k": {"cell": 1, "group": 8, "organization": 1007, "runner_type": 2},
    "glpat-~bzox79Of-KE9FD2LjoXXF4CvyxA.0r03gxo7s": {"organization": 1},
    "glpat-~YWFhYWFhYWFhYWFhYWFhYW86MQp1Oml3Ymg0Cw.01.121p86a29": {"organization": 1, "user": int("iwbh4", 36)},
    "glpat-~YWFhYWFhYWFhYWFhYWFhYW86MQM.01.0r0i4k17x": {"organization": 1},
}
WRONG_CHECKSUM = [
    "glrtr-~W5m1cHR6skC98Bx7XkuYjmM6MQpnOjgKbzpyegp0OjIQ.01.181uebm4l",
    "glpat-~3fZ1p5y4XWcCvMGVlfakeW86MQp1Oml3Ymg0Cw.01.1203afake",
]


def prove(token: str, at: int | None = 0) -> routable.Proof | None:
    text = token.encode()
    shape = routable.layout(text, len(text))
    return shape and routable.prove(text, shape, at)


@pytest.mark.parametrize("token", WRONG_CHECKSUM)
def test_a_wrong_checksum_proves_nothing(token: str) -> None:
    assert prove(plain(token)) is None


@pytest.mark.parametrize("token", ["", ".01.0r0000000", "x.01.0r0000000", "a" * 30 + ".01.zz0000000", "a" * 27 + ".01.!!0000000"])
def test_a_length_field_that_points_nowhere_is_no_layout(token: str) -> None:
    assert routable.layout(token.encode(), len(token)) is None


@pytest.mark.parametrize(
    "token",
    [
        "glpat-~vSY1cyL948aAB440qB6L4zlu9OzsUmEV.01.0w0sfevch",
        "glrtr-~8CLoDbhWwqW3qiRbgpHYEwA.01.0n",
        "glrtr-~igz7z_MRijGFhUQwq0FCzWEKeAoxCjIH.01.0w",
    ],
)
def test_a_checksum_without_a_payload_is_said_to_be_so(token: str) -> None:
    token = plain(token)
    token = token if token.endswith("ch") else token + base36(zlib.crc32(token.encode()), 7)
    proof = prove(token)
    assert proof is not None
    assert proof.payload is None


@pytest.mark.parametrize(("token", "payload"), SOUND.items())
def test_public_vectors_decode(token: str, payload: dict[str, int]) -> None:
    assert prove(plain(token)) == routable.Proof(0, payload)


def test_the_longest_v0_vector_decodes() -> None:
    token = plain(
        "glpat-~YzozdzVlMTEyNjRzZ3NmCmc6M3c1ZTExMjY0c2dzZgpoOjN3NWUxMTI2NHNnc2YKajozdzVlMTEyNjRzZ3NmCms6M3c1ZTExMjY0c2dzZgpsOjN3NWUxMTI2NHNnc2YK"
        "bTozdzVlMTEyNjRzZ3NmCm86M3c1ZTExMjY0c2dzZgpwOjN3NWUxMTI2NHNnc2YKdTozdzVlMTEyNjRzZ3NmPcvif4caKLQwleVqBR5hp3vDX9WAKZKrT318xMVLFzdtP-OZciT7"
        "mCO-NDPZnozuj2_LP-aLYwRfzxHkPrxDbBlB.8c1f6ihl5"
    )
    proof = prove(token)
    assert proof is not None
    assert proof.payload is not None
    assert set(proof.payload) == {"cell", "group", "h", "j", "k", "l", "m", "organization", "project", "user"}


PAYLOADS = st.dictionaries(st.sampled_from("cgoptu"), st.integers(1, 2**63), min_size=1).map(
    lambda routes: "\n".join(f"{key}:{base36(routes[key])}" for key in sorted(routes))
)
PREFIXES = st.from_regex(r"\A[a-zA-Z0-9_+=/@:.-]{0,20}\Z")


@given(st.integers(0, 2**32), PREFIXES, PAYLOADS, st.sampled_from([0, 1]))
def test_the_checksum_finds_the_prefix_whatever_it_is(seed: int, prefix: str, payload: str, version: int) -> None:
    token = make(random.Random(seed), prefix, payload, version)
    proof = prove(token, at=None)
    assert proof is not None
    assert proof.start == 0
    assert proof.payload is not None
    assert len(proof.payload) == payload.count("\n") + 1


@given(st.integers(0, 2**32), st.data())
def test_no_changed_character_keeps_the_checksum(seed: int, data: st.DataObject) -> None:
    token = make(random.Random(seed))
    place = data.draw(st.integers(6, len(token) - 1))
    other = data.draw(st.sampled_from("abcXYZ019").filter(lambda char: char != token[place]))
    assert prove(token[:place] + other + token[place + 1 :]) is None
