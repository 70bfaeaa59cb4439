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
from patscan.git.network import Tell, talk

_MARK = "patscan.mirror"
"""The key in a kept mirror's configuration that says that it is one, and of which URL."""
_OURS = ("core.", "extensions.objectformat", "extensions.refstorage", _MARK)
_HARMLESS = ("repositoryformatversion", "filemode", "bare", "symlinks", "ignorecase", "precomposeunicode", "logallrefupdates")
"""What ``git init`` writes under ``core.``; anything else there could name a program to start."""
_FETCH = (
    # One pack, whatever its size: it is read in the quick way. And what is malformed is wanted, too.
    *("-c", "fetch.unpackLimit=1", "-c", "transfer.unpackLimit=1", "-c", "fetch.fsckObjects=false", "-c", "transfer.fsckObjects=false"),
    *("-c", "fetch.writeCommitGraph=false", "fetch", "--progress", "--prune", "--update-shallow", "--no-write-fetch-head"),
    *("--no-tags", "--no-auto-maintenance", "--no-recurse-submodules"),
)
_REMOVALS = (0.1, 0.5, 1.0)
"""Seconds to wait after each try to remove the folder: a child that was just killed may still be writing there."""


@contextmanager
def mirror(remote: Address, environment: Mapping[str, str], keep: Path | None = None, tell: Tell | None = None) -> Iterator[Path]:
    """A bare repository with everything `remote` shows; removed at the end unless it is to be kept in the folder `keep`.

    Raises `TargetError` if the server doesn't answer, or not with a repository, and `UsageError` if `keep` holds something else.
    """
    with scratch_folder() as scratch:
        # Nothing above may pass for the repository that git stands in.
        settings = {**environment, **credentials(remote, environment), "GIT_CEILING_DIRECTORIES": str(scratch.parent)}
        known = keep is not None and _is_mirror(keep, remote, environment)
        try:
            place = keep or scratch / "mirror.git"
            head = _head(talk(("ls-remote", "--symref", "--", remote.url, "HEAD"), scratch, settings))
            if not known:
                _init(place, head, environment, remote.url if keep else "")
            _fetch(place, remote, head, settings, tell)
        except GitError as error:
            raise TargetError(f"{remote.url}: {remote.hidden(str(error))}") from error
        except OSError as error:
            raise PatscanError(f"{error.filename or place}: can't hold the mirror: {error.strerror}.") from error
        yield place


def at(place: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with git told where the mirror is: with ``safe.bareRepository=explicit`` it finds no bare one by itself."""
    return {**environment, "GIT_DIR": str(place.absolute())}


def _fetch(place: Path, remote: Address, head: tuple[str, str], environment: Mapping[str, str], tell: Tell | None) -> None:
    branch, commit = head
    # A HEAD on no branch may hold commits that no ref leads to.
    wanted = ["+refs/*:refs/*"] if branch or not commit else ["+refs/*:refs/*", "HEAD"]
    environment = at(place, environment)
    talk((*_FETCH, "--", remote.url, *wanted), place, environment, tell)
    if branch:
        run(("symbolic-ref", "HEAD", branch), place, environment)
    elif commit:
        run(("update-ref", "--no-deref", "HEAD", commit), place, environment)


def _head(listed: bytes) -> tuple[str, str]:
    """The branch and the commit at the server's HEAD, out of what ``ls-remote --symref`` says; each empty if there is none."""
    branch = commit = ""
    for line in listed.decode("utf-8", "surrogateescape").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: refs/"):
            branch = value.removeprefix("ref: ")
        elif name == "HEAD":
            commit = value
    return branch, commit


def _init(place: Path, head: tuple[str, str], environment: Mapping[str, str], url: str) -> None:
    """A new bare repository, with ids as long as the server's; marked with `url` if it is to be kept."""
    place.mkdir(parents=True, exist_ok=True)
    kind = "sha256" if len(head[1]) == 64 else "sha1"
    # No template: a user's own may bring hooks and a configuration.
    run(("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", "."), place, environment)
    if url:
        run(("config", _MARK, url), place, at(place, environment))


def _is_mirror(folder: Path, remote: Address, environment: Mapping[str, str]) -> bool:
    """Whether `folder` is a mirror of `remote` that was kept; not so if there is nothing yet. Raises `UsageError` for anything else."""
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return False
    except OSError as error:
        raise UsageError(f"--keep: {folder} can't be used: {error.strerror}.") from error
    settings = _settings(folder, environment)
    if settings.get(_MARK) is None or settings.get("core.bare") != "true" or (folder / "commondir").exists():
        raise UsageError(f"--keep: {folder} isn't empty, and no mirror that was kept there before. Name another folder.")
    for key in settings:
        # Whoever gave this folder to the user may have written a program's name into it, which a fetch would start.
        if not key.startswith(_OURS) or (key.startswith("core.") and key.removeprefix("core.") not in _HARMLESS):
            raise UsageError(f"--keep: {folder}/config sets {key}, which patscan didn't. Name another folder.")
    if settings[_MARK] != remote.url:
        raise UsageError(f"--keep: {folder} is a mirror of {settings[_MARK]}. Name another folder.")
    return True


def _settings(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What the folder's own configuration says, by git's own reading; nothing, if it has none."""
    file = folder.absolute() / "config"
    try:
        listed = run(("config", "--file", str(file), "--no-includes", "--null", "--list"), Path(folder.anchor or "."), environment)
    except GitError:
        return {}
    lines = listed.decode("utf-8", "surrogateescape").split("\0")
    return dict(line.partition("\n")[::2] for line in lines if line)


def credentials(remote: Address, environment: Mapping[str, str]) -> dict[str, str]:
    """Environment that makes git answer the server's question with the URL's user and password.

    They stand in no command line, unlike in a URL that git is told, which it hands on to ``git-remote-https``, and in no file: the
    helper is a line of shell that reads them out of its environment. It is for the one server: a header of our own
    (``http.extraHeader``) would go wherever that server redirects to. The empty helper before it drops the user's own, because
    git would have those store what was good (gitcredentials(7)).
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
    """Configuration as environment (git-config(1), ``GIT_CONFIG_COUNT``), after what is already there."""
    count = environment.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    settings = {"GIT_CONFIG_COUNT": str(first + len(pairs))}
    for place, (key, value) in enumerate(pairs, first):
        settings |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return settings


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder; it is removed at the end, or an error says that it stays."""
    folder = TemporaryDirectory(prefix="patscan-")
    try:
        yield Path(folder.name).resolve()
    finally:
        _remove(folder)


def _remove(folder: TemporaryDirectory[str]) -> None:
    """Remove it, even when Ctrl-C comes again meanwhile. Raises `PatscanError` if it stays."""
    reason = ""
    for pause in _REMOVALS:
        try:
            folder.cleanup()
        except OSError as error:
            reason = f": {error.strerror}"
            time.sleep(pause)
        except KeyboardInterrupt:  # it is what we are doing
            continue
        if not Path(folder.name).exists():
            return
    raise PatscanError(f"{folder.name} can't be removed{reason}. It holds the mirror: remove it yourself.")
