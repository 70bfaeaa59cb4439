"""The environment of git's processes: an allow-list of this process's variables."""

from __future__ import annotations

import os
from pathlib import Path

from patscan.git.variables import REPOSITORY

_KEPT = (
    *("HOME", "PATH", "LANG", "LC_ALL", "LC_CTYPE", "XDG_CONFIG_HOME", "TMPDIR", "TEMP", "TMP"),
    *("USERPROFILE", "SYSTEMROOT", "PATHEXT"),
)
_JOBS = ("CI_COMMIT_SHA", "GITHUB_SHA")
"""The commit that a CI job was started for. `patscan.git.traces` infers from it that a remote has the commit."""
_NETWORK = (
    *("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "SSH_AUTH_SOCK", "GIT_PROXY_COMMAND"),
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_NO_VERIFY", "GIT_SSL_CERT", "GIT_SSL_KEY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    # For credential helpers and ssh: the key ring, the cache's socket, GnuPG, Kerberos, the user's name.
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "GNUPGHOME", "PASSWORD_STORE_DIR"),
    *("KRB5CCNAME", "USER", "LOGNAME", "USERNAME", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "COMSPEC"),
)
"""GIT_ASKPASS and SSH_ASKPASS are left out because they prompt, GIT_TRACE and its like because they print passwords."""


def environment(place: Path = Path()) -> dict[str, str]:
    """The environment of a git process at `place`. ``HOME`` is kept because git reads ``safe.directory`` from a file there.

    git sets variables for its hooks that name the hook's repository. They are kept for the current folder only.
    """
    return _chosen({*_KEPT, *REPOSITORY, *_JOBS}) if place == Path() else _chosen({*_KEPT, *_JOBS})


def elsewhere(network: bool = False) -> dict[str, str]:
    """The environment for a repository other than a hook's own; with `network`, also the variables that a fetch needs."""
    return _chosen({*_KEPT, *(_NETWORK if network else ())})


def of_job() -> dict[str, str]:
    """The environment for a fetch of `patscan ci`. GitLab's runner has a credential helper that reads the job's token from it."""
    return _chosen({*_KEPT, *_NETWORK, "CI_JOB_TOKEN"})


def _chosen(names: set[str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in names or name.startswith("GIT_CONFIG_")}
