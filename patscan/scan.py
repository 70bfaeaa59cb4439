"""The straight line: shards, first look, second look, findings. Opens no file and no socket; any executor will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from io import BytesIO
from typing import NamedTuple, Protocol

from patscan.content import Key, Piece, Shard, owns, windows
from patscan.detect.frame import frame
from patscan.detect.matcher import Matcher
from patscan.detect.positions import Text
from patscan.model import (
    CONFIDENCES,
    SEVERITIES,
    Coverage,
    Exposure,
    Finding,
    Match,
    Note,
    Occurrence,
    Origin,
    Report,
    Rule,
    Skip,
    Target,
)


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

    def name(self, key: Key) -> str:
        """A key as the second look and the report know it."""

    def read(self, keys: Iterable[str]) -> Iterator[Piece]:
        """The pieces of these contents, each content's in one go."""

    def within(self, piece: Piece, start: int) -> Origin | None:
        """Where the match at `start` of this piece was met, if the content says so itself (a commit's message does)."""

    def origins(self, keys: Iterable[str]) -> Mapping[str, Sequence[Origin]]:
        """Where each of these contents was met, the first place first."""

    def exposure(self, origins: Iterable[Origin]) -> Exposure:
        """Since when, and where still."""


class Options(NamedTuple):
    """What the user may choose about a scan."""

    min_confidence: str = "medium"
    reveal: bool = False
    """Frames show the tokens."""


class Looked(NamedTuple):
    """What a first look at one shard gave: keys worth a second one, what couldn't be read, and coverage."""

    keys: list[Key]
    failed: list[tuple[Key, str]]
    commits: int
    blobs: int
    bytes: int
    engines: tuple[str, ...]


Pool = Callable[[], Executor]
"""Makes an executor whose workers have called `start`."""
Progress = Callable[[Looked], None]

_matcher: Matcher | None = None
_IN_FLIGHT = 64
_DEADLY = (BrokenExecutor, MemoryError, OSError)
"""What a shard may do to its worker without it being a mistake of ours; a pattern that takes too long is an `OSError`, too."""
_PART = 1 << 20


def start(rules: tuple[Rule, ...]) -> None:
    """What every worker does first: compile the rules, for what is compiled can't be sent."""
    global _matcher  # noqa: PLW0603 - an executor's initializer has no other way to leave something for its tasks
    _matcher = Matcher(rules)


def look(shard: Shard) -> Looked:
    """The first look, in a worker: bytes only."""
    if _matcher is None:
        raise AssertionError("look() before start()")
    present, suspicious = _matcher.anchors.present, _matcher.suspicious
    keys: list[Key] = []
    failed: list[tuple[Key, str]] = []
    commits = blobs = total = 0
    for key, kind, offset, data, _ in shard.pieces(failed):
        total += len(data)
        if not offset:
            if kind == "commit":
                commits += 1
            else:
                blobs += 1
        if present(data) and suspicious(data):
            keys.append(key)
    engines = {_matcher.anchors.engine, *shard.engines()}
    return Looked(keys, failed, commits, blobs, total, tuple(sorted(engines)))


def scan(source: Source, rules: tuple[Rule, ...], pool: Pool, progress: Progress, options: Options) -> Report:
    """Both looks, and what comes of them. Ctrl-C ends the first look early; what it had found is still reported."""
    first = _FirstLook(source, pool, progress)
    try:
        first.run()
    except KeyboardInterrupt:
        first.interrupted = True
    finally:
        first.close()
    findings, ignored = _second_look(source, rules, sorted(first.keys), options)
    coverage = first.coverage.plus(Coverage(skipped=(*first.skips, *source.skips), notes=tuple(source.notes)))
    return Report(source.target(), rules, coverage, findings, ignored, first.interrupted)


class _FirstLook:
    """Hands out shards, a bounded number at a time, and gathers what comes back."""

    def __init__(self, source: Source, pool: Pool, progress: Progress) -> None:
        self.keys: set[str] = set()
        self.coverage = Coverage()
        self.skips: list[Skip] = []
        self.interrupted = False
        self._source, self._pool, self._progress = source, pool, progress
        self._executor = pool()
        self._again: list[Key] = []
        self._dead: list[Shard] = []

    def run(self) -> None:
        """Look at everything; then, by the plain way, at what couldn't be read. What kills a worker is looked at once more."""
        self._look_at(self._source.shards())
        self._retry()
        self._look_at(self._source.again(self._again))
        self._retry()

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)

    def _retry(self) -> None:
        """One by one, what a worker died of, or was lost with a worker that died of something else."""
        broken = bool(self._dead)
        while self._dead:
            shard = self._dead.pop()
            if broken:
                self._executor.shutdown()
                self._executor = self._pool()
            try:
                self._keep(self._executor.submit(look, shard).result())
                broken = False
            except _DEADLY as error:
                died = isinstance(error, BrokenExecutor)
                reason = "a worker died of it twice, perhaps out of memory." if died else f"{error or type(error).__name__}."
                self.skips.append(Skip(f"{type(shard).__name__} {str(shard)[:80]}", reason))
                broken = True
        if broken:
            self._executor.shutdown()
            self._executor = self._pool()

    def _look_at(self, shards: Iterator[Shard]) -> None:
        flying: dict[Future[Looked], Shard] = {}
        for shard in shards:
            try:
                flying[self._executor.submit(look, shard)] = shard
            except BrokenExecutor:
                self._dead.append(shard)
            if len(flying) >= _IN_FLIGHT:
                self._land(flying)
        while flying:
            self._land(flying)

    def _land(self, flying: dict[Future[Looked], Shard]) -> None:
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            shard = flying.pop(future)
            try:
                looked = future.result()
            except _DEADLY:
                self._dead.append(shard)
            else:
                self._keep(looked)

    def _keep(self, looked: Looked) -> None:
        self.keys.update(self._source.name(key) for key in looked.keys)
        for key, reason in looked.failed:
            # A number is an entry that a fast path couldn't read: git is asked for it, and what git says counts.
            if isinstance(key, int):
                self._again.append(key)
            else:
                self.skips.append(Skip(key, reason))
        self.coverage = self.coverage.plus(Coverage(looked.commits, looked.blobs, looked.bytes, engines=looked.engines))
        self._progress(looked)


class _Sight(NamedTuple):
    """A match of the second look: in which content, and where the content itself says it was met."""

    key: str
    match: Match
    occurrence: Occurrence
    known: bool


def _second_look(
    source: Source, rules: tuple[Rule, ...], keys: Sequence[str], options: Options
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    if not keys:
        return (), ()
    sights = list(_sights(source, Matcher(rules), keys, options))
    origins = source.origins({sight.key for sight in sights if not sight.known})
    tokens: dict[bytes, list[_Sight]] = {}
    for sight in sights:
        tokens.setdefault(sight.match.secret.reveal(), []).extend(_placed(sight, origins))
    threshold = CONFIDENCES.index(options.min_confidence)
    found = sorted((_finding(source, group, threshold) for group in tokens.values()), key=_order)
    return tuple(one for one in found if not one.reason), tuple(one for one in found if one.reason)


def _sights(source: Source, matcher: Matcher, keys: Sequence[str], options: Options) -> Iterator[_Sight]:
    text = Text(b"", "utf-8")
    before = 0
    for piece in _parts(source.read(keys)):
        data = bytes(piece.data)
        text = text.then(data, piece.offset - before) if piece.offset else Text.starting(data)
        before = piece.offset
        matches = matcher.find(data)
        for match in matches:
            if owns(piece, match.start):
                origin = source.within(piece, match.start)
                lines, first = frame(text, match, matches, options.reveal)
                occurrence = Occurrence(
                    origin or Origin(piece.kind),
                    text.position(match.start, match.end),
                    piece.offset + match.start,
                    piece.offset + match.end,
                    match.encodings,
                    lines,
                    first,
                )
                yield _Sight(str(piece.key), match, occurrence, origin is not None)


def _parts(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces in parts of `_PART` bytes, so that a content made of nothing but anchors takes bounded memory, too."""
    for piece in pieces:
        if len(piece.data) <= _PART:
            yield piece
            continue
        for offset, data, last in windows(BytesIO(piece.data).read, _PART):
            yield piece._replace(offset=piece.offset + offset, data=data, last=piece.last and last)


def _placed(sight: _Sight, origins: Mapping[str, Sequence[Origin]]) -> Iterator[_Sight]:
    """One sight for each path its content was met under, each with the commit that first brought it there."""
    if sight.known:
        yield sight
        return
    met: set[tuple[str, str | None]] = set()
    for origin in origins[sight.key]:
        if (origin.type, origin.path) not in met:
            met.add((origin.type, origin.path))
            yield sight._replace(occurrence=sight.occurrence._replace(origin=origin))


def _finding(source: Source, sights: Sequence[_Sight], threshold: int) -> Finding:
    best = max((sight.match for sight in sights), key=lambda match: (CONFIDENCES.index(match.confidence), not match.reason))
    occurrences = sorted({sight.occurrence for sight in sights}, key=_place)
    weak = CONFIDENCES.index(best.confidence) < threshold
    return Finding(
        best.rule,
        best.secret,
        best.confidence,
        (best.reason or "confidence") if weak else "",
        best.evidence,
        tuple(occurrences),
        source.exposure(occurrence.origin for occurrence in occurrences),
    )


def _place(occurrence: Occurrence) -> tuple[str, int, str, str]:
    origin = occurrence.origin
    return (origin.path or "", occurrence.start, origin.date or "", f"{origin.type} {origin.commit} {origin.blob}")


def _order(finding: Finding) -> tuple[int, int, str, tuple[str, int, str, str], str]:
    worst = (-CONFIDENCES.index(finding.confidence), -SEVERITIES.index(finding.rule.severity))
    return (*worst, finding.rule.id, _place(finding.occurrences[0]), finding.secret.fingerprint)
