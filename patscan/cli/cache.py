"""Where earlier scans are remembered, and under which rules; and the rules as they were read the last time."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patscan import __version__
from patscan.errors import RuleError
from patscan.model import Rule
from patscan.regular import opened

if TYPE_CHECKING:
    from patscan.sources.memory import Memory


def rules(extra: Sequence[Path], keep: bool = True) -> tuple[Rule, ...]:
    """The rules without their examples. Reading TOML takes a commit's hook 9 ms: what was read is kept until a rule file changes.

    Without `keep` nothing is, nor is anything taken that was. Raises `RuleError` as `patscan.rulebook.load` does.
    """
    import marshal

    from patscan import rulebook

    folder = _folder() if keep else None
    code = os.stat(rulebook.__file__).st_mtime_ns
    state = (__version__, code, Rule._fields, *(_state(rule_folder) for rule_folder in (rulebook.shipped(), *extra)))
    file = folder / "rules" if folder else None
    try:
        known, kept = marshal.loads(_content(file)) if file else (None, ())  # noqa: S302 - the user's own, as the memory beside it
        if known == state:
            return tuple(Rule(*fields) for fields in kept)
    except (OSError, ValueError, EOFError, TypeError):
        pass  # there is none, or it is broken
    # No examples: what is kept on a disk holds nothing that looks like a token.
    read = tuple(rule._replace(examples=(), counter_examples=()) for rule in rulebook.load(extra))
    if file:
        plain: Any = (state, tuple(map(tuple, read)))  # its stub doesn't know that a tuple of tuples is plain enough
        _keep(file, marshal.dumps(plain))
    return read


def _state(folder: Path) -> tuple[str, ...]:
    """What changes when a rule file does."""
    try:
        with os.scandir(folder) as entries:
            return (
                os.path.abspath(folder),
                *sorted(f"{entry.name} {(told := entry.stat()).st_size} {told.st_mtime_ns}" for entry in entries),
            )
    except OSError as error:
        raise RuleError(f"{folder}: no rule file there. --rules takes a folder that holds *.toml files.") from error


def _content(file: Path) -> bytes:
    with opened(file) as stream:
        return stream.read()


def _keep(file: Path, content: bytes) -> None:
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        draft.replace(file)
    except OSError:
        pass  # then they are read again


def memory(rules: tuple[Rule, ...]) -> Memory | None:
    """What was seen under these rules and by this code; ``None`` if the user has no folder for such things."""
    from patscan.sources.memory import Memory

    folder = _folder()
    return Memory(folder, digest(rules)) if folder else None


def digest(rules: tuple[Rule, ...]) -> str:
    """A name for all that the first look's answers depend on. A checkout changes without its version, so the code itself counts."""
    from hashlib import blake2b

    state = blake2b(repr((__version__, rules)).encode(), digest_size=16)
    package = Path(__file__).parent.parent
    for module in sorted([*package.glob("*.py"), *package.glob("git/*.py"), *package.glob("detect/*.py"), *package.glob("sources/*.py")]):
        state.update(module.read_bytes())
    return state.hexdigest()


def _folder() -> Path | None:
    """The user's folder for what can be made again."""
    chosen = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else "")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen) / "patscan"
    try:
        return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "patscan"
    except RuntimeError:
        return None
