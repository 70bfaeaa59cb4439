"""Numbers in sentences."""

import pytest

from patscan.counts import counted


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 objects"), (1, "1 object"), (2, "2 objects"), (1234, "1,234 objects")],
)
def test_only_one_takes_the_singular(number: int, text: str) -> None:
    assert counted(number, "object") == text


def test_a_plural_may_be_irregular() -> None:
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(3, "entry", "entries") == "3 entries"
