from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patscan.detect.positions import Text
from patscan.model import Position

TEXTS = st.text(st.sampled_from("ab é漢😀\r\n\t"), max_size=60)


def expected(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@given(text=TEXTS, index=st.integers(0, 60))
def test_lines_and_columns_are_counted_in_characters(encoding: str, text: str, index: int) -> None:
    index = min(index, len(text))
    mark = "\ufeff".encode(encoding)
    start = len(mark) + len(text[:index].encode(encoding))
    assert Text.starting(mark + text.encode(encoding)).at(start) == expected(text, index)


@given(text=TEXTS, cut=st.integers(0, 60), index=st.integers(0, 60))
def test_a_window_goes_on_counting_where_the_last_one_stood(text: str, cut: int, index: int) -> None:
    cut, index = sorted((min(cut, len(text)), min(index, len(text))))
    content, step = text.encode(), len(text[:cut].encode())
    window = Text.starting(content).then(content[step:], step)
    assert window.at(len(text[cut:index].encode())) == expected(text, index)


def test_wide_text_without_a_mark_is_recognised() -> None:
    content = "one\ntwo tokens\n".encode("utf-16-be")
    assert Text.starting(content).position(16, 22) == Position(2, 5, 2, 8)


def test_a_byte_that_is_no_text_is_one_character() -> None:
    assert Text.starting(b"\xff\xfe\xfdx").encoding == "utf-16-le"
    assert Text.starting(b"a\xff\xfdx").at(3) == (1, 4)
