"""Collect what a scan didn't look at, or only in part."""

from __future__ import annotations

from patscan.model import Note, Skip


class Gaps:
    """The skips and notes of one source. The source shares it with its readers."""

    def __init__(self) -> None:
        self.skips: list[Skip] = []
        self.notes: list[Note] = []

    def skip(self, where: str, reason: str) -> None:
        """Bytes that should have been looked at and weren't: the scan is incomplete."""
        self.skips.append(Skip(where, reason))

    def note(self, where: str, reason: str, kind: str = "") -> None:
        """A fact for the reader that doesn't make the scan incomplete."""
        self.notes.append(Note(where, reason, kind))
