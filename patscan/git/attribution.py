"""Which commits brought an object, by whom, when and to which path: asked of git once, however many objects there are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from patscan.git import child
from patscan.git.repository import Repository
from patscan.model import Commit, Exposure, Origin

_FORMAT = "%x02%H%x00%an <%ae>%x00%aI"
# First-parent diffs show what a merge resolution brought; the patch-like default shows nothing for merges (design, "The history engine").
_DIFF = ("--stdin", "-r", "--root", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-show-signature")
_WALK = ("diff-tree", *_DIFF, "--diff-merges=first-parent", "--encoding=UTF-8", f"--format={_FORMAT}")
_REACHABLE = ("rev-list", "--topo-order", "--reverse", "--all", "--reflog")
_OBJECTS = 5000
"""Objects asked for in one walk: their ids have to fit on a command line."""
_SIGNATURE = re.compile(rb"^(?:author|tagger) (.*?) ?(-?\d+) ([+-]\d{4})$", re.MULTILINE)


def origins(repository: Repository, blobs: Iterable[str]) -> Mapping[str, Sequence[Origin]]:
    """The places of each blob, the commit that first brought it first; a blob nobody refers to has one place without a path."""
    wanted = sorted(blobs)
    if not wanted:
        return {}
    reachable = repository.git(*_REACHABLE).splitlines()
    found = _walk(repository, reachable, wanted)
    if missing := [blob for blob in wanted if blob not in found]:
        found |= _in_index(repository, missing)
    if missing := [blob for blob in wanted if blob not in found]:
        found |= _walk(repository, _unreachable(repository, reachable), missing)
    return {blob: found.get(blob) or [Origin("blob", blob=blob)] for blob in wanted}


def _walk(repository: Repository, commits: Sequence[bytes], blobs: Sequence[str]) -> dict[str, list[Origin]]:
    """The commits are shared out over the processors; together their answers are in the order of `commits`."""
    found: dict[str, list[Origin]] = {}
    jobs = max(1, min(os.cpu_count() or 1, len(commits) // 500))
    share = -(-len(commits) // jobs) or 1
    for low in range(0, len(blobs), _OBJECTS):
        asked = blobs[low : low + _OBJECTS]
        command = (*_WALK, *(f"--find-object={blob}" for blob in asked))

        def answer(first: int, command: Sequence[str] = command) -> bytes:
            return child.run(command, repository.path, repository.environment, b"\n".join(commits[first : first + share]) + b"\n")

        with ThreadPoolExecutor(jobs) as pool:
            for output in pool.map(answer, range(0, len(commits), share)):
                for origin in _parse(output, set(asked)):
                    found.setdefault(origin.blob or "", []).append(origin)
    return found


def _parse(output: bytes, wanted: set[str]) -> Iterator[Origin]:
    """The places that commits gave to wanted blobs, out of ``git diff-tree -z --raw`` with `_FORMAT`."""
    for part in output.split(b"\x02")[1:]:
        commit, author, rest = part.split(b"\0", 2)
        fields = rest.split(b"\0")
        date = fields[0].decode("ascii", "replace").replace("Z", "+00:00")
        for header, path in zip(fields[1::2], fields[2::2], strict=False):
            _, mode, _, blob, _ = header.split()
            if (name := blob.decode()) in wanted:
                kind = "symlink" if mode == b"120000" else "blob"
                yield Origin(kind, _text(path), commit.decode(), _text(author), date, name)


def _in_index(repository: Repository, blobs: Iterable[str]) -> dict[str, list[Origin]]:
    """Blobs that are staged now and never were in a commit."""
    wanted = set(blobs)
    found: dict[str, list[Origin]] = {}
    try:
        listed = repository.git("ls-files", "-s", "-z")
    except child.GitError:
        return {}
    for entry in listed.split(b"\0")[:-1]:
        header, path = entry.split(b"\t", 1)
        if (name := header.split()[1].decode()) in wanted:
            found.setdefault(name, []).append(Origin("index", _text(path), blob=name))
    return found


def _unreachable(repository: Repository, reachable: Iterable[bytes]) -> list[bytes]:
    """Commits that no ref and no reflog leads to."""
    listed = repository.git("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objecttype) %(objectname)")
    commits = {line[7:] for line in listed.splitlines() if line.startswith(b"commit ")}
    return sorted(commits - set(reachable))


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
