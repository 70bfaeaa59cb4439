"""docs/formats.md names every field of the JSON report, with an example that fits, and none that there isn't."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patscan.kind import Kind
from patscan.model import Check, Commit, Coverage, Evidence, Exposure, Layer, Note, Report, Skip, Target, Verdict
from tests.formats.reports import COMMIT, finding, occurrence, report, written
from tests.tokens import classic

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8").split("## json\n")[1].split("\n## ")[0]
ROWS = {path: json.loads(example) for path, example in re.findall(r"^\| `([^`]+)` \| .+ \| `([^`]+)` \|$", PAGE, re.MULTILINE)}
ALIKE = re.compile(r"^(ignored\[\]|findings\[\]\.exposure\.(last_seen|removed\[\]))\.")
"""Fields that have those of another object, which the page names once."""


def full(token: str) -> Report:
    """A report with a value in every field that there is."""
    seen = Commit(COMMIT, "Jane", "2024-05-01", "Jane", "2024-05-01", (COMMIT,))
    exposure = Exposure(seen, seen, True, ("refs/heads/main",), True, True, "ref", (seen,), True, ("HEAD",))
    check = Check("no-expiry", "high", "It never expires.", "https://docs.gitlab.com/")
    verdict = Verdict("active", "Yes.", {"scopes": ("api",)}, (check,), "critical", ("all",), "https://gitlab.example.com", "2026-11-21")
    more = {
        "submodule": "a\udcff",
        "layers": (Layer("base64", 1),),
        "members": ("a.zip",),
        "line_hash": "a:1",
        "message": "Add",
        "at_head": True,
    }
    places = (
        occurrence(token, path="a\udcff/b\udcff", **more),
        occurrence(token, kind=Kind.FILE, path="b\udcff"),
        occurrence(token, kind=Kind.STDIN),
    )
    jwt: dict[str, str | int | bool] = {"issuer": "a", "job": 1, "expires": "2026"}
    evidence = (
        Evidence("checksum", {"ok": True}),
        Evidence("routing", {"organization": 1}),
        Evidence("edge", {"text": "a"}),
        Evidence("likelihood", {"text": "a", "bits": 38}),
        Evidence("jwt", jwt),
    )
    made = finding(token, *places, exposure=exposure, verdict=verdict, evidence=evidence)
    coverage = Coverage(1, 1, 1, (Skip("a", "b"),), (Note("a", "b", "policy"),), ("isal",), 1)
    target = Target("ci", ".", "https://gitlab.com/a.git", COMMIT, "GitLab CI", "push", COMMIT, "because")
    return report(made, ignored=(made._replace(reason="path", justification="why"),), coverage=coverage, target=target)


def fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of `value` by its path, a list by that of its items."""
    if isinstance(value, list):
        for item in value:
            yield f"{path}[]", item
            yield from fields(item, f"{path}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            name = f"{path}.{key}" if path else key
            if not isinstance(inner, list):
                yield name, inner
            if not name.endswith("verdict.facts"):
                yield from fields(inner, name)


@pytest.fixture
def values(rng: random.Random) -> dict[str, list[Any]]:
    known: dict[str, list[Any]] = {}
    for path, value in fields(json.loads(written("json", full(classic(rng))))):
        if path in {"ignored[].reason", "ignored[].justification"} or not ALIKE.match(path):
            known.setdefault(path, []).append(value)
    return known


def test_every_field_is_explained_and_every_explained_field_exists(values: dict[str, list[Any]]) -> None:
    assert sorted(ROWS) == sorted(values)


def test_what_is_likewise_is_alike(rng: random.Random) -> None:
    document = json.loads(written("json", full(classic(rng))))
    assert {path for path, _ in fields(document["findings"][0])} | {"reason", "justification"} == {
        path for path, _ in fields(document["ignored"][0])
    }
    exposure = document["findings"][0]["exposure"]
    assert set(exposure["first_seen"]) == set(exposure["last_seen"]) == set(exposure["removed"][0])


@pytest.mark.parametrize("path", ROWS)
def test_an_example_is_what_the_field_holds(path: str, values: dict[str, list[Any]]) -> None:
    held = [value for value in values[path] if value is not None]
    assert held, "a value in the full report"
    assert type(ROWS[path]) in {type(value) for value in held}
    if isinstance(ROWS[path], dict):
        assert ROWS[path].keys() <= {key for value in held for key in value}
