"""``patscan history --paths``: the names that files ever had."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from patscan.cli import main
from tests.repo import Repo
from tests.tokens import classic


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
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


def test_without_the_flag_names_are_not_looked_at(named: tuple[Repo, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, str(named[0].path)) == (0, {})


def test_every_name_is_found_with_its_life(named: tuple[Repo, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    repo, tokens = named
    code, found = told(capsys, "--paths", str(repo.path))
    assert (code, set(found)) == (1, set(tokens.values()))
    places = {
        name: [(each["type"], each["path"], each["column"], each["at_head"]) for each in found[tokens[name]]["occurrences"]]
        for name in tokens
    }
    assert places == {
        "file": [("path", f"{tokens['file']}.txt", 1, True)],
        "folder": [("path", f"x {tokens['folder']}/b c", 3, True)],
        "gone": [("path", f"a/{tokens['gone']}", 3, False)],
        "lost": [("path", tokens["lost"], 1, False)],
        "staged": [("index", tokens["staged"], 1, None)],
    }
    lives = {name: found[tokens[name]]["exposure"] for name in tokens}
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
    assert told(capsys, "--paths", str(repo.path)) == told(capsys, "--paths", str(repo.path))
    kept = [file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert kept
    assert not any(token.encode() in content for content in kept for token in tokens.values())


def test_a_range_looks_at_the_names_it_brought(named: tuple[Repo, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    repo, tokens = named
    code, found = told(capsys, "--paths", "--rev", "side..main", str(repo.path))
    assert (code, set(found)) == (1, {tokens["folder"]})


@pytest.mark.skipif(os.name == "nt", reason="such names can't be made there")
def test_names_of_any_bytes(repo: Repo, rng: random.Random, capsys: pytest.CaptureFixture[str]) -> None:
    token = classic(rng)
    repo.commit()
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"text").strip()
    path = b"\xff\n\t:000000 " + token.encode() + b" \x02"
    repo.git("update-index", "-z", "--index-info", stdin=b"100644 " + blob + b"\t" + path + b"\0")
    repo.git("commit", "-q", "-m", "odd")
    code, found = told(capsys, "--paths", str(repo.path))
    assert (code, set(found)) == (1, {token})
    assert found[token]["occurrences"][0]["type"] == "path"
