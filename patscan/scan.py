"""The straight line: shards, one look, stages, a report. Opens no file and no socket; any executor will do."""

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
"""A commit without changes, a push that only deletes and an empty message are no mistakes; `sources.introduced` says what is in CI."""
_UNHINDERED = ("index", "push", "message")
"""What our own limits make no incomplete scan of."""


def scan(source: Source, rules: tuple[Rule, ...], pool: Pool, progress: Progress, options: Options, more: Sequence[Stage] = ()) -> Report:
    """Look, then go through the stages, the usual ones and `more`. Ctrl-C ends the look early; what it gave is still reported."""
    looking = _Looking(source, progress)
    interrupted = False
    try:
        try:
            looking.over_everything(pool, rules, options)
        except KeyboardInterrupt:
            interrupted = True
            looking.close(wait=False)
        run = Run(source, rules, options, looking.each, looking.coverage, looking.matches, interrupted=interrupted)
        run = _through(run, more)
    finally:
        looking.close()
    return _report(run, looking.unpacked)


def _through(run: Run, more: Sequence[Stage]) -> Run:
    """`run` after all stages. Without a match there are none: a hook that finds nothing needn't import them."""
    if not run.matches:
        return run
    from patscan.stages import STAGES, UNASKED, hash_lines

    looked = run
    try:
        for stage in (*STAGES, *more, hash_lines):
            run = stage(run)
    except KeyboardInterrupt:
        run = looked._replace(interrupted=True)
        for stage in UNASKED:
            run = stage(run)
    return run


def _report(run: Run, gaps: Sequence[Gap]) -> Report:
    source, coverage = run.source, run.coverage
    for gap in _unpacked(run, gaps):
        if _is_skip(gap, run):
            source.gaps.skip(gap.name, gap.reason)
        else:
            source.gaps.note(gap.name, gap.reason, "archive" if gap.ours else "")
    looked = coverage.commits or coverage.blobs or source.target().type in _MAY_BE_EMPTY
    if not (looked or source.gaps.skips or run.interrupted):
        # A scan of nothing is never green: a wrong path or a wrong checkout looks just like that.
        source.gaps.skip(source.target().path, "there is nothing to look at: no commit, no file.")
    for place in run.unreasoned:
        source.gaps.note(place, "an ignore comment without the reason that is required: it hides nothing.")
    coverage = coverage.plus(Coverage(skipped=tuple(source.gaps.skips), notes=tuple(source.gaps.notes)))
    violations = tuple(
        f"{place}: an ignore comment without a reason. Write one behind it: patscan:ignore -- why" for place in run.unreasoned
    )
    return Report(source.target(), run.rules, coverage, tuple(run.findings), tuple(run.ignored), run.interrupted, violations=violations)


def _unpacked(run: Run, gaps: Sequence[Gap]) -> list[Gap]:
    """`gaps`, each with the name of its archive, or of the member, that people know."""
    # In a history, asking git for a path takes as long as everything else: HEAD has to do for what nothing can be done about.
    asked = {gap.name for gap in gaps if gap.path is None and (gap.ours or run.source.target().type != "history")}
    sightings = run.source.sightings(asked, map) if asked else {}
    known = run.source.paths({gap.name for gap in gaps if gap.path is None and gap.name not in asked})
    named = []
    for gap in gaps:
        paths = [gap.path or known.get(gap.name, ""), *(one.path or "" for one in sightings.get(gap.name, ()))]
        name = next(filter(None, paths), f"{Kind.BLOB} {gap.name}")
        named.append(gap._replace(name="!/".join([name, *filter(None, gap.members)])))
    return sorted(set(named), key=lambda gap: (gap.name, gap.reason))


def _is_skip(gap: Gap, run: Run) -> bool:
    """Whether it counts as incomplete. A commit or a push isn't held up by our limits."""
    return gap.ours and run.source.target().type not in _UNHINDERED


class _Looking:
    """Hands shards to workers and gathers what they give."""

    def __init__(self, source: Source, progress: Progress) -> None:
        self.matches: list[Match] = []
        self.coverage = Coverage()
        self.unpacked: list[Gap] = []
        self._source, self._progress = source, progress
        self._again: list[str] = []
        self._ignored: Counter[str] = Counter()
        self._workers: Workers[Looked] | None = None

    def over_everything(self, pool: Pool, rules: tuple[Rule, ...], options: Options) -> None:
        """Every content; then, by the plain way, those that couldn't be read, and those in which an earlier scan had matches."""
        executor = pool(rules, options)
        if executor:
            from patscan.workers import Workers

            self._workers = Workers[Looked](executor, lambda: pool(rules, options), look, self._source.gaps)
        run = self._workers.run if self._workers else self._here
        self._keep(run(self._source.shards()))
        recalled = list(self._source.recall())
        self._keep(recalled)
        # They are counted already.
        names = [str(key) for looked in recalled for key in looked.suspicious]
        self._keep(looked._replace(commits=0, blobs=0, bytes=0, sizes=((), ())) for looked in run(self._source.some(names)))
        self._keep(run(self._source.again(self._again)))

    @property
    def each(self) -> Each:
        """`map`, in the workers if there are any."""
        return self._workers.each if self._workers else map

    def close(self, wait: bool = True) -> None:
        """Let go of the workers; without `wait` also of what they are doing."""
        if self._workers:
            self._workers.close(wait)
            self._workers = None

    def _here(self, shards: Iterator[Shard]) -> Iterator[Looked]:
        """What `Workers` does, in this process; only its death would be the end."""
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
