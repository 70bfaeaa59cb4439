"""JSON Lines (jsonlines.org), for log collectors and line tools: a ``report`` line, then a line for each ``finding`` and ``ignored`` one.

The fields are those of the JSON report; ``type`` is a line's sort. The first line has everything else, coverage included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from patscan.formats import wire
from patscan.formats.ascii_json import compact

if TYPE_CHECKING:
    from patscan.formats import Style
    from patscan.model import Report


def write(report: Report, stream: TextIO, style: Style) -> None:
    """Write `report` line by line."""
    stream.write(compact({"type": "report", **wire.head(report)}) + "\n")
    stream.writelines(compact({"type": "finding", **wire.finding(one, style, report.target)}) + "\n" for one in report.findings)
    stream.writelines(compact({"type": "ignored", **wire.ignored(one, style, report.target)}) + "\n" for one in report.ignored)
