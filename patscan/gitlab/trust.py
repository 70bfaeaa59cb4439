"""Whose certificates are believed: TLS is always checked."""

from __future__ import annotations

import ssl
from pathlib import Path

from patscan.errors import ConfigError


def context(bundle: Path | None) -> ssl.SSLContext | None:
    """What checks certificates; ``None``: the system's store, loaded when it is needed, for that takes 20 ms."""
    if bundle is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(bundle))
    except OSError as error:  # SSLError is one
        reason = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else (error.strerror or "can't be read").lower()
        raise ConfigError(f"--ca-bundle: {bundle}: {reason}.") from None


def system() -> ssl.SSLContext:
    """What checks certificates against the system's store."""
    return ssl.create_default_context()
