"""The baseline: accepted tokens, in a text file that can be committed and merged line by line.

An entry identifies a token only by its fingerprint under the project's salt. It still applies if the token moves, and never hides another
token. The file has no date of writing, no line number and no version of patscan, so it changes only with its entries.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from patscan import textfile
from patscan.errors import ConfigError
from patscan.tuples import NamedTuple

_HEAD = "patscan-baseline"
_VERSION = 1
_SALT = 16
"""Bytes of a project's salt. A key of BLAKE2b has at most 64."""
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_KIND = re.compile(r"[a-z0-9-]+")
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


class Entry(NamedTuple):
    """One accepted token. Entries are sorted by fingerprint."""

    fingerprint: str
    kind: str
    expires: date | None
    """The last day on which the token is accepted."""
    path: str
    """One of its places, only for readers."""
    reason: str


class Baseline(NamedTuple):
    """A baseline. `lines` has the line number of each entry."""

    file: Path
    salt: bytes
    entries: tuple[Entry, ...]
    lines: tuple[int, ...] = ()

    def accepted(self, today: date) -> dict[str, str]:
        """The reasons of the entries that are valid on `today`, by fingerprint."""
        return {entry.fingerprint: entry.reason for entry in self.entries if not has_expired(entry, today)}

    def numbered(self) -> Iterator[tuple[str, Entry]]:
        """Every entry with its place as ``file:line``."""
        for line, entry in zip(self.lines, self.entries, strict=True):
            yield f"{self.file}:{line}", entry

    def duplicates(self) -> Iterator[tuple[str, Entry]]:
        """The entries whose token an earlier line accepts."""
        seen: Counter[str] = Counter()
        for where, entry in self.numbered():
            seen[entry.fingerprint] += 1
            if seen[entry.fingerprint] > 1:
                yield where, entry


def has_expired(entry: Entry, today: date) -> bool:
    """Whether the last day of `entry` is before `today`."""
    return entry.expires is not None and entry.expires < today


def new(file: Path) -> Baseline:
    """An empty baseline with a new salt."""
    return Baseline(file, os.urandom(_SALT), ())


def read(file: Path, inside: Path | None = None) -> Baseline:
    """Read `file`, which must lie in the folder `inside`. Raises `ConfigError` with file and line."""
    return parsed(file, textfile.read(file, inside))


def parsed(file: Path, text: str) -> Baseline:
    """The baseline in `text`, the content of `file`. Raises `ConfigError` with file and line."""
    lines = text.removesuffix("\n").split("\n") if text else []
    if text and not text.endswith("\n"):
        raise ConfigError(f"{file}:{len(lines)}: the last line is cut off. Get the file again, for example with: git checkout")
    for number, line in enumerate(lines, 1):
        if line.startswith(_CONFLICT):
            raise ConfigError(f"{file}:{number}: a merge conflict. Keep the lines of both sides, and remove the markers.")
    salt = _head(file, [line.rstrip("\r") for line in lines[:2]])
    entries = {number: _entry(f"{file}:{number}", line.rstrip("\r")) for number, line in enumerate(lines[2:], 3) if line.strip()}
    return Baseline(file, salt, tuple(entries.values()), tuple(entries))


def write(baseline: Baseline) -> bool:
    """Write the baseline atomically, and return whether it changed. The first of several entries for a token is kept."""
    entries = {entry.fingerprint: entry for entry in reversed(baseline.entries)}
    lines = (f"{_HEAD} {_VERSION}", f"salt {baseline.salt.hex()}", *(_line(entries[name]) for name in sorted(entries)))
    text = "".join(f"{line}\n" for line in lines)
    if baseline.file.exists() and textfile.read(baseline.file) == text:
        return False
    textfile.replace(baseline.file, text)
    return True


def without(baseline: Baseline, unwanted: Iterable[str]) -> Baseline:
    """`baseline` without the entries with these fingerprints."""
    removed = set(unwanted)
    return baseline._replace(entries=tuple(entry for entry in baseline.entries if entry.fingerprint not in removed))


def day(text: str) -> date:
    """A date in the form of entries, ``2027-01-31``. Raises ``ValueError``."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def _head(file: Path, lines: list[str]) -> bytes:
    name, _, version = lines[0].partition(" ") if lines else ("", "", "")
    if name != _HEAD:
        raise ConfigError(f"{file}:1: not a baseline: it must begin with {_HEAD!r}. To create one: patscan baseline write")
    if version != str(_VERSION):
        raise ConfigError(
            f"{file}:1: a baseline of version {version[:20]!r}, but this patscan reads version {_VERSION}. Install a newer patscan."
        )
    word, _, salt = lines[1].partition(" ") if len(lines) > 1 else ("", "", "")
    if word != "salt" or not re.fullmatch(rf"[0-9a-f]{{{2 * _SALT}}}", salt):
        raise ConfigError(
            f"{file}:2: the salt is missing or incomplete: 'salt' and {2 * _SALT} hexadecimal digits. Restore the line from git."
        )
    return bytes.fromhex(salt)


def _entry(where: str, line: str) -> Entry:
    fields = line.split(" ", 4)
    if len(fields) < 4 or not _FINGERPRINT.fullmatch(fields[0]) or not _KIND.fullmatch(fields[1]):
        raise ConfigError(f"{where}: not a complete entry: fingerprint, kind, expiry date or -, path, reason. Restore the line from git.")
    try:
        expires = None if fields[2] == "-" else day(fields[2])
    except ValueError:
        raise ConfigError(f"{where}: {fields[2][:20]!r} isn't a date. Write it as 2027-01-31, or - for none.") from None
    return Entry(fields[0], fields[1], expires, fields[3], fields[4].strip() if len(fields) > 4 else "")


def _line(entry: Entry) -> str:
    expires = entry.expires.isoformat() if entry.expires else "-"
    path = escaped(entry.path).replace(" ", "%20") or "-"
    return f"{entry.fingerprint} {entry.kind} {expires} {path} {escaped(entry.reason).strip()}".rstrip()


def escaped(text: str) -> str:
    """`text` in one line, with ``?`` for each character that isn't printable."""
    return "".join(char if char.isprintable() else "?" for char in text)
