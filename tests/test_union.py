"""Reports of several repositories as one."""

from __future__ import annotations

import random

from patscan.model import Commit, Exposure
from patscan.union import union
from tests.formats.reports import finding, report
from tests.tokens import classic


def test_dates_of_different_zones_are_compared_as_moments(rng: random.Random) -> None:
    token = classic(rng)
    early, late = Commit("1" * 40, "Ada", "2024-05-01T23:30:00+12:00"), Commit("2" * 40, "Bo", "2024-05-01T12:30:00-11:00")
    outer, inner = (report(finding(token, exposure=Exposure(commit, commit))) for commit in (late, early))
    [joined] = union(outer, {"lib": inner}).findings
    assert (joined.exposure.first_seen, joined.exposure.last_seen) == (early, late)
