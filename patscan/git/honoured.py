"""The settings of a checkout that a fetch of `patscan ci` honours, because CI runners keep credentials in them.

The values are passed to a temporary repository. All other settings of the checkout stay without effect: hooks, filters, file system
monitors, ``remote.*.uploadpack``, ``protocol.*``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from patscan.errors import UsageError
from patscan.git.address import Address, address
from patscan.git.child import GitError
from patscan.git.repository import Repository
from patscan.tuples import NamedTuple

_HONOURED = re.compile(
    r"http\.(?:.*\.)?(?:extraheader|sslcainfo|sslcert|sslkey)|credential\.(?:.*\.)?(?:helper|username|usehttppath)|core\.sshcommand",
    re.DOTALL,
)
"""Keys as git lists them. ``credential.*.username`` is included because a helper may need the user's name."""
_URL = re.compile(r"remote\.(.*)\.url", re.DOTALL)


class Honoured(NamedTuple):
    """The checkout's remote, and the settings for reaching it."""

    remote: Address | None
    pairs: tuple[tuple[str, str], ...]
    """Keys and values of git-config(1)."""
    problem: str
    """Why there is no `remote`, as a sentence."""


def honoured(checkout: Repository) -> Honoured:
    """Read the checkout's configuration, with ``include`` and ``includeIf``."""
    try:
        listed = checkout.git("config", "--null", "--includes", "--show-scope", "--list").decode("utf-8", "surrogateescape")
    except GitError as error:
        return Honoured(None, (), str(error))
    fields = listed.split("\0")[:-1]
    local_entries = [
        entry.partition("\n") for scope, entry in zip(fields[::2], fields[1::2], strict=True) if scope in {"local", "worktree"}
    ]
    pairs = tuple((key, value) for key, _, value in local_entries if _HONOURED.fullmatch(key))
    urls: dict[str, str] = {}
    for key, _, value in local_entries:
        if match := _URL.fullmatch(key):
            urls.setdefault(match[1], value)
    url = urls.get("origin") or (next(iter(urls.values())) if len(urls) == 1 else "")
    if not url:
        return Honoured(None, pairs, "the checkout has no remote origin.")
    try:
        return Honoured(_address(url, checkout), pairs, "")
    except UsageError as error:  # the URL would start a program or pass an option to git
        return Honoured(None, pairs, f"the checkout's remote can't be fetched from: {str(error).removeprefix('REPO: ')}")


def _address(url: str, checkout: Repository) -> Address:
    if remote := address(url):
        return remote
    top = Path(os.fsdecode(checkout.git("rev-parse", "--show-toplevel")).removesuffix("\n")) if not checkout.bare else checkout.git_dir
    return Address(str((top / url).resolve()))
