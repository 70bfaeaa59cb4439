"""Which commits introduced an object, who made them, when, and at which path. git is asked once for all objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from patscan.dates import instant
from patscan.git import child
from patscan.git.graph import Change
from patscan.git.repository import Repository
from patscan.git.trees import TreeContents
from patscan.git.walk import Walk, in_index
from patscan.model import Commit, Exposure, Sighting
from patscan.tuples import NamedTuple

_LIST = ("rev-list", "--format=%T %P", "--encoding=UTF-8", "--ignore-missing")


class Attribution(NamedTuple):
    """The result of the walk over all commits."""

    places: Mapping[str, Sequence[Sighting]]
    """The places of each blob, the first introduction first. A blob that nothing refers to has one place without a path."""
    commits: Sequence[str]
    """Commit ids, each after its parents."""
    parents: Sequence[Sequence[int]] | None
    """Numbers of commits, by the number of a commit; ``None`` if git can't list them."""
    changes: Mapping[int, Sequence[Change]]
    """Where commits introduced and removed wanted blobs, by the commit's number."""
    reachable: int
    """How many of the commits are reachable from refs and reflogs. These come first."""
    unread: Sequence[str]
    """Commits that git couldn't compare with their parents."""


def attribute(
    repository: Repository,
    blobs: Iterable[str],
    stored: Callable[[], Iterable[str]],
    search_trees: Callable[[], TreeContents | None],
    fetched: Iterable[str] = (),
) -> Attribution:
    """Walk the commits for `blobs`.

    `stored` gives the ids of all commits, for blobs that no ref or reflog reaches. `fetched` are further commits to walk, though no
    ref or reflog reaches them. With the result of `search_trees`, git is asked only about commits that may have changed a blob.
    """
    walk, graph = Walk(repository, sorted(blobs)), _Graph()
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(graph.add, repository)
        known = search_trees()
    try:
        walk.over(graph.worth_asking(listing.result(), known))
        if walk.unread and known:
            # Trees are missing. Only git can report what else they held and which commits it can't read.
            walk, known = Walk(repository, walk.wanted), None
            walk.over(listing.result())
    except child.GitError:
        # A commit can't be read: report what the others introduced, but nothing about removals.
        walk.over(sorted(set(stored())))
        walk.over_trees(walk.unread)
        walk.add(in_index(repository, walk.missing()))
        walk.sort(lambda place: instant(place.date))
        return Attribution(walk.all_places(), (), None, {}, 0, walk.unread)
    reachable = len(graph.parents)
    walk.add(in_index(repository, walk.missing()))
    further = sorted(set(stored()).difference(graph.parents)) if walk.missing() else sorted(set(fetched).difference(graph.parents))
    if further:
        try:
            walk.over(graph.worth_asking(graph.add(repository, further), known))
        except child.GitError:
            walk.over(further)
    number = graph.numbers()
    walk.sort(lambda place: number.get(place.commit or "", len(number)))
    parents = [tuple(number[one] for one in graph.parents[commit] if number.get(one, place) < place) for commit, place in number.items()]
    changes = {number[commit]: tuple(paths.values()) for commit, paths in walk.changes.items() if commit in number}
    return Attribution(walk.all_places(), list(number), parents, changes, reachable, walk.unread)


def changing_commits(attribution: Attribution) -> list[str]:
    """The commits that introduced or removed the blobs. `recalled_places` needs no others."""
    return [attribution.commits[number] for number in sorted(attribution.changes)]


def recalled_places(repository: Repository, blobs: Iterable[str], commits: Sequence[str]) -> Mapping[str, Sequence[Sighting]]:
    """The places that `attribute` returned for an unchanged repository, from the `commits` that `changing_commits` returned."""
    walk = Walk(repository, sorted(blobs))
    walk.over(commits)
    walk.add(in_index(repository, walk.missing()))
    return walk.all_places()


class _Graph:
    """The parents of commits, as git lists them."""

    def __init__(self) -> None:
        self.parents: dict[str, list[str]] = {}
        self._trees: dict[str, str] = {}

    def add(self, repository: Repository, more: Sequence[str] = ()) -> list[str]:
        """Add and return, in git's order, the commits reachable from refs and reflogs, or those reachable only from `more`.

        Raises `GitError`, and adds nothing, if one of them is missing or corrupt.
        """
        ends = ("--stdin", "--not", "--all", "--reflog") if more else ("--all", "--reflog")
        names = "".join(f"{name}\n" for name in more).encode()
        # Two lines for each commit: "commit" and its id, then the fields of `_LIST`.
        lines = repository.git(*_LIST, *ends, stdin=names).decode().splitlines()
        commits = [header[7:] for header in lines[::2]]
        # Oldest first: then the parents of most commits are added before them.
        for commit, facts in zip(reversed(commits), lines[::-2], strict=True):
            self._trees[commit], *self.parents[commit] = facts.split()
        return commits

    def worth_asking(self, commits: list[str], known: TreeContents | None) -> list[str]:
        """The commits that git must be asked about."""
        return list(known.differing(commits, self.parents, self._trees)) if known else commits

    def numbers(self) -> dict[str, int]:
        """A number for each commit, higher than its parents' numbers and than those of commits that were added earlier."""
        number: dict[str, int] = {}
        # Grafts may form a cycle (gitrepository-layout(5), info/grafts).
        begun: set[str] = set()
        for commit in self.parents:
            waiting = [commit]
            while waiting:
                begun.add(waiting[-1])
                unnumbered = [parent for parent in self.parents[waiting[-1]] if parent in self.parents and parent not in begun]
                if unnumbered:
                    waiting += unnumbered
                else:
                    number.setdefault(waiting.pop(), len(number))
        return number


def exposure(places: Iterable[Sighting], sure: bool = True) -> Exposure:
    """When a token was first seen, from the commits that introduced it. Without `sure`, an earlier commit may have introduced it."""
    dated = sorted((instant(place.date), place.commit, place) for place in places if place.commit and place.date)
    if not dated:
        return Exposure()
    first = dated[0][2]
    sure = sure and first.author is not None
    return Exposure(first_seen=Commit(first.commit or "", (first.author or "") if sure else "", first.date or ""), at_or_before=not sure)
