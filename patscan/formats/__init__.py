"""A report in the form somebody wants. A format is a module here with a function ``write``, and one line in `FORMATS`.

Nothing heavy is imported until a format is used: the hook, which nearly always finds nothing, pays for none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, TextIO

from patscan.model import Report


class Style(NamedTuple):
    """How a report should look; a format takes from it what makes sense for it."""

    color: bool
    reveal: bool
    """``--show-secrets``: whole tokens instead of ``glpat-…(26)``."""
    width: int
    """Columns of the terminal."""


Write = Callable[[Report, TextIO, Style], None]


def _lazily(module: str) -> Write:
    def write(report: Report, stream: TextIO, style: Style) -> None:
        from patscan.formats.redaction import redacted

        writer: Write = import_module(f"{__name__}.{module}").write
        writer(report if style.reveal else redacted(report), stream, style)

    return write


FORMATS: dict[str, Write] = {
    "text": _lazily("text"),
    "brief": _lazily("brief"),
    "json": _lazily("wire"),
    "sarif": _lazily("sarif"),
}
"""Every format by the name that ``--format`` and ``--report`` take."""


def write(name: str, report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` to `stream` in the format `name`, one of `FORMATS`."""
    FORMATS[name](report, stream, style)
