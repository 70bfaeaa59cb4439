"""The claims of CI job tokens that are JWTs. Their signature can't be checked offline.

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


_SIGNATURES = {"RS256": (342, 512, 683), "RS384": (342, 512, 683), "RS512": (342, 512, 683), "ES256": (86,), "HS256": (43,)}
"""Characters of a signature: RSA keys have 2048, 3072 or 4096 bits."""


def end(text: bytes, start: int, end: int) -> int | None:
    """The end of the JWT at the beginning of ``[start, end)``, by the length of its signature; ``None`` if it is too short."""
    token = text[start:end]
    head = _segment(token[token.find(b"-eyJ") + 1 :].partition(b".")[0]) or {}
    lengths = _SIGNATURES.get(str(head.get("alg")))
    begin = start + token.rfind(b".") + 1
    return end if lengths is None else max((begin + length for length in lengths if begin + length <= end), default=None)


def _segment(segment: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(a2b_base64(segment.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(segment) % 4)))
    except (Base64Error, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _claims(claims: dict[str, Any]) -> list[tuple[str, str | int | bool]]:
    from patscan.detect.routable import ROUTES

    facts: list[tuple[str, str | int | bool]] = []
    subject, issuer, expires = claims.get("sub"), claims.get("iss"), claims.get("exp")
    if isinstance(issuer, str):
        facts.append(("issuer", issuer))
    if isinstance(subject, str) and subject.startswith(_SUBJECT) and subject.removeprefix(_SUBJECT).isdecimal():
        facts.append(("job", int(subject.removeprefix(_SUBJECT))))
    if isinstance(expires, int) and 0 < expires < 1 << 35:
        facts.append(("expires", datetime.fromtimestamp(expires, UTC).isoformat()))
    for letter, name in ROUTES.items():
        value = claims.get(letter)
        if isinstance(value, str) and value.isascii() and value.isalnum():
            facts.append((name, int(value, 36)))
    return facts
