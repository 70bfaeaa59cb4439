"""The remotes of a repository. The only door to GitPython."""

from __future__ import annotations

from patscan.git.address import shown
from patscan.git.repository import Repository


def remotes(repository: Repository) -> dict[str, str]:
    """The URLs of all remotes by name, without user and password; empty if GitPython can't read the configuration.

    URLs that can't be printed are left out.
    """
    import configparser

    try:
        import git
    except ImportError:
        # GitPython runs git while it is imported, and fails without it.
        return {}
    try:
        with git.Repo(repository.git_dir) as repo:
            # The configured value: `urls` would start git outside `patscan.git.child`.
            urls = {remote.name: shown(str(remote.config_reader.get("url"))) for remote in repo.remotes}
    except (git.GitError, configparser.Error, OSError, ValueError, AttributeError):
        # GitPython can't parse every configuration that git can; includeIf raises AttributeError.
        return {}
    return {name: url for name, url in urls.items() if url.isprintable()}
