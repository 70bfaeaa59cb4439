"""git's warnings as skips and notes: mostly about things that it couldn't read and therefore didn't list."""

from __future__ import annotations

from collections.abc import Iterable

from patscan.gaps import Gaps

_LONGEST = 300
"""Characters of a warning that are shown. A warning may quote a path of any length."""
_CONFIGURATION = "warning: unable to access '"
"""The beginning of warnings about the user's configuration. They hide nothing: git lists more without it."""

_ALTERNATE = "unable to normalize alternate object path"
"""About an absent alternate, which `patscan.sources.completeness` reports itself."""


def report_warnings(warnings: Iterable[str], where: str, gaps: Gaps) -> None:
    """Add each distinct warning of git about `where` to `gaps`."""
    for warning in dict.fromkeys(warnings):
        if _ALTERNATE in warning:
            continue
        shown = warning if len(warning) <= _LONGEST else f"{warning[: _LONGEST // 2]}…{warning[-_LONGEST // 2 :]}"
        reason = f"git: {shown.removeprefix('warning: ').removeprefix('error: ').rstrip('.')}."
        if warning.startswith(_CONFIGURATION):
            gaps.note(where, reason)
        else:
            gaps.skip(where, reason)
