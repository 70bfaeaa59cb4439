"""The registry: every format by name, imported only when used, the same bytes for the same report."""

from __future__ import annotations

import random
import subprocess
import sys
from importlib import import_module

import pytest

from patscan.formats import FORMATS
from patscan.model import Coverage, Skip
from tests.formats.parsing import parsed
from tests.formats.reports import PLAIN, REVEAL, finding, occurrence, report, secret, written
from tests.tokens import classic, routable


def test_the_formats_are_named() -> None:
    assert list(FORMATS) == ["text", "brief", "json", "jsonl", "csv", "sarif", "gitlab", "codequality", "github", "junit", "markdown"]


def imported(script: str) -> set[str]:
    """What `script` imports beyond what a bare interpreter does here (a .pth file may import anything)."""
    outputs = (
        subprocess.run(
            [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"], capture_output=True, text=True, check=True
        ).stdout
        for code in (script, "pass")
    )
    first, bare = (set(output.split()) for output in outputs)
    return first - bare


def test_importing_the_package_imports_no_format() -> None:
    loaded = imported("import patscan.formats")
    assert {name for name in loaded if name.startswith("patscan")} == {
        "patscan",
        "patscan.formats",
        "patscan.kind",
        "patscan.model",
        "patscan.demands",
        "patscan.secret",
        "patscan.tuples",
    }
    assert not loaded & {"pygments", "sarif_om", "attr", "json", "rich", "textwrap", "inspect", "dataclasses"}


def test_text_without_findings_needs_no_pygments() -> None:
    script = "from tests.formats.reports import report, written, PLAIN; written('text', report(), PLAIN._replace(color=True))"
    assert not imported(script) & {"pygments", "sarif_om", "patscan.formats.frames"}


@pytest.mark.parametrize("module", [{"json": "wire"}.get(name, name) for name in FORMATS])
def test_each_format_has_the_one_function(module: str) -> None:
    assert callable(import_module(f"patscan.formats.{module}").write)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("style", [PLAIN, REVEAL, PLAIN._replace(color=True)])
def test_same_report_same_bytes(name: str, style: object, rng: random.Random) -> None:
    made = report(finding(routable(rng)), finding(classic(rng)))
    assert written(name, made, style) == written(name, made, style)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_a_line_feed(name: str, rng: random.Random) -> None:
    assert written(name, report()).endswith("\n")
    assert written(name, report(finding(classic(rng)))).endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_only_people_and_programs_who_asked_get_tokens(name: str, rng: random.Random) -> None:
    token = classic(rng)
    assert (token in written(name, report(finding(token)), REVEAL)) is (name in {"text", "brief", "json", "jsonl", "csv", "gitlab"})
    assert token not in written(name, report(finding(token)))


@pytest.mark.parametrize("name", FORMATS)
def test_the_mask_stands_where_the_token_would(name: str, rng: random.Random) -> None:
    token = classic(rng)
    output = written(name, report(finding(token)))
    assert str(secret(token)) in output.replace("\\u2026", "…")


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_not_looked_at_is_in_every_format(name: str) -> None:
    made = report(coverage=Coverage(skipped=(Skip("gone/file", "broken as can be."),)))
    output = written(name, made)
    parsed(name, output)
    assert "gone/file" in output
    assert "broken as can be" in output


@pytest.mark.parametrize("name", FORMATS)
def test_an_interrupted_scan_says_so_in_every_format(name: str) -> None:
    output = written(name, report(interrupted=True))
    parsed(name, output)
    assert "interrupted" in output.lower()


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"codequality", "sarif"}))
def test_what_is_ignored_is_not_dropped_in_silence(name: str, rng: random.Random) -> None:
    output = written(name, report(ignored=(finding(classic(rng), reason="baseline"),)))
    parsed(name, output)
    assert "baseline" in output


@pytest.mark.parametrize("name", FORMATS)
def test_every_finding_is_told_but_in_short_ones(name: str, rng: random.Random) -> None:
    made = report(
        *(finding(token, occurrence(token, path=f"src/{number}.py")) for number, token in enumerate(classic(rng) for _ in range(300)))
    )
    output = written(name, made)
    parsed(name, output)
    assert (f"src/{299}.py" in output) is (name not in {"brief", "markdown"})
