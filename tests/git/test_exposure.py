"""Exposure against plain git: several hundred histories, each commit's tree listed by git itself."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from patscan import scan
from patscan.cli import pools
from patscan.git import trees
from patscan.git.repository import open_repository
from patscan.model import Exposure, Rule
from patscan.run import Options
from patscan.sources import provenance
from patscan.sources.history import History
from tests.repo import Repo
from tests.tokens import classic


@pytest.fixture(autouse=True)
def git_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a repository as small as a test's git is always quicker."""
    monkeypatch.setattr(trees, "_SEARCH_COST", 0)
    monkeypatch.setattr(trees, "_REBUILD_COST", 0)
    monkeypatch.setattr(provenance, "_LASTING", 100)


PATHS = ["a", "b/c", "b/d e", "ü"]
REPOSITORIES = 320
SHARES = 8


class Random:
    """A random history, written by ``git fast-import``: merges of any number of parents, several roots, reverts, renames, skewed clocks."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self.tokens = [classic(rng) for _ in range(rng.randint(1, 3))]
        self.repo = Repo(path, "--bare")
        self._rng = rng
        stream = "".join(self._commit(mark) for mark in range(1, rng.randint(2, 9)))
        self.repo.git("fast-import", "--quiet", "--date-format=raw-permissive", stdin=stream.encode())
        commits = self.repo.line("for-each-ref", "--format=%(objectname)", "refs/all").splitlines()
        for name in ["refs/heads/main", "refs/heads/x", "refs/tags/light", "refs/remotes/origin/main", "refs/stash", "refs/notes/commits"]:
            if rng.random() < 0.6:
                self.repo.git("update-ref", name, rng.choice(commits))
        if rng.random() < 0.5:
            self.repo.git("tag", "-a", "-m", "note", "heavy", rng.choice(commits))
        for ref in self.repo.line("for-each-ref", "--format=%(refname)", "refs/all").splitlines():
            self.repo.git("update-ref", "-d", ref)
        self.repo.git("config", "remote.origin.url", "https://example.com/x.git")
        self._push(commits)
        if rng.random() < 0.5:
            self.repo.pack("-f")
        if rng.random() < 0.2:
            (self.repo.path / "shallow").write_text(f"{rng.choice(commits)}\n")

    def _push(self, commits: list[str]) -> None:
        """Sometimes: a refspec (without one it is as `git clone --bare` leaves it), a branch of the remote that was moved, a fetch."""
        rng = self._rng
        if rng.random() < 0.8:
            self.repo.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        if rng.random() < 0.3:
            for commit in rng.choices(commits, k=2):
                self.repo.git("-c", "core.logAllRefUpdates=true", "update-ref", "refs/remotes/origin/forced", commit)
        if rng.random() < 0.2:
            (self.repo.path / "FETCH_HEAD").write_text(f"{rng.choice(commits)}\t\t'main' of https://example.com/x.git\n")
        elif rng.random() < 0.2:
            (self.repo.path / "FETCH_HEAD").write_text(f"{rng.choice(commits)}\t\tbranch 'main' of .\n")

    def pushed(self) -> list[str]:
        """The commits that a remote had, as far as anything shows it."""
        shallow, fetched = (self.repo.path / name for name in ("shallow", "FETCH_HEAD"))
        starts = shallow.read_text().split() if shallow.exists() else []
        if fetched.exists() and "of ." not in fetched.read_text():
            starts.append(fetched.read_text().split()[0])
        starts += self.repo.line("for-each-ref", "--format=%(refname)", "refs/remotes").splitlines()
        if "fetch" not in self.repo.line("config", "--get-regexp", "^remote"):
            starts += [name for name in self.repo.line("for-each-ref", "--format=%(refname)").splitlines() if name != "refs/stash"]
        return [*self.forced(), *(self.repo.line("rev-list", *starts).split() if starts else [])]

    def forced(self) -> list[str]:
        """The commits that the remote's moved branch ever led to."""
        if not (self.repo.path / "logs/refs/remotes/origin/forced").exists():
            return []
        return self.repo.line("rev-list", *self.repo.line("log", "-g", "--format=%H", "refs/remotes/origin/forced").split()).split()

    def _commit(self, mark: int) -> str:
        rng = self._rng
        count = min(mark - 1, rng.choice([0, 1, 1, 1, 1, 2, 2, 3]) if mark > 1 else 0)
        parents = rng.sample(range(1, mark), count)
        when = 1_700_000_000 + rng.randint(-5000, 5000) + mark * rng.choice([0, 1000])
        lines = [
            f"commit refs/all/{mark}",
            f"mark :{mark}",
            f"author A <a@x> {when} +0100",
            f"committer C <c@x> {when + 60} -0300",
            "data 1",
            "m",
        ]
        lines += [f"{'merge' if place else 'from'} :{parent}" for place, parent in enumerate(parents)]
        for path in rng.sample(PATHS, rng.randint(0, 3)):
            content = f"{rng.choice(self.tokens)} {rng.randint(0, 1)}\n" if rng.random() < 0.5 else f"clean {rng.randint(0, 2)}\n"
            lines += [f"M 100644 inline {path}", f"data {len(content)}", content] if rng.random() < 0.8 else [f"D {path}"]
        return "\n".join(lines) + "\n\n"

    def holders(self) -> dict[str, set[str]]:
        """The tokens in the tree of each commit that refs and reflogs lead to."""
        return self._tokens(self.repo.line("rev-list", "--all", "--reflog").split())

    def sent(self) -> set[str]:
        """The tokens that a remote had."""
        return set().union(*self._tokens(self.pushed()).values())

    def _tokens(self, commits: list[str]) -> dict[str, set[str]]:
        """The tokens in each commit's tree, as git lists it."""
        contents: dict[str, str] = {}
        holds = {}
        for commit in commits:
            blobs = [line.split()[2] for line in self.repo.line("ls-tree", "-r", commit).splitlines()]
            for blob in blobs:
                contents.setdefault(blob, self.repo.git("cat-file", "blob", blob).decode())
            holds[commit] = {token for blob in blobs for token in self.tokens if token in contents[blob]}
        return holds


def check(exposure: Exposure, token: str, history: Random, holds: Mapping[str, set[str]]) -> None:
    repo = history.repo
    refs = [line.split() for line in repo.line("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)").splitlines()]
    tips = {name: peeled[-1] for name, *peeled in refs}
    reached = {name: set(repo.line("rev-list", name).split()) for name in tips}
    holders = {commit for commit in holds if token in holds[commit]}
    by_ref = set().union(*(commits for name, commits in reached.items() if name != "refs/stash"))
    assert exposure.reachable == bool(holders & by_ref)
    assert set(exposure.tips or ()) == {name for name, commit in tips.items() if commit in holders}
    assert exposure.at_head == (tips.get("refs/heads/main") in holders)
    assert exposure.pushed == (token in history.sent())
    by_stash = reached.get("refs/stash", set())
    kept = "ref" if holders & by_ref else "stash" if holders & by_stash else "reflog"
    assert exposure.kept_by == kept
    assert exposure.reflogs == (("refs/remotes/origin/forced",) if kept != "ref" and holders.intersection(history.forced()) else ())
    ends(exposure, repo, holders, {"ref": by_ref, "stash": by_stash, "reflog": set(holds)}[kept])


def ends(exposure: Exposure, repo: Repo, holders: set[str], commits: set[str]) -> None:
    """First, last and removing commits, among those that the same thing leads to."""
    listed = [line.split() for line in repo.line("rev-list", "--all", "--reflog", "--parents").splitlines()]
    parents = {commit: set(parent_ids) for commit, *parent_ids in listed if commit in commits}
    when = dict(line.split() for line in repo.line("log", "--all", "--reflog", "--format=%H %ct").splitlines())
    having = holders & commits
    introducing = [commit for commit in having if not having & parents[commit]]
    youngest = [commit for commit in having if not any(commit in parents[child] for child in having)]
    assert exposure.first_seen is not None
    assert exposure.last_seen is not None
    shallow = repo.path / "shallow"
    cut_off = {shallow.read_text().strip()} if shallow.exists() else set()
    assert exposure.at_or_before == bool(cut_off.intersection(introducing))
    assert exposure.first_seen.author == ("" if exposure.at_or_before else "A <a@x>")
    assert exposure.first_seen.id == min(introducing, key=lambda commit: (int(when[commit]), commit))
    assert exposure.last_seen.id == max(youngest, key=lambda commit: (int(when[commit]), commit))
    assert {commit.id for commit in exposure.removed or ()} == {commit for commit in commits - having if having & parents[commit]}


@pytest.mark.parametrize("share", range(SHARES))
def test_exposure_equals_gits_answers(tmp_path: Path, rules: tuple[Rule, ...], environment: Mapping[str, str], share: int) -> None:
    checked = 0
    for number in range(share, REPOSITORIES, SHARES):
        rng = random.Random(number)
        history = Random(tmp_path / str(number), rng)
        holds = history.holders()
        report = scan.scan(History(open_repository(history.repo.path, environment)), rules, pools.serial, lambda _: None, Options())
        findings = {finding.secret.reveal().decode(): finding for finding in report.findings}
        for token in history.tokens:
            if any(token in tokens for tokens in holds.values()):
                check(findings[token].exposure, token, history, holds)
                checked += 1
            elif token in findings:
                assert findings[token].exposure.kept_by in {"no ref", "nothing"}
    assert checked > 20


def test_what_keeps_a_token_that_no_branch_holds(repo: Repo, rng: random.Random, rules, environment) -> None:
    tokens = {name: classic(rng) for name in ("ref", "stash", "reflog", "no ref", "index", "nothing")}
    repo.commit({"a": tokens["ref"]})
    repo.write("a", tokens["stash"])
    repo.git("stash", "-q")
    repo.commit({"b": tokens["reflog"]})
    repo.git("reset", "-q", "--hard", "HEAD~")
    tree = repo.line(
        "mktree", stdin=f"100644 blob {repo.line('hash-object', '-w', '--stdin', stdin=tokens['no ref'].encode())}\tx\n".encode()
    )
    repo.git("commit-tree", tree, "-m", "nobody's")
    repo.write("staged", tokens["index"])
    repo.git("add", "staged")
    repo.git("hash-object", "-w", "--stdin", stdin=tokens["nothing"].encode())
    report = scan.scan(History(open_repository(repo.path, environment)), rules, pools.serial, lambda _: None, Options())
    kept = {finding.secret.reveal().decode(): finding.exposure for finding in report.findings}
    assert {name: kept[token].kept_by for name, token in tokens.items()} == {name: name for name in tokens}
    assert {name for name, token in tokens.items() if kept[token].reachable} == {"ref"}
    assert {kept[token].pushed for token in tokens.values()} == {False}
    assert {name: kept[tokens[name]].reflogs for name in ("stash", "reflog")} == {
        "stash": ("stash@{0}",),
        "reflog": ("HEAD", "refs/heads/main"),
    }


def test_a_message_lives_where_its_commit_does(repo: Repo, rng: random.Random, rules, environment) -> None:
    in_message, tagged = classic(rng), classic(rng)
    commit = repo.commit({"a": "1"}, f"oops {in_message}")
    repo.git("tag", "-a", "v1", "-m", tagged)
    repo.git("update-ref", "refs/remotes/origin/main", commit)
    repo.git("config", "remote.origin.url", "https://example.com/x.git")
    report = scan.scan(History(open_repository(repo.path, environment)), rules, pools.serial, lambda _: None, Options())
    exposures = {finding.secret.reveal().decode(): finding.exposure for finding in report.findings}
    assert (exposures[in_message].reachable, exposures[in_message].pushed, exposures[in_message].at_head) == (True, True, False)
    assert exposures[in_message].first_seen is not None
    assert exposures[in_message].first_seen.id == commit
    assert (exposures[tagged].tips, exposures[tagged].reachable, exposures[tagged].pushed) == (("refs/tags/v1",), True, False)
