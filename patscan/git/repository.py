"""Open a repository and ask about it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from patscan.errors import TargetError
from patscan.git.child import GitError, run
from patscan.tuples import NamedTuple

_REMOTE_URL = r"^remote\..+\.url$"
FOR_FOLDERS = "For a plain folder use: patscan scan"
"""The advice if a path isn't a repository."""


class Ref(NamedTuple):
    """A ref: its name, the object it points to, and the tagged object if that is a tag."""

    name: str
    object: str
    peeled: str

    @property
    def commit(self) -> str:
        """The object behind tags, usually a commit."""
        return self.peeled or self.object


class Repository(NamedTuple):
    """An open repository: its folders and the length of its ids."""

    path: Path
    git_dir: Path
    common_dir: Path
    objects: Path
    bare: bool
    shallow: bool
    id_size: int
    """Bytes of an object id: 20 (SHA-1) or 32 (SHA-256)."""
    environment: Mapping[str, str]

    def git(self, *args: str, stdin: bytes = b"", warnings: list[str] | None = None) -> bytes:
        """The output of ``git ARGS`` in this repository; see `patscan.git.child.run`. Raises `GitError`."""
        return run(args, self.path, self.environment, stdin, warnings)

    def object_folders(self) -> Iterator[Path]:
        """The object folder and its alternates, each once, also absent ones (gitrepository-layout(5))."""
        waiting = [self.objects]
        listed = self.environment.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")
        waiting += [self.path / part for part in listed.split(":") if part]
        seen: set[Path] = set()
        while waiting:
            folder = waiting.pop(0).resolve()
            if folder not in seen:
                seen.add(folder)
                yield folder
                waiting += [folder / line for line in _lines(folder / "info" / "alternates") if not line.startswith("#")]

    def unreadable_refs(self) -> Iterator[tuple[Path, str]]:
        """The folders of refs that can't be listed, each with the reason."""
        errors: list[OSError] = []
        for root in {self.common_dir / "refs", self.git_dir / "refs"}:
            for _ in os.walk(root, onerror=errors.append):
                pass
        yield from ((Path(error.filename), error.strerror or str(error)) for error in errors if not isinstance(error, FileNotFoundError))

    def is_partial(self) -> bool:
        """Whether this is a partial clone, by its promisor packs or its configuration (partial-clone in git's technical docs)."""
        marked = any(next((folder / "pack").glob("*.promisor"), None) for folder in self.object_folders())
        return marked or bool(_try(self, "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$"))

    def lacking(self, warnings: list[str] | None = None) -> set[str]:
        """The missing objects that refs, reflogs or the index reach. Takes 5 to 25 µs for each object. Raises `GitError`."""
        return self._missing("--objects", "--all", "--reflog", "--indexed-objects", warnings=warnings)

    def lacking_at_tips(self, warnings: list[str] | None = None) -> set[str]:
        """The missing objects among the tips of refs and reflogs, and in the trees of HEAD, branches and the index. Raises `GitError`."""
        lost = self._missing("--no-walk", "--all", "--reflog", warnings=warnings)
        head = [commit] if (commit := self.head()) else []
        return lost | self._missing("--objects", "--no-walk", "--branches", "--remotes", "--indexed-objects", *head, warnings=warnings)

    def _missing(self, *options: str, warnings: list[str] | None) -> set[str]:
        # Quietly: the missing objects are listed all the same, the others aren't.
        listed = self.git("rev-list", *options, "--missing=print", "--quiet", warnings=warnings)
        return {line[1:].decode() for line in listed.splitlines() if line.startswith(b"?")}

    def boundary(self) -> set[str]:
        """The commits at the edge of a shallow clone: their parents aren't here (gitformat-shallow in git's technical docs)."""
        return set(_lines(self.common_dir / "shallow"))

    def cut_off(self) -> set[str]:
        """The commits whose recorded parents aren't used here: at the edge of a shallow clone, or grafted."""
        grafted = {line.split()[0] for line in _lines(self.common_dir / "info" / "grafts") if line.strip() and not line.startswith("#")}
        return self.boundary() | grafted

    def hooks_path(self) -> str | None:
        """The value of ``core.hooksPath`` with ``~`` expanded; ``None`` if it isn't set."""
        # The last value comes from `patscan.git.child`, which disables hooks.
        *_, value, _ = (None, *_try(self, "config", "-z", "--type=path", "--get-all", "core.hooksPath").split("\0")[:-1])
        return value

    def refs(self) -> list[Ref]:
        """All refs, sorted by name; empty if git can't list them."""
        fields = _try(self, "for-each-ref", "--format=%(refname)%00%(objectname)%00%(*objectname)%00").split("\0")[:-1]
        return [Ref(name.lstrip("\n"), target, peeled) for name, target, peeled in zip(*[iter(fields)] * 3, strict=False)]

    def head(self) -> str | None:
        """The commit at HEAD, or ``None`` before the first commit."""
        return _try(self, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip() or None

    def remote(self) -> str | None:
        """The URL of the remote ``origin``, or of the only one there is, without user and password; ``None`` if it isn't UTF-8."""
        from patscan.git.address import shown

        # git and not GitPython, whose import takes 0.1 s.
        entries = [entry.partition("\n") for entry in _try(self, "config", "-z", "--get-regexp", _REMOTE_URL).split("\0")[:-1]]
        urls: dict[str, str] = {}
        for key, _, url in entries:
            urls.setdefault(key, url)
        chosen = urls.get("remote.origin.url") or (next(iter(urls.values())) if len(urls) == 1 else "")
        return shown(chosen) if chosen and chosen.isprintable() else None


def open_repository(path: Path, environment: Mapping[str, str]) -> Repository:
    """Open the repository that contains `path`. Raises `TargetError` if there is none or git refuses it."""
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            raise TargetError(f"{path}: not a folder.")
    except OSError as error:
        absent = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise TargetError(f"{path}: no such folder." if absent else f"{path}: can't be read: {error.strerror}.") from error
    questions = ("--is-bare-repository", "--is-shallow-repository", "--show-object-format", "--absolute-git-dir")
    try:
        answer = run(("rev-parse", *questions), path, environment)
    except GitError as error:
        raise TargetError(hint(path, str(error))) from error
    # The folder comes last, because its name may contain line feeds.
    lines = answer.decode("utf-8", "surrogateescape").split("\n", 3)
    if len(lines) < 4:
        raise TargetError(f"{path}: `git rev-parse` gave an unexpected answer. patscan needs git 2.28 or newer. See: git --version")
    bare, shallow, hash_name, folder = lines
    git_dir = Path(folder.removesuffix("\n"))
    common = next(iter(_lines(git_dir / "commondir")), None)
    common_dir = (git_dir / common).resolve() if common else git_dir
    objects = environment.get("GIT_OBJECT_DIRECTORY")
    return Repository(
        path,
        git_dir,
        common_dir,
        path / objects if objects else common_dir / "objects",
        bare == "true",
        shallow == "true",
        32 if hash_name == "sha256" else 20,
        environment,
    )


def hint(path: Path, message: str) -> str:
    """The `message` of git about the repository at `path`, with advice if the problem is known."""
    if "dubious ownership" in message:
        allow = "git config --global --add safe.directory PATH"
        return f"{path}: git refuses this repository, because another user owns it. Allow it with: {allow}"
    if "not a git repository" in message:
        return f"{path}: not a git repository. {FOR_FOLDERS}"
    return message


def _lines(file: Path) -> list[str]:
    try:
        # Not splitlines(): a path here may contain any byte but a line feed.
        return [line for line in os.fsdecode(file.read_bytes()).split("\n") if line]
    except OSError:
        return []


def _try(repository: Repository, *args: str) -> str:
    try:
        return repository.git(*args).decode("utf-8", "surrogateescape")
    except GitError:
        return ""
