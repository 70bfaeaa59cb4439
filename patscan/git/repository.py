"""What kind of repository stands at a path. The only door to GitPython."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from patscan.errors import TargetError
from patscan.git.child import GitError, run


class Ref(NamedTuple):
    """A ref's name, the object it points to, and the one behind it if that is a tag."""

    name: str
    object: str
    peeled: str

    @property
    def commit(self) -> str:
        """What it leads to, mostly a commit."""
        return self.peeled or self.object


class Repository(NamedTuple):
    """A repository, opened: where its parts lie and how its objects are named."""

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
        """The object folder, then its alternates, each once, even one that isn't there (gitrepository-layout(5))."""
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
        """The folders of refs that can't be listed, and why."""
        errors: list[OSError] = []
        for root in {self.common_dir / "refs", self.git_dir / "refs"}:
            for _ in os.walk(root, onerror=errors.append):
                pass
        yield from ((Path(error.filename), error.strerror or str(error)) for error in errors if not isinstance(error, FileNotFoundError))

    def is_partial(self) -> bool:
        """Whether this is a partial clone (partial-clone in git's technical docs), by its marks or by its configuration."""
        marked = any(next((folder / "pack").glob("*.promisor"), None) for folder in self.object_folders())
        return marked or bool(_try(self, "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$"))

    def lacking(self, warnings: list[str] | None = None) -> int:
        """How many objects that refs, reflogs and the index lead to aren't here. Some 15 microseconds an object. Raises `GitError`."""
        return self._missing("--objects", "--all", "--reflog", "--indexed-objects", warnings=warnings)

    def lacking_at_tips(self, warnings: list[str] | None = None) -> int:
        """The same of commits at all ends of history, and of the files at HEAD, at branches and in the index. Raises `GitError`."""
        self._missing("--no-walk", "--all", "--reflog", warnings=warnings)
        head = [commit] if (commit := self.head()) else []
        return self._missing("--objects", "--no-walk", "--branches", "--remotes", "--indexed-objects", *head, warnings=warnings)

    def _missing(self, *options: str, warnings: list[str] | None) -> int:
        listed = self.git("rev-list", *options, "--missing=print", warnings=warnings)
        return listed.count(b"\n?") + listed.startswith(b"?")

    def boundary(self) -> set[str]:
        """The commits at the edge of a shallow clone: their parents aren't here (gitformat-shallow in git's technical docs)."""
        return set(_lines(self.common_dir / "shallow"))

    def cut_off(self) -> set[str]:
        """The commits whose parents here aren't those that they were made on: at the edge of a shallow clone, or grafted."""
        grafted = {line.split()[0] for line in _lines(self.common_dir / "info" / "grafts") if line.strip() and not line.startswith("#")}
        return self.boundary() | grafted

    def hooks_path(self) -> str | None:
        """What ``core.hooksPath`` says, with ``~`` expanded; ``None`` if nobody has set it."""
        # The last value is the one that keeps this very child from running hooks.
        *_, said, _ = (None, *_try(self, "config", "-z", "--type=path", "--get-all", "core.hooksPath").split("\0")[:-1])
        return said

    def refs(self) -> list[Ref]:
        """All refs, by name; none if git can't list them."""
        fields = _try(self, "for-each-ref", "--format=%(refname)%00%(objectname)%00%(*objectname)%00").split("\0")[:-1]
        return [Ref(name.lstrip("\n"), target, peeled) for name, target, peeled in zip(*[iter(fields)] * 3, strict=False)]

    def head(self) -> str | None:
        """The commit at HEAD, or ``None`` before the first commit."""
        return _try(self, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip() or None

    def remote(self) -> str | None:
        """The URL of the remote ``origin``, or of the only one there is, without user and password."""
        import configparser

        from patscan.git.address import shown

        try:
            import git
        except ImportError:
            # It asks a git of its own for its version, and won't be imported without an answer.
            return None
        try:
            with git.Repo(self.git_dir) as repo:
                remotes = {remote.name: remote for remote in repo.remotes}
                chosen = remotes.get("origin") or (next(iter(remotes.values())) if len(remotes) == 1 else None)
                # As it is written: `urls` would start a git of its own, which doesn't come from `child`.
                url = chosen.config_reader.get("url") if chosen else None
                return shown(str(url)) if url else None
        except (git.GitError, configparser.Error, OSError, ValueError, AttributeError):
            # GitPython's own reader of configurations knows less than git's; an includeIf is an AttributeError to it.
            return None


def open_repository(path: Path, environment: Mapping[str, str]) -> Repository:
    """Open the repository that `path` lies in. Raises `TargetError` if there is none or git refuses it."""
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
    # The folder comes last, because its name may hold line feeds.
    lines = answer.decode("utf-8", "surrogateescape").split("\n", 3)
    if len(lines) < 4:
        raise TargetError(f"{path}: git doesn't answer `git rev-parse` as it should. See: git --version; git 2.28 or newer is needed.")
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


def hint(path: Path, said: str) -> str:
    """What git `said` of a repository, with what to do about it where that is known."""
    if "dubious ownership" in said:
        allow = "git config --global --add safe.directory PATH"
        return f"{path}: git refuses this repository, because somebody else owns it. Allow it with: {allow}"
    if "not a git repository" in said:
        return f"{path}: not a git repository. `patscan scan` looks at plain folders."
    return said


def _lines(file: Path) -> list[str]:
    try:
        # Not splitlines(): a line feed is the only byte that a path can't hold here.
        return [line for line in os.fsdecode(file.read_bytes()).split("\n") if line]
    except OSError:
        return []


def _try(repository: Repository, *args: str) -> str:
    try:
        return repository.git(*args).decode("utf-8", "surrogateescape")
    except GitError:
        return ""
