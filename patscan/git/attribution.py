"""Which commits brought an object, by whom, when and to which path: asked of git once, however many objects there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from patscan.dates import instant
from patscan.git import child
from patscan.git.graph import Change
from patscan.git.holders import Holders
from patscan.git.repository import Repository
from patscan.git.walk import Walk, in_index
from patscan.model import Commit, Exposure, Sighting

_LIST = ("rev-list", "--format=%T %P", "--encoding=UTF-8", "--ignore-missing")


class Attribution(NamedTuple):
    """What the walk over all commits told."""

    places: Mapping[str, Sequence[Sighting]]
    """Of each blob, the commit that first brought it first; one place without a path if nobody refers to it."""
    commits: Sequence[str]
    """Ids, each after its parents."""
    parents: Sequence[Sequence[int]] | None
    """Numbers of commits, by the number of a commit; ``None`` if git can't tell."""
    changes: Mapping[int, Sequence[Change]]
    """Where wanted blobs came and went, by the number of the commit."""
    reachable: int
    """How many of the commits refs and reflogs lead to: the first ones."""
    unread: Sequence[str]
    """Commits that git couldn't compare with their parents."""


def attribute(
    repository: Repository,
    blobs: Iterable[str],
    stored: Callable[[], Iterable[str]],
    find_holders: Callable[[], Holders | None],
    fetched: Iterable[str] = (),
) -> Attribution:
    """Walk the commits for `blobs`; `stored` gives the ids of all commits, for blobs that no ref or reflog leads to.

    `fetched` are commits that may hold them, too, though no ref or reflog leads there.
    With what `find_holders` finds, git is asked only about the commits that may have changed something.
    """
    walk, graph = Walk(repository, sorted(blobs)), _Graph()
    with ThreadPoolExecutor(1) as beside:
        listing = beside.submit(graph.add, repository)
        known = find_holders()
    try:
        walk.over(graph.worth_asking(listing.result(), known))
        if walk.unread and known:
            # Trees are missing: what else they held, and how many commits can't be read for it, only git can say.
            walk, known = Walk(repository, walk.wanted), None
            walk.over(listing.result())
    except child.GitError:
        # A commit can't be read: what the others brought is told, but not what became of it.
        walk.over(sorted(set(stored())))
        walk.over_trees(walk.unread)
        walk.add(in_index(repository, walk.missing()))
        walk.sort(lambda place: instant(place.date))
        return Attribution(walk.found(), (), None, {}, 0, walk.unread)
    reachable = len(graph.parents)
    walk.add(in_index(repository, walk.missing()))
    others = sorted(set(stored()).difference(graph.parents)) if walk.missing() else sorted(set(fetched).difference(graph.parents))
    if others:
        try:
            walk.over(graph.worth_asking(graph.add(repository, others), known))
        except child.GitError:
            walk.over(others)
    number = graph.numbers()
    walk.sort(lambda place: number.get(place.commit or "", len(number)))
    parents = [tuple(number[one] for one in graph.parents[commit] if number.get(one, place) < place) for commit, place in number.items()]
    changes = {number[commit]: tuple(paths.values()) for commit, paths in walk.changes.items() if commit in number}
    return Attribution(walk.found(), list(number), parents, changes, reachable, walk.unread)


def touched(told: Attribution) -> list[str]:
    """The commits that did something with the blobs: all that `retold` needs."""
    return [told.commits[number] for number in sorted(told.changes)]


def retold(repository: Repository, blobs: Iterable[str], commits: Sequence[str]) -> Mapping[str, Sequence[Sighting]]:
    """The places that `attribute` told of, in a repository that is still the same, from what `touched` gave then."""
    walk = Walk(repository, sorted(blobs))
    walk.over(commits)
    walk.add(in_index(repository, walk.missing()))
    return walk.found()


class _Graph:
    """The parents of commits, as git lists them."""

    def __init__(self) -> None:
        self.parents: dict[str, list[str]] = {}
        self._trees: dict[str, str] = {}

    def add(self, repository: Repository, others: Sequence[str] = ()) -> list[str]:
        """Keep and return the commits that refs and reflogs lead to, or those that only `others` do, as git comes to them.

        Raises `GitError`, and keeps nothing, if one of them is missing or corrupt.
        """
        ends = ("--stdin", "--not", "--all", "--reflog") if others else ("--all", "--reflog")
        names = "".join(f"{name}\n" for name in others).encode()
        # Two lines for each: "commit" and its id, then what `_LIST` asks for.
        lines = repository.git(*_LIST, *ends, stdin=names).decode().splitlines()
        commits = [header[7:] for header in lines[::2]]
        # The oldest come first, so that a commit's parents are mostly there before it.
        for commit, facts in zip(reversed(commits), lines[::-2], strict=True):
            self._trees[commit], *self.parents[commit] = facts.split()
        return commits

    def worth_asking(self, commits: list[str], known: Holders | None) -> list[str]:
        """Those of these commits that git has to be asked about."""
        return list(known.differing(commits, self.parents, self._trees)) if known else commits

    def numbers(self) -> dict[str, int]:
        """A number for each commit, after those of its parents, and after those of all that was listed before."""
        number: dict[str, int] = {}
        # Grafts may lead round in a circle (gitrepository-layout(5), info/grafts).
        begun: set[str] = set()
        for commit in self.parents:
            waiting = [commit]
            while waiting:
                begun.add(waiting[-1])
                above = [parent for parent in self.parents[waiting[-1]] if parent in self.parents and parent not in begun]
                if above:
                    waiting += above
                else:
                    number.setdefault(waiting.pop(), len(number))
        return number


def exposure(places: Iterable[Sighting], sure: bool = True) -> Exposure:
    """First sight of a token, from the commits that brought it; the rest isn't looked at. Not `sure`: others may have brought it before."""
    dated = sorted((instant(place.date), place.commit, place) for place in places if place.commit and place.date)
    if not dated:
        return Exposure()
    first = dated[0][2]
    sure = sure and first.author is not None
    return Exposure(first_seen=Commit(first.commit or "", (first.author or "") if sure else "", first.date or ""), at_or_before=not sure)
