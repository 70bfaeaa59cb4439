"""What every source says that looks at what there is now, not at a history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from patscan.content import Each, Looked, Shard
from patscan.git.names import PATH
from patscan.kind import Kind
from patscan.model import Exposure, Sighting


class Present:
    """Contents that are read in one way only, that nothing is remembered of, and that have no history to ask."""

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """There is no plainer way to read them."""
        return iter(())

    def some(self, names: Sequence[str]) -> Iterator[Shard]:
        """Nothing is recalled, so nothing is asked for."""
        return iter(())

    def learn(self, looked: Looked) -> None:
        """Nothing is remembered."""

    def recall(self) -> Iterator[Looked]:
        """Nothing."""
        return iter(())

    def sightings(self, names: Iterable[str], each: Each = map) -> Mapping[str, Sequence[Sighting]]:
        """Each content but a path says itself where it was met."""
        return {name: [Sighting(Kind.PATH, name.removeprefix(PATH))] for name in names}

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """None: `sightings` takes no search here."""
        return {}

    def vouched(self, sighting: Sighting) -> Sighting:
        """Everything a content says."""
        return sighting

    def at_head(self, sighting: Sighting) -> bool | None:
        """Not asked: this is what there is now."""
        return None

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """Nobody knows, which isn't no."""
        return dict.fromkeys(places, Exposure())
