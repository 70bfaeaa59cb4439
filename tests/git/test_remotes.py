"""All remotes of a repository."""

from __future__ import annotations

from collections.abc import Mapping

from patscan.git.remotes import remotes
from patscan.git.repository import open_repository
from tests.repo import Repo


def test_no_remote(repo: Repo, environment: Mapping[str, str]) -> None:
    assert remotes(open_repository(repo.path, environment)) == {}


def test_all_are_listed_without_passwords(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.git("remote", "add", "origin", "https://ada:secret@git.example/x")
    repo.git("remote", "add", "mirror", "git@two.example:x")
    assert remotes(open_repository(repo.path, environment)) == {"origin": "https://git.example/x", "mirror": "git@two.example:x"}


def test_what_cannot_be_parsed_is_no_error(repo: Repo, environment: Mapping[str, str]) -> None:
    with (repo.path / ".git/config").open("ab") as file:
        file.write(b'[includeIf "onbranch:x"]\n\tpath = y\n[remote "\xff"]\n\turl = \xff\n')
    assert remotes(open_repository(repo.path, environment)) == {}
