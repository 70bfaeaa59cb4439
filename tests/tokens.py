"""Tokens made at run time, from GitLab's layouts: none stands in a file.

Written from the layout's description, apart from `patscan.detect.routable`, so that the two can disagree.
"""

from __future__ import annotations

import base64
import json
import random
import string
import zlib

FRIENDLY = "".join(sorted(set(string.ascii_letters + string.digits + "-_") - set("lIO0")))
DIGITS = string.digits + string.ascii_lowercase


def plain(text: str) -> str:
    """A token as the facts and the rules write it: with a ``~`` that keeps scanners away."""
    return text.replace("~", "")


def friendly(rng: random.Random, length: int = 20) -> str:
    """What ``Devise.friendly_token`` draws; the last character is alphanumeric, so that edges can be tested apart."""
    return "".join(rng.choices(FRIENDLY, k=length - 1)) + rng.choice("ABCDEFGH")


def classic(rng: random.Random, prefix: str = "glpat-") -> str:
    return prefix + friendly(rng)


def hexadecimal(rng: random.Random, prefix: str, length: int) -> str:
    return prefix + "".join(rng.choices(string.hexdigits.lower()[:16], k=length))


def base36(number: int, width: int = 0) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits.rjust(width, "0")


def routable(rng: random.Random, prefix: str = "glpat-", payload: str = "o:1\nu:ax", version: int = 1) -> str:
    """A token of the routable layout, version 1 or 0."""
    noise = rng.randbytes(16)
    raw = noise + payload.encode() + bytes([len(payload)]) if version else payload.encode() + noise + bytes([16])
    body = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    head = f"{prefix}{body}{'.01' if version else ''}.{base36(len(body), 2)}"
    return head + base36(zlib.crc32(head.encode()), 7)


def jwt(rng: random.Random, claims: dict[str, object] | None = None) -> str:
    """A CI job token as GitLab makes it since 18.0; the signature is noise."""
    claims = claims or {"sub": "gid://gitlab/Ci::Build/4711", "iss": "gitlab.example.com", "exp": 1_790_000_000, "o": "1", "u": "ax"}
    parts = [json.dumps({"alg": "RS256", "kid": "k", "typ": "JWT"}).encode(), json.dumps(claims).encode(), rng.randbytes(256)]
    return "glcbt-" + ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
