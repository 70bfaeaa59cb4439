from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patscan.detect.anchors import Anchors

NAMES = ["glpat-", "glrt-", "glrtr-", "_gitlab_session="]
FAST = Anchors(NAMES)


@pytest.fixture(scope="module")
def plain() -> Anchors:
    """The same literals without hyperscan."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "hyperscan", None)
        slow = Anchors(NAMES)
    assert (slow.engine, FAST.engine) == ("regex", "hyperscan")
    return slow


def test_nothing_is_found_in_nothing(plain: Anchors) -> None:
    for engine in (FAST, plain, Anchors(NAMES, 1000)):
        assert not engine.hits(b"")
        assert not engine.present(b"glpa t- gl-rt")


@given(st.lists(st.sampled_from([*NAMES, "glpat", "x", "\0", "Z2xwYXQt", "676c7061742d", "g\0l\0p\0a\0t\0-", "glpat%2D"]), max_size=12))
def test_both_engines_say_the_same(plain: Anchors, parts: list[str]) -> None:
    content = "".join(parts).encode()
    assert FAST.hits(content) == plain.hits(content)
    assert FAST.present(content) == plain.present(content) == bool(FAST.hits(content))


@given(
    st.lists(st.sampled_from([*NAMES, "x" * 40, "\0", "Z2xwYXQt" + "QWJj" * 8, "g\0l\0p\0a\0t\0-", "glpat%2D"]), max_size=12),
    st.integers(1, 300),
)
def test_what_is_searched_before_anything_is_compiled_is_found_as_well(parts: list[str], unhurried: int) -> None:
    slow = Anchors(NAMES, unhurried)
    for content in ("".join(parts).encode(), "".join(reversed(parts)).encode()):
        assert slow.present(content) == FAST.present(content)
        assert slow.hits(content) == slow.hits(memoryview(content)) == FAST.hits(content)


def test_it_is_compiled_once_there_is_much_to_search() -> None:
    anchors = Anchors(NAMES, 100)
    present = anchors.present
    assert not present(b"x" * 100)
    assert anchors.engine == "find"
    for _ in range(3):
        assert present(b"glpat-" * 20_000)
        assert anchors.engine == FAST.engine


def test_hits_are_bounded_when_asked() -> None:
    assert len(FAST.hits(b"glpat-" * 1000, limit=10)) <= 11
    assert len(FAST.hits(b"glpat-" * 1000)) == 1000


def test_a_view_of_memory_will_do() -> None:
    assert FAST.present(memoryview(b"x glpat-"))
