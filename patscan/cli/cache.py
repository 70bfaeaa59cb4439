"""The user's cache: what earlier scans saw, the rules as they were read, and compiled anchors.

A scan trusts the cache, so each file is sealed with a key in the user's configuration folder. Write access to the cache alone (in a CI
job that restores one, for example) can't hide a token.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patscan import __version__, seal
from patscan.demands import Demands
from patscan.digests import blake2b
from patscan.errors import RuleError
from patscan.model import Note, Rule
from patscan.secret import Secret

if TYPE_CHECKING:
    from patscan.sources.memory import Memory

_SUFFIX = ".rules"
_COMPILED = ".anchors"
_MOST = 8
"""Cached sets of rules. Each folder that ``--rules`` names makes another set."""


def rules(extra: Sequence[Path], keep: bool = True, notes: list[Note] | None = None) -> tuple[Rule, ...]:
    """The rules without their examples. Reading the TOML files takes 9 ms, so the rules are cached until a rule file changes.

    Without `keep` the cache is neither read nor written. Problems with the cache are appended to `notes`. The user's own rules get the
    user's key for fingerprints. Raises `RuleError` as `patscan.rulebook.load` does.
    """
    plain = _read(extra, keep, notes)
    if not any(rule.demands for rule in plain):
        return plain
    key = fingerprint_key(notes)
    return tuple(rule._replace(demands=rule.demands._replace(key=key)) if rule.demands else rule for rule in plain)


def fingerprint_key(notes: list[Note] | None = None) -> Secret:
    """The user's key for fingerprints of guessable secrets. If it can't be stored, a new key for this run, and a note."""
    folder = _own("XDG_CONFIG_HOME", "APPDATA", ".config")
    known = seal.key(folder / "fingerprint.key") if folder else b""
    if not known and notes is not None:
        reason = "the key for fingerprints of your own rules can't be stored. Their short ids are valid in this report only."
        notes.append(Note(str(folder or "HOME"), reason))
    return Secret(known or os.urandom(seal.KEY))


def _read(extra: Sequence[Path], keep: bool, notes: list[Note] | None) -> tuple[Rule, ...]:
    from patscan import rulebook

    folder, key = (_folder(), _key()) if keep else (None, b"")
    folders = (rulebook.shipped(), *extra)
    state = _state(folders, key)
    file = seal.Sealed(folder / f"{state}{_SUFFIX}", key) if folder and key else None
    if file and (stored := _load(file, notes)):
        return stored
    # Without examples, the cache contains nothing that looks like a token.
    read = tuple(rule._replace(examples=(), counter_examples=()) for rule in rulebook.load(extra))
    if file and _state(folders, key) == state:
        _save(file, read)
    return read


def _state(folders: Sequence[Path], key: bytes) -> str:
    """A hash of the rule files and of the code that reads them, under `key`."""
    from patscan import rulebook

    state = blake2b(repr((__version__, Rule._fields, Demands._fields, len(folders))).encode(), digest_size=20, key=key)
    for file in (rulebook.__file__, *(file for folder in folders for file in _files(folder))):
        try:
            with open(file, "rb", buffering=0) as stream:
                content = stream.read()
        except OSError as error:
            raise RuleError(f"{file}: can't be read: {error.strerror}.") from error
        state.update(b"%s\0%d\0%s" % (os.fsencode(os.path.basename(file)), len(content), content))
    return state.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    except OSError as error:
        raise RuleError(f"{folder}: has no rule file. --rules takes a folder with *.toml files.") from error
    yield from (os.path.join(folder, name) for name in names)


def _load(file: seal.Sealed, notes: list[Note] | None) -> tuple[Rule, ...]:
    """The rules in `file`; empty if there is no file, or its seal is wrong."""
    import marshal

    content = _content(file, "the cached rules were damaged or changed. They were read again.", notes)
    if content is None:
        return ()
    return tuple(_rule(Rule(*fields)) for fields in marshal.loads(content))  # noqa: S302 - the seal proves that patscan wrote it


def _rule(rule: Rule) -> Rule:
    return rule._replace(demands=Demands(*rule.demands)) if rule.demands else rule


def _save(file: seal.Sealed, read: Sequence[Rule]) -> None:
    import marshal

    # marshal takes plain tuples only; its stub doesn't say so.
    plain: Any = tuple(tuple(tuple(field) if isinstance(field, Demands) else field for field in rule) for rule in read)
    if file.keep(marshal.dumps(plain)):
        _remove_oldest(file.file.parent, _SUFFIX, _MOST)


def _remove_oldest(folder: Path, suffix: str, most: int) -> None:
    """Delete the oldest files with this suffix, so that `most` are left."""
    for old in sorted(folder.glob(f"*{suffix}"), key=_when)[:-most]:
        # Another process may delete the same files.
        old.unlink(missing_ok=True)


def _content(file: seal.Sealed, problem: str, notes: list[Note] | None) -> bytes | None:
    """The content of `file` if its seal is right; otherwise ``None``, and `problem` is appended to `notes`."""
    try:
        return file.content()
    except seal.DamagedError:
        if notes is not None:
            notes.append(Note(str(file.file), f"the cache: {problem}", "cache"))
        return None


def compiled(rules: Sequence[Rule], notes: list[Note]) -> seal.Kept | None:
    """The compiled anchors of `rules` from the cache; ``None`` if the user has no cache folder."""
    folder, key = _folder(), _key()
    if not folder or not key:
        return None
    anchors = repr((__version__, sorted({anchor for rule in rules for anchor in rule.anchors}), any(rule.contexts for rule in rules)))
    file = folder / f"{_digest_of_code(anchors, ('layers', 'detect', 'detect/contexts'), key)}{_COMPILED}"
    if not file.exists():
        _remove_oldest(folder, _COMPILED, _MOST - 1)
    sealed = seal.Sealed(file, key)
    return seal.Kept(_content(sealed, "the cached anchors were damaged or changed. They were compiled again.", notes), sealed)


def _when(file: Path) -> float:
    try:
        return file.lstat().st_mtime
    except OSError:
        return 0.0


def memory(rules: tuple[Rule, ...]) -> Memory | None:
    """What earlier scans with these rules and this code saw; ``None`` if the user has no cache folder."""
    from patscan.sources.memory import Memory

    folder, key = _folder(), _key()
    return Memory(folder, digest(rules, key), key) if folder and key else None


def digest(rules: tuple[Rule, ...], key: bytes = b"") -> str:
    """A hash of everything that the results of a look depend on: the rules, the code and `key`.

    The code counts because a checkout changes without its version. The key counts so that another user's cache isn't taken for damaged.
    """
    return _digest_of_code(repr((__version__, rules)), ("", "archives", "detect", "detect/contexts", "git", "layers", "sources"), key)


def _digest_of_code(text: str, rooms: Sequence[str], key: bytes) -> str:
    """A hash of `text` and the modules of these rooms."""
    state = blake2b(text.encode(), digest_size=16, key=key)
    for room in rooms:
        folder = Path(__file__).parent.parent / room
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py"):
                state.update((folder / name).read_bytes())
    return state.hexdigest()


def _folder() -> Path | None:
    """The user's cache folder."""
    return _own("XDG_CACHE_HOME", "LOCALAPPDATA", "Library/Caches" if sys.platform == "darwin" else ".cache")


def _key() -> bytes:
    """The user's key for the cache; empty if none can be stored."""
    folder = _own("XDG_CONFIG_HOME", "APPDATA", ".config")
    return seal.key(folder / "cache.key") if folder else b""


def _own(variable: str, windows: str, usual: str) -> Path | None:
    """The folder for patscan in one of the user's folders; ``None`` if there is no home."""
    chosen = os.environ.get(variable) or (os.environ.get(windows) if sys.platform == "win32" else "")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "patscan"
    try:
        return Path.home() / usual / "patscan"
    except RuntimeError:
        return None
