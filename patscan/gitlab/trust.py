"""Trusted certificates. TLS is always verified."""

from __future__ import annotations

import ssl
from pathlib import Path

from patscan.errors import ConfigError


def context(bundle: Path | None) -> ssl.SSLContext | None:
    """The context for the certificates in `bundle`; ``None`` without one: the system's store takes 20 ms to load."""
    if bundle is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(bundle))
    except OSError as error:  # SSLError is one
        reason = "has no certificate in PEM form" if isinstance(error, ssl.SSLError) else (error.strerror or "can't be read").lower()
        raise ConfigError(f"--ca-bundle: {bundle}: {reason}.") from None


def system() -> ssl.SSLContext:
    """The context for the system's certificates."""
    return ssl.create_default_context()
