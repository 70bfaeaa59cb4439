from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patscan import folds
from patscan.detect.anchors import Anchors
from patscan.layers import forms
from patscan.seal import Kept, Sealed

NAMES = ["glpat-", "glrt-", "glrtr-", "_gitlab_session="]
FAST = Anchors(NAMES)
PARTS = [form for form in forms("glpat-", [("base64",)]) if folds.is_part(form.layers[0].parameter) and form.literal.isalnum()]


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
        assert not engine.hits(b"glpa t- gl-rt")


@given(st.lists(st.sampled_from([*NAMES, "glpat", "x", "\0", "Z2xwYXQt", "676c7061742d", "g\0l\0p\0a\0t\0-", "glpat%2D"]), max_size=12))
def test_both_engines_say_the_same(plain: Anchors, parts: list[str]) -> None:
    content = "".join(parts).encode()
    assert FAST.hits(content) == plain.hits(content)
    assert bool(FAST.hits(content, 1)) == bool(plain.hits(content, 1)) == bool(FAST.hits(content))


@given(
    st.lists(st.sampled_from([*NAMES, "x" * 40, "\0", "Z2xwYXQt" + "QWJj" * 8, "g\0l\0p\0a\0t\0-", "glpat%2D"]), max_size=12),
    st.integers(1, 300),
)
def test_what_is_searched_before_anything_is_compiled_is_found_as_well(parts: list[str], delay: int) -> None:
    slow = Anchors(NAMES, delay)
    for content in ("".join(parts).encode(), "".join(reversed(parts)).encode()):
        assert bool(slow.hits(content, 1)) == bool(FAST.hits(content, 1))
        assert slow.hits(content) == slow.hits(memoryview(content)) == FAST.hits(content)


def test_it_is_compiled_once_there_is_much_to_search() -> None:
    anchors = Anchors(NAMES, 100)
    assert not anchors.hits(b"x" * 100)
    assert anchors.engine == "find"
    for _ in range(3):
        assert anchors.hits(b"glpat-" * 20_000, 1)
        assert anchors.engine == FAST.engine


def test_hits_are_bounded_when_asked() -> None:
    assert len(FAST.hits(b"glpat-" * 1000, limit=10)) <= 11
    assert len(FAST.hits(b"glpat-" * 1000)) == 1000


def test_a_view_of_memory_will_do() -> None:
    assert FAST.hits(memoryview(b"x glpat-"))


def test_what_was_compiled_serves_the_next_process(tmp_path: Path) -> None:
    sealed = Sealed(tmp_path / "some.anchors", b"k" * 32)
    assert sealed.content() is None
    Anchors(NAMES, kept=Kept(None, sealed))
    content = sealed.content()
    assert content
    for delay in (0, 100):
        again = Anchors(["another-"], delay, Kept(content, sealed))
        assert again.engine == FAST.engine
        data = b"another- glpat- Z2xwYXQt g\0l\0p\0a\0t\0- glrt-"
        assert again.hits(data) == FAST.hits(data) != []


@pytest.mark.parametrize("delay", [0, 1000])
def test_what_another_hyperscan_compiled_is_compiled_again(tmp_path: Path, delay: int) -> None:
    import marshal

    sealed = Sealed(tmp_path / "some.anchors", b"k" * 32)
    Anchors(NAMES, kept=Kept(None, sealed))
    _, packed = marshal.loads(sealed.content() or b"")  # noqa: S302 - written by this very test
    kept = Kept(marshal.dumps((b"of another version", packed)), sealed)
    for data in (b"glpat- _gitlab_session=", b"glpat- Z2xwYXQt" + b"QWJj" * 8, b"g\0l\0p\0a\0t\0- glrtr-"):
        assert Anchors(NAMES, delay, kept).hits(data) == FAST.hits(data) != []


def test_a_part_of_a_folded_form_is_a_hit_only_with_a_fold() -> None:
    anchors = Anchors(["glpat-"])
    for form in PARTS:
        length, before, _ = folds.unpacked(form.layers[0].parameter)
        whole = b"x" * 40 + form.literal + b"x" * 40
        assert not [hit for hit in anchors.hits(whole) if hit.layers == form.layers], form
        for place in range(40 - before, 40 - before + length):
            folded = whole[:place] + b"\n" + whole[place:] if not 40 < place < 40 + len(form.literal) else whole
            at = folded.index(form.literal)
            hits = {(hit.start, hit.layers) for hit in anchors.hits(folded)}
            assert ((at, form.layers) in hits) is (b"\n" in folded), (form, place)
    assert len(PARTS) > 4


def test_hits_up_to_a_limit_are_not_sifted() -> None:
    """Those that wait behind the limit may be tokens, so the caller must see that there are more."""
    (part, *_) = [
        form.literal for form in forms("glpat-", [("base64",)]) if folds.is_part(form.layers[0].parameter) and form.literal.isalnum()
    ]
    content = (part + b"x" * 40) * 50
    assert Anchors(["glpat-"]).hits(content) == []
    assert len(Anchors(["glpat-"]).hits(content, 10)) >= 10
