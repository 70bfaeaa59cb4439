"""The only door to the ``regex`` package, chosen over ``re`` because its searches take a time limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import regex

Pattern: TypeAlias = "regex.Pattern[bytes]"

TIME_LIMIT = 2.0
"""Seconds one search may take before it counts as not done; the shipped patterns need microseconds."""


def compile_pattern(pattern: bytes) -> Pattern:
    """Compile `pattern`; raises ``regex.error``, a ``ValueError`` in spirit, for one that is none."""
    import regex

    return regex.compile(pattern)
