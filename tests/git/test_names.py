from __future__ import annotations

import random

import pytest

from patscan import look, rulebook
from patscan.git.names import PATH, PathShard
from tests.tokens import classic


@pytest.fixture(autouse=True, scope="module")
def _rules() -> None:
    look.start(rulebook.load())


def test_names_are_searched_together_and_looked_at_one_by_one(rng: random.Random) -> None:
    clean = (b"a/b.txt", "ü.txt".encode(), b"odd\nname", b"\xff")
    looked = look.look(PathShard(clean))
    assert (looked.bytes, looked.blobs, list(looked.matches), list(looked.suspicious)) == (sum(map(len, clean)), 0, [], [])
    assert looked.engines
    leaked = f"keys/{classic(rng)}.txt".encode()
    (match,) = look.look(PathShard((*clean, leaked))).matches
    assert match.address.name == PATH + leaked.decode()
    assert look.look(PathShard((*clean, leaked))).bytes == sum(map(len, (*clean, leaked)))


def test_two_names_are_no_token(rng: random.Random) -> None:
    token = classic(rng)
    for place in (3, 6, 12):
        looked = look.look(PathShard((token[:place].encode(), token[place:].encode())))
        assert not [match for match in looked.matches if not match.reason]
