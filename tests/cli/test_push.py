"""Every way of pushing: the objects that the remote lacks, of every ref, and whether the remote has a token already."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tokens
from tests.cli.hooked import PATSCAN, Hooks, Outcome, git, hooked, hooks, kind, patscan, run
from tests.repo import Repo

__all__ = ["hooked", "hooks", "kind"]

Way = Callable[[Repo, str], tuple[Outcome, str]]
CLEAN = "nothing"


@pytest.fixture
def remote(hooked: Repo) -> Repo:
    """A repository with hooks, a remote that has its first commit, and one more remote under no name."""
    hooked.commit({"a.txt": "one\n"})
    for name in ("origin.git", "unnamed.git"):
        hooked.git("clone", "-q", "--bare", ".", f"../{name}")
    hooked.git("remote", "add", "origin", "../origin.git")
    hooked.git("fetch", "-q", "origin")
    return hooked


def branch(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": f"one\n{word}\n"})
    return git(repo, "push", "origin", "main"), "a.txt:2:1"


def new_branch(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"b.txt": f"{word}\n"})
    return git(repo, "push", "-u", "origin", "topic"), "b.txt:1:1"


def added_and_removed(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": f"{word}\n"})
    repo.commit({"b.txt": "gone\n"})
    return git(repo, "push", "origin", "main"), "b.txt:1:1"


def second_of_all(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.git("checkout", "-q", "-b", "b1")
    repo.commit({"b.txt": "fine\n"})
    repo.git("checkout", "-q", "-b", "b2", "main")
    repo.commit({"c.txt": f"{word}\n"})
    repo.git("checkout", "-q", "main")
    outcome = git(repo, "push", "--all", "origin")
    assert word == CLEAN or "on branch b2" in outcome.text
    return outcome, "c.txt:1:1"


def root(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit({"b.txt": f"{word}\n"})
    return git(repo, "push", "origin", "other"), "b.txt:1:1"


def forced(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"a.txt": "two\n"})
    repo.git("push", "-q", "--no-verify", "origin", "main")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.commit({"a.txt": f"three\n{word}\n"})
    return git(repo, "push", "--force", "origin", "main"), "a.txt:2:1"


def tag(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": f"{word}\n"})
    repo.git("tag", "v1")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    return git(repo, "push", "origin", "v1"), "b.txt:1:1"


def tag_message(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": "fine\n"})
    repo.git("tag", "-a", "-m", f"see {word}", "v1")
    return git(repo, "push", "origin", "v1"), "message:6:5"


def second_tag(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": "fine\n"})
    repo.git("tag", "a1")
    repo.git("tag", "-a", "-m", f"see {word}", "b2")
    return git(repo, "push", "--tags", "origin"), "message:6:5"


def commit_message(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": "fine\n"}, f"see {word}")
    return git(repo, "push", "origin", "main"), "message:6:5"


def merge(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"b.txt": f"{word}\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"a.txt": "two\n"})
    repo.git("merge", "-q", "--no-verify", "--no-edit", "topic")
    return git(repo, "push", "origin", "main"), "b.txt:1:1"


def revision(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": f"{word}\n"})
    repo.commit({"b.txt": "gone\n"})
    return git(repo, "push", "origin", "HEAD~1:refs/heads/other"), "b.txt:1:1"


def to_a_url(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": f"{word}\n"})
    return git(repo, "push", "../unnamed.git", "main"), "b.txt:1:1"


def new_branch_to_a_url(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": f"{word}\n"})
    return git(repo, "push", "../unnamed.git", "main:other"), "b.txt:1:1"


def deletion_beside(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.git("push", "-q", "--no-verify", "origin", "main:old")
    repo.commit({"b.txt": f"{word}\n"})
    return git(repo, "push", "origin", ":old", "main"), "b.txt:1:1"


def ref_name(repo: Repo, word: str) -> tuple[Outcome, str]:
    repo.commit({"b.txt": "fine\n"})
    return git(repo, "push", "origin", f"main:refs/heads/{word}"), "refs/heads/"


WAYS: list[Way] = [
    *(branch, new_branch, added_and_removed, second_of_all, root, forced, tag, tag_message, second_tag, commit_message, merge, revision),
    *(to_a_url, new_branch_to_a_url, deletion_beside, ref_name),
]


UNDO = {
    **dict.fromkeys((way.__name__ for way in WAYS), "git commit --amend"),
    "second_of_all": "^ b2",
    "tag": "git tag -d v1",
    "tag_message": "git tag -d v1",
    "second_tag": "git tag -d b2",
    "added_and_removed": "git rebase -i ",
    "revision": "git rebase -i ",
    "merge": "^",
    "ref_name": "git branch -m OLD NEW",
}
"""Part of the command that takes the token out again."""


@pytest.mark.parametrize("way", WAYS)
def test_without_a_token_every_way_passes(remote: Repo, way: Way, kind: str) -> None:
    outcome, _ = way(remote, CLEAN)
    assert outcome.code == 0, outcome.text
    assert "Passed" in outcome.text if kind == "framework" else "no token in" in outcome.text


@pytest.mark.parametrize("way", WAYS)
def test_with_a_token_every_way_is_blocked_and_the_place_is_named(remote: Repo, rng: random.Random, way: Way) -> None:
    token = tokens.routable(rng)
    outcome, place = way(remote, token)
    assert outcome.code, outcome.text
    assert place in outcome.text
    assert "push blocked" in outcome.text
    assert "no trace of a push in this clone; if it was pushed by URL or the folder was copied, revoke it" in outcome.text
    assert UNDO[way.__name__] in outcome.text
    assert token[8:16] not in outcome.text
    assert len(outcome.text[: outcome.text.index("push blocked")].splitlines()) <= 16


def test_what_the_remote_has_already_is_to_be_revoked(remote: Repo, rng: random.Random) -> None:
    old, new = tokens.routable(rng), tokens.routable(rng)
    remote.commit({"a.txt": f"{old}\n"})
    remote.git("push", "-q", "--no-verify", "origin", "main")
    remote.commit({"elsewhere.txt": f"copied\n{old}\n"})
    outcome = git(remote, "push", "origin", "main")
    assert outcome.code
    assert "elsewhere.txt:2:1" in outcome.text
    assert "already on origin/main: revoke it: https://docs.gitlab.com/" in outcome.text
    assert "no trace of a push" not in outcome.text
    remote.commit({"b.txt": f"{new}\n"})
    outcome = git(remote, "push", "origin", "main")
    [there] = [line for line in outcome.text.splitlines() if line.startswith("elsewhere.txt:2:1")]
    [new_one] = [line for line in outcome.text.splitlines() if line.startswith("b.txt:1:1")]
    assert there.endswith("; already on origin/main")
    assert new_one.endswith("; not known on origin: git commit --amend")
    assert "1 to remove: no trace of a push in this clone" in outcome.text


def test_a_remote_whose_name_begins_with_anothers_knows_nothing_of_it(remote: Repo, rng: random.Random) -> None:
    remote.git("config", "remote.origin/x.url", "../unnamed.git")
    remote.git("config", "remote.origin/x.fetch", "+refs/heads/*:refs/remotes/origin/x/*")
    remote.commit({"b.txt": f"{tokens.routable(rng)}\n"})
    remote.git("push", "-q", "--no-verify", "origin/x", "main")
    assert remote.line("rev-parse", "refs/remotes/origin/x/main") == remote.line("rev-parse", "main")
    outcome = git(remote, "push", "origin", "main")
    assert outcome.code
    assert "b.txt:1:1" in outcome.text
    assert "already on origin/x/main" in outcome.text


def test_deleting_and_pushing_nothing_pass(remote: Repo, rng: random.Random) -> None:
    remote.git("push", "-q", "--no-verify", "origin", "main:old")
    assert git(remote, "push", "origin", ":old").code == 0
    assert git(remote, "push", "origin", "main").code == 0


def test_what_the_remote_is_not_sent_does_not_block_gits_own_hook(repo: Repo, hooks: Hooks, rng: random.Random) -> None:
    hooks.into(repo, "git")
    repo.commit({"a.txt": "one\n"})
    repo.git("init", "-q", "--bare", "../origin.git")
    repo.git("remote", "add", "origin", "../origin.git")
    repo.git("checkout", "-q", "-b", "private")
    repo.commit({"b.txt": f"{tokens.routable(rng)}\n"})
    assert git(repo, "push", "origin", "main").code == 0
    assert git(repo, "push", "origin", "private").code


def test_by_hand_everything_is_looked_at_that_the_remote_lacks(remote: Repo, rng: random.Random) -> None:
    assert patscan(remote.path, "push").code == 0
    remote.git("checkout", "-q", "-b", "topic")
    remote.commit({"b.txt": f"{tokens.routable(rng)}\n"})
    remote.git("checkout", "-q", "main")
    for arguments in ([], ["origin"]):
        outcome = patscan(remote.path, "push", *arguments)
        assert outcome.code == 1
        assert "b.txt:1:1" in outcome.text


ZEROS, GONE = b"0" * 40, b"0123456789" * 4


@pytest.mark.parametrize(
    "line", [b"refs/heads/gone " + GONE + b" refs/heads/gone " + ZEROS, b"what is this?", b"\xff\0", b"a b c d", b"refs/heads/main " + GONE]
)
def test_what_git_would_not_say_is_a_sentence(remote: Repo, line: bytes) -> None:
    outcome = patscan(remote.path, "push", "origin", "../origin.git", stdin=line + b"\n")
    assert outcome.code in {2, 3}
    assert "patscan: " in outcome.text


def test_a_ref_of_the_remote_that_is_not_known_here(remote: Repo) -> None:
    head = remote.commit({"b.txt": "fine\n"}).encode()
    line = b"refs/heads/main " + head + b" refs/heads/main " + GONE + b"\n"
    assert patscan(remote.path, "push", "origin", "../origin.git", stdin=line).code == 0


def test_a_remote_that_can_not_be_reached_is_not_asked(remote: Repo, rng: random.Random) -> None:
    remote.git("remote", "add", "gone", "https://gone.invalid/a.git")
    for text, code in (("fine", 0), (tokens.routable(rng), 1)):
        head = remote.commit({"b.txt": text}).encode()
        line = b"refs/heads/main " + head + b" refs/heads/main " + ZEROS + b"\n"
        assert patscan(remote.path, "push", "gone", "https://gone.invalid/a.git", stdin=line).code == code


def test_outside_of_a_repository(tmp_path: Path) -> None:
    assert patscan(tmp_path, "push", "origin", "url", stdin=b"").code == 3


@pytest.mark.parametrize("name", ["o*", "o[x]", "team/one"])
def test_a_remote_whose_name_is_a_pattern(remote: Repo, rng: random.Random, name: str) -> None:
    """What it has, by its own refs here, isn't sent; what another remote has, is."""
    head = remote.commit({"b.txt": tokens.routable(rng)})
    line = f"refs/heads/main {head} refs/heads/main ".encode() + ZEROS + b"\n"
    tracked = remote.path / ".git" / "refs" / "remotes"
    (tracked / "oxx").mkdir()
    (tracked / "oxx" / "main").write_text(f"{head}\n")
    assert patscan(remote.path, "push", name, "../origin.git", stdin=line).code == 1
    if name == "team/one":  # git takes no pattern for a ref's name
        (tracked / name / "deep").mkdir(parents=True)
        (tracked / name / "deep" / "main").write_text(f"{head}\n")
        assert patscan(remote.path, "push", name, "../origin.git", stdin=line).code == 0


def test_without_standard_input(remote: Repo, rng: random.Random) -> None:
    remote.commit({"b.txt": tokens.routable(rng)})
    outcome = run(remote.path, "sh", "-c", 'exec "$@" <&-', "sh", *PATSCAN, "push", "origin", "../origin.git")
    assert outcome.code == 1


def test_a_url_that_holds_a_password_shows_none(remote: Repo, rng: random.Random) -> None:
    head = remote.commit({"b.txt": tokens.routable(rng)}).encode()
    url = "https://user:s3cret@gitlab.invalid/a.git"
    outcome = patscan(remote.path, "push", url, url, stdin=b"refs/heads/main " + head + b" refs/heads/main " + ZEROS + b"\n")
    assert outcome.code == 1
    assert "s3cret" not in outcome.text


def test_a_shallow_clone_pushes_what_it_has(remote: Repo, hooks: Hooks, kind: str, rng: random.Random) -> None:
    for number in range(3):
        remote.commit({"a.txt": f"{number}\n"})
    remote.git("push", "-q", "--no-verify", "origin", "main")
    remote.git("clone", "-q", "--depth=1", f"file://{remote.path.parent}/origin.git", "../shallow")
    shallow = hooks.into(Repo(remote.path.parent / "shallow"), kind)
    shallow.commit({"b.txt": "fine\n"})
    assert git(shallow, "push", "origin", "main").code == 0
    shallow.commit({"b.txt": tokens.routable(rng)})
    outcome = git(shallow, "push", "origin", "main")
    assert outcome.code
    assert "nothing to revoke" not in outcome.text  # older commits aren't here, and may have been pushed with it
