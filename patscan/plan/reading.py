"""The tokens of a saved report, read again in every place, with how they are written there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from patscan.git.repository import Repository, open_repository
from patscan.git.submodules import submodules
from patscan.model import Finding, Match, Occurrence
from patscan.plan import archived
from patscan.secret import Secret
from patscan.sources.addresses import Addresses

_CLOSED = "the archive isn't there, or doesn't hold it."


class Read(NamedTuple):
    """What was read again. The keys are fingerprints."""

    tokens: Mapping[str, Secret]
    forms: Mapping[str, Iterable[bytes]]
    """The bytes at the places of each token."""
    blobs: tuple[str, ...]
    """Ids of archives that hold tokens."""
    unread: Mapping[str, str]
    """Why a token, or one of its places, couldn't be read: sentences."""


def read(findings: Sequence[Finding], place: Path, named: Sequence[str], environment: Mapping[str, str]) -> Read:
    """What `findings` speak of at `place`; paths in the report may begin with one of `named`."""
    addresses = Addresses(place, named, environment)
    results = dict(addresses.tokens(findings, every=True))
    inside = list(_inside(findings))
    opened = dict(_opened(inside, place, environment))
    results |= {match.fingerprint: token for match, token in opened.items()}
    unread = {match.fingerprint: f"in {match.address.name[:12]}: {reason}" for match, reason in addresses.unread}
    unread |= {one.match.fingerprint: f"{one.sighting.path}: {_CLOSED}" for one in inside if one.match not in opened}
    return Read(
        {name: token for name, token in results.items() if isinstance(token, Secret)},
        addresses.forms,
        tuple(sorted({match.address.name for match in opened})),
        unread,
    )


def repositories(place: Path, environment: Mapping[str, str]) -> dict[str | None, Repository]:
    """The repository at `place`, and its submodules by their paths. Raises `TargetError` if there is none."""
    top = open_repository(place, environment)
    known: dict[str | None, Repository] = {one.path: one.repository for one in submodules(top, environment) if one.repository}
    return {None: top, **known}


def _inside(findings: Iterable[Finding]) -> Iterator[Occurrence]:
    """The places in members of archives that git has."""
    for one in (one for finding in findings for one in finding.occurrences):
        if one.match.address.members and one.sighting.kind.kept_in(one.sighting.blob) == "object":
            yield one


def _opened(inside: Sequence[Occurrence], place: Path, environment: Mapping[str, str]) -> Iterator[tuple[Match, Secret]]:
    """Those of `inside` that hold their token, with the token."""
    for path, repository in (repositories(place, environment) if inside else {}).items():
        yield from archived.tokens(repository, [one for one in inside if one.sighting.submodule == path])
