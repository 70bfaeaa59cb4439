"""A project's settings, in ``.patscan.toml`` or ``[tool.patscan]`` in ``pyproject.toml``.

A scanned repository is hostile: values in its file are checked, limited and shown in every report, and none of them is run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from patscan import textfile
from patscan.archives.limits import Limits
from patscan.errors import ConfigError
from patscan.model import CONFIDENCES, SEVERITIES
from patscan.tuples import NamedTuple

NAME = ".patscan.toml"
_MANY = 1000
"""The most entries of a list."""
_SHOWN, _LONGEST = 20, 100
"""The most entries of a list, and characters of an entry, that a report shows."""
_PREFIX = r"[A-Za-z0-9_+=/@:.-]{4,20}"
_INSTANCE = r"[A-Za-z0-9_+=/@:.-]{0,19}[A-Za-z0-9_+=/@:.]"
_HOST = r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"


class Key(NamedTuple):
    """A key of the file: its default, what it must be (the end of a sentence), and whether a value fits."""

    default: Any
    expected: str
    fits: Callable[[Any], bool]
    shrinks: bool = True
    """Whether it changes what is found or reported. Then the report shows it."""
    hides: Callable[[Any], bool] = lambda _: False
    """Whether a value hides tokens. Then even the shortest report shows it."""


class Config(NamedTuple):
    """The settings. `root` is the folder of the repository, or the scanned folder; ``None`` without one."""

    values: Mapping[str, Any]
    file: Path | None = None
    root: Path | None = None
    keys: Mapping[str, Key] | None = None
    """The valid keys; ``None``: those of a project, `KEYS`."""

    def get(self, key: str) -> Any:
        """The value of a key, or its default."""
        return self.values.get(key, (self.keys or KEYS)[key].default)

    def effects(self) -> Iterator[str]:
        """The settings that change a report, each as ``key = value``."""
        for key, value in self.values.items():
            if KEYS[key].shrinks:
                yield f"{key} = {_shown(value)}"

    @property
    def hides(self) -> bool:
        """Whether the file hides tokens."""
        return any(KEYS[key].hides(value) for key, value in self.values.items())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        value = [f"{key}: {word}" for key, word in value.items()]
    if not isinstance(value, list):
        return str(value)
    # Patterns with the fewest letters are the broadest, so they come first.
    first = sorted(value, key=lambda one: (sum(map(str.isalnum, one)), one))[:_SHOWN]
    more = f" and {len(value) - _SHOWN:,} more" if len(value) > _SHOWN else ""
    return f"[{', '.join(one if len(one) <= _LONGEST else f'{one[:_LONGEST]}…' for one in first)}]{more}"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MANY and all(isinstance(one, str) and 0 < len(one) <= _MANY for one in value)


def _is_word_of(words: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_like(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value


def _is_severities(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) and one in SEVERITIES for one in value.values())


def _is_hosts(value: Any) -> bool:
    return _is_texts(value) and all(map(_is_like(_HOST), value))


def _is_number(value: Any) -> bool:
    return type(value) is int and value > 0


KEYS = {
    "ignore-paths": Key([], "a list of patterns in gitignore syntax", _is_texts, hides=bool),
    "min-confidence": Key(
        "medium", f"one of {', '.join(CONFIDENCES)}", _is_word_of(CONFIDENCES), hides=lambda word: word in ("high", "certain")
    ),
    "pat-prefix": Key("", "the prefix of your instance's access tokens: 4 to 20 of A-Za-z0-9_+=/@:.-", _is_like(_PREFIX)),
    "instance-prefix": Key("", "your instance's prefix, without its hyphen: 1 to 20 of A-Za-z0-9_+=/@:.-", _is_like(_INSTANCE)),
    "hosts": Key([], "a list of host names", _is_hosts, shrinks=False),
    "gitlab-urls": Key([], "a list of URLs of GitLab instances", _is_texts, shrinks=False),
    "require-ignore-reason": Key(False, "true or false", _is_flag),
    "fail-on-expired": Key(False, "true or false", _is_flag, shrinks=False),
    "baseline": Key(".patscan-baseline", "a path relative to the repository", _is_path),
    "rules.off": Key([], "a list of rule ids", _is_texts, hides=bool),
    "rules.only": Key([], "a list of rule ids", _is_texts, hides=bool),
    **{f"archives.{name.replace('_', '-')}": Key(limit, "a number above 0", _is_number) for name, limit in Limits()._asdict().items()},
    "severity": Key({}, f"rule ids, each with one of {', '.join(SEVERITIES)}", _is_severities),
}
"""Every key. The part before a dot is a table."""


def _is_days(value: Any) -> bool:
    return type(value) is int and 0 < value <= 3650


OWN_KEYS = {
    "gitlab-urls": Key([], "a list of URLs of GitLab instances", _is_texts),
    "lifecycle.longest-days": Key(90, "a number of days from 1 to 3650", _is_days),
    "lifecycle.soon-days": Key(7, "a number of days from 1 to 3650", _is_days),
    "lifecycle.unused-days": Key(30, "a number of days from 1 to 3650", _is_days),
}
"""Every key of the user's file, which no repository can write."""


def of_user(file: Path) -> Config:
    """The settings in the user's `file`; empty if it doesn't exist. Raises `ConfigError`."""
    if not file.exists():
        return Config({}, keys=OWN_KEYS)
    table = _table(file, textfile.read(file), required=True) or {}
    return Config(_values(file, table, OWN_KEYS), file, keys=OWN_KEYS)


def load(place: Path | None, chosen: Path | None = None, wanted: bool = True, read: textfile.Read = textfile.on_disk) -> Config:
    """The settings for `place`: from the `chosen` file, else from the nearest file above `place`, else the defaults.

    With `wanted` false, no file above `place` is read. `read` reads a repository's file. Files outside the repository are never read.
    Raises `ConfigError`.
    """
    folders = list(_folders(place)) if place else []
    root = folders[-1] if folders else None
    if chosen:
        return Config(_values(chosen, _table(chosen, textfile.read(chosen), required=True) or {}), chosen, root)
    for folder in folders if wanted else ():
        for name in (NAME, "pyproject.toml"):
            file = folder / name
            text = read(file, root)
            table = _table(file, text) if text is not None else None
            if table is not None:
                return Config(_values(file, table), file, root)
    return Config({}, None, root)


def _folders(place: Path) -> Iterator[Path]:
    """The folder of `place` and its parents up to the top of the repository. Outside a repository only the folder; in a bare one none."""
    place = place.absolute()
    # `Path.is_dir` and similar methods raise for unsearchable folders before Python 3.14.
    first = place if os.path.isdir(place) else place.parent
    if os.path.isfile(first / "HEAD") and os.path.isdir(first / "objects"):
        return
    folders = (first, *first.parents)
    last = next((number for number, folder in enumerate(folders) if os.path.exists(folder / ".git")), 0)
    yield from folders[: last + 1]


def _table(file: Path, text: str, required: bool = False) -> dict[str, Any] | None:
    """The table of patscan in `file`; ``None`` if it has none."""
    is_shared = file.name == "pyproject.toml"
    # Most pyproject.toml files have no table for patscan, and parsing TOML takes a hook some milliseconds.
    if is_shared and "patscan" not in text and not required:
        return None
    import tomllib

    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not a TOML file: {error}.") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{file}: a number is too long, or brackets are nested too deeply.") from None
    if not is_shared:
        return dict(table)
    tools = table.get("tool", {})
    own = tools.get("patscan") if isinstance(tools, dict) else None
    if own is not None and not isinstance(own, dict):
        raise ConfigError(f"{file}: tool.patscan must be a table.")
    return own


def _values(file: Path, table: dict[str, Any], keys: Mapping[str, Key] | None = None) -> dict[str, Any]:
    keys = KEYS if keys is None else keys
    flat = dict(table)
    for name in {key.partition(".")[0] for key in keys if "." in key}:
        inner = flat.pop(name, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{file}: {name} must be a table, [{name}].")
        flat |= {f"{name}.{key}": value for key, value in inner.items()}
    for key, value in flat.items():
        if key not in keys:
            raise ConfigError(f"{file}: unknown key {key!r}.{nearest(key, keys)} For all keys see docs/configuration.md.")
        if not keys[key].fits(value):
            raise ConfigError(f"{file}: {key} must be {keys[key].expected}.")
    return {key: flat[key] for key in keys if key in flat}


def nearest(word: str, words: Mapping[str, Any]) -> str:
    """A suggestion for a misspelt `word`, as a sentence; empty if no word is close."""
    from difflib import get_close_matches

    near = get_close_matches(word, words, 1)
    return f" Did you mean {near[0]!r}?" if near else ""
