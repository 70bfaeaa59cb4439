"""The only door to the ``regex`` package. Unlike ``re``, it has a time limit for searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import regex

Pattern: TypeAlias = "regex.Pattern[bytes]"

TIME_LIMIT = 2.0
"""Seconds after which a search is given up. The shipped patterns take microseconds."""


def compile_pattern(pattern: bytes) -> Pattern:
    """Compile `pattern`. Raises ``regex.error``, which isn't a ``ValueError``, if it is invalid."""
    import regex

    return regex.compile(pattern)
