"""Where earlier scans are remembered, and under which rules; and the rules as they were read the last time.

A scan believes what is kept here, so all of it is sealed with a key in the user's own configuration folder: who can only write to the
cache (a CI job that restores one, say) can't make a scan overlook anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patscan import __version__, seal
from patscan.demands import Demands
from patscan.errors import RuleError
from patscan.model import Note, Rule
from patscan.secret import Secret

if TYPE_CHECKING:
    from patscan.sources.memory import Memory

_SUFFIX = ".rules"
_COMPILED = ".anchors"
_MOST = 8
"""Sets of rules that are kept; each folder that ``--rules`` names makes one more."""


def rules(extra: Sequence[Path], keep: bool = True, notes: list[Note] | None = None) -> tuple[Rule, ...]:
    """The rules without their examples. Reading TOML takes a commit's hook 9 ms: what was read is kept until a rule file changes.

    Without `keep` nothing is, nor is anything taken that was. `notes` takes what is wrong with what was kept.
    What rules of the user's own find gets fingerprints under the user's key. Raises `RuleError` as `patscan.rulebook.load` does.
    """
    plain = _read(extra, keep, notes)
    if not any(rule.demands for rule in plain):
        return plain
    key = fingerprint_key(notes)
    return tuple(rule._replace(demands=rule.demands._replace(key=key)) if rule.demands else rule for rule in plain)


def fingerprint_key(notes: list[Note] | None = None) -> Secret:
    """The user's key for fingerprints of what may be guessed; one for this run alone, with a note, where none can be kept."""
    folder = _own("XDG_CONFIG_HOME", "APPDATA", ".config")
    known = seal.key(folder / "fingerprint.key") if folder else b""
    if not known and notes is not None:
        reason = "the key for fingerprints of what own rules find can't be kept. Their short ids hold for this report only."
        notes.append(Note(str(folder or "HOME"), reason))
    return Secret(known or os.urandom(seal.KEY))


def _read(extra: Sequence[Path], keep: bool, notes: list[Note] | None) -> tuple[Rule, ...]:
    from patscan import rulebook

    folder, key = (_folder(), _key()) if keep else (None, b"")
    folders = (rulebook.shipped(), *extra)
    state = _state(folders, key)
    file = seal.Sealed(folder / f"{state}{_SUFFIX}", key) if folder and key else None
    if file and (kept := _kept(file, notes)):
        return kept
    # No examples: what is kept on a disk holds nothing that looks like a token.
    read = tuple(rule._replace(examples=(), counter_examples=()) for rule in rulebook.load(extra))
    if file and _state(folders, key) == state:
        _keep(file, read)
    return read


def _state(folders: Sequence[Path], key: bytes) -> str:
    """A name for what the rules are made of: their files, and the code that reads them. Under another key it is another one."""
    from hashlib import blake2b

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
        raise RuleError(f"{folder}: no rule file there. --rules takes a folder that holds *.toml files.") from error
    yield from (os.path.join(folder, name) for name in names)


def _kept(file: seal.Sealed, notes: list[Note] | None) -> tuple[Rule, ...]:
    """The rules in `file`; none if there is no such file, or one that wasn't written under its key."""
    import marshal

    content = _content(file, "the rules kept here were damaged or changed. They were read again.", notes)
    if content is None:
        return ()
    # Under the seal stands what was written here.
    return tuple(_rule(Rule(*fields)) for fields in marshal.loads(content))  # noqa: S302


def _rule(rule: Rule) -> Rule:
    return rule._replace(demands=Demands(*rule.demands)) if rule.demands else rule


def _keep(file: seal.Sealed, read: Sequence[Rule]) -> None:
    import marshal

    # Plain tuples, which its stub doesn't know to be enough.
    plain: Any = tuple(tuple(tuple(field) if isinstance(field, Demands) else field for field in rule) for rule in read)
    if file.keep(marshal.dumps(plain)):
        _forget(file.file.parent, _SUFFIX, _MOST)


def _forget(folder: Path, suffix: str, most: int) -> None:
    """Take away the oldest files of a sort, so that `most` are left."""
    for old in sorted(folder.glob(f"*{suffix}"), key=_when)[:-most]:
        # Another process may take the same ones away.
        old.unlink(missing_ok=True)


def _content(file: seal.Sealed, problem: str, notes: list[Note] | None) -> bytes | None:
    """What is kept in `file`, if it can be believed; otherwise `notes` takes the `problem`."""
    try:
        return file.content()
    except seal.DamagedError:
        if notes is not None:
            notes.append(Note(str(file.file), f"the cache: {problem}", "cache"))
        return None


def compiled(rules: Sequence[Rule], notes: list[Note]) -> seal.Kept | None:
    """The anchors of `rules` as they were compiled before; ``None`` if the user has no folders for such things."""
    folder, key = _folder(), _key()
    if not folder or not key:
        return None
    anchors = repr((__version__, sorted({anchor for rule in rules for anchor in rule.anchors}), any(rule.contexts for rule in rules)))
    file = folder / f"{_digest_of_code(anchors, ('layers', 'detect', 'detect/contexts'), key)}{_COMPILED}"
    if not file.exists():
        _forget(folder, _COMPILED, _MOST - 1)
    sealed = seal.Sealed(file, key)
    return seal.Kept(_content(sealed, "the anchors compiled here were damaged or changed. They were compiled again.", notes), sealed)


def _when(file: Path) -> float:
    try:
        return file.lstat().st_mtime
    except OSError:
        return 0.0


def memory(rules: tuple[Rule, ...]) -> Memory | None:
    """What was seen under these rules and by this code; ``None`` if the user has no folders for such things."""
    from patscan.sources.memory import Memory

    folder, key = _folder(), _key()
    return Memory(folder, digest(rules, key), key) if folder and key else None


def digest(rules: tuple[Rule, ...], key: bytes = b"") -> str:
    """A name for all that the first look's answers depend on. A checkout changes without its version, so the code itself counts.

    What was kept under another `key` isn't damaged, but somebody else's: it has another name.
    """
    return _digest_of_code(repr((__version__, rules)), ("", "archives", "detect", "detect/contexts", "git", "layers", "sources"), key)


def _digest_of_code(text: str, rooms: Sequence[str], key: bytes) -> str:
    """A name for `text` and the modules of these rooms."""
    from hashlib import blake2b

    state = blake2b(text.encode(), digest_size=16, key=key)
    for room in rooms:
        folder = Path(__file__).parent.parent / room
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py"):
                state.update((folder / name).read_bytes())
    return state.hexdigest()


def _folder() -> Path | None:
    """The user's folder for what can be made again."""
    return _own("XDG_CACHE_HOME", "LOCALAPPDATA", "Library/Caches" if sys.platform == "darwin" else ".cache")


def _key() -> bytes:
    """The user's key for what is kept; empty where none can be."""
    folder = _own("XDG_CONFIG_HOME", "APPDATA", ".config")
    return seal.key(folder / "cache.key") if folder else b""


def _own(variable: str, windows: str, usual: str) -> Path | None:
    """Our folder in one of the user's; ``None`` if there is no home."""
    chosen = os.environ.get(variable) or (os.environ.get(windows) if sys.platform == "win32" else "")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "patscan"
    try:
        return Path.home() / usual / "patscan"
    except RuntimeError:
        return None
