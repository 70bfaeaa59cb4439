"""A temporary bare repository that borrows a checkout's objects. Fetches write there and leave the checkout unchanged."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

from patscan.errors import PatscanError
from patscan.git.child import GitError, run
from patscan.git.honoured import Honoured, honoured
from patscan.git.mirror import at, configured, credentials, scratch_folder
from patscan.git.network import Progress, talk
from patscan.git.repository import Repository
from patscan.tuples import NamedTuple

_REMOTE = "patscan"
_REFS = "refs/patscan/"
_FETCH = (
    # Keep one pack of any size, and accept malformed objects, as in `patscan.git.mirror`.
    *("-c", "fetch.unpackLimit=1", "-c", "transfer.unpackLimit=1", "-c", "fetch.fsckObjects=false", "-c", "transfer.fsckObjects=false"),
    *("-c", "fetch.writeCommitGraph=false"),
)
_QUIETLY = ("--progress", "--no-write-fetch-head", "--no-tags", "--no-prune", "--no-auto-maintenance", "--no-recurse-submodules")


class Network(NamedTuple):
    """Environment, time limit and progress of fetches."""

    environment: Mapping[str, str]
    seconds: float
    """The limit for all fetches together."""
    progress: Progress | None = None


class Borrowed:
    """The temporary repository, and the server of its checkout."""

    def __init__(self, place: Path, offline: Mapping[str, str], network: Network, known: Honoured, partial: bool) -> None:
        """`known` is the checkout's configuration of its server. `partial`: the checkout is a partial clone."""
        self._offline, self._network, self._known = offline, network, known
        self.environment = at(place, offline)
        self.place, self._remote, self._progress = place, known.remote, network.progress
        self._problem = known.problem
        self._end = time.monotonic() + network.seconds
        self._online = at(place, network.environment)
        if known.remote:
            pairs = [*known.pairs, (f"remote.{_REMOTE}.url", known.remote.url)]
            pairs += [(f"remote.{_REMOTE}.promisor", "true"), (f"remote.{_REMOTE}.partialclonefilter", "blob:none")] if partial else []
            self._online |= configured(self._online, pairs)
            self._online |= credentials(known.remote, self._online)

    def git(self, *args: str, stdin: bytes = b"") -> str:
        """The output of ``git ARGS``, offline. Raises `GitError`."""
        return run(args, self.place, self.environment, stdin).decode("utf-8", "surrogateescape")

    def commit(self, name: str) -> str:
        """The id of the commit that `name` resolves to; empty if it isn't here."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        except GitError:
            return ""

    def dates(self, commits: Sequence[str]) -> dict[str, int]:
        """The committer dates of `commits`, in seconds since 1970."""
        listed = self.git("log", "--no-walk", "--stdin", "--format=%H %ct", stdin="\n".join(commits).encode()).splitlines()
        return {commit: int(date) for commit, date in map(str.split, listed)}

    def edge(self) -> set[str]:
        """The commits at which history is cut off: their parents aren't here."""
        try:
            return set((self.place / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return set()

    def parents(self, commits: Iterable[str]) -> dict[str, list[str]]:
        """The parents of `commits`, also where history is cut off."""
        settings = {**self.environment, "GIT_SHALLOW_FILE": os.devnull}
        asked = "\n".join(commits).encode()
        listed = run(("log", "--no-walk", "--stdin", "--format=%H %P"), self.place, settings, asked).decode() if asked else ""
        return {commit: own_parents for commit, *own_parents in map(str.split, listed.splitlines())}

    def absent(self, names: Iterable[str]) -> list[str]:
        """Those of these objects that aren't here."""
        asked = "".join(f"{name}\n" for name in names).encode()
        return [line.split()[0] for line in self.git("cat-file", "--batch-check", stdin=asked).splitlines() if line.endswith(" missing")]

    def join(self, commits: Iterable[str]) -> None:
        """End the cut at those of these commits whose parents are all here."""
        parents = self.parents(sorted(commits))
        absent = set(self.absent(name for own_parents in parents.values() for name in own_parents))
        self.cut(self.edge().difference(commit for commit, own_parents in parents.items() if absent.isdisjoint(own_parents)))

    def cut(self, edge: Iterable[str]) -> None:
        """Cut the history off at these commits, and nowhere else."""
        (self.place / "shallow").write_text("".join(f"{name}\n" for name in sorted(edge)), "ascii")

    def fetch(self, wanted: Sequence[str], *options: str) -> str:
        """Fetch these ids or full ref names and return the id of the last one. Raises `GitError`."""
        specs = [f"+{name}:{_REFS}{number}" for number, name in enumerate(wanted)]
        self._talk((*_FETCH, "fetch", *_QUIETLY, *options, "--", _REMOTE, *specs))
        return self.git("rev-parse", "--verify", "--end-of-options", f"{_REFS}{len(wanted) - 1}").strip()

    def fetch_objects(self, names: Iterable[str]) -> None:
        """Fetch exactly these objects, even if git believes that it has them. Raises `GitError`."""
        file = self.place / "wanted"
        file.write_text("".join(f"{name}\n" for name in names), "ascii")
        with file.open("rb") as stream:
            self._talk((*_FETCH, "-c", "fetch.negotiationAlgorithm=noop", "fetch", *_QUIETLY, "--stdin", "--", _REMOTE), stream)

    def beside(self) -> Borrowed:
        """An empty repository for the same server, with half of the time that is left. Raises `GitError`."""
        try:
            place = Path(mkdtemp(".git", dir=self.place.parent))
        except OSError as error:
            raise GitError(f"{self.place.parent}: can't hold what is fetched: {error.strerror}.") from error
        _create(place, self.git("rev-parse", "--show-object-format").strip(), self._offline)
        left = max(self._end - time.monotonic(), 0.0)
        return Borrowed(place, self._offline, self._network._replace(seconds=left / 2), self._known, partial=False)

    def settle(self, head: str, ref: str, edge: Iterable[str]) -> None:
        """Point HEAD and the ref `ref` to `head`, delete all other refs, and cut history off at the commits `edge`."""
        listed = self.git("for-each-ref", "--format=%(refname)", _REFS).split()
        changes = [f"delete {name}" for name in listed] + ([f"update {ref} {head}"] if ref else [])
        self.git("update-ref", "--stdin", stdin="".join(f"{change}\n" for change in changes).encode("utf-8", "surrogateescape"))
        (self.place / "HEAD").write_text(f"{self.commit(head)}\n", "ascii")
        self.cut(edge)

    def _talk(self, args: Sequence[str], stdin: IO[bytes] | None = None) -> None:
        if not self._remote:
            raise GitError(self._problem)
        left = self._end - time.monotonic()
        if left <= 0:
            raise GitError("the time limit for fetching is over. Raise it with --fetch-timeout.")
        try:
            talk(args, self.place, self._online, self._progress, limit=left, stdin=stdin)
        except GitError as error:
            raise GitError(self._remote.hidden(str(error))) from None


@contextmanager
def borrowed(checkout: Repository, offline: Mapping[str, str], network: Network) -> Iterator[Borrowed]:
    """Create a `Borrowed` for `checkout`, and remove it at the end. `offline` is the environment of git processes that don't fetch."""
    known = honoured(checkout)
    with scratch_folder() as folder:
        place = folder / "borrowed.git"
        offline = {**offline, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        try:
            _init(place, checkout, offline)
        except OSError as error:
            raise PatscanError(f"{error.filename or place}: can't hold what is fetched: {error.strerror}.") from error
        repository = Borrowed(place, offline, network, known, checkout.is_partial())
        if head := checkout.head():
            # git tells the server what its refs reach, and a runner's checkout may have only HEAD: all files would be sent again.
            repository.git("update-ref", f"{_REFS}checkout", head)
        yield repository


def _create(place: Path, kind: str, environment: Mapping[str, str]) -> None:
    run(("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "."), place, environment)


def _init(place: Path, checkout: Repository, environment: Mapping[str, str]) -> None:
    place.mkdir()
    _create(place, "sha256" if checkout.id_size == 32 else "sha1", environment)
    (place / "objects" / "info").mkdir(exist_ok=True)
    folders = [os.fspath(folder) for folder in checkout.object_folders()]
    (place / "objects" / "info" / "alternates").write_bytes(b"".join(os.fsencode(folder) + b"\n" for folder in folders))
    if checkout.shallow:
        (place / "shallow").write_text("".join(f"{name}\n" for name in sorted(checkout.boundary())), "ascii")
