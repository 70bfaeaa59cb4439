"""``patscan plan``: what it writes, what it refuses, and that its scripts work as they stand."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tokens
from tests.archives.packing import zipped
from tests.cli.test_verify import PAT, edited, patscan, saved
from tests.gitlab.loopback import GitLab
from tests.plan.running import command, planned
from tests.repo import Repo


@pytest.fixture
def value(rng: random.Random) -> str:
    return tokens.classic(rng)


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@pytest.fixture
def leaky(repo: Repo, value: str) -> Repo:
    repo.commit({"old.env": f"OLD={value}\n"})
    (repo.path / "old.env").unlink()
    repo.commit({"a.env": f"TOKEN={value}\n", ".gitlab-ci.yml": f"variables:\n  DEPLOY_TOKEN: '{value}'\n"})
    repo.commit({"b.txt": base64.b64encode(f"x TOKEN={value}\n".encode())}, f"with {value}")
    return repo


def texts(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_only_one_file_holds_tokens_and_all_are_the_owners_alone(leaky: Repo, value: str, tmp_path: Path) -> None:
    done = planned(leaky.path, tmp_path)
    assert done.returncode == 0, done.stderr
    files = texts(tmp_path / "out")
    assert sorted(files) == [
        ".gitignore",
        "blobs.txt",
        "callbacks.py",
        "commit-maps.txt",
        "plan.md",
        "remove.sh",
        "replacements.txt",
        "verify.sh",
    ]
    assert [name for name, text in files.items() if value in text or value[6:] in text] == ["replacements.txt"]
    assert value not in done.stdout + done.stderr
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert "contains 1 token" in done.stdout
    assert patscan("plan", tmp_path / "report.json", "--out", leaky.path / "leak").returncode == 0
    assert not leaky.git("status", "--porcelain")


def test_it_says_what_to_do_in_order(leaky: Repo, value: str, rng: random.Random, tmp_path: Path) -> None:
    other = tokens.classic(rng, "glft-")
    leaky.commit({"feed": f"{other}\n"})
    planned(leaky.path, tmp_path)
    plan = (tmp_path / "out" / "plan.md").read_text()
    assert plan.startswith("# 2 leaked tokens: ")
    first, second = plan.split("\n## ")[1:3]
    assert first.startswith("1. `glpat-…(26) #")
    assert second.startswith("2. `glft-…(25) #")
    headings = ["**Revoke**", "**Look at what was done with it**", "**Give its users a new one**"]
    assert sorted(headings, key=first.index) == headings
    report = json.loads((tmp_path / "report.json").read_text())
    (finding,) = [one for one in report["findings"] if one["token"].startswith("glpat")]
    since = finding["exposure"]["first_seen"]["date"]
    assert "`old.env` line 1, called `OLD` (no longer at HEAD)" in first
    for words in (
        f"patscan revoke {tmp_path / 'report.json'} --fingerprint {finding['fingerprint']}",
        f"--fingerprint {finding['fingerprint']} --token-file FILE",
        f"from `{since}`",
        f"created_after={since[:10]}",
        "`.gitlab-ci.yml` line 2, CI variable `DEPLOY_TOKEN`",
        "`a.env` line 1, called `TOKEN`",
    ):
        assert words in first
    later = ["## Prevent", "## Remove them from history", "### On the server", "## Prove it, and delete this folder"]
    assert sorted(later, key=plan.index) == later
    assert f"Then delete `{tmp_path / 'out'}`" in plan


def test_what_lives_comes_first(repo: Repo, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    values = [tokens.classic(rng) for _ in range(6)]
    for number, one in enumerate(values):
        gitlab.add(PAT, one, revoked=number != 3)
    repo.commit({f"{number}.env": one for number, one in enumerate(values)})
    done = patscan("history", repo.path, "--verify", "--gitlab-url", gitlab.url, "--format", "json")
    (tmp_path / "r.json").write_text(done.stdout)
    done = patscan("plan", tmp_path / "r.json", "--out", tmp_path / "out")
    plan = (tmp_path / "out" / "plan.md").read_text()
    (live,) = [
        one["fingerprint"] for one in json.loads((tmp_path / "r.json").read_text())["findings"] if one["verdict"]["state"] == "active"
    ]
    first, second, *_ = plan.split("\n## ")[1:]
    assert f"#{live[:8]}" in first.splitlines()[0]
    assert "LIVE" in first
    assert "Scope api:" in first
    assert f"--gitlab-url {gitlab.url}" in first
    assert "Done: inactive" in second
    assert "patscan rotate" not in second


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda finding: finding.update(fingerprint="0" * 32), "the token isn't there any more"),
        (lambda finding: [one.update(address=None) for one in finding["occurrences"]], "older patscan"),
        (lambda finding: [one["address"].update(name="0" * 40) for one in finding["occurrences"]], "isn't in"),
        (
            lambda finding: [one["address"].update(layers=[{"name": "rot13", "parameter": 0}]) for one in finding["occurrences"]],
            "isn't there any more",
        ),
    ],
    ids=["fingerprint", "no addresses", "objects", "layers"],
)
def test_a_report_that_was_edited_makes_no_plan(change: Callable[[Any], object], words: str, leaky: Repo, tmp_path: Path) -> None:
    report = edited(saved(tmp_path / "r.json", "history", leaky.path), lambda document: change(document["findings"][0]))
    done = patscan("plan", report, "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_token_that_cant_be_read_is_named_and_the_others_are_planned(leaky: Repo, value: str, rng: random.Random, tmp_path: Path) -> None:
    leaky.commit({"c": f"{tokens.classic(rng)}\n"})
    report = edited(
        saved(tmp_path / "r.json", "history", leaky.path), lambda document: document["findings"][0].update(fingerprint="0" * 32)
    )
    done = patscan("plan", report, "--out", tmp_path / "out")
    assert done.returncode == 3
    assert re.search(r"#00000000: in [0-9a-f]{12}: the token isn't there any more", done.stderr)
    plan = (tmp_path / "out" / "plan.md").read_text()
    assert "couldn't be read again" in plan
    assert "contains 1 token" in done.stdout
    assert b"REMOVED-00000000" not in (tmp_path / "out" / "replacements.txt").read_bytes()


def test_a_report_of_another_repository_makes_no_plan(leaky: Repo, tmp_path: Path) -> None:
    report = saved(tmp_path / "r.json", "history", leaky.path)
    Repo(tmp_path / "other").commit({"a": "x"})
    for place, words in ((tmp_path / "other", "isn't in"), (tmp_path / "absent", "no such folder")):
        done = patscan("plan", report, "--out", tmp_path / "out", "--repository", place)
        assert done.returncode != 0
        assert words in done.stderr
        assert not (tmp_path / "out").exists()
    leaky.path.rename(tmp_path / "moved")
    done = patscan("plan", report, "--out", tmp_path / "out")
    assert (done.returncode, "--repository PATH" in done.stderr) == (2, True)
    assert patscan("plan", report, "--out", tmp_path / "out", "--repository", tmp_path / "moved").returncode == 0


def test_out_has_to_be_a_new_folder(leaky: Repo, tmp_path: Path) -> None:
    report = saved(tmp_path / "r.json", "history", leaky.path)
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    for name, words in (("file", "not a folder"), ("full", "not empty"), ("link", "a link"), ("file/below", "can't be")):
        before = sorted(tmp_path.rglob("*"))
        done = patscan("plan", report, "--out", tmp_path / name)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert sorted(tmp_path.rglob("*")) == before
    assert patscan("plan", report, "--out", tmp_path / "empty").returncode == 0
    assert patscan("plan", report).returncode == 2


@pytest.mark.skipif(os.name == "nt" or not Path("/dev/full").exists(), reason="needs a folder that takes no file")
def test_a_folder_that_takes_no_file_is_a_sentence(leaky: Repo, tmp_path: Path) -> None:
    report = saved(tmp_path / "r.json", "history", leaky.path)
    done = patscan("plan", report, "--out", "/proc/patscan")
    assert (done.returncode, "can't be written" in done.stderr) == (2, True)
    done = command("sh", "-c", f"ulimit -f 2; PYTHONDONTWRITEBYTECODE=1 exec patscan plan {report} --out {tmp_path / 'out'}", cwd=tmp_path)
    assert (done.returncode, "file too large. Nothing was written." in done.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


def state(repo: Repo) -> tuple[bytes, bytes, list[str]]:
    files = [str(file) for file in repo.path.rglob("*") if ".git" not in file.parts]
    return repo.git("for-each-ref"), repo.git("status", "--porcelain"), sorted(files)


@pytest.mark.parametrize("staged", [True, False])
def test_a_dirty_working_tree_loses_nothing(staged: bool, leaky: Repo, tmp_path: Path) -> None:
    assert planned(leaky.path, tmp_path).returncode == 0
    leaky.write("a.env", "new work")
    if staged:
        leaky.git("add", "a.env")
    before = state(leaky)
    done = command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "commit or stash your changes first\n")
    assert state(leaky) == before
    done = patscan("plan", tmp_path / "report.json", "--out", tmp_path / "again")
    assert (done.returncode, "Commit or stash them" in done.stderr) == (2, True)
    assert not (tmp_path / "again").exists()
    leaky.git("stash")
    assert patscan("plan", tmp_path / "report.json", "--out", tmp_path / "again").returncode == 0


def test_without_filter_repo_nothing_is_done(leaky: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned(leaky.path, tmp_path).returncode == 0
    assert "pipx install git-filter-repo" in (tmp_path / "out" / "plan.md").read_text()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git-filter-repo").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "git-filter-repo").chmod(0o755)
    before = state(leaky)
    done = command("env", f"PATH={tmp_path / 'bin'}:{os.environ['PATH']}", "sh", tmp_path / "out" / "remove.sh", cwd=tmp_path)
    assert done.returncode == 1
    assert "git filter-repo is missing. Get it with: pipx install git-filter-repo" in done.stderr
    assert state(leaky) == before


def test_what_cant_be_rewritten_is_a_sentence(leaky: Repo, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    leaky.git("clone", "-q", "--depth", "1", f"file://{leaky.path}", str(shallow))
    linked = tmp_path / "linked"
    leaky.git("worktree", "add", "-q", str(linked))
    for place, words in ((shallow, "shallow or partial"), (linked, "linked working tree")):
        report = saved(tmp_path / "r.json", "history", place)
        done = patscan("plan", report, "--out", tmp_path / "out")
        assert (done.returncode, words in done.stderr) == (2, True)
        assert not (tmp_path / "out").exists()


def test_a_report_without_findings_needs_no_plan(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "x"})
    (tmp_path / "r.json").write_text(patscan("history", repo.path, "--format", "json").stdout)
    done = patscan("plan", tmp_path / "r.json", "--out", tmp_path / "out")
    assert (done.returncode, "nothing to plan" in done.stderr, (tmp_path / "out").exists()) == (0, True, False)


def test_an_edited_report_removes_no_other_blob(repo: Repo, value: str, tmp_path: Path) -> None:
    repo.commit({"a.zip": zipped(value.encode()), "b.zip": zipped(b"dear"), "c.txt": "dear", "d": value})
    wanted = repo.line("rev-parse", "HEAD:a.zip")

    def lie(document: dict[str, Any]) -> None:
        (place,) = [one for one in document["findings"][0]["occurrences"] if one["path"] == "a.zip"]
        for path in ("b.zip", "c.txt"):
            blob = repo.line("rev-parse", f"HEAD:{path}")
            document["findings"][0]["occurrences"].append({**place, "blob": blob, "address": {**place["address"], "name": blob}})

    report = edited(saved(tmp_path / "r.json", "history", repo.path), lie)
    done = patscan("plan", report, "--out", tmp_path / "out")
    assert (done.returncode, "no member with the name" in done.stderr) == (3, True), done.stderr
    assert (tmp_path / "out" / "blobs.txt").read_text() == f"{wanted}\n"


def test_what_a_rewrite_passes_over_is_named(leaky: Repo, value: str, tmp_path: Path) -> None:
    blob = leaky.line("hash-object", "-w", "--stdin", stdin=f"{value}\n\n".encode())
    leaky.git("tag", "of-a-blob", blob)
    leaky.git("tag", "-a", "-m", "inner", "inner")
    leaky.git("-c", "advice.nestedTag=false", "tag", "-a", "-m", "outer", "outer", "inner")
    leaky.pack()
    (pack,) = (leaky.path / ".git/objects/pack").glob("*.pack")
    pack.with_suffix(".keep").touch()
    (leaky.path / ".git/objects/info/alternates").write_text(f"{tmp_path}\n")
    planned(leaky.path, tmp_path)
    plan = re.sub(r"&#(95|45);", "_", (tmp_path / "out" / "plan.md").read_text())
    for words in ("refs/tags/of-a-blob points to no commit", ".keep protects a pack", "lends objects to this repository"):
        assert words in plan
    assert "outer leads" not in plan


def test_a_token_in_an_archive_alone_is_removed_with_it(repo: Repo, value: str, tmp_path: Path) -> None:
    repo.commit({"a.zip": zipped(zipped(value.encode()), "inner.zip"), "b": "kept"})
    assert planned(repo.path, tmp_path).returncode == 0
    assert command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path).returncode == 0
    assert repo.line("ls-tree", "--name-only", "HEAD") == "b"


def test_what_only_this_clone_holds_needs_no_rewrite(repo: Repo, value: str, rng: random.Random, tmp_path: Path) -> None:
    repo.commit({"a": "x"})
    for content in ("kept", tokens.classic(rng), "kept, too", tokens.classic(rng)):
        repo.write("a", content)
        repo.git("stash", "-q")
    repo.write("a", "kept, the newest")
    repo.git("stash", "-q")
    repo.commit({"a": tokens.classic(rng)})
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.write("staged", value)
    repo.git("add", "staged")
    done = planned(repo.path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(texts(tmp_path / "out")) == [".gitignore", "plan.md", "remove.sh", "replacements.txt", "verify.sh"]
    plan = (tmp_path / "out" / "plan.md").read_text()
    assert "History needn't be rewritten" in plan
    assert "remove a staged token from its file" in plan
    repo.git("rm", "-q", "-f", "staged")
    repo.write("a", "kept, newer than the plan")
    repo.git("stash", "-q")
    kept = [repo.line("rev-parse", name) for name in ("HEAD", "stash@{0}", "stash@{1}", "stash@{3}", "stash@{5}")]
    done = command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [repo.line("rev-parse", name) for name in ("HEAD", "stash@{0}", "stash@{1}", "stash@{2}", "stash@{3}")] == kept
    assert command("patscan", "history", repo.path, "--no-cache", cwd=tmp_path).returncode == 0


def test_unpushed_commits_may_be_amended(leaky: Repo, tmp_path: Path) -> None:
    planned(leaky.path, tmp_path)
    assert "`git rebase -i --root`" in (tmp_path / "out" / "plan.md").read_text()
    leaky.git("update-ref", "refs/remotes/origin/main", "HEAD")
    (tmp_path / "again").mkdir()
    planned(leaky.path, tmp_path / "again")
    assert "git rebase" not in (tmp_path / "again" / "out" / "plan.md").read_text()


def test_a_report_of_files_has_no_history_to_rewrite(value: str, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"TOKEN={value}\n")
    report = saved(tmp_path / "r.json", "scan", "a.env", cwd=tmp_path)
    done = patscan("plan", report, "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The report is of files" in (tmp_path / "out" / "plan.md").read_text()
    assert not (tmp_path / "out" / "remove.sh").exists()
    assert "files: tokens are left" in command("sh", "out/verify.sh", cwd=tmp_path).stdout
    (tmp_path / "a.env").write_text("x")
    done = command("sh", "out/verify.sh", cwd=tmp_path)
    assert (done.returncode, done.stdout.startswith("files: clean\n")) == (3, True)


def test_submodules_are_rewritten_first_and_still_referred_to(value: str, rng: random.Random, tmp_path: Path) -> None:
    inner, repo = Repo(tmp_path / "inner"), Repo(tmp_path / "repo")
    inner.commit({"a.env": f"TOKEN={value}\n"})
    inner.commit({"a.env": "x"}, f"not {tokens.classic(rng)}")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "sub")
    repo.commit({"b": tokens.classic(rng)})
    done = planned(repo.path, tmp_path)
    assert done.returncode == 0, done.stderr
    done = command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    left = command("patscan", "history", repo.path, "--submodules", "--no-cache", cwd=tmp_path)
    assert left.returncode == 0, left.stdout
    assert not repo.line("status", "--porcelain")
    assert repo.line("rev-parse", "HEAD:sub") == repo.line("-C", "sub", "rev-parse", "HEAD")


@pytest.mark.parametrize("path", ["../other", "linked", "absent", "sub"])
def test_no_submodule_leads_elsewhere(path: str, leaky: Repo, value: str, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    other.commit({"a.env": f"TOKEN={value}\n"})
    leaky.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "sub")
    leaky.commit()
    report = saved(tmp_path / "r.json", "history", leaky.path)
    shutil.rmtree(leaky.path / "sub")
    for link in ("linked", "sub"):
        (leaky.path / link).symlink_to(other.path)

    def lie(document: dict[str, Any]) -> None:
        place = document["findings"][0]["occurrences"][0]
        document["findings"][0]["occurrences"].append({**place, "submodule": path, "address": {**place["address"], "repository": path}})

    done = patscan("plan", edited(report, lie), "--out", tmp_path / "out")
    assert (done.returncode, f"{path}: the submodule isn't checked out here" in done.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_mirror_is_rewritten_with_the_refs_of_its_server(leaky: Repo, value: str, tmp_path: Path) -> None:
    leaky.git("update-ref", "refs/merge-requests/1/head", "HEAD")
    command("patscan", "history", f"file://{leaky.path}", "--keep", "m.git", "--report", "json=r.json", "--quiet", cwd=tmp_path)
    done = patscan("plan", "r.json", "--repository", "m.git", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = (tmp_path / "out" / "plan.md").read_text()
    assert f"git push --force file://{leaky.path} " in plan
    done = command("sh", "out/remove.sh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert command("patscan", "history", "m.git", "--no-cache", cwd=tmp_path).returncode == 0
    (push,) = re.findall(r"^git push .*$", plan, re.MULTILINE)
    leaky.git("checkout", "-q", "--detach")
    assert command("sh", "-c", push, cwd=tmp_path / "m.git").returncode == 0
    assert value not in leaky.git("log", "-p", "main").decode()


def test_each_remote_gets_its_push(leaky: Repo, tmp_path: Path) -> None:
    leaky.git("remote", "add", "origin", "https://git.example/x")
    leaky.git("remote", "add", "mirror", "git@two.example:x")
    planned(leaky.path, tmp_path)
    plan = (tmp_path / "out" / "plan.md").read_text()
    refs = "'refs/heads/*:refs/heads/*' 'refs/tags/*:refs/tags/*'"
    assert re.findall(r"^git push .*$", plan, re.MULTILINE) == [
        f"git push --force {url} {refs}" for url in ("https://git.example/x", "git@two.example:x")
    ]


def test_verify_proves_the_end(leaky: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    known = gitlab.add(PAT, value)
    planned(leaky.path, tmp_path)

    def proof(*flags: object) -> tuple[int, str]:
        done = command("sh", tmp_path / "out" / "verify.sh", *flags, cwd=tmp_path)
        return done.returncode, done.stdout

    url = ("--gitlab-url", gitlab.url)
    (fingerprint,) = [one["fingerprint"] for one in json.loads((tmp_path / "report.json").read_text())["findings"]]
    code, output = proof(*url)
    assert (code, f"{fingerprint}: alive" in output, f"{fingerprint}: still there" in output) == (1, True, True)
    leaky.commit({"a.env": "x", ".patscan.toml": 'ignore-paths = ["*"]\n'})
    code, output = proof(*url)
    assert (code, "still there" in output) == (1, True)
    assert command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path).returncode == 0
    assert proof(*url) == (1, f"history: clean\n{fingerprint}: alive\n")
    assert proof() == (3, f"history: clean\n{fingerprint}: not known to be dead\n")
    known.revoked = True
    assert proof(*url) == (0, f"history: clean\n{fingerprint}: dead\n")
    for name in ("left.json", "asked.jsonl"):
        assert value not in (tmp_path / "out" / name).read_text()


def test_a_token_that_is_gone_is_dead_only_if_it_was_known(leaky: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    gitlab.add(PAT, value)
    url = ("--gitlab-url", gitlab.url)
    assert planned(leaky.path, tmp_path).returncode == 0
    done = patscan("verify", tmp_path / "report.json", *url, "--format", "json")
    (tmp_path / "verified.json").write_text(done.stdout)
    assert patscan("plan", tmp_path / "verified.json", "--out", tmp_path / "known").returncode == 0
    assert command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path).returncode == 0
    gitlab.tokens.clear()
    for folder, code, words in (("out", 3, "which proves nothing"), ("known", 0, "no longer knows it")):
        done = command("sh", tmp_path / folder / "verify.sh", *url, cwd=tmp_path)
        assert (done.returncode, words in done.stdout) == (code, True)


@pytest.mark.parametrize("prefix", ["glft-", "feed_token="])
def test_what_cant_be_asked_about_isnt_called_dead(prefix: str, repo: Repo, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    repo.commit({"a": f"https://gitlab.example.com/a.atom?feed_token={tokens.classic(rng, 'glft-' if prefix == 'glft-' else '')}\n"})
    assert planned(repo.path, tmp_path).returncode == 0
    assert command("sh", tmp_path / "out" / "remove.sh", cwd=tmp_path).returncode == 0
    done = command("sh", tmp_path / "out" / "verify.sh", "--gitlab-url", gitlab.url, cwd=tmp_path)
    assert (done.returncode, "not known to be dead" in done.stdout) == (3, True)


def test_a_path_that_holds_a_token_makes_no_plan(leaky: Repo, value: str, tmp_path: Path) -> None:
    report = saved(tmp_path / "r.json", "history", leaky.path)
    done = patscan("plan", report, "--out", tmp_path / value)
    assert (done.returncode, value in done.stderr) == (2, False)
    assert not (tmp_path / value).exists()
