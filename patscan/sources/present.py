"""What every source says that looks at what there is now, not at a history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from patscan.content import Key, Looked, Shard
from patscan.model import Exposure, Origin


class Present:
    """Contents that are read in one way only, that nothing is remembered of, and that have no history to ask."""

    def again(self, keys: Iterable[Key]) -> Iterator[Shard]:
        """There is no plainer way to read them."""
        return iter(())

    def learn(self, looked: Looked) -> None:
        """Nothing is remembered."""

    def recall(self) -> Iterator[Looked]:
        """Nothing."""
        return iter(())

    def name(self, key: Key) -> str:
        """A key is a name already."""
        return str(key)

    def at_head(self, origin: Origin) -> bool | None:
        """Not asked: this is what there is now."""
        return None

    def exposures(self, places: Mapping[str, Sequence[Origin]]) -> Mapping[str, Exposure]:
        """Nobody knows, which isn't no."""
        return dict.fromkeys(places, Exposure())
