"""Names are content: those there are, those that a commit or a push brings, and with ``--paths`` those that files ever had."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from patscan.cli import main
from patscan.git import tips
from tests.cli.test_main import patscan
from tests.repo import Repo
from tests.tokens import classic


def findings_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["history", "--jobs", "1", "--show-secrets", "--quiet", "--format", "json", *arguments])
    return code, {one["token"]: one for one in json.loads(capsys.readouterr().out)["findings"]}


@pytest.fixture
def named(repo: Repo, rng: random.Random) -> tuple[Repo, dict[str, str]]:
    """Tokens in the name of a file at HEAD, of a folder, of a file that went, of one on a lost commit, of one only staged."""
    tokens = {name: classic(rng) for name in ("file", "folder", "gone", "lost", "staged")}
    repo.commit({f"{tokens['file']}.txt": "text", f"a/{tokens['gone']}": "text"})
    repo.git("branch", "side")
    (repo.path / "a" / tokens["gone"]).unlink()
    repo.commit({f"x {tokens['folder']}/b c": "text"}, "second")
    repo.commit({tokens["lost"]: "text"})
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("reflog", "expire", "--expire=all", "--all")
    repo.write(tokens["staged"], "text")
    repo.git("add", "--all")
    return repo, tokens


def test_without_the_flag_the_names_at_the_tips_of_all_refs(named: tuple[Repo, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    repo, tokens = named
    (repo.path / tokens["staged"]).unlink()
    code, findings = findings_of(capsys, str(repo.path))
    assert (code, set(findings)) == (1, {tokens[name] for name in ("file", "folder", "gone")})
    places = [(each["type"], each["path"], each["column"]) for each in findings[tokens["folder"]]["occurrences"]]
    assert places == [("path", f"x {tokens['folder']}/b c", 3)]
    assert findings[tokens["gone"]]["exposure"]["tips"] == ["refs/heads/side"]
    repo.git("branch", "-D", "side")
    assert tokens["gone"] not in findings_of(capsys, str(repo.path))[1]


def test_a_note_says_that_past_names_were_not_looked_at(named: tuple[Repo, dict[str, str]]) -> None:
    for flags, noted in (((), True), (("--paths",), False)):
        text = patscan("history", named[0].path, *flags).stdout
        assert ("To look at them, add --paths" in text) is noted


def test_names_on_detached_heads_tags_of_trees_stashes_and_in_odd_places(
    repo: Repo, rng: random.Random, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = {name: classic(rng) for name in ("tag", "tree", "stash", "head", "deep")}
    repo.commit({"a": "1"})
    repo.commit({f"d/40000 {tokens['tag']}": "2", f"{'x/' * 40}{tokens['deep']}": "3"})
    repo.git("tag", "-m", "m", "t")
    repo.git("tag", "-m", "m", "t2", "t")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.write(tokens["stash"], "4")
    repo.git("add", "--all")
    repo.git("stash")
    repo.write(tokens["tree"], "5")
    repo.git("add", "--all")
    repo.git("tag", "bare-tree", repo.line("write-tree"))
    repo.git("tag", "a-blob", repo.line("rev-parse", "HEAD:a"))
    repo.git("reset", "-q", "--hard")
    repo.git("checkout", "-q", "--detach")
    repo.commit({tokens["head"]: "6"})
    code, findings = findings_of(capsys, str(repo.path))
    assert (code, set(findings)) == (1, set(tokens.values()))


def test_a_tree_that_holds_billions_of_files_is_no_end(repo: Repo, rng: random.Random, capsys: pytest.CaptureFixture[str]) -> None:
    token = classic(rng)
    repo.commit({"a": "1"})
    tree = repo.line("rev-parse", "HEAD^{tree}")
    for _ in range(12):
        listed = (
            "".join(f"040000 tree {tree}\tf{number}\n" for number in range(10))
            + f"100644 blob {repo.line('rev-parse', 'HEAD:a')}\t{token}\n"
        )
        tree = repo.line("mktree", stdin=listed.encode())
    repo.git("tag", "bomb", tree)
    code, findings = findings_of(capsys, str(repo.path))
    assert (code, set(findings)) == (1, {token})


def test_a_tree_that_is_missing_is_no_silence(repo: Repo) -> None:
    repo.commit({"a/b": "1"})
    tree = repo.line("rev-parse", "HEAD:a")
    (repo.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    done = patscan("history", repo.path)
    assert (done.returncode, "1 tree at the tips of refs can't be read" in " ".join(done.stdout.split())) == (3, True)


def test_more_tips_than_are_looked_at_are_noted(
    repo: Repo, rng: random.Random, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tips, "_MOST", 2)
    token = classic(rng)
    for name in ("pull/1/head", "pull/2/head"):
        repo.git("update-ref", f"refs/{name}", repo.commit({name: name}))
    repo.commit({token: "x"})
    repo.git("branch", "side", "HEAD~1")
    main(["history", str(repo.path)])
    text = " ".join(capsys.readouterr().out.split())
    assert "at 1 further tip weren't looked at" in text
    assert "1 token found" in text


def names_of(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str, int]]:
    findings = json.loads(done.stdout)["findings"]
    return sorted((each["type"], each["path"], each["column"]) for one in findings for each in one["occurrences"])


def test_scan_looks_at_names(repo: Repo, rng: random.Random) -> None:
    tokens = [classic(rng) for _ in range(4)]
    repo.commit({f"a/{tokens[0]}.txt": "text", f"{tokens[1]}/b": ""})
    repo.write(tokens[2], "untracked")
    (repo.path / f"link {tokens[3]}").symlink_to("nowhere")
    done = patscan("scan", ".", "--format", "json", "--show-secrets", cwd=repo.path)
    expected = [("path", f"a/{tokens[0]}.txt", 3), ("path", f"{tokens[1]}/b", 1), ("path", tokens[2], 1), ("path", f"link {tokens[3]}", 6)]
    assert (done.returncode, names_of(done)) == (1, sorted(expected))
    assert patscan("scan", f"a/{tokens[0]}.txt", cwd=repo.path).returncode == 1
    for shown in (patscan("scan", ".", cwd=repo.path), patscan("scan", ".", "--format", "sarif", cwd=repo.path)):
        assert not any(token in shown.stdout + shown.stderr for token in tokens)


def test_a_file_whose_own_name_begins_like_a_key_is_read(tmp_path: Path, rng: random.Random) -> None:
    (tmp_path / "path:a").write_text(classic(rng))
    (tmp_path / "a").write_text("")
    assert patscan("scan", ".", cwd=tmp_path).returncode == 1


def test_hook_looks_at_the_names_that_a_commit_brings(repo: Repo, rng: random.Random) -> None:
    old, new, moved = (classic(rng) for _ in range(3))
    repo.commit({f"a/{old}": "1\n", "b": f"{moved}\n"})
    repo.write(f"a/{old}", "2\n")
    repo.git("add", "--all")
    assert patscan("hook", cwd=repo.path).returncode == 0
    repo.write(f"d/{new}", "text")
    # The content stood in the file before; the name is new.
    repo.git("mv", "b", f"{moved}.txt")
    repo.git("add", "--all")
    for folder in (repo.path, repo.path / "d"):
        done = patscan("hook", "--format", "json", "--show-secrets", cwd=folder)
        assert (done.returncode, names_of(done)) == (1, sorted([("path", f"d/{new}", 3), ("path", f"{moved}.txt", 1)]))
    text = patscan("hook", cwd=repo.path).stdout
    assert "commit blocked" in text
    assert "file name" in text
    assert new not in text


def test_hook_looks_at_the_names_of_files_that_it_is_told(repo: Repo, rng: random.Random) -> None:
    token = classic(rng)
    repo.commit({f"d/{token}": "1"})
    for folder, name in ((repo.path, f"d/{token}"), (repo.path / "d", token)):
        done = patscan("hook", "--format", "json", "--show-secrets", name, cwd=folder)
        assert (done.returncode, names_of(done)) == (1, [("path", f"d/{token}", 3)])


def test_push_looks_at_the_names_that_it_brings(repo: Repo, rng: random.Random) -> None:
    old, gone, new = (classic(rng) for _ in range(3))
    repo.commit({old: "1"})
    repo.git("clone", "-q", "--bare", ".", "../remote")
    repo.git("remote", "add", "origin", "../remote")
    repo.git("fetch", "-q", "origin")
    repo.commit({f"a/{gone}": "2"})
    (repo.path / "a" / gone).unlink()
    repo.commit({f"b {new}/c": "3"})
    done = patscan("push", "origin", "--format", "json", "--show-secrets", cwd=repo.path)
    assert (done.returncode, {(kind, path) for kind, path, _ in names_of(done)}) == (1, {("path", f"a/{gone}"), ("path", f"b {new}/c")})


def test_every_name_is_found_with_its_life(named: tuple[Repo, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    repo, tokens = named
    code, findings = findings_of(capsys, "--paths", str(repo.path))
    assert (code, set(findings)) == (1, set(tokens.values()))
    places = {
        name: [(each["type"], each["path"], each["column"], each["at_head"]) for each in findings[tokens[name]]["occurrences"]]
        for name in tokens
    }
    assert places == {
        "file": [("path", f"{tokens['file']}.txt", 1, True)],
        "folder": [("path", f"x {tokens['folder']}/b c", 3, True)],
        "gone": [("path", f"a/{tokens['gone']}", 3, False)],
        "lost": [("path", tokens["lost"], 1, False)],
        "staged": [("index", tokens["staged"], 1, None)],
    }
    lives = {name: findings[tokens[name]]["exposure"] for name in tokens}
    assert {name: (life["at_head"], life["kept_by"], life["tips"]) for name, life in lives.items()} == {
        "file": (True, "ref", ["refs/heads/main", "refs/heads/side"]),
        "folder": (True, "ref", ["refs/heads/main"]),
        "gone": (False, "ref", ["refs/heads/side"]),
        "lost": (False, "no ref", []),
        "staged": (False, "index", []),
    }
    assert [each["commit"] for each in lives["gone"]["removed"]] == [repo.line("rev-parse", "HEAD")]
    assert lives["folder"]["first_seen"]["commit"] == repo.line("rev-parse", "HEAD")


def test_a_second_audit_says_the_same_and_remembers_no_name(
    named: tuple[Repo, dict[str, str]], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repo, tokens = named
    assert findings_of(capsys, "--paths", str(repo.path)) == findings_of(capsys, "--paths", str(repo.path))
    kept = [file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert kept
    assert not any(token.encode() in content for content in kept for token in tokens.values())


def test_a_range_looks_at_the_names_it_brought(named: tuple[Repo, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    repo, tokens = named
    code, findings = findings_of(capsys, "--rev", "side..main", str(repo.path))
    assert (code, set(findings)) == (1, {tokens["folder"]})


@pytest.mark.skipif(os.name == "nt", reason="such names can't be made there")
def test_names_of_any_bytes(repo: Repo, rng: random.Random, capsys: pytest.CaptureFixture[str]) -> None:
    token = classic(rng)
    repo.commit()
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"text").strip()
    path = b"\xff\n\t:000000 " + token.encode() + b" \x02"
    repo.git("update-index", "-z", "--index-info", stdin=b"100644 " + blob + b"\t" + path + b"\0")
    repo.git("commit", "-q", "-m", "odd")
    code, findings = findings_of(capsys, "--paths", str(repo.path))
    assert (code, set(findings)) == (1, {token})
    assert findings[token]["occurrences"][0]["type"] == "path"
