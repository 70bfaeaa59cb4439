"""Report formats. A format is a module here with a function ``write``, and one line in `FORMATS`.

A format's module is imported when it is used, so that a hook starts fast.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from importlib import import_module
from typing import TextIO

from patscan.model import DECIDED, Finding, Report
from patscan.tuples import NamedTuple


class Style(NamedTuple):
    """How a report should look. Each format uses the fields that apply to it."""

    color: bool
    reveal: bool
    """``--show-secrets``: whole tokens instead of ``glpat-…(26)``."""
    width: int
    """Columns of the terminal."""
    when: str = ""
    """When the scan took place (ISO 8601), for formats that need it. A report has no time of its own, so that it is reproducible."""
    every: bool = False
    """``--all``: text lists every place of a token."""
    category: str | None = None
    """``--category``: a SARIF run's name. Empty: none, so that the uploader may name it. ``None``: the kind of target."""


Write = Callable[[Report, TextIO, Style], None]


LISTING = frozenset(("json", "jsonl", "csv", "junit"))
"""The formats that list the places of ignored tokens; the others count the tokens."""


def _lazily(module: str, reveals: bool = False) -> Write:
    """The ``write`` of `module`. Only a format that `reveals` may get a report that isn't redacted."""

    def write(report: Report, stream: TextIO, style: Style) -> None:
        from patscan.formats.redaction import legible, redacted

        writer: Write = import_module(f"{__name__}.{module}").write
        writer(legible(report) if style.reveal and reveals else redacted(report), stream, style)

    return write


FORMATS: dict[str, Write] = {
    "text": _lazily("text", reveals=True),
    "brief": _lazily("brief", reveals=True),
    "json": _lazily("wire", reveals=True),
    "jsonl": _lazily("jsonl", reveals=True),
    "csv": _lazily("csv", reveals=True),
    "sarif": _lazily("sarif"),
    "gitlab": _lazily("gitlab"),
    "codequality": _lazily("codequality"),
    "github": _lazily("github"),
    "junit": _lazily("junit"),
    "markdown": _lazily("markdown"),
}
"""Every format by its name in ``--format`` and ``--report``."""


def write(name: str, report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` to `stream` in the format `name`, one of `FORMATS`."""
    if name not in LISTING:
        report = report._replace(ignored=tuple(map(_counted, report.ignored)))
    # A large report has millions of values and no cycles. The collector would walk through them again and again.
    collects = gc.isenabled()
    gc.disable()
    try:
        FORMATS[name](report, stream, style)
    finally:
        if collects:
            gc.enable()


def _counted(finding: Finding) -> Finding:
    """`finding` with one place only, unless the user decided to ignore it: there may be thousands of places."""
    return finding if finding.reason in DECIDED else finding._replace(occurrences=finding.occurrences[:1])
