"""The common part of sources without a history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from patscan.content import Each, Looked, Shard
from patscan.git.names import PATH
from patscan.kind import Kind
from patscan.model import Exposure, Sighting


class Present:
    """Defaults for a source that can read contents in one way only, has no history, and remembers nothing."""

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """None: there is no second way to read contents."""
        return iter(())

    def some(self, names: Sequence[str]) -> Iterator[Shard]:
        """None: nothing is recalled."""
        return iter(())

    def learn(self, looked: Looked) -> None:
        """Nothing is remembered."""

    def recall(self) -> Iterator[Looked]:
        """None: nothing is remembered."""
        return iter(())

    def sightings(self, names: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Sighting]]:
        """The paths that are contents. Other contents report their sightings when they are read."""
        return {name: [Sighting(Kind.PATH, name.removeprefix(PATH))] for name in names}

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """None: sightings need no search here."""
        return {}

    def vouched(self, sighting: Sighting) -> Sighting:
        """`sighting`, unchanged."""
        return sighting

    def at_head(self, sighting: Sighting) -> bool | None:
        """``None``: there is no HEAD to compare with."""
        return None

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """Unknown for all tokens."""
        return dict.fromkeys(places, Exposure())
