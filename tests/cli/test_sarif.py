"""SARIF logs of real files and real repositories: places, and the line hashes that GitHub would make of the same files."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from patscan.detect.linehash import LARGEST
from tests.cli.test_main import patscan
from tests.detect.test_linehash import ported
from tests.formats.sarif_checks import check
from tests.repo import Repo
from tests.tokens import classic, routable

Log = dict[str, dict[str, Any]]


def results_of(*args: str | Path, cwd: Path) -> Log:
    """The results by their URI."""
    log = json.loads(patscan(*args, "--format", "sarif", "--quiet", cwd=cwd).stdout)
    check(log)
    return {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: one for one in log["runs"][0]["results"]}


def line_hash(result: Any) -> str | None:
    reported: str | None = result["partialFingerprints"].get("primaryLocationLineHash")
    return reported


def hash_of(result: Any, content: bytes) -> str:
    return ported(content)[result["locations"][0]["physicalLocation"]["region"]["startLine"]]


@pytest.fixture
def contents(rng: random.Random) -> dict[str, bytes]:
    return {
        "plain.txt": f"one\ntoken = {classic(rng)}\n".encode(),
        "crlf é.txt": f"one\r\n\r\ttoken = {routable(rng)}\r\nlast".encode(),
        "cr.txt": f"one\rtwo\nx = {classic(rng)}".encode(),
        "astral.txt": f"😀😀\n😀 = {classic(rng)} 😀".encode(),
        "bytes.txt": b"\xff\xfe\xc3 \n" + classic(rng).encode(),
        "wide.txt": f"one\ntwo {classic(rng)}\n".encode("utf-16"),
        "twice.txt": f"{classic(rng)}{' x' * 99}\n".encode() * 2,
        "long.txt": b"a line\n" * 160_000 + classic(rng).encode(),
    }


def test_files_have_the_line_hashes_that_github_makes_of_them_wherever_they_are_met(repo: Repo, contents: dict[str, bytes]) -> None:
    repo.commit({**contents})
    scanned, remembered = results_of("scan", ".", cwd=repo.path), results_of("history", ".", "--no-cache", cwd=repo.path)
    assert {unquote(uri) for uri in scanned} == set(contents) == {unquote(uri) for uri in remembered}
    for uri, result in scanned.items():
        assert line_hash(result) == hash_of(result, contents[unquote(uri)]), uri
        assert remembered[uri]["partialFingerprints"] == result["partialFingerprints"]


def test_no_line_hash_of_what_is_too_large_or_opens_as_something_else(repo: Repo, rng: random.Random) -> None:
    repo.commit({"large.txt": b"a" * LARGEST + b"\n" + classic(rng).encode()})
    (repo.path / "link").symlink_to(classic(rng))
    repo.commit()
    for results in (results_of("scan", ".", cwd=repo.path), results_of("history", ".", "--no-cache", cwd=repo.path)):
        assert {uri: line_hash(result) for uri, result in results.items()} == {"large.txt": None, "link": None}


def test_messages_and_refs_have_places_too(repo: Repo, rng: random.Random) -> None:
    commit = repo.commit({"a.txt": "a"}, f"about {classic(rng)}")
    branch = classic(rng)
    repo.git("branch", branch)
    message, ref = sorted(results_of("history", ".", "--no-cache", cwd=repo.path))
    assert message == f".git/commit-message/{commit}"
    assert unquote(ref) == ".git/ref-name/refs/heads/glpat-…(26)"


def test_a_token_that_left_its_file_is_told_where_it_was_and_one_that_moved_where_it_is(repo: Repo, rng: random.Random) -> None:
    gone, moved = classic(rng), classic(rng)
    before = f"\n{gone}\n".encode()
    repo.commit({"gone.txt": before, "old.txt": moved})
    blob = repo.line("rev-parse", "HEAD:gone.txt")
    (repo.path / "old.txt").rename(repo.path / "new.txt")
    repo.commit({"gone.txt": "clean"})
    results = results_of("history", ".", "--no-cache", cwd=repo.path)
    assert {uri: result["message"]["id"] for uri, result in results.items()} == {
        (left := f".git/blob/{blob}/gone.txt"): "history",
        "new.txt": "tip",
    }
    assert ", 'in history only'. " in results[left]["message"]["text"]
    assert line_hash(results[left]) == f"{results[left]['partialFingerprints']['patscan/v1'][:16]}:1"
    (related,) = results["new.txt"]["relatedLocations"]
    assert related["physicalLocation"] == {"artifactLocation": {"uri": "old.txt", "uriBaseId": "SRCROOT"}}
