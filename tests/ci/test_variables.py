"""``PATSCAN_BASE`` and ``PATSCAN_HEAD``."""

from __future__ import annotations

import pytest

from patscan.ci.variables import decide


@pytest.mark.parametrize("name", ["main", "origin/main", "refs/heads/main"])
def test_a_branch_may_be_written_in_three_ways(name: str) -> None:
    assert decide({"PATSCAN_BASE": name}).bases[0].name == "refs/heads/main"
