"""Tokens in members of archives, read again: no replacement reaches them, so the whole blob is removed, and must be the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from patscan import archives
from patscan.archives.limits import Account, Limits, Problem, Spent
from patscan.archives.reader import Reader
from patscan.git.objects import ObjectShard
from patscan.git.repository import Repository
from patscan.model import Match, Occurrence
from patscan.secret import Secret
from patscan.sources.addresses import secret


def tokens(repository: Repository, occurrences: Sequence[Occurrence]) -> Iterator[tuple[Match, Secret]]:
    """The matches of `occurrences` in members of archives of `repository` that hold their token, with the token."""
    matches: dict[str, list[Match]] = {}
    for one in occurrences:
        if re.fullmatch(r"[0-9a-f]+", one.match.address.name) and len(one.match.address.name) == 2 * repository.id_size:
            matches.setdefault(one.match.address.name, []).append(one.match)
    data = bytearray()
    for piece in ObjectShard(repository.path, repository.environment, list(matches)).pieces([]):
        data[piece.offset :] = piece.data
        if piece.last:
            for match in matches[str(piece.key)]:
                if token := _token(match, bytes(data)):
                    yield match, token
            data.clear()


def _token(match: Match, archive: bytes) -> Secret | None:
    account = Account(Limits(), Spent(), len(archive))
    try:
        for content in _contents(archive, match.address.members, account):
            token = secret(match, content[match.address.start : match.address.end])
            if isinstance(token, Secret):
                return token
    except Problem:  # what comes before it was tried
        pass
    finally:
        account.close()
    return None


def _contents(archive: bytes, names: Sequence[str], account: Account) -> Iterator[bytes]:
    """The members that `names` lead to, outermost first. An archive may hold several of one name. Raises `Problem`."""
    if not names:
        yield archive
        return
    kind = archives.kind_of(archive)
    for member in archives.members(kind, Reader([archive]).read, account) if kind else ():
        if member.name == names[0] and not member.problem:
            yield from _contents(member.reader.read(account.limits.held), names[1:], account)
