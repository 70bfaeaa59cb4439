"""A report in the form somebody wants. A format is a module here with a function ``write``, and one line in `FORMATS`.

Nothing heavy is imported until a format is used: the hook, which nearly always finds nothing, pays for none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, TextIO

from patscan.model import DECIDED, Finding, Report


class Style(NamedTuple):
    """How a report should look; a format takes from it what makes sense for it."""

    color: bool
    reveal: bool
    """``--show-secrets``: whole tokens instead of ``glpat-…(26)``."""
    width: int
    """Columns of the terminal."""
    when: str = ""
    """When the scan took place (ISO 8601), for formats that must say so: a report holds no clock, so that it can be made again."""
    every: bool = False
    """``--all``: text lists every place of a token."""
    category: str | None = None
    """``--category``: what a SARIF run is called; empty: nothing, so that the uploader may name it; ``None``: what was scanned."""


Write = Callable[[Report, TextIO, Style], None]


LISTING = frozenset(("json", "jsonl", "csv", "junit"))
"""The formats that list the places of ignored tokens; the others count the tokens."""


def _lazily(module: str, reveals: bool = False) -> Write:
    """The format of that `module`; only one that `reveals` is ever given a report with tokens in its text."""

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
"""Every format by the name that ``--format`` and ``--report`` take."""


def write(name: str, report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` to `stream` in the format `name`, one of `FORMATS`."""
    if name not in LISTING:
        report = report._replace(ignored=tuple(map(_counted, report.ignored)))
    FORMATS[name](report, stream, style)


def _counted(finding: Finding) -> Finding:
    """An ignored token with one place, if it was no finding to begin with: there may be thousands that nobody will see."""
    return finding if finding.reason in DECIDED else finding._replace(occurrences=finding.occurrences[:1])
