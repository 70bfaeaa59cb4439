"""What a scan is made of: where content comes from, what the user wants of it, and the value that goes from stage to stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from patscan.archives.limits import Limits
from patscan.content import Each, Looked, Piece, Shard
from patscan.gaps import Gaps
from patscan.model import Coverage, Exposure, Finding, Match, Occurrence, Rule, Sighting, Target

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
        """The contents, each distinct one once, in picklable shares."""

    def again(self, names: Iterable[str]) -> Iterator[Shard]:
        """Contents that a fast path couldn't read, by the plain one; nothing, if there is none."""

    def learn(self, looked: Looked) -> None:
        """Hear what came of a shard."""

    def recall(self) -> Iterator[Looked]:
        """What needn't be looked at, for an earlier scan did; asked after all shards. Its `suspicious` contents need the look again."""

    def some(self, names: Sequence[str]) -> Iterator[Shard]:
        """These contents, by the quickest way."""

    def read(self, names: Iterable[str]) -> Iterator[Piece]:
        """The pieces of these contents, each content's in one go."""

    def sightings(self, names: Iterable[str], each: Each) -> Mapping[str, Sequence[Sighting]]:
        """Where each of these contents was met, the first place first; `each` may share the search out over processors."""

    def paths(self, names: Collection[str]) -> Mapping[str, str]:
        """A path of each of these contents that one is known of without a search."""

    def vouched(self, sighting: Sighting) -> Sighting:
        """Where a content says it was met, without what the source can't vouch for: who made a commit that history is cut off at."""

    def at_head(self, sighting: Sighting) -> bool | None:
        """Whether this very place is in the tree of HEAD; ``None`` where that can't be asked."""

    def exposures(self, places: Mapping[str, Sequence[Sighting]]) -> Mapping[str, Exposure]:
        """Since when, and where still: of each token, by its fingerprint, from all places it was met in."""


class Options(NamedTuple):
    """What the user may choose about a scan."""

    min_confidence: str = "medium"
    reveal: bool = False
    """Frames show the tokens."""
    since: float | None = None
    until: float | None = None
    """Findings that no commit introduced from `since` to `until`, in seconds since 1970, are listed as ignored."""
    author: str = ""
    """Findings that nobody introduced whose name or address holds this are listed as ignored."""
    policy: Policy | None = None
    """What the project has decided not to hear of again."""
    limits: Limits = _LIMITS
    """How far archives are opened."""
    compiled: Kept | None = None
    """The anchors of the rules as they were compiled before."""
    every_place: bool = True
    """Tokens that are too unlikely to be findings have their places looked up, too; nobody but a format that lists them needs those."""


class Run(NamedTuple):
    """One scan on its way from matches to a report: what every stage takes and gives."""

    source: Source
    rules: tuple[Rule, ...]
    options: Options
    each: Each
    """`map`, over the workers while there are some."""
    coverage: Coverage = Coverage()
    matches: Sequence[Match] = ()
    occurrences: Sequence[Occurrence] = ()
    findings: Sequence[Finding] = ()
    ignored: Sequence[Finding] = ()
    unreasoned: tuple[str, ...] = ()
    """Places of ignore comments that lack a required reason."""
    interrupted: bool = False


Stage = Callable[[Run], Run]
Pool = Callable[[tuple[Rule, ...], Options], "Executor | None"]
"""Makes an executor whose workers have called `patscan.look.start`; ``None``, having called it here, when workers aren't worth it."""
Progress = Callable[[Looked], None]
