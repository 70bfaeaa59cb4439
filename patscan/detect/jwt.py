"""CI job tokens that are JWTs: what they say of themselves. The signature can't be checked offline.

Source: GitLab's ``lib/ci/job_token/jwt.rb`` and ``lib/authn/tokens/jwt.rb``.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_SUBJECT = "gid://gitlab/Ci::Build/"


def facts(token: bytes) -> Mapping[str, str | int | bool] | None:
    """``issuer``, ``job``, ``expires`` and the routing claims of ``<prefix><header>.<payload>.<signature>``; ``None`` if it isn't a JWT."""
    header, _, rest = token.partition(b".")
    head = _segment(header[header.rfind(b"-eyJ") + 1 :])
    claims = _segment(rest.partition(b".")[0])
    if head is None or claims is None or "alg" not in head:
        return None
    return dict(_claims(claims))


def _segment(segment: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(a2b_base64(segment.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(segment) % 4)))
    except (Base64Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _claims(claims: dict[str, Any]) -> list[tuple[str, str | int | bool]]:
    from patscan.detect.routable import ROUTES

    found: list[tuple[str, str | int | bool]] = []
    subject, issuer, expires = claims.get("sub"), claims.get("iss"), claims.get("exp")
    if isinstance(issuer, str):
        found.append(("issuer", issuer))
    if isinstance(subject, str) and subject.startswith(_SUBJECT) and subject.removeprefix(_SUBJECT).isdecimal():
        found.append(("job", int(subject.removeprefix(_SUBJECT))))
    if isinstance(expires, int) and 0 < expires < 1 << 35:
        found.append(("expires", datetime.fromtimestamp(expires, UTC).isoformat()))
    for letter, name in ROUTES.items():
        value = claims.get(letter)
        if isinstance(value, str) and value.isascii() and value.isalnum():
            found.append((name, int(value, 36)))
    return found
