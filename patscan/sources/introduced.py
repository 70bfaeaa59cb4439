"""The contents that a CI job scans: those that a range introduces, and those of its base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from patscan.git.range import Range
from patscan.git.repository import Repository
from patscan.model import Target
from patscan.sources.history import RefShard
from patscan.sources.revisions import OBJECTS, Revisions

if TYPE_CHECKING:
    from patscan.content import Shard


class Introduced(Revisions):
    """The objects of a range, an annotated tag on its head, and the name of its ref."""

    _flag = ""

    def __init__(self, repository: Repository, range_: Range, ref: str, target: Target) -> None:
        """`ref` is the full name of the head's ref. `target` describes the range in the report."""
        super().__init__(repository, range_.revisions(), mirror=True)
        self._range, self._ref, self._described = range_, ref, target

    def target(self) -> Target:
        """What this is, for the report."""
        return self._described._replace(path=str(self._repository.path), head=self._repository.head())

    def shards(self) -> Iterator[Shard]:
        """The ref's name and all objects."""
        if self._ref and self._range.head:
            yield RefShard(self._ref_names())
        if self._range.head:
            yield from super().shards()
        else:
            self._nothing()

    def count(self) -> int:
        """The number of objects to scan."""
        return len(self._listed(*OBJECTS)) if self._range.head else 0

    @property
    def _named(self) -> str:
        return "the range" if self._range.base else "the history"

    def _look_for_missing(self, listed: Sequence[str]) -> None:
        if self._range.gap:
            self.gaps.skip(self._named, self._range.gap)
        else:
            super()._look_for_missing(listed)

    def _nothing(self) -> None:
        if self._range.nothing:
            self.gaps.note(self._named, self._range.nothing)
        else:
            self.gaps.skip(self._named, "the head has no commit that the base doesn't have, so nothing was looked at.")

    def _ref_names(self) -> bytes:
        return f"{self._ref}\n".encode("utf-8", "surrogateescape")


class Standing(Revisions):
    """The tree of one commit."""

    _flag = ""

    def _listed(self, *options: str) -> list[str]:
        return super()._listed(*options, "--max-count=1")
