"""Where in history tokens live: since when, until when, at which tips, and whether they were pushed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress

from patscan.dates import instant, iso
from patscan.git.attribution import Attribution, exposure
from patscan.git.child import GitError
from patscan.git.graph import Lives, TokenSet, contains, descendants, lives, marked, members, tokens_by_commit, union
from patscan.git.keepers import STASH, keepers, stashed
from patscan.git.names import PATH
from patscan.git.reflogs import Entry, reflogs
from patscan.git.repository import Ref, Repository
from patscan.git.traces import Traces, traces
from patscan.kind import Kind
from patscan.model import Commit, Exposure, Sighting
from patscan.tuples import NamedTuple

_FORMAT = "%H%x00%an <%ae>%x00%ad%x00%cn <%ce>%x00%cd%x00%P"
_LOG = ("log", "--no-walk=unsorted", "-z", "--encoding=UTF-8", "--no-show-signature", "--date=raw", f"--format={_FORMAT}", "--stdin")
_AT_ONCE = 5000
_GROUPS = ("ref", "stash", "reflog", "no ref")


class _Group(NamedTuple):
    """The commits that refs, the stash, reflogs or nothing reach; the tokens that they hold; and the lives of these tokens."""

    name: str
    marks: bytearray
    tokens: TokenSet
    lives: Lives

    def has(self, token: int, text_commits: Iterable[int]) -> bool:
        return contains(self.tokens, token) or (bool(self.marks) and any(self.marks[commit] for commit in text_commits))


_NOWHERE = _Group("", bytearray(), 0, Lives({}, {}, {}))


def exposures(
    repository: Repository, attribution: Attribution, places: Mapping[str, Sequence[Sighting]], mirror: bool
) -> Mapping[str, Exposure]:
    """The exposure of each token, by its name. `places` has all its sightings. A `mirror` has only pushed commits."""
    if attribution.parents is None:
        return {name: exposure(sightings, sure=not attribution.unread) for name, sightings in places.items()}
    tokens: dict[str, TokenSet] = {}
    # A token's number is its place in `places`.
    for token, sightings in enumerate(places.values()):
        for sighting in sightings:
            if content := PATH + (sighting.path or "") if sighting.kind is Kind.PATH else sighting.blob:
                tokens[content] = tokens.get(content, 0) | 1 << token
    facts = _Facts(repository, attribution, tokens_by_commit(attribution.parents, attribution.changes, tokens), mirror)
    text_commits = [facts.text_commits(token, sightings) for token, sightings in enumerate(places.values())]
    groups = [facts.group(token, text_commits[token]) for token in range(len(places))]
    facts.load_people({commit for token, group in enumerate(groups) for commit in (*text_commits[token], *group.lives.of(token))})
    return {
        name: facts.exposure(token, sightings, groups[token], text_commits[token]) for token, (name, sightings) in enumerate(places.items())
    }


class _Facts:
    """What a repository shows about all tokens, read once."""

    def __init__(self, repository: Repository, attribution: Attribution, tokens_at: Sequence[TokenSet], mirror: bool) -> None:
        self._repository, self._commits, self._tokens_at, self._mirror = repository, attribution.commits, tokens_at, mirror
        self._parents = attribution.parents or ()
        self._number = {commit: place for place, commit in enumerate(attribution.commits)}
        self._refs, self._logs = repository.refs(), reflogs(repository)
        self._traces = _traces(repository, self._refs, self._logs)
        self._unread = bool(attribution.unread)
        cut_off = {self._number[commit] for commit in repository.cut_off().union(attribution.unread) if commit in self._number}
        self._cut_off = descendants(self._parents, cut_off) if self._unread else cut_off
        self._head = self._number.get(repository.head() or "")
        heads = [self._head] if self._head is not None else []
        # A group takes a pass over all commits, so it is computed when it is needed.
        self._ends: dict[str, Iterable[int]] = {
            "ref": [*self._places(lambda name: name != STASH), *heads],
            "stash": [*self._places(lambda name: name == STASH), *self._numbers(stashed(self._logs))],
            "reflog": range(attribution.reachable),
            "no ref": range(len(self._commits)),
            "pushed": self._numbers(self._traces.ids) if self._traces else (),
            "unsure": self._places(lambda name: self._traces is not None and name in self._traces.unsure),
        }
        self._groups: dict[str, _Group] = {}
        self._tips: dict[int, set[str]] = {}
        self._at: dict[str, set[str]] = {}
        for ref in self._refs:
            place = self._place(ref)
            for token in members(self._tokens_at[place]) if place is not None else ():
                self._tips.setdefault(token, set()).add(ref.name)
            if ref.object != ref.peeled:
                self._at.setdefault(ref.object, set()).add(ref.name)
        self._people: Mapping[str, Commit] = {}
        self._keepers: Mapping[int, tuple[str, ...]] | None = None
        self._texts: dict[int, TokenSet] = {}

    def text_commits(self, token: int, sightings: Iterable[Sighting]) -> list[int]:
        """The commits that hold a token in their own text: message, author or committer."""
        commits = self._numbers(sighting.commit or "" for sighting in sightings if not sighting.blob and sighting.kind is not Kind.PATH)
        for commit in commits:
            self._texts[commit] = self._texts.get(commit, 0) | 1 << token
        return commits

    def group(self, token: int, text_commits: Sequence[int]) -> _Group:
        """The first group that has a token; `_NOWHERE` if none has."""
        groups = map(self._group, _GROUPS)
        return next((group for group in groups if group.has(token, text_commits)), _NOWHERE)

    def load_people(self, commits: set[int]) -> None:
        """Read authors and dates of the commits that the exposures will name."""
        self._people = commits_by_id(self._repository, [self._commits[commit] for commit in sorted(commits)])

    def exposure(self, token: int, sightings: Sequence[Sighting], group: _Group, text_commits: Sequence[int]) -> Exposure:
        """The exposure of one token."""
        tips = set(self._tips.get(token, ()))
        tips.update(name for sighting in sightings if not sighting.blob for name in self._at.get(sighting.commit or "", ()))
        tips |= {sighting.path for sighting in sightings if sighting.kind is Kind.REF_NAME and sighting.path}
        introduced, youngest = ((*commits.get(token, ()), *text_commits) for commits in (group.lives.introduced, group.lives.youngest))
        elsewhere = exposure(sightings, sure=not self._unread)
        first_seen = min(map(self._commit, introduced), key=_when, default=elsewhere.first_seen)
        at_or_before = not self._cut_off.isdisjoint(introduced) if introduced else elsewhere.at_or_before
        kept_by = group.name or ("ref" if tips else self._kept(sightings))
        return Exposure(
            first_seen=nameless(first_seen) if first_seen and at_or_before else first_seen,
            last_seen=max(map(self._commit, youngest), key=_when, default=None),
            at_head=self._head is not None and contains(self._tokens_at[self._head], token),
            tips=tuple(sorted(tips)),
            reachable=group.name == "ref" or (bool(tips) and group is _NOWHERE),
            pushed=self._pushed(token, sightings, tips, text_commits),
            kept_by=kept_by,
            removed=tuple(sorted(map(self._commit, group.lives.removed.get(token, ())), key=_when)),
            at_or_before=at_or_before,
            reflogs=self._leading_logs(token) if kept_by in {"stash", "reflog"} else (),
        )

    def _pushed(self, token: int, sightings: Sequence[Sighting], tips: Iterable[str], text_commits: Sequence[int]) -> bool | None:
        """Whether a remote had the token; ``None`` if the repository doesn't show it."""
        known = self._traces
        if self._mirror or known is None:
            return True if self._mirror else None
        objects = {sighting.commit for sighting in sightings if not sighting.blob}
        if self._group("pushed").has(token, text_commits) or not known.refs.isdisjoint(tips) or not known.ids.isdisjoint(objects):
            return True
        # The tags of a clone have no reflog.
        tagged = known.cloned and not objects.isdisjoint(self._at)
        return None if tagged or self._unread or self._group("unsure").has(token, text_commits) else False

    def _leading_logs(self, token: int) -> tuple[str, ...]:
        """The reflogs and stash entries that reach a token which no ref reaches."""
        if self._keepers is None:
            reachable = self._group("ref").marks or bytes(len(self._commits))
            self._keepers = keepers(
                self._logs,
                self._number,
                self._parents,
                lambda commit: self._tokens_at[commit] | self._texts.get(commit, 0),
                reachable,
            )
        return self._keepers.get(token, ())

    def _kept(self, sightings: Sequence[Sighting]) -> str | None:
        """What keeps a token that is in no numbered commit."""
        if any(sighting.kind is Kind.INDEX for sighting in sightings):
            return "index"
        if any(sighting.commit for sighting in sightings):
            return "no ref"
        return None if self._unread else "nothing"

    def _numbers(self, commits: Iterable[str]) -> list[int]:
        return [self._number[commit] for commit in commits if commit in self._number]

    def _place(self, ref: Ref) -> int | None:
        return self._number.get(ref.commit)

    def _places(self, wanted: Callable[[str], bool]) -> list[int]:
        places = [self._place(ref) for ref in self._refs if wanted(ref.name)]
        return [place for place in places if place is not None]

    def _group(self, name: str) -> _Group:
        if name not in self._groups:
            self._groups[name] = self._new_group(name, self._ends[name]) if self._ends[name] else _NOWHERE
        return self._groups[name]

    def _new_group(self, name: str, tips: Iterable[int]) -> _Group:
        marks = marked(self._parents, tips)
        return _Group(name, marks, union(set(compress(self._tokens_at, marks))), lives(self._parents, self._tokens_at, marks))

    def _commit(self, number: int) -> Commit:
        name = self._commits[number]
        return self._people.get(name) or Commit(name, "", "")


def _traces(repository: Repository, refs: Sequence[Ref], logs: Mapping[str, Sequence[Entry]]) -> Traces | None:
    """The traces of pushes; ``None`` if git can't list them, or if the reflogs are in a reftable, which isn't read here."""
    try:
        return traces(repository, refs, logs) if not (repository.common_dir / "reftable").exists() else None
    except (GitError, OSError):
        return None


def nameless(commit: Commit) -> Commit:
    """`commit` without names: history is cut off there, so an earlier commit may have introduced its contents."""
    return commit._replace(author="", committer="")


def commits_by_id(repository: Repository, commits: Sequence[str]) -> dict[str, Commit]:
    """These commits with authors and dates, by id; without names where history is cut off. Unreadable commits are left out."""
    result: dict[str, Commit] = {}
    cut_off = repository.cut_off()
    for low in range(0, len(commits), _AT_ONCE):
        try:
            listed = repository.git(*_LOG, stdin="".join(f"{commit}\n" for commit in commits[low : low + _AT_ONCE]).encode())
        except GitError:
            continue  # these commits are then reported by id alone
        fields = listed.decode("utf-8", "surrogateescape").split("\0")
        for name, author, date, committer, committed, parents in zip(*[iter(fields)] * 6, strict=False):
            commit = Commit(name, author, iso(*date.split()) or "", committer, iso(*committed.split()) or "", tuple(parents.split()))
            result[name] = nameless(commit) if name in cut_off else commit
    return result


def _when(commit: Commit) -> tuple[float, str]:
    """A sort key: the commit date, then the id."""
    return instant(commit.committed or commit.date), commit.id
