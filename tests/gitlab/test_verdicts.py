"""Every cell of the table, asked of the loopback GitLab over real HTTP."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from patscan.gitlab.askers import ASKERS
from patscan.model import Verdict
from patscan.secret import Secret
from tests import tokens
from tests.gitlab.asking import RULES, ask, finding
from tests.gitlab.cells import CELLS, HINTS, TRUTHS, Cell, make
from tests.gitlab.loopback import GitLab

ROWS = [pytest.param(cell, id=f"{cell.kind}-{cell.truth}-{cell.mode or 'read'}-{cell.expected}") for cell in CELLS]


def asked(cell: Cell, rng: random.Random) -> Iterator[tuple[tuple[int, int], Verdict, GitLab, str]]:
    kind, value, root = cell.kind.removesuffix("-jwt"), make(cell.kind, rng), tokens.classic(rng)
    administrator = Secret(root.encode()) if cell.mode == "admin" else None
    with GitLab() as gitlab:
        TRUTHS[cell.truth](gitlab, value)
        gitlab.add("personal-access-token", root, gitlab.user("root", admin=True))
        for version in cell.versions:
            gitlab.version = version
            writes = cell.mode == "writes"
            outcome = ask([finding(kind, value, HINTS.get(kind))], gitlab.url, administrator=administrator, allow_writes=writes)
            yield version, outcome.findings[0].verdict, gitlab, value


@pytest.mark.parametrize("cell", ROWS)
def test_every_cell_is_right(cell: Cell, rng: random.Random) -> None:
    assert cell.source or cell.expected == "unverifiable"
    for version, verdict, gitlab, value in asked(cell, rng):
        assert verdict.state == cell.expected, (version, verdict)
        for request in gitlab.requests:
            assert value not in request.path
            assert request.method == "GET" or cell.mode
        if cell.mode != "writes":
            assert {urlsplit(request.path).path for request in gitlab.requests if request.method != "GET"} <= {"/api/v4/admin/token"}
            assert not gitlab.heartbeats
            assert not gitlab.acts


def test_no_live_or_unknown_token_is_called_dead() -> None:
    """The table itself: ``inactive`` and ``not-found`` only where GitLab's own words say so."""
    dead = {"revoked", "expired", "expired and revoked", "revoked, user blocked", "job over", "unknown"}
    assert all(cell.truth in dead for cell in CELLS if cell.expected in {"inactive", "not-found"})


def test_every_kind_of_every_rule_has_a_way_of_asking() -> None:
    assert set(RULES) == set(ASKERS)
    assert set(RULES) - {cell.kind for cell in CELLS} <= {"iam-access-token"}


def test_nothing_is_written_unless_it_is_allowed_and_no_pipeline_ever_starts(rng: random.Random) -> None:
    for cell in CELLS:
        if cell.mode == "writes" and cell.truth == "live":
            _, _, gitlab, _ = next(asked(cell, rng))
            assert not gitlab.pipelines
            assert all(json.loads(request.body).get("ref") != "main" for request in gitlab.requests if request.method == "POST")
