"""The straight line: shards, first look, second look, findings. Opens no file and no socket; any executor will do."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from patscan.content import Each, Key, Looked, Piece, Shard, name_of
from patscan.detect.matcher import Matcher
from patscan.model import Coverage, Exposure, Note, Origin, Report, Rule, Skip, Target

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from patscan.findings import Found
    from patscan.triage import Policy
    from patscan.workers import Workers


class Source(Protocol):
    """A place that has content."""

    skips: list[Skip]
    notes: list[Note]

    def target(self) -> Target:
        """What is scanned, for the report."""

    def shards(self) -> Iterator[Shard]:
        """The contents, each distinct one once, in picklable shares."""

    def again(self, keys: Iterable[Key]) -> Iterator[Shard]:
        """Contents that a fast path couldn't read, by the plain one; nothing, if there is none."""

    def learn(self, looked: Looked) -> None:
        """Hear what came of a shard."""

    def recall(self) -> Iterator[Looked]:
        """What needn't be looked at, for an earlier scan did; asked after all shards."""

    def name(self, key: Key) -> str:
        """A key as the second look and the report know it."""

    def read(self, keys: Iterable[str]) -> Iterator[Piece]:
        """The pieces of these contents, each content's in one go."""

    def within(self, piece: Piece, start: int) -> Origin | None:
        """Where the match at `start` of this piece was met, if the content says so itself (a commit's message does)."""

    def origins(self, keys: Iterable[str], each: Each) -> Mapping[str, Sequence[Origin]]:
        """Where each of these contents was met, the first place first; `each` may share the search out over processors."""

    def at_head(self, origin: Origin) -> bool | None:
        """Whether this very place is in the tree of HEAD; ``None`` where that can't be asked."""

    def exposures(self, places: Mapping[str, Sequence[Origin]]) -> Mapping[str, Exposure]:
        """Since when, and where still: of each token, by its fingerprint, from all places it was met in."""


class Options(NamedTuple):
    """What the user may choose about a scan."""

    min_confidence: str = "medium"
    reveal: bool = False
    """Frames show the tokens."""
    since: float | None = None
    until: float | None = None
    """Findings that no commit brought from `since` to `until`, in seconds since 1970, are listed as ignored."""
    salt: bytes = b""
    """The project's own, for fingerprints."""
    author: str = ""
    """Findings that nobody brought whose name or address holds this are listed as ignored."""
    policy: Policy | None = None
    """What the project has decided not to hear of again."""


Pool = Callable[[], "Executor | None"]
"""Makes an executor whose workers have called `start`; ``None``, having called it here, when starting workers isn't worth it."""
Progress = Callable[[Looked], None]

_MAY_BE_EMPTY = ("index", "push", "message", "ci")
"""A commit without changes, a push that only deletes and an empty message are no mistakes; `sources.introduced` says what is in CI."""

_matcher: Matcher | None = None


def start(rules: tuple[Rule, ...], unhurried: int = 0) -> None:
    """What every worker does first: compile the rules, for what is compiled can't be sent; see `Anchors` for `unhurried`."""
    global _matcher  # noqa: PLW0603 - an executor's initializer has no other way to leave something for its tasks
    _matcher = Matcher(rules, unhurried)


def look(shard: Shard) -> Looked:
    """The first look, in a worker: bytes only."""
    if _matcher is None:
        raise AssertionError("look() before start()")
    present, suspicious = _matcher.anchors.present, _matcher.suspicious
    keys: list[Key] = []
    failed: list[tuple[Key, str]] = []
    numbers: list[int] = []
    sizes: list[int] = []
    commits = blobs = 0
    for key, kind, offset, data, _ in shard.pieces(failed):
        sizes.append(len(data))
        if type(key) is int:
            numbers.append(key)
        if not offset:
            if kind == "commit":
                commits += 1
            elif kind not in {"ref-name", "path"}:
                blobs += 1
        if present(data) and suspicious(data):
            keys.append(key)
    engines = {_matcher.anchors.engine, *shard.engines()}
    known = (array("q", numbers), array("q", sizes)) if numbers else ((), ())
    return Looked(keys, failed, commits, blobs, sum(sizes), tuple(sorted(engines)), known)


def scan(source: Source, rules: tuple[Rule, ...], pool: Pool, progress: Progress, options: Options) -> Report:
    """Both looks, and what comes of them. Ctrl-C ends the first look early; what it had found is still reported."""
    first = _FirstLook(source, progress)
    interrupted = False
    try:
        try:
            first.run(pool)
        except KeyboardInterrupt:
            interrupted = True
            first.close()
        found = _second_look(source, rules, sorted(first.keys), options, first.each)
    finally:
        first.close()
    skips = [*first.skips, *source.skips]
    looked = first.coverage.commits or first.coverage.blobs or source.target().type in _MAY_BE_EMPTY
    if not (looked or skips or interrupted):
        # A scan of nothing is never green: a wrong path or a wrong checkout looks just like that.
        skips.append(Skip(source.target().path, "there is nothing to look at: no commit, no file."))
    notes = (
        *source.notes,
        *(Note(place, "an ignore comment without the reason that is required: it hides nothing.") for place in found[2]),
    )
    coverage = first.coverage.plus(Coverage(skipped=tuple(skips), notes=notes))
    violations = tuple(f"{place}: an ignore comment without a reason. Write one behind it: patscan:ignore -- why" for place in found[2])
    return Report(source.target(), rules, coverage, *found[:2], interrupted, violations=violations)


class _FirstLook:
    """Gathers what the looks at single shards give."""

    def __init__(self, source: Source, progress: Progress) -> None:
        self.keys: set[str] = set()
        self.coverage = Coverage()
        self.skips: list[Skip] = []
        self._source, self._progress = source, progress
        self._again: list[Key] = []
        self._workers: Workers[Looked] | None = None

    def run(self, pool: Pool) -> None:
        """Look at everything; then, by the plain way, at what couldn't be read."""
        executor = pool()
        if executor is None:
            self._keep(self._here(self._source.shards()))
            self._keep(self._source.recall())
            self._keep(self._here(self._source.again(self._again)))
            return
        from patscan.workers import Workers

        self._workers = workers = Workers[Looked](executor, pool, look)
        try:
            self._keep(workers.run(self._source.shards()))
            self._keep(self._source.recall())
            self._keep(workers.run(self._source.again(self._again)))
        finally:
            self.skips += workers.skips

    @property
    def each(self) -> Each:
        """`map`, in the workers if there are any."""
        return self._workers.each if self._workers else map

    def close(self) -> None:
        """Let go of the workers."""
        if self._workers:
            self._workers.close()
            self._workers = None

    def _here(self, shards: Iterator[Shard]) -> Iterator[Looked]:
        """What `Workers` does, in this process; only its death would be the end."""
        for shard in shards:
            try:
                looked = look(shard)
            except (MemoryError, OSError) as error:
                self.skips.append(Skip(name_of(shard), f"{error or type(error).__name__}."))
            else:
                yield looked

    def _keep(self, results: Iterable[Looked]) -> None:
        for looked in results:
            self._source.learn(looked)
            self.keys.update(self._source.name(key) for key in looked.keys)
            for key, reason in looked.failed:
                # A number is an entry that a fast path couldn't read: git is asked for it, and what git says counts.
                if isinstance(key, int):
                    self._again.append(key)
                else:
                    self.skips.append(Skip(key, reason))
            self.coverage = self.coverage.plus(Coverage(looked.commits, looked.blobs, looked.bytes, engines=looked.engines))
            self._progress(looked)


def _second_look(source: Source, rules: tuple[Rule, ...], keys: Sequence[str], options: Options, each: Each) -> Found:
    if not keys:
        return (), (), ()
    from patscan import findings

    return findings.findings(source, Matcher(rules), keys, options, each)
