"""A repository on a server, mirrored into a folder with every ref that the server shows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from patscan.errors import PatscanError, TargetError, UsageError
from patscan.git.address import Address
from patscan.git.child import GitError, run
from patscan.git.network import Progress, talk

_MARK = "patscan.mirror"
"""The configuration key that marks a kept mirror; its value is the URL."""
_OURS = ("core.", "extensions.objectformat", "extensions.refstorage", _MARK)
_HARMLESS = ("repositoryformatversion", "filemode", "bare", "symlinks", "ignorecase", "precomposeunicode", "logallrefupdates")
"""The keys that ``git init`` writes under ``core.``. Others could name a program that git starts."""
_FETCH = (
    # Keep one pack of any size, because packs are read fastest, and accept malformed objects.
    *("-c", "fetch.unpackLimit=1", "-c", "transfer.unpackLimit=1", "-c", "fetch.fsckObjects=false", "-c", "transfer.fsckObjects=false"),
    *("-c", "fetch.writeCommitGraph=false", "fetch", "--progress", "--prune", "--update-shallow", "--no-write-fetch-head"),
    *("--no-tags", "--no-auto-maintenance", "--no-recurse-submodules"),
)
_REMOVALS = (0.1, 0.5, 1.0)
"""Seconds to wait after each attempt to remove the folder: a killed process may still be writing there."""


@contextmanager
def mirror(remote: Address, environment: Mapping[str, str], keep: Path | None = None, progress: Progress | None = None) -> Iterator[Path]:
    """A bare mirror of `remote`. It is removed at the end, unless `keep` names a folder for it.

    Raises `TargetError` if the server doesn't answer with a repository, and `UsageError` if `keep` is neither empty nor such a mirror.
    """
    with scratch_folder() as scratch:
        # git must not take a parent folder for a repository.
        settings = {**environment, **credentials(remote, environment), "GIT_CEILING_DIRECTORIES": str(scratch.parent)}
        known = keep is not None and _is_mirror(keep, remote, environment)
        try:
            place = keep or scratch / "mirror.git"
            head = _head(talk(("ls-remote", "--symref", "--", remote.url, "HEAD"), scratch, settings))
            if not known:
                _init(place, head, environment, remote.url if keep else "")
            _fetch(place, remote, head, settings, progress)
        except GitError as error:
            raise TargetError(f"{remote.url}: {remote.hidden(str(error))}") from error
        except OSError as error:
            raise PatscanError(f"{error.filename or place}: the mirror can't be written: {error.strerror}.") from error
        yield place


def at(place: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with GIT_DIR set to `place`: with ``safe.bareRepository=explicit`` git needs it for a bare repository."""
    return {**environment, "GIT_DIR": str(place.absolute())}


def _fetch(place: Path, remote: Address, head: tuple[str, str], environment: Mapping[str, str], progress: Progress | None) -> None:
    branch, commit = head
    # A detached HEAD may point to a commit that no ref reaches.
    wanted = ["+refs/*:refs/*"] if branch or not commit else ["+refs/*:refs/*", "HEAD"]
    environment = at(place, environment)
    talk((*_FETCH, "--", remote.url, *wanted), place, environment, progress)
    if branch:
        run(("symbolic-ref", "HEAD", branch), place, environment)
    elif commit:
        run(("update-ref", "--no-deref", "HEAD", commit), place, environment)


def _head(listed: bytes) -> tuple[str, str]:
    """The branch and the commit at the server's HEAD, from the output of ``ls-remote --symref``; each empty if there is none."""
    branch = commit = ""
    for line in listed.decode("utf-8", "surrogateescape").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/"):
            branch = value.removeprefix("ref: ")
        elif name == "HEAD":
            commit = value
    return branch, commit


def _init(place: Path, head: tuple[str, str], environment: Mapping[str, str], url: str) -> None:
    """Create a bare repository with the server's hash algorithm. `url` marks one that is kept."""
    place.mkdir(parents=True, exist_ok=True)
    kind = "sha256" if len(head[1]) == 64 else "sha1"
    # No template: a user's template may contain hooks and a configuration.
    run(("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "."), place, environment)
    if url:
        run(("config", _MARK, url), place, at(place, environment))


def _is_mirror(folder: Path, remote: Address, environment: Mapping[str, str]) -> bool:
    """Whether `folder` is a kept mirror of `remote`; false if it is empty or absent. Raises `UsageError` for anything else."""
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return False
    except OSError as error:
        raise UsageError(f"--keep: {folder} can't be used: {error.strerror}.") from error
    settings = _settings(folder, environment)
    if settings.get(_MARK) is None or settings.get("core.bare") != "true" or (folder / "commondir").exists():
        raise UsageError(f"--keep: {folder} isn't empty, and isn't a mirror that patscan kept. Name another folder.")
    for key in settings:
        # If the folder came from a stranger, its configuration may name a program that a fetch would start.
        if not key.startswith(_OURS) or (key.startswith("core.") and key.removeprefix("core.") not in _HARMLESS):
            raise UsageError(f"--keep: {folder}/config sets {key}, which patscan doesn't set. Name another folder.")
    if settings[_MARK] != remote.url:
        raise UsageError(f"--keep: {folder} is a mirror of {settings[_MARK]}. Name another folder.")
    return True


def _settings(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The folder's configuration, read by git; empty if it has none."""
    file = folder.absolute() / "config"
    try:
        listed = run(("config", "--file", str(file), "--no-includes", "--null", "--list"), Path(folder.anchor or "."), environment)
    except GitError:
        return {}
    lines = listed.decode("utf-8", "surrogateescape").split("\0")
    return dict(line.partition("\n")[::2] for line in lines if line)


def credentials(remote: Address, environment: Mapping[str, str]) -> dict[str, str]:
    """Environment with a credential helper that gives git the URL's user and password.

    They appear in no file and on no command line: the helper is a line of shell that reads them from its environment. A URL with a
    password would appear on the command line of ``git-remote-https``. The helper is bound to one server; ``http.extraHeader`` would
    follow redirects. The empty helper before it disables the user's helpers, which would store the password (gitcredentials(7)).
    """
    key = f"credential.{remote.server}"
    if remote.user is None:
        return {}
    if remote.password is None:
        return configured(environment, [(f"{key}.username", remote.user)])
    answer = """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$PATSCAN_USER" "$PATSCAN_PASSWORD"; }; f"""
    settings = configured(environment, [(f"{key}.helper", ""), (f"{key}.helper", answer)])
    return {**settings, "PATSCAN_USER": remote.user, "PATSCAN_PASSWORD": remote.password}


def configured(environment: Mapping[str, str], pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Variables that add `pairs` to the configuration in `environment` (git-config(1), ``GIT_CONFIG_COUNT``)."""
    count = environment.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    settings = {"GIT_CONFIG_COUNT": str(first + len(pairs))}
    for place, (key, value) in enumerate(pairs, first):
        settings |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return settings


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder. It is removed at the end. Raises `PatscanError` if it can't be removed."""
    folder = TemporaryDirectory(prefix="patscan-")
    try:
        yield Path(folder.name).resolve()
    finally:
        _remove(folder)


def _remove(folder: TemporaryDirectory[str]) -> None:
    """Remove `folder`, even if Ctrl-C is pressed again meanwhile. Raises `PatscanError` if it can't be removed."""
    reason = ""
    for pause in _REMOVALS:
        try:
            folder.cleanup()
        except OSError as error:
            reason = f": {error.strerror}"
            time.sleep(pause)
        except KeyboardInterrupt:  # already ending
            continue
        if not Path(folder.name).exists():
            return
    raise PatscanError(f"{folder.name} can't be removed{reason}. It may contain fetched objects: remove it yourself.")
