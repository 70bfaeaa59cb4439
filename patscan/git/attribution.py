"""Which commits brought an object, by whom, when and to which path: asked of git once, however many objects there are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from patscan.git import child
from patscan.git.repository import Repository
from patscan.model import Commit, Exposure, Origin

_FORMAT = "%x02%H%x00%an <%ae>%x00%aI"
# First-parent diffs show what a merge resolution brought; the patch-like default shows nothing for merges (design, "The history engine").
_DIFF = ("--stdin", "-r", "--root", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-show-signature")
_WALK = ("diff-tree", *_DIFF, "--diff-merges=first-parent", "--encoding=UTF-8", f"--format={_FORMAT}")
_REACHABLE = ("rev-list", "--topo-order", "--reverse", "--ignore-missing", "--all", "--reflog")
_OBJECTS = 5000
"""Objects asked for in one walk: their ids have to fit on a command line."""
_UNREAD_AT_MOST = 50
"""Commits git dies of, each found with some twenty starts of git, before the rest is given up."""
_SIGNATURE = re.compile(rb"^(?:author|tagger) (.*?) ?(-?\d+) ([+-]\d{4})$", re.MULTILINE)


def origins(
    repository: Repository, blobs: Iterable[str], stored: Callable[[], Iterable[str]]
) -> tuple[Mapping[str, Sequence[Origin]], int]:
    """The places of each blob, the commit that first brought it first, and how many commits git couldn't read.

    `stored` gives the ids of all commits, reachable or not. A blob nobody refers to has one place without a path.
    """
    wanted = sorted(blobs)
    if not wanted:
        return {}, 0
    unread: list[str] = []
    reachable = _reachable(repository)
    found = _walk(repository, reachable, wanted, unread)
    if missing := [blob for blob in wanted if blob not in found]:
        found |= _in_index(repository, missing)
    if missing := [blob for blob in wanted if blob not in found]:
        # No order is known of these but the one they claim.
        others = _walk(repository, sorted(set(stored()).difference(reachable)), missing, unread)
        found |= {blob: sorted(places, key=lambda place: _instant(place.date)) for blob, places in others.items()}
    return {blob: found.get(blob) or [Origin("blob", blob=blob)] for blob in wanted}, len(unread)


def _reachable(repository: Repository) -> list[str]:
    """The commits that refs and reflogs lead to, ancestors first; none if one of them is missing or corrupt."""
    try:
        return repository.git(*_REACHABLE).decode().splitlines()
    except child.GitError:
        return []


def _walk(repository: Repository, commits: Sequence[str], blobs: Sequence[str], unread: list[str]) -> dict[str, list[Origin]]:
    """The commits are shared out over the processors; together their answers are in the order of `commits`."""
    found: dict[str, list[Origin]] = {}
    notes = set(_notes(repository))
    jobs = max(1, min(os.cpu_count() or 1, len(commits) // 500))
    share = -(-len(commits) // jobs) or 1
    for low in range(0, len(blobs), _OBJECTS):
        asked = blobs[low : low + _OBJECTS]
        command = (*_WALK, *(f"--find-object={blob}" for blob in asked))

        def answer(first: int, command: Sequence[str] = command) -> bytes:
            return b"".join(answers(repository, command, commits[first : first + share], unread))

        with ThreadPoolExecutor(jobs) as pool:
            for output in pool.map(answer, range(0, len(commits), share)):
                for origin in _parse(output, set(asked)):
                    place = origin._replace(type="note") if origin.commit in notes else origin
                    found.setdefault(place.blob or "", []).append(place)
    return found


def answers(repository: Repository, command: Sequence[str], names: Sequence[str], unread: list[str]) -> Iterator[bytes]:
    """What ``git COMMAND`` says of `names` on its input; it dies of one that it can't read, so that one is looked for by halves."""
    if len(unread) >= _UNREAD_AT_MOST:
        unread += names
        return
    try:
        yield child.run(command, repository.path, repository.environment, "".join(f"{name}\n" for name in names).encode())
    except child.GitError:
        if len(names) == 1:
            unread += names
            return
        half = len(names) // 2
        yield from answers(repository, command, names[:half], unread)
        yield from answers(repository, command, names[half:], unread)


def _notes(repository: Repository) -> list[str]:
    """The commits whose files are notes on other objects."""
    try:
        return repository.git("rev-list", "--ignore-missing", "--glob=refs/notes/*").decode().splitlines()
    except child.GitError:
        return []


def _parse(output: bytes, wanted: set[str]) -> Iterator[Origin]:
    """The places that commits gave to wanted blobs, out of ``git diff-tree -z --raw`` with `_FORMAT`."""
    # Field after field: a path or a name may hold any byte but NUL, so what a field is follows from its place alone.
    fields = iter(output.split(b"\0"))
    commit = author = date = b""
    for field in fields:
        if field.startswith(b"\x02"):
            commit, author, date = field[1:], next(fields), next(fields)
        elif field.startswith((b":", b"\n:")):
            _, mode, _, blob, _ = field.split()
            path = next(fields)
            if (name := blob.decode()) in wanted:
                kind = "symlink" if mode == b"120000" else "blob"
                when = date.decode("ascii", "replace").replace("Z", "+00:00")
                yield Origin(kind, _text(path), commit.decode(), _text(author), when, name)


def _in_index(repository: Repository, blobs: Iterable[str]) -> dict[str, list[Origin]]:
    """Blobs that are staged now and never were in a commit."""
    wanted = set(blobs)
    found: dict[str, list[Origin]] = {}
    try:
        # From the top: git lists only what lies below the folder it is started in.
        top = os.fsdecode(repository.git("rev-parse", "--show-cdup")).removesuffix("\n")
        listed = repository.git("-C", top or ".", "ls-files", "-s", "-z")
    except child.GitError:
        return {}
    for entry in listed.split(b"\0")[:-1]:
        header, path = entry.split(b"\t", 1)
        if (name := header.split()[1].decode()) in wanted:
            found.setdefault(name, []).append(Origin("index", _text(path), blob=name))
    return found


def signed(kind: str, name: str, content: bytes, start: int) -> Origin:
    """The place of a match at byte `start` of a commit or tag object: its header or its message."""
    header, _, _ = content.partition(b"\n\n")
    author, date = None, None
    if signature := _SIGNATURE.search(header):
        author, date = _text(signature[1]), _iso(int(signature[2]), signature[3].decode())
    if start < len(header):
        return Origin("author", None, name, author, date)
    return Origin(f"{kind}-message", None, name, author, date)


def _iso(seconds: int, zone: str) -> str | None:
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    try:
        offset = timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
        return datetime.fromtimestamp(seconds, offset).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def exposure(places: Iterable[Origin]) -> Exposure:
    """First sight of a token, from the commits that brought it; the rest isn't looked at yet."""
    dated = sorted((_instant(place.date), place.commit, place) for place in places if place.commit and place.date)
    if not dated:
        return Exposure()
    first = dated[0][2]
    return Exposure(first_seen=Commit(first.commit or "", first.author or "", first.date or ""))


def _instant(date: str | None) -> float:
    try:
        return datetime.fromisoformat(date or "").timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
