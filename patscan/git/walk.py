"""What commits changed about some blobs and paths, by git, on all processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from patscan.dates import iso
from patscan.git import child
from patscan.git.graph import Change
from patscan.git.modes import SYMLINK
from patscan.git.names import PATH
from patscan.git.repository import Repository
from patscan.kind import Kind
from patscan.model import Sighting

# A raw date: git fails when it has to print an impossible date in its own zone.
_FORMAT = "%x02%H%x00%an <%ae>%x00%ad%x00%s"
# First-parent diffs show what a merge resolution introduced; git's default shows nothing for merges.
_DIFF = ("--stdin", "-r", "--root", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-show-signature")
_WALK = ("diff-tree", *_DIFF, "--diff-merges=first-parent", "--date=raw", "--encoding=UTF-8", f"--format={_FORMAT}")
_OBJECTS = 5000
"""Objects in one walk: their ids must fit on a command line."""
_MOST = 12_000
"""Commits in one walk: few enough that all processors finish at about the same time."""
_ALL = 2000
"""Commits in one walk without a filter: its output is large and is kept in memory."""
_UNREAD_AT_MOST = 50
"""Commits that git can't read before the rest is given up. Each is located with about twenty starts of git."""


class Walk:
    """Asks git what commits changed about some blobs and paths, and keeps the answers."""

    def __init__(self, repository: Repository, wanted: Sequence[str]) -> None:
        self.places: dict[str, list[Sighting]] = {}
        self.changes: dict[str, dict[bytes, Change]] = {}
        self.unread: list[str] = []
        self._repository, self.wanted = repository, wanted
        self._notes = set(_notes(repository)) if wanted else set()
        self._cut_off = repository.cut_off() if wanted else set()
        self._blobs = [name for name in wanted if not name.startswith(PATH)]
        self._paths = {name for name in wanted if name.startswith(PATH)}

    def all_places(self) -> dict[str, Sequence[Sighting]]:
        """The places of each blob. A blob that nothing refers to has one place without a path."""
        return {name: self.places.get(name) or [_unplaced(name)] for name in self.wanted}

    def missing(self) -> list[str]:
        """The blobs without a known place."""
        return [blob for blob in self.wanted if blob not in self.places]

    def add(self, places: Mapping[str, list[Sighting]]) -> None:
        """Add places from another source."""
        self.places |= places

    def sort(self, key: Callable[[Sighting], float]) -> None:
        """Sort the places of each blob by `key`."""
        for places in self.places.values():
            places.sort(key=key)

    def over(self, commits: Sequence[str]) -> None:
        """Ask about these commits on all processors. The answers are kept in the order of the commits."""
        answers_due: list[tuple[Future[bytes], set[str]]] = []
        processors = os.cpu_count() or 1
        share = min(-(-len(commits) // processors) or 1, _ALL if self._paths else _MOST)
        with ThreadPoolExecutor(processors) as pool:
            for low in range(0, len(commits), share):
                answers_due += self._submit(pool, commits[low : low + share])
            for answer, names in answers_due:
                self._keep(answer.result(), names)

    def over_trees(self, commits: Iterable[str]) -> None:
        """Record the blobs in the trees of these commits, which git can't compare with their parents, without an author."""
        wanted = set(self._blobs)
        for commit in list(commits)[:_UNREAD_AT_MOST]:
            try:
                header = self._repository.git("log", "--no-walk", "--date=raw", "--encoding=UTF-8", "--format=%ad%x00%s", commit)
                listed = self._repository.git("ls-tree", "-r", "-z", "--full-tree", commit)
            except child.GitError:
                continue
            date, _, subject = header.rstrip(b"\n").partition(b"\0")
            when = iso(*date.decode("ascii", "replace").split())
            for entry in listed.split(b"\0")[:-1]:
                facts, _, path = entry.partition(b"\t")
                if (name := facts.split()[2].decode()) in wanted:
                    kind = Kind.SYMLINK if facts.startswith(SYMLINK.encode()) else Kind.BLOB
                    self.places.setdefault(name, []).append(Sighting(kind, _text(path), commit, None, when, name, _text(subject)))

    def _submit(self, pool: ThreadPoolExecutor, commits: Sequence[str]) -> Iterator[tuple[Future[bytes], set[str]]]:
        for low in range(0, len(self._blobs), _OBJECTS):
            some = self._blobs[low : low + _OBJECTS]
            yield pool.submit(self._answer, (*_WALK, *(f"--find-object={blob}" for blob in some)), commits), set(some)
        if self._paths:
            # Don't pass the paths as arguments: they hold tokens, and other users can read the arguments of a process.
            yield pool.submit(self._answer, _WALK, commits), self._paths

    def _answer(self, command: Sequence[str], commits: Sequence[str]) -> bytes:
        return b"".join(answers(self._repository, command, commits, self.unread))

    def _keep(self, output: bytes, wanted: set[str]) -> None:
        for sighting, change, is_new in _parse(output, wanted):
            commit = sighting.commit or ""
            place = sighting._replace(author=None) if commit in self._cut_off else sighting
            paths = self.changes.setdefault(commit, {})
            if change.blob is not None or change.path not in paths:
                paths[change.path] = change
            if change.blob is not None and is_new:
                self.places.setdefault(change.blob, []).append(place._replace(kind=Kind.NOTE) if commit in self._notes else place)


def _unplaced(name: str) -> Sighting:
    return Sighting(Kind.PATH, name.removeprefix(PATH)) if name.startswith(PATH) else Sighting(Kind.BLOB, blob=name)


def answers(repository: Repository, command: Sequence[str], names: Sequence[str], unread: list[str]) -> Iterator[bytes]:
    """The output of ``git COMMAND`` with `names` as input. Bisection finds the names at which git fails, and adds them to `unread`."""
    if len(unread) >= _UNREAD_AT_MOST:
        unread += names
        return
    try:
        yield child.run(command, repository.path, repository.environment, "".join(f"{name}\n" for name in names).encode())
    except child.GitError:
        if len(names) == 1:
            unread += names
            return
        half = len(names) // 2
        yield from answers(repository, command, names[:half], unread)
        yield from answers(repository, command, names[half:], unread)


def _notes(repository: Repository) -> list[str]:
    """The commits that hold git notes."""
    try:
        return repository.git("rev-list", "--ignore-missing", "--glob=refs/notes/*").decode().splitlines()
    except child.GitError:
        return []


def _parse(output: bytes, wanted: set[str]) -> Iterator[tuple[Sighting, Change, bool]]:
    """Read the output of ``git diff-tree -z`` with `_FORMAT`: each change of a wanted blob or path, and whether it introduces it."""
    # Only a field's position says what it is: a path or a name may hold any byte but NUL.
    fields = iter(output.split(b"\0"))
    commit = author = date = subject = b""
    by_path = any(name.startswith(PATH) for name in wanted)
    for field in fields:
        if field.startswith(b"\x02"):
            commit, author, date, subject = field[1:], next(fields), next(fields), next(fields)
        elif field.startswith((b":", b"\n:")):
            _, mode, _, blob, status = field.split()
            path = next(fields)
            name, path_key = blob.decode(), PATH + _text(path)
            if by_path and path_key not in wanted:
                continue
            when = iso(*date.decode("ascii", "replace").split())
            sighting = Sighting(Kind.PATH, _text(path), commit.decode(), _text(author), when, None, _text(subject))
            if by_path:
                yield sighting, Change(b"\0" + path, None if status == b"D" else path_key), status == b"A"
            else:
                wanted_blob = name if name in wanted else None
                yield (
                    sighting._replace(kind=Kind.SYMLINK if mode == SYMLINK.encode() else Kind.BLOB, blob=wanted_blob),
                    Change(path, wanted_blob),
                    True,
                )


def in_index(repository: Repository, blobs: Iterable[str]) -> dict[str, list[Sighting]]:
    """Where the index has these blobs and paths."""
    wanted = set(blobs)
    places: dict[str, list[Sighting]] = {}
    try:
        # From the top folder: git lists only files below the current one.
        top = os.fsdecode(repository.git("rev-parse", "--show-cdup")).removesuffix("\n")
        listed = repository.git("-C", top or ".", "ls-files", "-s", "-z")
    except child.GitError:
        return {}
    for entry in listed.split(b"\0")[:-1]:
        header, path = entry.split(b"\t", 1)
        if (name := header.split()[1].decode()) in wanted:
            places.setdefault(name, []).append(Sighting(Kind.INDEX, _text(path), blob=name))
        if (path_key := PATH + _text(path)) in wanted:
            places[path_key] = [Sighting(Kind.INDEX, _text(path))]
    return places


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
