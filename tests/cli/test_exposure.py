"""What a command says of where a token lives: whether a remote had it, who brought it, and advice that does what it says."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from tests import tokens
from tests.cli.hooked import patscan
from tests.repo import Repo

FORMATS = ("text", "json", "jsonl", "csv", "sarif", "gitlab", "codequality", "github", "junit", "markdown", "brief")
INNOCENT = {"GIT_AUTHOR_NAME": "Innocent", "GIT_COMMITTER_NAME": "Innocent"}


@pytest.fixture
def token(rng: random.Random) -> str:
    return tokens.routable(rng)


@pytest.fixture
def pushable(repo: Repo) -> Repo:
    """One commit, and two remotes that have it."""
    repo.commit({"a": "one\n"})
    for name in ("A", "B"):
        repo.git("clone", "-q", "--bare", ".", f"../{name}.git")
        repo.git("remote", "add", name, f"../{name}.git")
        repo.git("fetch", "-q", name)
    return repo


def the_finding(repo: Repo, **environment: str) -> dict[str, Any]:
    """The one finding of a history."""
    outcome = patscan(repo.path, "history", ".", "--format", "json", "--quiet", **environment)
    [finding] = json.loads(outcome.text)["findings"]
    return dict(finding)


def cloned(repo: Repo, name: str, *options: str) -> Repo:
    repo.git("clone", "-q", *options, repo.path.as_uri(), f"../{name}")
    return Repo(repo.path.parent / name)


class TestPushed:
    def test_nothing_shows_a_push(self, pushable: Repo, token: str) -> None:
        pushable.commit({"k": token})
        assert the_finding(pushable)["exposure"]["pushed"] is False
        text = " ".join(patscan(pushable.path, "history", ".").text.split())
        assert "no trace of a push in this clone; if it was pushed by URL or the folder was copied, revoke it" in text
        assert "nothing to revoke" not in text

    def test_to_another_remote(self, pushable: Repo, token: str) -> None:
        pushable.git("checkout", "-q", "-b", "t")
        head = pushable.commit({"k": token})
        pushable.git("push", "-q", "A", "t")
        line = f"refs/heads/t {head} refs/heads/t {'0' * 40}\n".encode()
        outcome = patscan(pushable.path, "push", "B", "../B.git", stdin=line)
        assert outcome.code == 1
        assert "already on A/t: revoke it" in outcome.text
        assert "no trace" not in outcome.text

    def test_forced_away(self, pushable: Repo, token: str) -> None:
        pushable.commit({"k": token})
        pushable.git("push", "-q", "A", "main")
        pushable.git("reset", "-q", "--hard", "HEAD~1")
        pushable.git("push", "-q", "--force", "A", "main")
        assert the_finding(pushable)["exposure"]["pushed"] is True

    def test_the_branch_was_deleted_there(self, pushable: Repo, token: str) -> None:
        """git deletes the reflog with the ref; what the branch here follows still tells that there was one."""
        pushable.git("checkout", "-q", "-b", "t")
        pushable.commit({"k": token})
        pushable.git("push", "-q", "-u", "A", "t")
        pushable.git("push", "-q", "--delete", "A", "t")
        assert the_finding(pushable)["exposure"]["pushed"] is None
        assert "perhaps pushed" in patscan(pushable.path, "history", ".").text.replace("\n           ", " ")

    @pytest.mark.parametrize("options", [(), ("--single-branch",), ("--bare",), ("--mirror",), ("--depth=1",)])
    def test_what_was_cloned(self, repo: Repo, token: str, options: tuple[str, ...]) -> None:
        repo.commit({"k": token})
        repo.git("clone", "-q", *options, repo.path.as_uri(), "../clone")
        outcome = patscan(repo.path, "history", "../clone", "--format", "json", "--quiet")
        [finding] = json.loads(outcome.text)["findings"]
        assert finding["exposure"]["pushed"] is True

    def test_a_cloned_tag_and_one_that_was_made_here(self, repo: Repo, token: str, rng: random.Random) -> None:
        repo.commit({"a": "1"})
        repo.commit({"k": token})
        repo.git("tag", "theirs")
        repo.git("reset", "-q", "--hard", "HEAD~1")
        clone = cloned(repo, "clone")
        own = tokens.routable(rng)
        clone.commit({"k": own})
        clone.git("tag", "ours")
        clone.git("reset", "-q", "--hard", "HEAD~1")
        findings = json.loads(patscan(clone.path, "history", ".", "--format", "json", "--quiet").text)["findings"]
        assert {tuple(one["exposure"]["tips"]): one["exposure"]["pushed"] for one in findings} == {
            ("refs/tags/theirs",): True,
            ("refs/tags/ours",): False,
        }

    def test_a_ci_checkout(self, repo: Repo, token: str, tmp_path: Path) -> None:
        repo.commit({"k": token})
        repo.commit({"a": "1"})
        checkout = Repo(tmp_path / "checkout")
        checkout.git("fetch", "-q", "--depth", "20", repo.path.as_uri(), "+HEAD:refs/pipelines/9")
        checkout.git("checkout", "-q", "--detach", "refs/pipelines/9")
        assert the_finding(checkout)["exposure"]["pushed"] is True

    @pytest.mark.parametrize("name", ["CI_COMMIT_SHA", "GITHUB_SHA"])
    def test_the_commit_of_a_job(self, repo: Repo, token: str, name: str) -> None:
        head = repo.commit({"k": token})
        assert the_finding(repo)["exposure"]["pushed"] is False
        assert the_finding(repo, **{name: head})["exposure"]["pushed"] is True

    def test_fetched_by_url_and_copied_here(self, repo: Repo, token: str, tmp_path: Path) -> None:
        repo.commit({"k": token})
        other = Repo(tmp_path / "other")
        other.commit({"k": token})
        other.git("fetch", "-q", repo.path.as_uri(), "main")
        assert the_finding(other)["exposure"]["pushed"] is True
        other.git("fetch", "-q", ".", "main")
        assert the_finding(other)["exposure"]["pushed"] is False


class TestWho:
    def nobody(self, repo: Repo, first: str) -> None:
        finding = the_finding(repo)
        exposure = finding["exposure"]
        assert exposure["at_or_before"] is True
        assert (exposure["first_seen"]["commit"], exposure["first_seen"]["author"], exposure["first_seen"]["committer"]) == (
            first,
            None,
            None,
        )
        assert {place["author"] for place in finding["occurrences"] if place["commit"] == first} == {None}
        for name in FORMATS:
            outcome = patscan(repo.path, "history", ".", "--format", name)
            assert outcome.code == 1
            assert "Innocent" not in outcome.text, name
        assert " or before in " in patscan(repo.path, "history", ".").text

    def test_at_the_edge_of_a_shallow_clone(self, repo: Repo, token: str) -> None:
        repo.commit({"k": token})
        repo.git("-c", "user.name=Innocent", "commit", "-q", "--allow-empty", "-m", "x", **INNOCENT)
        edge = repo.line("rev-parse", "HEAD")
        shallow = cloned(repo, "shallow", "--depth=1")
        self.nobody(shallow, edge)
        shallow.commit({"b": "later"})
        self.nobody(shallow, edge)

    def test_at_a_graft(self, repo: Repo, token: str) -> None:
        repo.commit({"k": token})
        repo.git("commit", "-q", "--allow-empty", "-m", "x", **INNOCENT)
        edge = repo.line("rev-parse", "HEAD")
        repo.commit({"b": "later"})
        (repo.path / ".git/info/grafts").write_text(f"{edge}\n")
        finding = the_finding(repo)
        assert finding["exposure"]["at_or_before"] is True
        assert finding["exposure"]["first_seen"] == finding["exposure"]["first_seen"] | {"commit": edge, "author": None}

    def test_where_a_parent_can_not_be_read(self, repo: Repo, token: str) -> None:
        lost = repo.commit({"k": token})
        repo.git("commit", "-q", "--allow-empty", "-m", "x", **INNOCENT)
        edge = repo.line("rev-parse", "HEAD")
        repo.commit({"b": "later"})
        (repo.path / ".git/objects" / lost[:2] / lost[2:]).unlink()
        self.nobody(repo, edge)

    def test_who_did_it_is_named(self, repo: Repo, token: str) -> None:
        repo.commit({"a": "1"})
        shallow = cloned(repo, "shallow", "--depth=1")
        first = shallow.commit({"k": token})
        exposure = the_finding(shallow)["exposure"]
        assert (exposure["at_or_before"], exposure["first_seen"]["commit"]) == (False, first)
        assert exposure["first_seen"]["author"] == "Ada <ada@example.com>"

    def test_it_is_remembered(self, repo: Repo, token: str) -> None:
        repo.commit({"k": token})
        shallow = cloned(repo, "shallow", "--depth=1")
        assert the_finding(shallow) == the_finding(shallow)


def staged(repo: Repo, token: str) -> None:
    repo.write("k", token)
    repo.git("add", "k")
    repo.commit({"k": "clean"})


def staged_now(repo: Repo, token: str) -> None:
    repo.write("k", token)
    repo.git("add", "k")


def amended(repo: Repo, token: str) -> None:
    repo.commit({"k": token})
    repo.write("k", "clean")
    repo.git("commit", "-q", "-a", "--amend", "-m", "clean")


def reset(repo: Repo, token: str) -> None:
    repo.git("checkout", "-q", "-b", "a;$b")
    repo.commit({"k": token})
    repo.commit({"k": "clean"})
    repo.git("reset", "-q", "--hard", "HEAD~2")


def stash(repo: Repo, token: str) -> None:
    repo.write("a", token)
    repo.git("stash", "-q")
    repo.write("a", "later")
    repo.git("stash", "-q")


def dangling(repo: Repo, token: str) -> None:
    blob = repo.line("hash-object", "-w", "--stdin", stdin=token.encode())
    tree = repo.line("mktree", stdin=f"100644 blob {blob}\tk\n".encode())
    repo.git("commit-tree", tree, "-m", "dangling")


class TestAdvice:
    @pytest.mark.parametrize(
        ("way", "words"),
        [
            (staged, "Never committed; only in this clone's unreferenced objects: `git prune` removes it; revoke it if this folder"),
            (amended, "`git reflog expire --expire-unreachable=now HEAD refs/heads/main`, then `git prune`"),
            (reset, "`git reflog expire --expire-unreachable=now HEAD 'refs/heads/a;$b'`, then `git prune`"),
            (stash, "`git stash drop stash@{1}`, then `git prune`"),
            (dangling, "no ref reaches it any more: `git prune`"),
        ],
    )
    def test_following_it_removes_the_token_and_nothing_of_the_stash(self, repo: Repo, token: str, way: Any, words: str) -> None:
        repo.commit({"a": "one"})
        for text in ("first", "second"):
            repo.write("a", text)
            repo.git("stash", "-q")
        way(repo, token)
        kept = [line for line in repo.line("stash", "list", "--format=%H").split() if token not in repo.line("show", f"{line}:a")]
        advice = " ".join(patscan(repo.path, "history", ".").text.split())
        assert words in advice
        assert "Every other unreachable object goes, too" in advice
        assert "Revoke it now" not in advice
        for command in re.findall(r"`(git (?:reflog|prune|stash)[^`]*)`", advice):
            self.run(repo, command)
        outcome = patscan(repo.path, "history", ".", "--no-cache")
        assert outcome.code == 0, outcome.text
        assert repo.line("stash", "list", "--format=%H").split() == kept
        assert len(kept) == (3 if way is stash else 2)
        assert [repo.line("show", f"{commit}:a") for commit in kept[-2:]] == ["second", "first"]

    def run(self, repo: Repo, command: str) -> None:
        """As a shell runs it."""
        import shlex

        git, *arguments = shlex.split(command)
        assert git == "git"
        repo.git(*arguments)

    def test_what_is_staged_now(self, repo: Repo, token: str) -> None:
        repo.commit({"a": "one"})
        staged_now(repo, token)
        text = " ".join(patscan(repo.path, "history", ".").text.split())
        assert "Staged, never committed: take it out of the file and `git add` that; then `git prune` removes it" in text
        repo.write("k", "clean")
        repo.git("add", "k")
        repo.git("prune")
        assert patscan(repo.path, "history", ".").code == 0

    def test_what_was_pushed_is_to_be_revoked(self, pushable: Repo, token: str) -> None:
        pushable.commit({"k": token})
        pushable.git("push", "-q", "A", "main")
        pushable.write("k", "clean")
        pushable.git("commit", "-q", "-a", "--amend", "-m", "clean")
        pushable.git("push", "-q", "--force", "A", "main")
        text = patscan(pushable.path, "history", ".").text
        assert "Revoke it now" in text
        assert "git prune" not in text

    def test_never_committed_comes_last(self, repo: Repo, rng: random.Random) -> None:
        loose, weak = tokens.routable(rng), tokens.classic(rng)
        staged(repo, loose)
        repo.commit({"z": f"{weak}\n"})
        findings = json.loads(patscan(repo.path, "history", ".", "--format", "json", "--quiet").text)["findings"]
        assert [one["exposure"]["kept_by"] for one in findings] == ["ref", "nothing"]
        assert findings[1]["confidence"] == "certain"

    def test_a_token_that_a_comment_accepts_is_accepted_where_it_was_staged_without(self, repo: Repo, token: str) -> None:
        repo.write("k", f"{token}\n")
        repo.git("add", "k")
        repo.commit({"k": f"{token} # patscan:ignore gitlab-pat-routable-versioned -- a fixture\n"})
        outcome = patscan(repo.path, "history", ".", "--format", "json", "--quiet")
        assert (outcome.code, json.loads(outcome.text)["findings"]) == (0, [])
        assert [one["reason"] for one in json.loads(outcome.text)["ignored"]] == ["inline comment"]
