"""What commits did with some blobs and at some paths: asked of git on all processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from patscan.dates import iso
from patscan.git import child
from patscan.git.graph import Change
from patscan.git.names import PATH
from patscan.git.repository import Repository
from patscan.kind import Kind
from patscan.model import Sighting

# A raw date, for git dies of one that is no date in its own zone when it has to print it.
_FORMAT = "%x02%H%x00%an <%ae>%x00%ad%x00%s"
# First-parent diffs show what a merge resolution brought; the patch-like default shows nothing for merges (design, "The history engine").
_DIFF = ("--stdin", "-r", "--root", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-show-signature")
_WALK = ("diff-tree", *_DIFF, "--diff-merges=first-parent", "--date=raw", "--encoding=UTF-8", f"--format={_FORMAT}")
_OBJECTS = 5000
"""Objects asked for in one walk: their ids have to fit on a command line."""
_MOST = 12_000
"""Commits asked about at once: not too many, so that all processors end together."""
_ALL = 2000
"""The same, where git is asked for all that commits did, which is much to hold in memory."""
_UNREAD_AT_MOST = 50
"""Commits git dies of, each found with some twenty starts of git, before the rest is given up."""


class Walk:
    """Asks what commits did with some blobs and at some paths, and keeps the answers."""

    def __init__(self, repository: Repository, wanted: Sequence[str]) -> None:
        self.places: dict[str, list[Sighting]] = {}
        self.changes: dict[str, dict[bytes, Change]] = {}
        self.unread: list[str] = []
        self._repository, self.wanted = repository, wanted
        self._notes = set(_notes(repository)) if wanted else set()
        self._cut_off = repository.cut_off() if wanted else set()
        self._blobs = [name for name in wanted if not name.startswith(PATH)]
        self._paths = {name for name in wanted if name.startswith(PATH)}

    def found(self) -> dict[str, Sequence[Sighting]]:
        """The places of each blob; one without a path if nobody refers to it."""
        return {name: self.places.get(name) or [_nowhere(name)] for name in self.wanted}

    def missing(self) -> list[str]:
        """Blobs no place is known of."""
        return [blob for blob in self.wanted if blob not in self.places]

    def add(self, places: Mapping[str, list[Sighting]]) -> None:
        """Places somebody else found."""
        self.places |= places

    def sort(self, key: Callable[[Sighting], float]) -> None:
        """The places of each in this order."""
        for places in self.places.values():
            places.sort(key=key)

    def over(self, commits: Sequence[str]) -> None:
        """Ask about these commits, on all processors; the answers are kept in their order."""
        told: list[tuple[Future[bytes], set[str]]] = []
        processors = os.cpu_count() or 1
        share = min(-(-len(commits) // processors) or 1, _ALL if self._paths else _MOST)
        with ThreadPoolExecutor(processors) as pool:
            for low in range(0, len(commits), share):
                told += self._asked(pool, commits[low : low + share])
            for answer, asked in told:
                self._keep(answer.result(), asked)

    def over_trees(self, commits: Iterable[str]) -> None:
        """Take what stands in these commits, which can't be compared with their parents, as met there; nobody brought it."""
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
                    kind = Kind.SYMLINK if facts.startswith(b"120000") else Kind.BLOB
                    self.places.setdefault(name, []).append(Sighting(kind, _text(path), commit, None, when, name, _text(subject)))

    def _asked(self, pool: ThreadPoolExecutor, commits: Sequence[str]) -> Iterator[tuple[Future[bytes], set[str]]]:
        for low in range(0, len(self._blobs), _OBJECTS):
            asked = self._blobs[low : low + _OBJECTS]
            yield pool.submit(self._answer, (*_WALK, *(f"--find-object={blob}" for blob in asked)), commits), set(asked)
        if self._paths:
            # Not by git's own choice of paths: they hold tokens, and who may list processes reads their arguments.
            yield pool.submit(self._answer, _WALK, commits), self._paths

    def _answer(self, command: Sequence[str], commits: Sequence[str]) -> bytes:
        return b"".join(answers(self._repository, command, commits, self.unread))

    def _keep(self, output: bytes, asked: set[str]) -> None:
        for sighting, change, is_new in _parse(output, asked):
            commit = sighting.commit or ""
            place = sighting._replace(author=None) if commit in self._cut_off else sighting
            paths = self.changes.setdefault(commit, {})
            if change.blob is not None or change.path not in paths:
                paths[change.path] = change
            if change.blob is not None and is_new:
                self.places.setdefault(change.blob, []).append(place._replace(kind=Kind.NOTE) if commit in self._notes else place)


def _nowhere(name: str) -> Sighting:
    return Sighting(Kind.PATH, name.removeprefix(PATH)) if name.startswith(PATH) else Sighting(Kind.BLOB, blob=name)


def answers(repository: Repository, command: Sequence[str], names: Sequence[str], unread: list[str]) -> Iterator[bytes]:
    """What ``git COMMAND`` says of `names` on its input; it dies of one that it can't read, so that one is looked for by halves."""
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
    """The commits whose files are notes on other objects."""
    try:
        return repository.git("rev-list", "--ignore-missing", "--glob=refs/notes/*").decode().splitlines()
    except child.GitError:
        return []


def _parse(output: bytes, wanted: set[str]) -> Iterator[tuple[Sighting, Change, bool]]:
    """What commits did with wanted blobs, or at wanted paths, and whether it is new there, out of ``git diff-tree -z`` with `_FORMAT`."""
    # Field after field: a path or a name may hold any byte but NUL, so what a field is follows from its place alone.
    fields = iter(output.split(b"\0"))
    commit = author = date = subject = b""
    by_path = any(name.startswith(PATH) for name in wanted)
    for field in fields:
        if field.startswith(b"\x02"):
            commit, author, date, subject = field[1:], next(fields), next(fields), next(fields)
        elif field.startswith((b":", b"\n:")):
            _, mode, _, blob, status = field.split()
            path = next(fields)
            name, called = blob.decode(), PATH + _text(path)
            if by_path and called not in wanted:
                continue
            when = iso(*date.decode("ascii", "replace").split())
            sighting = Sighting(Kind.PATH, _text(path), commit.decode(), _text(author), when, None, _text(subject))
            if by_path:
                yield sighting, Change(b"\0" + path, None if status == b"D" else called), status == b"A"
            else:
                held = name if name in wanted else None
                yield sighting._replace(kind=Kind.SYMLINK if mode == b"120000" else Kind.BLOB, blob=held), Change(path, held), True


def in_index(repository: Repository, blobs: Iterable[str]) -> dict[str, list[Sighting]]:
    """Blobs that are staged now and never were in a commit."""
    wanted = set(blobs)
    found: dict[str, list[Sighting]] = {}
    try:
        # From the top: git lists only what lies below the folder it is started in.
        top = os.fsdecode(repository.git("rev-parse", "--show-cdup")).removesuffix("\n")
        listed = repository.git("-C", top or ".", "ls-files", "-s", "-z")
    except child.GitError:
        return {}
    for entry in listed.split(b"\0")[:-1]:
        header, path = entry.split(b"\t", 1)
        if (name := header.split()[1].decode()) in wanted:
            found.setdefault(name, []).append(Sighting(Kind.INDEX, _text(path), blob=name))
        if (called := PATH + _text(path)) in wanted:
            found[called] = [Sighting(Kind.INDEX, _text(path))]
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
