"""SonarQube's rules for which results of a SARIF log become issues.

Sources, in SonarSource/sonarqube: RunMapper.java (a result whose mapping throws is dropped with a line in the log), ResultMapper.java,
LocationMapper.java (a location whose file isn't in the project is one of the project) and RegionMapper.java in
sonar-scanner-engine/src/main/java/org/sonar/scanner/externalissue/sarif; ``newRange`` and ``checkValid`` of
org.sonar.api.batch.fs.internal.DefaultInputFile.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_LINE_END = re.compile("\r\n|\n|\r")


def failure(result: dict[str, Any], root: Path) -> str:
    """Why SonarQube drops `result` in its project at `root`; empty if it keeps it."""
    if not result.get("ruleId") or not result["message"].get("text"):
        return "no rule or no message"
    places = (*result["locations"], *result.get("relatedLocations", ()))
    return next(filter(None, (_failure(place["physicalLocation"], root) for place in places)), "")


def _failure(place: dict[str, Any], root: Path) -> str:
    # It takes the URI for a path as it is, so that a file with an escape in its URI isn't there.
    file, region = root / place["artifactLocation"]["uri"], place.get("region")
    if not file.is_file() or region is None:
        return ""
    # It counts in UTF-16 units, patscan in characters, which are never more.
    lines = [len(line.encode("utf-16-le", "surrogatepass")) // 2 for line in _LINE_END.split(file.read_text("utf-8", "replace"))]
    start, end = region["startLine"], region.get("endLine", region["startLine"])
    first, last = region.get("startColumn", 1) - 1, region.get("endColumn", lines[min(end, len(lines)) - 1] + 1) - 1
    for line, column in ((start, first), (end, last)):
        if not 1 <= line <= len(lines) or column > lines[line - 1]:
            return f"{line}:{column + 1} isn't in {file.name}"
    return "" if (start, first) < (end, last) else "it ends before it begins, or is empty"
