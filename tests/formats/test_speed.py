"""What a large report costs, in calls of functions for each finding: unlike seconds, they are the same on a loaded machine.

`benchmarks/formats.py` measures the seconds.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import random

import pytest

from patscan import formats
from patscan.model import Report
from tests.formats.reports import PLAIN, finding, report
from tests.tokens import classic

MOST = {
    "text": 299,
    "brief": 70,
    "json": 120,
    "jsonl": 118,
    "csv": 308,
    "sarif": 241,
    "gitlab": 243,
    "codequality": 119,
    "github": 138,
    "junit": 218,
    "markdown": 74,
}
"""Calls for each finding, a tenth more than there were when this was written."""


def calls(name: str, made: Report) -> int:
    """The calls that writing `made` in the format `name` takes, of Python's functions and of C's."""
    with cProfile.Profile() as profile:
        formats.write(name, made, io.StringIO(), PLAIN)
    total: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
    return total


@pytest.fixture(scope="module")
def sizes() -> tuple[Report, Report]:
    rng = random.Random(1)
    findings = [finding(classic(rng)) for _ in range(1500)]
    return report(*findings[:700]), report(*findings)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_a_finding_costs_few_calls(name: str, sizes: tuple[Report, Report]) -> None:
    # The first large report imports numpy.
    calls(name, sizes[0])
    few, many = (calls(name, made) for made in sizes)
    assert (many - few) / 800 < MOST[name]
