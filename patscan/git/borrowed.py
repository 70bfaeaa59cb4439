"""A bare repository of our own that borrows a checkout's objects: what is fetched goes there, and the checkout stays as it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from patscan.errors import PatscanError
from patscan.git.child import GitError, run
from patscan.git.honoured import Honoured, honoured
from patscan.git.mirror import at, configured, credentials, scratch_folder
from patscan.git.network import Tell, talk
from patscan.git.repository import Repository

_REMOTE = "patscan"
_REFS = "refs/patscan/"
_FETCH = (
    # One pack, whatever its size, and what is malformed is wanted, too. As with any other fetch of ours, see `patscan.git.mirror`.
    *("-c", "fetch.unpackLimit=1", "-c", "transfer.unpackLimit=1", "-c", "fetch.fsckObjects=false", "-c", "transfer.fsckObjects=false"),
    *("-c", "fetch.writeCommitGraph=false"),
)
_QUIETLY = ("--progress", "--no-write-fetch-head", "--no-tags", "--no-prune", "--no-auto-maintenance", "--no-recurse-submodules")


class Network(NamedTuple):
    """What a fetch may use."""

    environment: Mapping[str, str]
    seconds: float
    """For all fetches together."""
    tell: Tell | None = None


class Borrowed:
    """The repository, and the server that its checkout came from."""

    def __init__(self, place: Path, offline: Mapping[str, str], network: Network, known: Honoured, partial: bool) -> None:
        """`known` is what the checkout says of its server; it may be a `partial` clone."""
        self.environment = at(place, offline)
        self.place, self._remote, self._tell = place, known.remote, network.tell
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
        """The id of the commit that `name` leads to; empty if it isn't here."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        except GitError:
            return ""

    def edge(self) -> set[str]:
        """The commits whose parents aren't here, for the history was cut off there."""
        try:
            return set((self.place / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return set()

    def join(self, commits: Sequence[str]) -> None:
        """Let history go on below those of these commits that it was cut off at although all of their parents are here."""
        settings = {**self.environment, "GIT_SHALLOW_FILE": os.devnull}
        listed = run(("log", "--no-walk", "--stdin", "--format=%H %P"), self.place, settings, "\n".join(commits).encode()).decode()
        parents = {commit: above for commit, *above in map(str.split, listed.splitlines())}
        asked = "".join(f"{name}\n" for above in parents.values() for name in above).encode()
        absent = {line.split()[0] for line in self.git("cat-file", "--batch-check", stdin=asked).splitlines() if line.endswith(" missing")}
        self.cut(self.edge().difference(commit for commit, above in parents.items() if absent.isdisjoint(above)))

    def cut(self, edge: Iterable[str]) -> None:
        """Cut the history off at these commits, and nowhere else."""
        (self.place / "shallow").write_text("".join(f"{name}\n" for name in sorted(edge)), "ascii")

    def fetch(self, wanted: Sequence[str], *options: str) -> str:
        """Get these ids or full ref names; returns the id of the last one. Raises `GitError`."""
        specs = [f"+{name}:{_REFS}{number}" for number, name in enumerate(wanted)]
        self._talk((*_FETCH, "fetch", *_QUIETLY, *options, "--", _REMOTE, *specs))
        return self.git("rev-parse", "--verify", "--end-of-options", f"{_REFS}{len(wanted) - 1}").strip()

    def fetch_objects(self, names: Iterable[str]) -> None:
        """Get these objects alone, whatever git believes to have of them. Raises `GitError`."""
        file = self.place / "wanted"
        file.write_text("".join(f"{name}\n" for name in names), "ascii")
        with file.open("rb") as stream:
            self._talk((*_FETCH, "-c", "fetch.negotiationAlgorithm=noop", "fetch", *_QUIETLY, "--stdin", "--", _REMOTE), stream)

    def settle(self, head: str, ref: str, edge: Iterable[str]) -> None:
        """Leave `head` as all that HEAD and the ref `ref` lead to, and cut the history off at the commits `edge`."""
        listed = self.git("for-each-ref", "--format=%(refname)", _REFS).split()
        changes = [f"delete {name}" for name in listed] + ([f"update {ref} {head}"] if ref else [])
        self.git("update-ref", "--stdin", stdin="".join(f"{change}\n" for change in changes).encode("utf-8", "surrogateescape"))
        (self.place / "HEAD").write_text(f"{self.commit(head)}\n", "ascii")
        self.cut(edge)

    def _talk(self, args: Sequence[str], stdin: object = None) -> None:
        if not self._remote:
            raise GitError(self._problem)
        left = self._end - time.monotonic()
        if left <= 0:
            raise GitError("the time for fetching is up (--fetch-timeout).")
        try:
            talk(args, self.place, self._online, self._tell, limit=left, **({"stdin": stdin} if stdin else {}))  # type: ignore[arg-type]
        except GitError as error:
            raise GitError(self._remote.hidden(str(error))) from None


@contextmanager
def borrowed(checkout: Repository, offline: Mapping[str, str], network: Network) -> Iterator[Borrowed]:
    """Make one for `checkout`; it is removed at the end. `offline` is the environment of children that fetch nothing."""
    known = honoured(checkout)
    with scratch_folder() as folder:
        place = folder / "borrowed.git"
        offline = {**offline, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        try:
            _init(place, checkout, offline)
        except OSError as error:
            raise PatscanError(f"{error.filename or place}: can't hold what is fetched: {error.strerror}.") from error
        yield Borrowed(place, offline, network, known, checkout.is_partial())


def _init(place: Path, checkout: Repository, environment: Mapping[str, str]) -> None:
    place.mkdir()
    kind = "sha256" if checkout.id_size == 32 else "sha1"
    run(("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "."), place, environment)
    (place / "objects" / "info").mkdir(exist_ok=True)
    folders = [os.fspath(folder) for folder in checkout.object_folders()]
    (place / "objects" / "info" / "alternates").write_bytes(b"".join(os.fsencode(folder) + b"\n" for folder in folders))
    if checkout.shallow:
        (place / "shallow").write_text("".join(f"{name}\n" for name in sorted(checkout.boundary())), "ascii")
