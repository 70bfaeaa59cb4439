"""The types of a scan: the source, the user's options, and the value that passes through the stages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from patscan.archives.limits import Limits
from patscan.content import Each, Gap, Looked, Piece, Shard
from patscan.gaps import Gaps
from patscan.model import Coverage, Exposure, Finding, Match, Occurrence, Rule, Sighting, Target
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from patscan.seal import Kept
    from patscan.triage import Policy


_LIMITS = Limits()


class Source(Protocol):
    """A place that has content."""

    gaps: Gaps

    def target(self) -> Target:
        """What is scanned, for the report."""

    def shards(self) -> Iterator[Shard]:
        """The distinct contents, in picklable shards."""

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """Contents that the fast reader couldn't read, for the fallback reader; empty if there is none."""

    def learn(self, looked: Looked) -> None:
        """Take the results of a shard, for later scans."""

    def recall(self) -> Iterator[Looked]:
        """Results of earlier scans. Call it after all shards. Its `suspicious` contents need a new look."""

    def some(self, names: Sequence[str]) -> Iterator[Shard]:
        """These contents, by the fastest reader."""

    def read(self, names: Iterable[str]) -> Iterator[Piece]:
        """The pieces of these contents, one content after the other."""

    def sightings(self, names: Iterable[str], each: Each) -> Mapping[str, Sequence[Sighting]]:
        """The sightings of each of these contents, the first one first. `each` may run the search in parallel."""

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """A path of each of these contents, if one is known without a search."""

    def vouched(self, sighting: Sighting) -> Sighting:
        """The sighting that a content gives, without an author where history is cut off."""

    def at_head(self, sighting: Sighting) -> bool | None:
        """Whether HEAD has this path with this content; ``None`` without a history."""

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """The exposure of each token, by fingerprint, from all its sightings."""


class Options(NamedTuple):
    """The user's options for a scan."""

    min_confidence: str = "medium"
    reveal: bool = False
    """Frames show the tokens."""
    since: float | None = None
    until: float | None = None
    """Findings that no commit between `since` and `until` introduced are ignored. In seconds since 1970."""
    author: str = ""
    """Findings are ignored unless the name or address of an author who introduced them contains this."""
    policy: Policy | None = None
    """What the project ignores."""
    limits: Limits = _LIMITS
    """The limits for archives."""
    compiled: Kept | None = None
    """The compiled anchors of an earlier process."""
    every_place: bool = True
    """Whether places of unlikely tokens are looked up too. Only formats that list them need it."""
    root: str = ""
    """The folder to which paths of files are relative in their project; empty: they already are."""


class Run(NamedTuple):
    """One scan between matches and report. Every stage takes and returns one."""

    source: Source
    rules: tuple[Rule, ...]
    options: Options
    each: Each
    """`map`, in the workers while they run."""
    coverage: Coverage = Coverage()
    matches: Sequence[Match] = ()
    gaps: Sequence[Gap] = ()
    """What in archives wasn't looked at."""
    archives: Mapping[str, Sequence[Sighting]] = {}
    """The sightings of archives with gaps, if they were looked up."""
    occurrences: Sequence[Occurrence] = ()
    findings: Sequence[Finding] = ()
    ignored: Sequence[Finding] = ()
    unreasoned: tuple[str, ...] = ()
    """Places of ignore comments that lack a required reason."""
    interrupted: bool = False


Stage = Callable[[Run], Run]
Pool = Callable[[tuple[Rule, ...], Options], "Executor | None"]
"""Creates an executor whose workers have called `patscan.look.start`; or calls it in this process and returns ``None`` for a small scan."""
Progress = Callable[[Looked], None]
