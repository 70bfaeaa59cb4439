"""Reads the tokens of a saved report again, at all places and in all forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from patscan.git.repository import Repository, open_repository
from patscan.git.submodules import submodules
from patscan.model import Finding
from patscan.secret import Secret
from patscan.sources.addresses import Addresses
from patscan.tuples import NamedTuple


class Read(NamedTuple):
    """The tokens and forms that were read. Keys are fingerprints."""

    tokens: Mapping[str, Secret]
    forms: Mapping[str, Iterable[bytes]]
    """The bytes at the places of each token."""
    blobs: tuple[str, ...]
    """Ids of archives that contain tokens."""
    unread: Mapping[str, str]
    """Why a token, or one of its places, couldn't be read: sentences."""


def read(findings: Sequence[Finding], place: Path, named: Sequence[str], environment: Mapping[str, str]) -> Read:
    """The tokens of `findings` at `place`. Paths in the report may begin with one of `named`."""
    addresses = Addresses(place, named, environment)
    results = addresses.tokens(findings, every=True)
    return Read(
        {name: token for name, token in results.items() if isinstance(token, Secret)},
        addresses.forms,
        tuple(sorted(name for name in addresses.archives if re.fullmatch(r"[0-9a-f]{40,64}", name))),
        {match.fingerprint: f"in {match.address.name[:12]}: {reason}" for match, reason in addresses.unread},
    )


def repositories(place: Path, environment: Mapping[str, str]) -> dict[str | None, Repository]:
    """The repository at `place`, and its submodules by their paths. Raises `TargetError` if there is none."""
    top = open_repository(place, environment)
    known: dict[str | None, Repository] = {one.path: one.repository for one in submodules(top, environment) if one.repository}
    return {None: top, **known}
