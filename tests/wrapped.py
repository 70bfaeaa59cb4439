"""Every kind of token, and every way in which one is wrapped, written apart from `patscan.layers`, so that the two can disagree."""

from __future__ import annotations

import base64
import gzip
import html
import json
import quopri
import random
from collections.abc import Callable
from urllib.parse import quote

from tests.tokens import classic, friendly, hexadecimal, jwt, routable

Maker = Callable[[random.Random], str]
Wrapper = Callable[[str, random.Random], bytes]

_AGENT, _RUNNER = "o:1\np:1bjt", "g:3w\no:1\nt:2"

KINDS: dict[str, Maker] = {
    "gitlab-pat": classic,
    "gitlab-pat-routable-versioned": routable,
    "gitlab-pat-routable": lambda rng: routable(rng, version=0),
    "gitlab-routable-custom-prefix": lambda rng: routable(rng, rng.choice(["", "acme_", "corp-"])),
    "gitlab-agent-token": lambda rng: "glagent-" + friendly(rng, 50),
    "gitlab-agent-token-routable": lambda rng: routable(rng, "glagent-", _AGENT),
    "gitlab-workspace-token": lambda rng: classic(rng, "glwt-"),
    "gitlab-workspace-token-routable": lambda rng: routable(rng, "glwt-"),
    "gitlab-deploy-token": lambda rng: classic(rng, "gldt-"),
    "gitlab-deploy-token-routable": lambda rng: routable(rng, "gldt-", "o:1\np:31"),
    "gitlab-feature-flags-token": lambda rng: classic(rng, "glffct-"),
    "gitlab-feed-token": lambda rng: classic(rng, "glft-"),
    "gitlab-feed-token-path": lambda rng: hexadecimal(rng, "glft-", 64) + f"-{rng.randrange(10, 10**7)}",
    "gitlab-iam-refresh-token": lambda rng: "gliamrt-" + friendly(rng, 43),
    "gitlab-job-token": lambda rng: f"glcbt-{rng.randrange(16, 255):x}_{friendly(rng)}",
    "gitlab-job-token-jwt": jwt,
    "gitlab-incoming-mail-token": lambda rng: "glimt-" + "".join(rng.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=25)),
    "gitlab-oauth-application-secret": lambda rng: hexadecimal(rng, "gloas-", 64),
    "gitlab-runner-controller-token": lambda rng: classic(rng, "glrct-"),
    "gitlab-runner-token": lambda rng: classic(rng, "glrt-"),
    "gitlab-runner-token-typed": lambda rng: classic(rng, "glrt-t2_"),
    "gitlab-runner-token-routable": lambda rng: routable(rng, "glrt-", _RUNNER),
    "gitlab-runner-token-routable-unversioned": lambda rng: routable(rng, "glrt-", "g:3w\no:1", version=0),
    "gitlab-runner-token-registered": lambda rng: classic(rng, "glrtr-"),
    "gitlab-runner-token-registered-typed": lambda rng: classic(rng, "glrtr-t1_"),
    "gitlab-runner-token-registered-routable": lambda rng: routable(rng, "glrtr-", _RUNNER),
    "gitlab-runner-registration-token": lambda rng: classic(rng, "GR1348941"),
    "gitlab-scim-token": lambda rng: classic(rng, "glsoat-"),
    "gitlab-trigger-token": lambda rng: hexadecimal(rng, "glptt-", 40),
}
"""A maker of tokens for each rule that needs no context, by the rule's id."""

SIGNS = "-_.=@"


def _signs(spelling: Callable[[int], str]) -> Wrapper:
    return lambda token, _: ('x: "' + "".join(spelling(ord(c)) if c in SIGNS else c for c in token) + '"\n').encode()


def _every(spelling: Callable[[int], str], between: str = "") -> Wrapper:
    return lambda token, _: ('x: "' + between.join(spelling(ord(c)) for c in token) + '"\n').encode()


def _base64(encode: Callable[[bytes], bytes] = base64.b64encode) -> Wrapper:
    """In each alignment; the padding or the quote ends it."""

    def wrap(token: str, rng: random.Random) -> bytes:
        before = "".join(rng.choices("ab:/ ", k=rng.randrange(12)))
        return b'{"data": "' + encode(f"{before} {token}\n".encode()) + b'"}\n'

    return wrap


def _folded(feed: str, first: str = "", width: int = 60) -> Wrapper:
    def wrap(token: str, rng: random.Random) -> bytes:
        raw = base64.b64encode(f"[registry]\n{'#' * rng.randrange(40)}\ntoken = {token}\nname = another\n".encode()).decode()
        lines = [raw[place : place + width] for place in range(0, len(raw), width)]
        return (f"key:\n{first}" + feed.join(lines) + "\n\n").encode()

    return wrap


def _split(joint: str) -> Wrapper:
    """In two pieces, anywhere behind the prefix, but not in the tail's anchor."""

    def wrap(token: str, rng: random.Random) -> bytes:
        place = rng.choice([place for place in range(9, len(token) - 1) if not 0 < place - token.find(".01.") < 4])
        return f'a = "{token[:place]}{joint}{token[place:]}"\n'.encode()

    return wrap


def _helm(token: str, rng: random.Random) -> bytes:
    manifest = json.dumps({"name": "agent", "config": {"token": token, "n": rng.random()}}).encode()
    return base64.b64encode(base64.b64encode(gzip.compress(manifest)))


def _twice(wrap: Callable[[bytes], bytes]) -> Wrapper:
    return lambda token, rng: wrap(base64.b64encode(f'{{"auths": {{"r": "{token}"}}, "n": {rng.random()}}}'.encode()))


def _dumped(value: object) -> str:
    return json.dumps(value).replace("-", "\\u002d")


ENDLESS = {"gitlab-iam-refresh-token", "gitlab-incoming-mail-token", "gitlab-feed-token-path"}
"""Kinds whose tokens have no exact length."""

WRAPPERS: dict[str, Wrapper] = {
    "plain": lambda token, _: f"token: {token}\n".encode(),
    "utf-16": lambda token, _: f"token: {token}\r\n".encode("utf-16"),
    "utf-16 big-endian": lambda token, _: f"token: {token}\r\n".encode("utf-16-be"),
    "utf-32": lambda token, _: f"token: {token}\r\n".encode("utf-32"),
    "base64": _base64(),
    "base64 for URLs": _base64(base64.urlsafe_b64encode),
    "base64, MIME": _base64(base64.encodebytes),
    "base64, indented": _folded("\n    ", "    "),
    "base64, literal \\n": _folded("\\n"),
    "base64, quoted mail": _folded("\n> ", "> "),
    "base64, concatenated": _folded('" +\n  "', '"'),
    "base64, continued": _folded("\\\n"),
    "hex": _every("{:02x}".format),
    "hex, upper case": _every("{:02X}".format),
    "hex, spaces": _every("{:02x}".format, " "),
    "hex, colons": _every("{:02x}".format, ":"),
    "hex, C array": _every("0x{:02x}".format, ", "),
    "hex, \\x67": _every("\\x{:02x}".format),
    "hex, .reg": lambda token, _: b'"T"=hex(2):' + token.encode("utf-16-le").hex(",").encode() + b",00,00\r\n",
    "hex, .reg folded": lambda token, _: (
        b'"T"=hex(2):'
        + b",\\\r\n  ".join(token.encode("utf-16-le")[place : place + 25].hex(",").encode() for place in range(0, 2 * len(token), 25))
        + b",00,00\r\n"
    ),
    "percent, signs": _signs("%{:02X}".format),
    "percent, all": _every("%{:02x}".format),
    "percent, quote()": lambda token, _: f"?t={quote(token)}&x=1\n".encode(),
    "percent twice": lambda token, _: ("?t=" + quote("".join(f"%{ord(c):02X}" if c in SIGNS else c for c in token)) + "&").encode(),
    "JSON, signs": _signs("\\u{:04x}".format),
    "JSON, all": _every("\\u{:04X}".format),
    "JavaScript, signs": _signs("\\x{:02x}".format),
    "C, octal": _every("\\{:03o}".format),
    "JSON in JSON": lambda token, _: json.dumps({"a": _dumped({"t": token})}).encode(),
    "Markdown": _signs(lambda byte: "\\" + chr(byte)),
    "Markdown, underscores": lambda token, _: f"a {token.replace('_', chr(92) + '_')} b\n".encode(),
    "HTML, decimal": _signs("&#{:d};".format),
    "HTML, hexadecimal": _signs("&#x{:x};".format),
    "HTML, all": _every("&#{:d};".format),
    "HTML, named": lambda token, _: ("<td>" + html.escape(token).replace("_", "&lowbar;").replace(".", "&period;") + "</td>").encode(),
    "quoted-printable": _signs("={:02X}".format),
    "quoted-printable, soft breaks": lambda token, rng: quopri.encodestring(("x" * rng.randrange(60, 75) + " " + token + "\n").encode()),
    "split, +": _split('" + "'),
    "split, .": _split('" . "'),
    "split, ..": _split('" .. "'),
    "split, &": _split('" & _\r\n    "'),
    "split, adjacent": _split('" "'),
    "split, adjacent lines": _split('"\n    "'),
    "split, + at line end": _split('" +\n        "'),
    "split, backslash": _split("\\\n"),
    "split, YAML folded": _split("\n    "),
    "split, hard wrap": _split("\r\n"),
    "base64 of base64": _twice(base64.b64encode),
    "base64 of UTF-16": lambda token, rng: base64.b64encode(f"$t = '{token}' #{rng.random()}".encode("utf-16-le")),
    "base64 of gzip": lambda token, rng: base64.b64encode(gzip.compress(f"{rng.random()} {token}\n".encode())),
    "base64 of base64 of gzip": _helm,
    "base64 of JSON": lambda token, rng: base64.b64encode(_dumped({"n": rng.random(), "t": token}).encode()),
    "JSON of base64": _twice(lambda raw: json.dumps("é/" + raw.decode()).replace("/", "\\/").replace("+", "\\u002b").encode()),
    "percent of base64": _twice(lambda raw: b"?d=" + quote(raw, safe="").encode() + b"&x"),
    "UTF-16 of base64": _twice(lambda raw: raw.decode().encode("utf-16")),
    "base64 of a split": lambda token, rng: base64.b64encode(f'{rng.random()} "{token[:12]}" + "{token[12:]}"'.encode()),
    "JSON of base64 of base64 of a split": lambda token, rng: json.dumps(
        base64.encodebytes(base64.b64encode(f'{rng.random()} "{token[:12]}" + "{token[12:]}"'.encode())).decode()
    ).encode(),
}
"""A token in a content, wrapped so."""
