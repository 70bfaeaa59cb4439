"""What a user may name instead of a folder: a repository's URL, taken apart so that nothing secret of it is ever shown."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from patscan.errors import UsageError

_SCHEMES = ("https", "http", "ssh", "file", "git")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_HELPER = re.compile(r"[a-z0-9][a-z0-9+.-]*::", re.IGNORECASE)
"""``ext::sh -c …``: git starts a program called ``git-remote-ext`` for it (gitremote-helpers(7))."""
_SCP = re.compile(r"[^/:]+:.*", re.DOTALL)
"""``host:path``: a colon before any slash (git-fetch(1), "GIT URLS")."""
_MISTAKEN = re.compile(r"[^/:@]+:[^/@]*@[^/:@]+[:/].*", re.DOTALL)
"""``user:password@host/path``, which ssh would take for a host called ``user``."""
_PASSWORD = re.compile(r"^(?:([a-z][a-z0-9+.-]*://)[^/]*@|[^/:@]+:[^/]*@(?=[^/:@]+[:/]))", re.IGNORECASE)
"""What stands before the ``@`` of a URL, and a user and a password before that of ``host:path``. A user alone is a name."""
_HOST = re.compile(r"(\[[0-9a-f:.%a-z]+\]|[^:\[\]]*)(:[0-9]*)?", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s'\"]*@")


class Address(NamedTuple):
    """Where a repository is: what may be shown, and what may not."""

    url: str
    """Without user and password, except the user of an SSH address: that one is a name, like ``git@``. This is what git is told."""
    server: str = ""
    """``https://host:port``, for which alone the user and the password are; empty if there are none."""
    user: str | None = None
    password: str | None = None

    def hidden(self, text: str) -> str:
        """`text` without user and password, and without what stands before the ``@`` in any URL."""
        for secret in (self.password, self.user):
            text = text.replace(secret, "…") if secret else text
        return _USERINFO.sub("", text)


def address(text: str) -> Address | None:
    """The repository that `text` names by a URL; ``None`` if it names a folder.

    Raises `UsageError` for what git would take for an option or a program to start, and for a URL it couldn't read. The sentence
    shows nothing of the URL where a password may stand in any place.
    """
    match = _URL.fullmatch(text)
    if not match and (os.path.lexists(text) or not _SCP.fullmatch(text) or _is_drive(text)):
        return None
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise UsageError("REPO: a URL holds no control characters.")
    if not match:
        return _scp(text)
    scheme, authority, path = match[1].lower(), match[2], match[3]
    userinfo, at, host = authority.rpartition("@")
    if scheme not in _SCHEMES:
        raise UsageError(f"REPO: {scheme}:// isn't known. Give a folder, host:path, or a URL with {', '.join(_SCHEMES)}.")
    # A host like -oProxyCommand=… would be an option to ssh. And a password with a bare slash ends up as port and path.
    if host.startswith("-") or userinfo.startswith("-") or not _HOST.fullmatch(host):
        raise UsageError("REPO: a URL with an impossible host or port. In a password, write / as %2F, @ as %40 and : as %3A.")
    user, colon, password = userinfo.partition(":")
    if scheme == "ssh":
        return Address(f"{scheme}://{user}{at if user else ''}{host}{path}")
    if not userinfo or scheme not in {"https", "http"}:
        return Address(f"{scheme}://{host}{path}")
    return Address(f"{scheme}://{host}{path}", f"{scheme}://{host}", _decoded(user), _decoded(password) if colon else None)


def shown(url: str) -> str:
    """`url` without user and password, as a remote may have it in a configuration."""
    return _PASSWORD.sub(lambda found: found[1] or "", url)


def _scp(text: str) -> Address:
    if _HELPER.match(text):
        raise UsageError("REPO: NAME::ADDRESS would start a program, so it isn't taken. Give a folder, host:path, or a URL.")
    if _MISTAKEN.fullmatch(text):
        raise UsageError("REPO: a user and a password need https:// before them; for a path with an @ on a host, write ssh://HOST/PATH.")
    host = text.partition(":")[0]
    if host.startswith("-") or host.rpartition("@")[2].startswith("-"):
        raise UsageError("REPO: no host begins with a dash. A folder that does is written ./-NAME.")
    return Address(text)


def _is_drive(text: str) -> bool:
    """``C:\\folder``, where that is a path."""
    return os.name == "nt" and bool(Path(text).drive)


def _decoded(text: str) -> str:
    from urllib.parse import unquote_to_bytes

    decoded = os.fsdecode(unquote_to_bytes(os.fsencode(text)))
    # A line feed would be another line of the credential helpers' protocol (git-credential(1), INPUT/OUTPUT FORMAT).
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in decoded):
        raise UsageError("REPO: no user and no password of a URL holds control characters.")
    return decoded
