"""What git warns of while it lists something: mostly what it couldn't read, and so didn't list."""

from __future__ import annotations

from collections.abc import Iterable

from patscan.gaps import Gaps

_LONGEST = 300
"""Characters shown of a warning: it may name a path of any length."""
_CONFIGURATION = "warning: unable to access '"
"""How a warning begins that is about the user's own configuration: then git lists more, not less."""

_ALTERNATE = "unable to normalize alternate object path"
"""A folder that objects are borrowed from and that isn't there: `patscan.sources.history` says so itself, once."""


def tell(warnings: Iterable[str], where: str, gaps: Gaps) -> None:
    """Put `warnings` of git about `where` into `gaps`, each once."""
    for warning in dict.fromkeys(warnings):
        if _ALTERNATE in warning:
            continue
        shown = warning if len(warning) <= _LONGEST else f"{warning[: _LONGEST // 2]}…{warning[-_LONGEST // 2 :]}"
        reason = f"git: {shown.removeprefix('warning: ').removeprefix('error: ').rstrip('.')}."
        if warning.startswith(_CONFIGURATION):
            gaps.note(where, reason)
        else:
            gaps.skip(where, reason)
