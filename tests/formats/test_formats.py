"""The registry: every format by name, imported only when used, the same bytes for the same report."""

from __future__ import annotations

import random
import subprocess
import sys
from importlib import import_module

import pytest

from patscan.formats import FORMATS
from tests.formats.reports import PLAIN, REVEAL, finding, report, secret, written
from tests.tokens import classic, routable


def test_the_formats_are_named() -> None:
    assert list(FORMATS) == ["text", "brief", "json", "sarif"]


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
    assert {name for name in loaded if name.startswith("patscan")} == {"patscan", "patscan.formats", "patscan.model"}
    assert not loaded & {"pygments", "sarif_om", "attr", "json", "rich", "textwrap", "inspect", "dataclasses"}


def test_text_without_findings_needs_no_pygments() -> None:
    script = "from tests.formats.reports import report, written, PLAIN; written('text', report(), PLAIN._replace(color=True))"
    assert not imported(script) & {"pygments", "sarif_om", "patscan.formats.frames"}


@pytest.mark.parametrize("module", ["text", "wire", "sarif"])
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


@pytest.mark.parametrize(("name", "shows"), [("text", True), ("json", True), ("sarif", False)])
def test_only_people_and_programs_who_asked_get_tokens(name: str, shows: bool, rng: random.Random) -> None:
    token = classic(rng)
    assert (token in written(name, report(finding(token)), REVEAL)) is shows
    assert token not in written(name, report(finding(token)))
    assert str(secret(token)).replace("…", "\\u2026") in written(name, report(finding(token))).replace("…", "\\u2026")
