"""An object that is gone or broken is never "No token found.", whatever the size of the repository."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cli.hooked import patscan
from tests.repo import Repo
from tests.tokens import classic

_MANY = 60_500


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """More objects than git is asked about one by one, none of them in the working tree."""
    repo = Repo(tmp_path_factory.mktemp("large"), "--bare")
    blobs = "".join(f"blob\nmark :{number}\ndata <<E\n{number}\nE\n" for number in range(1, _MANY))
    files = "".join(f"M 100644 :{number} {number % 100}/{number}\n" for number in range(1, _MANY))
    commit = "commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\nx\n"
    repo.git("fast-import", "--quiet", stdin=f"{blobs}{commit}{files}\n{commit}D 8/8\n\n".encode())
    return repo


def lose(repo: Repo, blob: str) -> None:
    """Pack everything but one object."""
    listed = repo.line("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    old = list((repo.path / "objects" / "pack").iterdir())
    repo.git("pack-objects", "-q", "objects/pack/pack", stdin="".join(f"{name}\n" for name in listed if name != blob).encode())
    for file in old:
        file.unlink()


def test_a_large_repository(large: Repo) -> None:
    done = patscan(large.path, "history")
    assert done.code == 0, done.text
    assert "missing" not in done.text
    past, present = large.line("rev-parse", "main~1:8/8"), large.line("rev-parse", "main:7/7")
    lose(large, past)
    done = patscan(large.path, "history")
    assert done.code == 3, done.text
    assert "1 object is missing that others refer to" in done.text
    assert patscan(large.path, "history").text == done.text, "the same, from what the first scan remembered"
    lose(large, present)
    done = patscan(large.path, "history", "--no-cache")
    assert done.code == 3, done.text
    assert "2 objects are missing that others refer to" in done.text


def test_a_staged_blob(repo: Repo) -> None:
    repo.commit({"a": "x\n"})
    repo.write("b", "staged\n")
    repo.git("add", "b")
    blob = repo.line("rev-parse", ":b")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    done = patscan(repo.path, "history")
    assert done.code == 3, done.text


def spoil(file: Path) -> None:
    file.chmod(0o644)
    with file.open("r+b") as stream:
        stream.seek(12 if file.suffix == ".pack" else 0)
        stream.write(b"\x55" * 100)


def test_a_tip_that_broke_since_the_last_scan(repo: Repo, rng: random.Random) -> None:
    repo.commit({"a": classic(rng)})
    tip = repo.commit({"b": "x\n"})
    assert patscan(repo.path, "history").code == 1
    spoil(repo.path / ".git" / "objects" / tip[:2] / tip[2:])
    done = patscan(repo.path, "history")
    assert done.code == 1, done.text
    assert "INCOMPLETE" in done.text


def broken_pack(repo: Repo) -> None:
    repo.pack()
    spoil(next((repo.path / ".git" / "objects" / "pack").glob("*.pack")))


def broken_ref(repo: Repo) -> None:
    (repo.path / ".git" / "refs" / "heads" / "other").write_text("no id\n")


def broken_commit(repo: Repo) -> None:
    tip = repo.line("rev-parse", "HEAD")
    spoil(repo.path / ".git" / "objects" / tip[:2] / tip[2:])


@pytest.mark.parametrize("breaks", [broken_pack, broken_ref, broken_commit])
def test_a_push_from_a_broken_repository_is_incomplete(repo: Repo, breaks) -> None:
    repo.commit({"a": "x\n"})
    breaks(repo)
    done = patscan(repo.path, "push")
    assert done.code == 3, done.text


def test_a_revision_that_nobody_knows_is_a_mistake_of_the_user(repo: Repo) -> None:
    repo.commit({"a": "x\n"})
    assert patscan(repo.path, "history", "--rev", "nosuch").code == 2
