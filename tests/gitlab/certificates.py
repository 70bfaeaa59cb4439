"""Certificates made at run time: an authority of our own, what it signs, and what nobody should trust."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1")


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def bundle(folder: Path) -> Path:
    """The authority's certificate as a file for ``--ca-bundle``."""
    file = folder / "authority.pem"
    authority().cert_pem.write_to_path(file)
    return file


@cache
def context(kind: str = "good") -> ssl.SSLContext:
    """A server's side of TLS: ``good``, ``expired``, ``wrong-name`` or ``self-signed``."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if kind == "self-signed":
        trustme.CA().issue_cert(*NAMES).configure_cert(made)
        return made
    names = ("gitlab.example.com",) if kind == "wrong-name" else NAMES
    past = datetime.now(UTC) - timedelta(days=1)
    authority().issue_cert(*names, not_after=past if kind == "expired" else None).configure_cert(made)
    return made
