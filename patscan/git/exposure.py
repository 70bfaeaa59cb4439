"""Where in history tokens live: since when, until when, at which tips, and whether they left this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from patscan.dates import instant, iso
from patscan.git.attribution import Attribution, exposure
from patscan.git.child import GitError
from patscan.git.graph import Held, Lives, held_by, lives, marked
from patscan.git.names import PATH
from patscan.git.repository import Repository
from patscan.model import Commit, Exposure, Origin

_FORMAT = "%H%x00%an <%ae>%x00%ad%x00%cn <%ce>%x00%cd"
_LOG = ("log", "--no-walk=unsorted", "-z", "--encoding=UTF-8", "--no-show-signature", "--date=raw", f"--format={_FORMAT}", "--stdin")
_AT_ONCE = 5000
_REMOTE, _STASH = "refs/remotes/", "refs/stash"


class Ref(NamedTuple):
    """A ref's name, the object it points to, and the one behind it if that is a tag."""

    name: str
    object: str
    peeled: str


class _Group(NamedTuple):
    """Commits that one kind of thing leads to, all tokens they hold, and the tokens' lives among them."""

    name: str
    marks: bytearray
    tokens: Held
    lives: Lives

    def has(self, token: str, said_in: Iterable[int]) -> bool:
        return token in self.tokens or (bool(self.marks) and any(self.marks[commit] for commit in said_in))


_NOWHERE = _Group("", bytearray(), frozenset(), Lives({}, {}, {}))


def exposures(
    repository: Repository, attribution: Attribution, places: Mapping[str, Sequence[Origin]], mirror: bool
) -> Mapping[str, Exposure]:
    """The exposure of each token, by its fingerprint; `places` are all it was met in. A `mirror` holds only what was pushed."""
    if attribution.parents is None:
        return {token: exposure(origins) for token, origins in places.items()}
    tokens: dict[str, set[str]] = {}
    for token, origins in places.items():
        for origin in origins:
            if held := PATH + (origin.path or "") if origin.type == "path" else origin.blob:
                tokens.setdefault(held, set()).add(token)
    told = _Told(repository, attribution, held_by(attribution.parents, attribution.changes, tokens), mirror)
    said_in = {token: told.said_in(origins) for token, origins in places.items()}
    groups = {token: told.group(token, said_in[token]) for token in places}
    told.ask_who({commit for token, group in groups.items() for commit in (*said_in[token], *group.lives.of(token))})
    return {token: told.exposure(token, origins, groups[token], said_in[token]) for token, origins in places.items()}


class _Told:
    """What is asked of a repository once, for all tokens."""

    def __init__(self, repository: Repository, attribution: Attribution, held: Sequence[Held], mirror: bool) -> None:
        self._repository, self._commits, self._held, self._mirror = repository, attribution.commits, held, mirror
        self._parents = attribution.parents or ()
        self._number = {commit: place for place, commit in enumerate(attribution.commits)}
        self._refs = refs(repository)
        self._head = self._number.get(repository.head() or "")
        self._has_remotes = mirror or repository.has_remotes()
        heads = [self._head] if self._head is not None else []
        # Each takes a pass over all commits, so it is made when it is needed.
        self._ends: dict[str, Iterable[int]] = {
            "ref": [*self._places(lambda name: name != _STASH), *heads],
            "stash": self._places(lambda name: name == _STASH),
            "reflog": range(attribution.reachable),
            "no ref": range(len(self._commits)),
            _REMOTE: self._places(lambda name: name.startswith(_REMOTE)),
        }
        self._groups: dict[str, _Group] = {}
        self._tips: dict[str, set[str]] = {}
        self._at: dict[str, set[str]] = {}
        for ref in self._refs:
            place = self._place(ref)
            for token in self._held[place] if place is not None else ():
                self._tips.setdefault(token, set()).add(ref.name)
            if ref.object != ref.peeled:
                self._at.setdefault(ref.object, set()).add(ref.name)
        self._who: Mapping[str, Commit] = {}

    def said_in(self, origins: Iterable[Origin]) -> list[int]:
        """The commits whose own text, not whose files, holds a token."""
        return [
            self._number[origin.commit] for origin in origins if not origin.blob and origin.type != "path" and origin.commit in self._number
        ]

    def group(self, token: str, said_in: Sequence[int]) -> _Group:
        """The first group that has a token; one of nothing if none has."""
        groups = (self._group(name) for name in self._ends if name != _REMOTE)
        return next((group for group in groups if group.has(token, said_in)), _NOWHERE)

    def ask_who(self, commits: set[int]) -> None:
        """Who made the commits that will be spoken of, and when."""
        self._who = who(self._repository, [self._commits[commit] for commit in sorted(commits)])

    def exposure(self, token: str, origins: Sequence[Origin], group: _Group, said_in: Sequence[int]) -> Exposure:
        """Everything about one token. ``pushed`` is ``None`` without a remote: then nothing tells."""
        tips = set(self._tips.get(token, ()))
        tips.update(name for origin in origins if not origin.blob for name in self._at.get(origin.commit or "", ()))
        tips |= {origin.path for origin in origins if origin.type == "ref-name" and origin.path}
        sent = self._group("ref" if self._mirror else _REMOTE)
        pushed = sent.has(token, said_in) or any(self._mirror or tip.startswith(_REMOTE) for tip in tips)
        brought, youngest = ((*told.get(token, ()), *said_in) for told in (group.lives.brought, group.lives.youngest))
        return Exposure(
            first_seen=min(map(self._commit, brought), key=_when, default=exposure(origins).first_seen),
            last_seen=max(map(self._commit, youngest), key=_when, default=None),
            at_head=self._head is not None and token in self._held[self._head],
            tips=tuple(sorted(tips)),
            reachable=group.name == "ref" or (bool(tips) and group is _NOWHERE),
            pushed=pushed if self._has_remotes else None,
            kept_by=group.name or ("ref" if tips else _kept(origins)),
            removed=tuple(sorted(map(self._commit, group.lives.removed.get(token, ())), key=_when)),
        )

    def _place(self, ref: Ref) -> int | None:
        return self._number.get(ref.peeled or ref.object)

    def _places(self, wanted: Callable[[str], bool]) -> list[int]:
        places = [self._place(ref) for ref in self._refs if wanted(ref.name)]
        return [place for place in places if place is not None]

    def _group(self, name: str) -> _Group:
        if name not in self._groups:
            self._groups[name] = self._made(name, self._ends[name]) if self._ends[name] else _NOWHERE
        return self._groups[name]

    def _made(self, name: str, tips: Iterable[int]) -> _Group:
        marks = marked(self._parents, tips)
        each = {id(tokens): tokens for tokens, mark in zip(self._held, marks, strict=True) if mark}
        return _Group(name, marks, frozenset().union(*each.values()), lives(self._parents, self._held, marks))

    def _commit(self, number: int) -> Commit:
        name = self._commits[number]
        return self._who.get(name) or Commit(name, "", "")


def who(repository: Repository, commits: Sequence[str]) -> dict[str, Commit]:
    """Who made these commits, and when; those that git can't read aren't told of."""
    told: dict[str, Commit] = {}
    for low in range(0, len(commits), _AT_ONCE):
        try:
            listed = repository.git(*_LOG, stdin="".join(f"{commit}\n" for commit in commits[low : low + _AT_ONCE]).encode())
        except GitError:
            continue  # then a commit is told by its id alone
        fields = listed.decode("utf-8", "surrogateescape").split("\0")
        for name, author, date, committer, committed in zip(*[iter(fields)] * 5, strict=False):
            told[name] = Commit(name, author, iso(*date.split()) or "", committer, iso(*committed.split()) or "")
    return told


def refs(repository: Repository) -> list[Ref]:
    """All refs, by name."""
    try:
        listed = repository.git("for-each-ref", "--format=%(refname)%00%(objectname)%00%(*objectname)%00")
    except GitError:
        return []
    fields = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return [Ref(name.lstrip("\n"), target, peeled) for name, target, peeled in zip(*[iter(fields)] * 3, strict=False)]


def _kept(origins: Sequence[Origin]) -> str:
    """What keeps a token that no commit holds."""
    return "index" if any(origin.type == "index" for origin in origins) else "nothing"


def _when(commit: Commit) -> tuple[float, str]:
    """Commits compare by when they were committed; a clock may be wrong, but the order of a chain was settled before."""
    return instant(commit.committed or commit.date), commit.id
