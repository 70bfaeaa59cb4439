"""Parse the URL of a repository, and keep its user and password out of everything that is shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

from patscan.errors import UsageError
from patscan.tuples import NamedTuple

_SCHEMES = ("https", "http", "ssh", "file", "git")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_HELPER = re.compile(r"[a-z0-9][a-z0-9+.-]*::", re.IGNORECASE)
"""``ext::sh -c …``: git starts a program called ``git-remote-ext`` for it (gitremote-helpers(7))."""
_SCP = re.compile(r"[^/:]+:.*", re.DOTALL)
"""``host:path``: a colon before any slash (git-fetch(1), "GIT URLS")."""
_MISTAKEN = re.compile(r"[^/:@]+:[^/@]*@[^/:@]+[:/].*", re.DOTALL)
"""``user:password@host/path``, a mistake: ssh would connect to a host called ``user``."""
_PASSWORD = re.compile(r"^(?:([a-z][a-z0-9+.-]*://)[^/]*@|[^/:@]+:[^/]*@(?=[^/:@]+[:/]))", re.IGNORECASE)
"""User and password of a URL, or of ``host:path``. A user alone isn't a secret in ``host:path``."""
_HOST = re.compile(r"(\[[0-9a-f:.%a-z]+\]|[^:\[\]]*)(:[0-9]*)?", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s'\"]*@")


class Address(NamedTuple):
    """Where a repository is. Only `url` and `server` may be shown."""

    url: str
    """The URL for git, without user and password. An SSH address keeps its user, which is a name like ``git``."""
    server: str = ""
    """``https://host:port``, the only server that gets the user and the password; empty if there are none."""
    user: str | None = None
    password: str | None = None

    def hidden(self, text: str) -> str:
        """`text` without this user and password, and without the user information of any URL."""
        for secret in (self.password, self.user):
            text = text.replace(secret, "…") if secret else text
        return _USERINFO.sub("", text)


def address(text: str) -> Address | None:
    """The address in `text`; ``None`` if `text` names a folder.

    Raises `UsageError` if git would read `text` as an option or as a program to start, or if it is no valid URL. The message never
    quotes a part of the URL that could be a password.
    """
    match = _URL.fullmatch(text)
    if not match and (os.path.lexists(text) or not _SCP.fullmatch(text) or _is_drive(text)):
        return None
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise UsageError("REPO: a URL can't contain control characters. Remove them.")
    if not match:
        return _scp(text)
    scheme, authority, path = match[1].lower(), match[2], match[3]
    userinfo, at, host = authority.rpartition("@")
    if scheme not in _SCHEMES:
        raise UsageError(f"REPO: {scheme}:// isn't supported. Give a folder, host:path, or a URL with {', '.join(_SCHEMES)}.")
    # ssh would read a host like -oProxyCommand=… as an option. A password with a bare slash would end up in port and path.
    if host.startswith("-") or userinfo.startswith("-") or not _HOST.fullmatch(host):
        raise UsageError("REPO: the URL's host or port is invalid. In a password, write / as %2F, @ as %40 and : as %3A.")
    user, colon, password = userinfo.partition(":")
    if scheme == "ssh":
        return Address(f"{scheme}://{user}{at if user else ''}{host}{path}")
    if not userinfo or scheme not in {"https", "http"}:
        return Address(f"{scheme}://{host}{path}")
    return Address(f"{scheme}://{host}{path}", f"{scheme}://{host}", _decoded(user), _decoded(password) if colon else None)


def shown(url: str) -> str:
    """`url` without user and password."""
    return _PASSWORD.sub(lambda match: match[1] or "", url)


def _scp(text: str) -> Address:
    if _HELPER.match(text):
        raise UsageError("REPO: NAME::ADDRESS isn't allowed, because git would start a program for it. Give a folder, host:path, or a URL.")
    if _MISTAKEN.fullmatch(text):
        raise UsageError("REPO: a user and a password need https:// before them; for a path with an @ on a host, write ssh://HOST/PATH.")
    host = text.partition(":")[0]
    if host.startswith("-") or host.rpartition("@")[2].startswith("-"):
        raise UsageError("REPO: a host can't begin with a dash. For a folder, write ./-NAME.")
    return Address(text)


def _is_drive(text: str) -> bool:
    """Whether `text` is like ``C:\\folder``, on Windows."""
    return os.name == "nt" and bool(Path(text).drive)


def _decoded(text: str) -> str:
    from urllib.parse import unquote_to_bytes

    decoded = os.fsdecode(unquote_to_bytes(os.fsencode(text)))
    # A line feed would begin another field of the credential helpers' protocol (git-credential(1), INPUT/OUTPUT FORMAT).
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in decoded):
        raise UsageError("REPO: the user and the password of a URL can't contain control characters.")
    return decoded
