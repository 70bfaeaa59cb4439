"""What a scan didn't look at, or only in part: collected in one place."""

from __future__ import annotations

from patscan.model import Note, Skip


class Gaps:
    """A source makes one and hands it down to all that reads for it."""

    def __init__(self) -> None:
        self.skips: list[Skip] = []
        self.notes: list[Note] = []

    def skip(self, where: str, reason: str) -> None:
        """Bytes that should have been looked at and weren't: the scan is incomplete."""
        self.skips.append(Skip(where, reason))

    def note(self, where: str, reason: str, kind: str = "") -> None:
        """Something a reader has to know, which doesn't make the scan incomplete."""
        self.notes.append(Note(where, reason, kind))
