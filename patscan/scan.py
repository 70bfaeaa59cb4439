"""A scan: shards, the look, stages, a report. It opens no file and no socket, and works with any executor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from patscan.content import IGNORED, Each, Gap, Looked, Shard, name_of
from patscan.kind import Kind
from patscan.look import look
from patscan.model import Coverage, Match, Report, Rule
from patscan.run import Options, Pool, Progress, Run, Source, Stage

if TYPE_CHECKING:
    from patscan.workers import Workers


_MAY_BE_EMPTY = ("index", "push", "message", "ci")
"""Targets that may be empty: a commit without changes, a push that only deletes, an empty message. For CI see `sources.introduced`."""
_UNHINDERED = ("index", "push", "message")
"""Types of targets that archive limits don't make incomplete. Even the shortest report notes what wasn't read of an archive there."""


def scan(source: Source, rules: tuple[Rule, ...], pool: Pool, progress: Progress, options: Options, more: Sequence[Stage] = ()) -> Report:
    """Look at all contents, run the usual stages and `more`, and report. Ctrl-C ends the look early and keeps its results."""
    looking = _Looking(source, progress)
    interrupted = False
    try:
        try:
            looking.look_at_all(pool, rules, options)
        except KeyboardInterrupt:
            interrupted = True
            looking.close(wait=False)
        run = Run(source, rules, options, looking.each, looking.coverage, looking.matches, gaps=looking.unpacked, interrupted=interrupted)
        run = _through(run, more)
    finally:
        looking.close()
    return _report(run)


def _through(run: Run, more: Sequence[Stage]) -> Run:
    """`run` after all stages. Without matches no stage runs, so that a hook needn't import them."""
    if not run.matches:
        return run
    from patscan.stages import INTERRUPTED, STAGES, hash_lines

    looked = run
    try:
        for stage in (*STAGES, *more, hash_lines):
            run = stage(run)
    except KeyboardInterrupt:
        run = looked._replace(interrupted=True)
        for stage in INTERRUPTED:
            run = stage(run)
    return run


def _report(run: Run) -> Report:
    source, coverage = run.source, run.coverage
    for gap in _with_paths(run):
        if _is_skip(gap, run):
            source.gaps.skip(gap.name, gap.reason)
        else:
            is_shown = run.source.target().type in _UNHINDERED and not gap.is_layer
            source.gaps.note(gap.name, gap.reason, "archive" if is_shown else "")
    looked = coverage.commits or coverage.blobs or source.target().type in _MAY_BE_EMPTY
    if not (looked or source.gaps.skips or run.interrupted):
        # A scan of nothing isn't a success: the path or the checkout may be wrong.
        source.gaps.skip(source.target().path, "there is nothing to look at: no commit and no file. Check the path.")
    for place in run.unreasoned:
        source.gaps.note(place, "an ignore comment without the required reason, so it hides nothing.")
    coverage = coverage.plus(Coverage(skipped=tuple(source.gaps.skips), notes=tuple(source.gaps.notes)))
    violations = tuple(
        f"{place}: an ignore comment without a reason. Write one after it: patscan:ignore -- why" for place in run.unreasoned
    )
    return Report(source.target(), run.rules, coverage, tuple(run.findings), tuple(run.ignored), run.interrupted, violations=violations)


def _with_paths(run: Run) -> list[Gap]:
    """The gaps, each with the path of its archive and the names of its members."""
    unknown = {gap.name for gap in run.gaps if gap.path is None}.difference(run.archives)
    # In a history, a search for paths takes as long as the scan. For problems of the archives themselves, paths at HEAD must do.
    searched = {gap.name for gap in run.gaps if gap.name in unknown and (gap.ours or run.source.target().type != "history")}
    sightings = {**run.archives, **(run.source.sightings(searched, map) if searched else {})}
    known_paths = run.source.paths(unknown - searched)
    result = []
    for gap in run.gaps:
        sighting = next((one for one in sightings.get(gap.name, ()) if one.path), None)
        path = gap.path or known_paths.get(gap.name) or (sighting.path if sighting else None)
        commit = sighting.commit if sighting and not gap.path and not run.source.at_head(sighting) else None
        reason = f"{gap.reason} Commit {commit[:10]} introduced it." if commit else gap.reason
        result.append(gap._replace(name="!/".join([path or f"{Kind.BLOB} {gap.name}", *filter(None, gap.members)]), reason=reason))
    return sorted(set(result), key=lambda gap: (gap.name, gap.reason))


def _is_skip(gap: Gap, run: Run) -> bool:
    """Whether `gap` makes the scan incomplete. Limits don't block a commit or a push."""
    return gap.ours and run.source.target().type not in _UNHINDERED


class _Looking:
    """Gives shards to workers and collects the results."""

    def __init__(self, source: Source, progress: Progress) -> None:
        self.matches: list[Match] = []
        self.coverage = Coverage()
        self.unpacked: list[Gap] = []
        self._source, self._progress = source, progress
        self._again: list[str] = []
        self._ignored: Counter[str] = Counter()
        self._workers: Workers[Looked] | None = None

    def look_at_all(self, pool: Pool, rules: tuple[Rule, ...], options: Options) -> None:
        """Look at every content; then again at those with matches in an earlier scan, and at those that need the fallback reader."""
        executor = pool(rules, options)
        if executor:
            from patscan.workers import Workers

            self._workers = Workers[Looked](executor, lambda: pool(rules, options), look, self._source.gaps)
        run = self._workers.run if self._workers else self._here
        self._keep(run(self._source.shards()))
        recalled = list(self._source.recall())
        self._keep(recalled)
        # These contents are already counted.
        names = [str(key) for looked in recalled for key in looked.suspicious]
        self._keep(looked._replace(commits=0, blobs=0, bytes=0, sizes=((), ())) for looked in run(self._source.some(names)))
        self._keep(run(self._source.again(self._again)))

    @property
    def each(self) -> Each:
        """`map`, in the workers if there are any."""
        return self._workers.each if self._workers else map

    def close(self, wait: bool = True) -> None:
        """End the workers. Without `wait`, don't wait for their current work."""
        if self._workers:
            self._workers.close(wait)
            self._workers = None

    def _here(self, shards: Iterator[Shard]) -> Iterator[Looked]:
        """Look at shards in this process, without workers."""
        for shard in shards:
            try:
                looked = look(shard)
            except (MemoryError, OSError) as error:
                self._source.gaps.skip(name_of(shard), f"{error or type(error).__name__}.")
            else:
                yield looked

    def _keep(self, results: Iterable[Looked]) -> None:
        for looked in results:
            self._source.learn(looked)
            omitted = looked.omitted
            self.unpacked += looked.gaps
            for match in looked.matches:
                if match.reason and self._ignored[match.reason] >= IGNORED:
                    omitted += 1
                    continue
                self._ignored[match.reason] += 1
                self.matches.append(match)
            for name, reason, again in looked.failed:
                if again:
                    self._again.append(name)
                else:
                    self._source.gaps.skip(name, reason)
            self.coverage = self.coverage.plus(Coverage(looked.commits, looked.blobs, looked.bytes, (), (), looked.engines, omitted))
            self._progress(looked)
