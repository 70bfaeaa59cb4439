"""Where an audit asks the packs which commits to ask git about, and where it asks about all of them: the answer is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from patscan.git import trees
from patscan.git.repository import open_repository
from patscan.kind import Kind
from patscan.model import Sighting
from patscan.sources.history import History
from patscan.sources.provenance import _LASTING
from tests.repo import Repo


@pytest.fixture(autouse=True)
def git_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a repository as small as a test's git is always quicker."""
    monkeypatch.setattr(trees, "_SEARCH_COST", 0)
    monkeypatch.setattr(trees, "_REBUILD_COST", 0)


class Told:
    """The places of some blobs, and how often the packs were gone through for them."""

    def __init__(self, path: Path, environment: Mapping[str, str], *blobs: str, read: bool = True) -> None:
        self.levels = 0
        source = History(open_repository(path, environment))
        shards = source.shards()
        for _ in shards if read else ():
            pass
        self.places: Mapping[str, Any] = {blob: list(sightings) for blob, sightings in source.sightings(blobs, self._each).items()}

    def _each(self, task: Callable[[object], object], over: Iterable[object]) -> Iterable[object]:
        self.levels += 1
        return map(task, over)


def blob(repo: Repo, text: str) -> str:
    return repo.line("hash-object", "--stdin", stdin=text.encode())


def fleeting(repo: Repo) -> tuple[str, str, str]:
    """A blob that came and went, and the commits that did it."""
    repo.commit({f"folder/{number}": f"text {number}" for number in range(9)})
    introducing = repo.commit({"folder/secret": "token"})
    repo.git("rm", "-q", "folder/secret")
    removed = repo.commit({})
    repo.pack()
    return blob(repo, "token"), introducing, removed


def test_the_packs_are_asked(repo: Repo, environment: Mapping[str, str]) -> None:
    name, introducing, _ = fleeting(repo)
    search = Told(repo.path, environment, name)
    assert search.levels == 3  # the blob, its folder, the root tree
    assert [(place.path, place.commit) for place in search.places[name]] == [("folder/secret", introducing)]


def test_blobs_in_many_files_at_head_are_left_to_git(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({f"secret {number}": f"token {number}" for number in range(_LASTING + 1)})
    repo.pack()
    names = [blob(repo, f"token {number}") for number in range(_LASTING + 1)]
    assert Told(repo.path, environment, *names[1:]).levels
    search = Told(repo.path, environment, *names)
    assert not search.levels
    assert [search.places[name][0].path for name in names] == [f"secret {number}" for number in range(_LASTING + 1)]


def test_packs_that_were_not_all_read_are_not_asked(repo: Repo, environment: Mapping[str, str]) -> None:
    name, introducing, _ = fleeting(repo)
    search = Told(repo.path, environment, name, read=False)
    assert not search.levels
    assert [place.commit for place in search.places[name]] == [introducing]


@pytest.mark.parametrize("error", [BrokenProcessPool("died"), MemoryError(), OSError("gone")])
def test_a_dead_worker_leaves_all_to_git(repo: Repo, environment: Mapping[str, str], error: Exception) -> None:
    name, introducing, _ = fleeting(repo)

    def each(*_: object) -> Iterable[object]:
        raise error

    source = History(open_repository(repo.path, environment))
    list(source.shards())
    assert [place.commit for place in source.sightings([name], each)[name]] == [introducing]


def test_a_blob_that_only_a_dangling_commit_holds(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "base"})
    lost = repo.commit({"secret": "token"})
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("reflog", "expire", "--expire=all", "--all")
    repo.pack()
    name = blob(repo, "token")
    search = Told(repo.path, environment, name)
    assert search.levels
    assert [place.commit for place in search.places[name]] == [lost]


def test_a_blob_that_no_tree_holds(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "base"})
    name = repo.line("hash-object", "-w", "--stdin", stdin=b"token")
    repo.pack()
    search = Told(repo.path, environment, name)
    assert search.levels == 1
    assert search.places[name] == [Sighting(Kind.BLOB, blob=name)]


def test_where_a_tree_is_missing_git_is_asked_about_all_commits(repo: Repo, environment: Mapping[str, str]) -> None:
    name, introducing, _ = fleeting(repo)
    repo.commit({"other/file": "1", "top": "1"})
    lost = repo.line("rev-parse", "HEAD:other")
    repo.commit({"top": "2"})
    repo.commit({"other/file": "2"})
    gone = repo.line("rev-parse", "HEAD^{tree}")
    left = "\n".join(sorted(set(repo.objects()) - {lost, gone}))
    packed = repo.git("pack-objects", "-q", "--stdout", stdin=f"{left}\n".encode())
    for path in (*repo.path.glob(".git/objects/??/*"), *repo.path.glob(".git/objects/pack/*")):
        path.unlink()
    repo.git("index-pack", "--stdin", stdin=packed)
    source = History(open_repository(repo.path, environment))
    list(source.shards())
    assert [place.commit for place in source.sightings([name])[name]] == [introducing]
    assert "2 commits" in [note.reason[:9] for note in source.gaps.notes]


def test_a_partial_clone_is_left_to_git(repo: Repo, environment: Mapping[str, str]) -> None:
    name, introducing, _ = fleeting(repo)
    for pack in repo.path.glob(".git/objects/pack/*.pack"):
        pack.with_suffix(".promisor").touch()
    search = Told(repo.path, environment, name)
    assert not search.levels
    assert [place.commit for place in search.places[name]] == [introducing]


def test_a_pack_that_is_gone_by_the_second_look_leaves_all_to_git(repo: Repo, environment: Mapping[str, str], tmp_path: Path) -> None:
    name, introducing, _ = fleeting(repo)
    source = History(open_repository(repo.path, environment))
    list(source.shards())
    source.store._remembered = [tmp_path / "gone.pack"]
    levels: list[object] = []
    sightings = source.sightings([name], lambda task, over: levels.append(task) or map(task, over))
    assert [place.commit for place in sightings[name]] == [introducing]
    assert not levels
