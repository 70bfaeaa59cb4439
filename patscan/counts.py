"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """`number` with its noun: "1 object", "1,234 objects". `plural` is needed where the noun takes more than an "s"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
