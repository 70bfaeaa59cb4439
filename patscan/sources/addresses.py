"""Read tokens again at the addresses in a saved report. The report and its folder are hostile input.

An address names a git object by its id, a regular file below a folder (without following links), or a listing of names. The bytes at an
address are the token only if their fingerprint equals the report's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from patscan import layers
from patscan.archives.limits import Spent
from patscan.content import OVERLAP, Piece
from patscan.errors import TargetError
from patscan.git.child import GitError
from patscan.git.objects import ObjectShard
from patscan.git.repository import FOR_FOLDERS, Repository, open_repository
from patscan.lfs import LONGEST, content_id, stored_as
from patscan.model import Address, Finding, Match, Occurrence
from patscan.secret import Secret
from patscan.sources import lfs, members
from patscan.sources.folder import Folder, Unreadable

_PLACES = 50
"""Places that are tried for one token."""
_LONGEST = OVERLAP // 2
"""The longest span in bytes: longer than any encoded token, and short enough that no piece cuts it."""
_DEEPEST = 8
"""Layers of an address."""
_MASK = re.compile(r"(?P<prefix>[^…]*)…\((?P<size>[0-9]{1,5})\)")
_LISTED, _TRIED = 64 << 20, 1 << 20
"""Bytes of a listing that are searched for a prefix, and bytes at which a token without prefix is tried."""

Tokens = Mapping[str, Secret | str]
"""By fingerprint, the token, or a sentence that says why it couldn't be read."""


class Addresses:
    """Reads addresses in one place: a repository or a folder."""

    def __init__(self, place: Path, named: Sequence[str], environment: Mapping[str, str]) -> None:
        """`place` is the only folder or file that is read. `named` are the names that the report's paths may begin with for it."""
        self._place, self._environment = place, environment
        self._folder = Folder(place, named)
        self._repositories: dict[str | None, Repository | str] = {}
        self._names: dict[tuple[str | None, str], bytes] = {}
        self.forms: dict[str, set[bytes]] = {}
        """By fingerprint, the bytes at the token's places, as they are written there."""
        self.unread: list[tuple[Match, str]] = []
        """If every place is read: the places without the token, each with the reason."""
        self.archives: set[str] = set()
        """The archives in whose members tokens were read."""
        self._spent = Spent()

    def tokens(self, findings: Iterable[Finding], every: bool = False) -> Tokens:
        """The tokens of `findings`, mostly from their first places. With `every`, all places are read, for `forms`."""
        places = {finding.fingerprint: _distinct(finding) for finding in findings}
        results: dict[str, Secret | str] = {}
        for low, high in ((0, None),) if every else ((0, 1), (1, _PLACES)):
            open_ones = [token for token in places if not isinstance(results.get(token), Secret)]
            for match, result in self._read([one for token in open_ones for one in places[token][low:high]]):
                # The first reason stays, until there is a token.
                if isinstance(result, Secret) or match.fingerprint not in results:
                    results[match.fingerprint] = result
                if every and isinstance(result, str):
                    self.unread.append((match, result))
                elif match.address.members:
                    self.archives.add(match.address.name)
        return results

    def _read(self, occurrences: Sequence[Occurrence]) -> Iterator[tuple[Match, Secret | str]]:
        objects: dict[str | None, dict[str, list[Match]]] = {}
        for occurrence in occurrences:
            if not _is_sane(occurrence.match.address):
                yield occurrence.match, "the report has an invalid address for it, which patscan doesn't write."
            elif _store(occurrence) == "object":
                inside = objects.setdefault(occurrence.sighting.submodule, {})
                inside.setdefault(occurrence.match.address.name, []).append(occurrence.match)
            else:
                yield occurrence.match, self._elsewhere(occurrence)
        for submodule, matches in objects.items():
            yield from self._of_objects(submodule, matches)

    def _of_objects(self, submodule: str | None, matches: Mapping[str, Sequence[Match]]) -> Iterator[tuple[Match, Secret | str]]:
        """Read objects of one repository through one git process."""
        repository = self._repository(submodule)
        if isinstance(repository, str):
            yield from ((match, repository) for those in matches.values() for match in those)
            return
        ids = [name for name in matches if re.fullmatch(r"[0-9a-f]+", name) and len(name) == 2 * repository.id_size]
        waiting = dict(matches)
        archive = bytearray()
        pieces = ObjectShard(repository.path, repository.environment, ids).pieces([])
        for piece in lfs.resolved(pieces, repository.objects.parent / lfs.OBJECTS):
            inside = [match for match in matches[str(piece.key)] if match.address.members]
            if inside:
                yield from self._of_members(archive, piece, inside)
            for match in matches[str(piece.key)]:
                if match.address.members:
                    continue
                low, high = match.address.start - piece.offset, match.address.end - piece.offset
                if low >= 0 and (high <= len(piece.data) or piece.last):
                    yield match, self._secret(match, bytes(piece.data[low:high]))
            waiting.pop(str(piece.key), None)
        absent = f"isn't in {self._place}. If the repository is elsewhere, add --repository PATH."
        yield from ((match, f"object {name[:12]} {absent}") for name, those in waiting.items() for match in those)

    def _of_members(self, archive: bytearray, piece: Piece, matches: Sequence[Match]) -> Iterator[tuple[Match, Secret | str]]:
        """Read members of an object, once all its pieces are in `archive`."""
        if not piece.offset:
            archive.clear()
        if len(archive) <= members.LIMITS.held:
            archive += memoryview(piece.data)[OVERLAP if piece.offset else 0 :]
        for match, span in members.spans(bytes(archive), matches, self._spent) if piece.last else ():
            yield match, span if isinstance(span, str) else secret(match, span)

    def _elsewhere(self, occurrence: Occurrence) -> Secret | str:
        """Read a file, a ref's name or a path."""
        match = occurrence.match
        try:
            if _store(occurrence) == "file":
                return self._of_file(occurrence)
            if _store(occurrence) == "refs":
                return self._among(match, self._listing(occurrence, "for-each-ref", "--format=%(refname)"))
            return self._among(match, self._paths(occurrence))
        except (Unreadable, TargetError) as error:
            return str(error)

    def _of_file(self, occurrence: Occurrence) -> Secret | str:
        address, path = occurrence.match.address, occurrence.sighting.path or ""
        result: Secret | str = f"{path}: isn't in {self._place} any more."
        low, high = (0, members.LIMITS.held + 1) if address.members else (address.start, address.end)
        for span in self._linked(path, low, high) or self._folder.spans(path, low, high):
            changed = f"{path}: has changed since the report; the token isn't at its place any more."
            spans = (one for _, one in members.spans(span, [occurrence.match], self._spent)) if address.members else iter([span])
            result = changed
            for one in spans:
                result = f"{path}: {one}" if isinstance(one, str) else self._secret(occurrence.match, one, changed)
                if isinstance(result, Secret):
                    return result
        return result

    def _linked(self, path: str, start: int, end: int) -> list[bytes]:
        """The bytes from `start` to `end` of the Git LFS content, for each file that is a pointer."""
        contents = [content for head in self._folder.spans(path, 0, LONGEST + 1) if (content := content_id(head))]
        repository = self._repository(None) if contents else ""
        if isinstance(repository, str):
            return []
        objects = Folder(repository.objects.parent / lfs.OBJECTS, ())
        return [span for content in contents for span in objects.spans(stored_as(content), start, end)]

    def _paths(self, occurrence: Occurrence) -> bytes:
        """The names of files in a commit or in the folder."""
        commit = occurrence.sighting.commit
        repository = self._repository(occurrence.sighting.submodule)
        if isinstance(repository, str):
            return b"\0".join(self._folder.names())
        tree = commit if commit and re.fullmatch(r"[0-9a-f]{40,64}", commit) else "HEAD"
        names = [] if commit else [*self._folder.names(), self._listing(occurrence, "ls-files", "-z")]
        try:
            names.append(self._listing(occurrence, "ls-tree", "-r", "-z", "--name-only", "--full-tree", tree))
        except GitError:
            if commit:
                raise
        return b"\0".join(names)

    def _among(self, match: Match, names: bytes) -> Secret | str:
        """The token of `match` in a listing of names. An encoded token is tried at every byte."""
        absent = "no current name contains it."
        size = match.address.end - match.address.start
        if not match.address.layers:
            return _window(match, names[:_LISTED]) or absent
        names = names[:_TRIED]
        for place in range(len(names) - size + 1):
            if isinstance(token := self._secret(match, names[place : place + size]), Secret):
                return token
        return absent

    def _secret(self, match: Match, span: bytes, absent: str = "the token isn't there any more.") -> Secret | str:
        """As `secret`, and keep the span in `forms` if it contains the token."""
        token = secret(match, span, absent)
        if isinstance(token, Secret):
            self.forms.setdefault(match.fingerprint, set()).add(span)
        return token

    def _listing(self, occurrence: Occurrence, *command: str) -> bytes:
        repository = self._repository(occurrence.sighting.submodule)
        if isinstance(repository, str):
            raise TargetError(repository)
        key = occurrence.sighting.submodule, command[-1]
        if key not in self._names:
            self._names[key] = repository.git(*command)
        return self._names[key]

    def _repository(self, submodule: str | None) -> Repository | str:
        """The repository, or its submodule at this path; if it can't be opened, a sentence that says why."""
        if submodule not in self._repositories:
            try:
                here = open_repository(self._place if self._place.is_dir() else self._place.parent, self._environment)
                self._repositories[submodule] = here if submodule is None else self._below(here, submodule)
            except TargetError as error:
                self._repositories[submodule] = str(error).replace(FOR_FOLDERS, "Name the scanned one: --repository PATH.")
        return self._repositories[submodule]

    def _below(self, repository: Repository, path: str) -> Repository | str:
        from patscan.git.submodules import submodules

        for submodule in submodules(repository, self._environment):
            if submodule.path == path and submodule.repository:
                return submodule.repository
        return f"the submodule {path} isn't in {self._place}."


def secret(match: Match, span: bytes, absent: str = "the token isn't there any more.") -> Secret | str:
    """The token of `match`, decoded from `span`, the bytes at its address; `absent` if they aren't the token."""
    try:
        text = layers.decoded(span, match.address.layers)
    except (ValueError, IndexError):  # the bytes aren't encoded in this way any more
        return absent
    return _window(match, text) or absent


def _window(match: Match, text: bytes) -> Secret | None:
    """The part of `text` with the token's fingerprint. The mask gives its prefix and its length."""
    mask = _MASK.fullmatch(str(match.secret))
    if not mask:
        return None
    prefix, size = mask["prefix"].encode(), int(mask["size"])
    text = text if prefix else text[:_TRIED]
    start = text.find(prefix)
    while size > 0 and 0 <= start <= len(text) - size:
        token = Secret(text[start : start + size], prefix)
        if token.fingerprint == match.fingerprint:
            return token
        start = text.find(prefix, start + 1)
    return None


def _store(occurrence: Occurrence) -> str:
    return occurrence.sighting.kind.kept_in(occurrence.sighting.blob)


def _is_sane(address: Address) -> bool:
    return 0 < address.end - address.start <= _LONGEST and len(address.layers) <= _DEEPEST


def _distinct(finding: Finding) -> list[Occurrence]:
    """The places of a token that can be read, each address once."""
    places = {
        (one.match.address, one.sighting.submodule, one.sighting.path if _store(one) == "file" else one.sighting.commit): one
        for one in finding.occurrences
        if _store(one) and one.match.address.name
    }
    return list(places.values())
