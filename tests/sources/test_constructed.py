"""One repository with a token in every place a history can hide one: each is found whole, loose and packed."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from patscan import scan
from patscan.cli import pools
from patscan.git.repository import open_repository
from patscan.model import Finding, Report, Rule
from patscan.run import Options
from patscan.sources.history import History
from tests.repo import Repo
from tests.tokens import classic, routable

PLACES = {
    "root commit": "blob",
    "normal commit": "blob",
    "removed later": "blob",
    "merge resolution": "blob",
    "stash": "blob",
    "amended away": "blob",
    "dangling": "blob",
    "staged": "index",
    "staged once": "blob",
    "note": "note",
    "tag message": "tag-message",
    "commit message": "commit-message",
    "author": "author",
    "committer": "author",
    "ref name": "ref-name",
    "nul byte": "blob",
    "utf-16": "blob",
    "utf-16 without mark": "blob",
    "utf-32": "blob",
    "-diff": "blob",
    "renamed": "blob",
    "symlink": "symlink",
    "odd path": "blob",
    "base64": "blob",
    "base64 second": "blob",
    "base64 third": "blob",
    "hex": "blob",
    "percent": "blob",
    "both": "blob",
}


def build(repo: Repo, token: Mapping[str, str]) -> None:
    """Every place of `PLACES`, by real git."""
    repo.commit({"root.txt": token["root commit"]}, "root")
    wide = {name: f"t = {token[name]}\n" for name in ("utf-16", "utf-16 without mark", "utf-32")}
    repo.commit(
        {
            "a.env": f"é\n  KEY={token['normal commit']}\n",
            "gone.env": token["removed later"],
            "bin.dat": b"\x89PNG\0\0" + token["nul byte"].encode() + b"\0\xff",
            "w16.txt": wide["utf-16"].encode("utf-16"),
            "w16be.txt": wide["utf-16 without mark"].encode("utf-16-be"),
            "w32.txt": wide["utf-32"].encode("utf-32"),
            ".gitattributes": "*.hidden -diff\n",
            "x.hidden": token["-diff"],
            "old-name": f"{token['renamed']}\n" + "same\n" * 50,
            "b0": base64.b64encode(f"{token['base64']}\n".encode()),
            "b1": base64.b64encode(f"\n{token['base64 second']}\n".encode()),
            "b2": base64.b64encode(f"\n\n{token['base64 third']}\n".encode()),
            "hex": token["hex"].encode().hex(),
            "percent": "t=" + token["percent"].replace("-", "%2D"),
        },
        f"message with {token['commit message']}",
    )
    repo.write(b"dir \xff\n\x1b[31m/f", token["odd path"])
    os.symlink(f"/x/{token['symlink']}", repo.path / "link")
    repo.git("mv", "old-name", "new-name")
    repo.commit({"gone.env": "nothing\n"}, "rename")
    repo.commit({"first": f"{token['both']}"}, "both")
    merge(repo, token["merge resolution"])
    repo.git("commit", "--allow-empty", "-qm", "by", GIT_AUTHOR_NAME=f"A {token['author']}", GIT_COMMITTER_NAME="C")
    repo.git("commit", "--allow-empty", "-qm", "by", GIT_COMMITTER_NAME=f"C {token['committer']}")
    repo.git("tag", "-a", "v1", "-m", f"notes\n\n{token['tag message']}")
    repo.git("notes", "add", "-m", f"see {token['note']}", "HEAD")
    repo.git("branch", f"fix/{token['ref name']}")
    repo.commit({"amended": token["amended away"]}, "to amend")
    repo.commit({"amended": "clean\n"}, "amended", "--amend")
    repo.write("a.env", f"stashed {token['stash']}\n")
    repo.git("stash", "-q")
    dangle(repo, token["dangling"])
    repo.git("hash-object", "-w", "--stdin", stdin=token["staged once"].encode())
    repo.write("staged.env", token["staged"])
    repo.git("add", "staged.env")


def merge(repo: Repo, token: str) -> None:
    """A token that only the resolution of a conflict brought."""
    base = repo.commit({"conflict": "base\n"}, "base")
    repo.commit({"conflict": "ours\n"}, "ours")
    repo.git("switch", "-qc", "side", base)
    repo.commit({"conflict": "theirs\n"}, "theirs")
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "-s", "ours", "--no-commit", "side")
    repo.commit({"conflict": f"resolved {token}\n"}, "merge")


def dangle(repo: Repo, token: str) -> None:
    """A commit that neither a ref nor a reflog leads to."""
    blob = repo.line("hash-object", "-w", "--stdin", stdin=token.encode())
    tree = repo.line("mktree", stdin=f"100644 blob {blob}\tdangling.env\n".encode())
    repo.git("commit-tree", tree, "-m", "nobody's")


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    rng = random.Random("constructed")
    return {place: routable(rng) if place == "both" else classic(rng) for place in PLACES}


def look(path: Path, rules: tuple[Rule, ...], environment: Mapping[str, str], jobs: int = 1) -> Report:
    pool = partial(pools.processes, jobs=jobs) if jobs > 1 else pools.serial
    return scan.scan(History(open_repository(path, environment)), rules, pool, lambda _: None, Options())


def by_token(report: Report) -> dict[str, Finding]:
    return {finding.secret.reveal().decode(): finding for finding in report.findings}


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
@pytest.mark.parametrize("hashing", ["sha1", "sha256"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_every_place_is_found(tmp_path: Path, tokens, rules, environment, packed: bool, hashing: str, jobs: int) -> None:
    repo = Repo(tmp_path / "repo", f"--object-format={hashing}")
    build(repo, tokens)
    if packed:
        repo.pack()
    report = look(repo.path, rules, environment, jobs)
    findings = by_token(report)
    assert {place for place, token in tokens.items() if token not in findings} == set()
    assert set(findings) == set(tokens.values())
    assert report.coverage.complete
    kinds = {place: {occurrence.sighting.kind for occurrence in findings[token].occurrences} for place, token in tokens.items()}
    assert kinds == {place: {kind} for place, kind in PLACES.items()}


def test_every_place_says_who_when_and_where(tmp_path: Path, tokens, rules, environment) -> None:
    repo = Repo(tmp_path / "repo")
    build(repo, tokens)
    findings = by_token(look(repo.path, rules, environment))
    normal = findings[tokens["normal commit"]]
    (place,) = normal.occurrences
    assert (place.position, place.sighting.path) == ((2, 7, 2, 33), "a.env")
    blob = repo.git("cat-file", "blob", place.sighting.blob or "")
    assert blob[place.start : place.end].decode() == tokens["normal commit"]
    first = repo.line("log", "--format=%H", "--diff-filter=A", "--", "a.env")
    assert normal.exposure.first_seen is not None
    assert normal.exposure.first_seen.id == place.sighting.commit == first
    assert place.sighting.author == "Ada <ada@example.com>"
    assert place.sighting.date == repo.line("log", "-1", "--format=%aI", first)
    (merged,) = findings[tokens["merge resolution"]].occurrences
    assert merged.sighting.commit == repo.line("log", "--merges", "-1", "--format=%H", "--grep=^merge$")
    assert {occurrence.sighting.path for occurrence in findings[tokens["renamed"]].occurrences} == {"old-name", "new-name"}
    assert findings[tokens["dangling"]].occurrences[0].sighting.path == "dangling.env"
    assert findings[tokens["staged once"]].occurrences[0].sighting.path is None
    assert findings[tokens["odd path"]].occurrences[0].sighting.path == os.fsdecode(b"dir \xff\n\x1b[31m/f")


def test_a_mirror_has_what_refs_lead_to(tmp_path: Path, tokens, rules, environment) -> None:
    repo = Repo(tmp_path / "repo")
    build(repo, tokens)
    repo.git("clone", "-q", "--mirror", f"file://{repo.path}", str(tmp_path / "mirror"))
    left_behind = {"amended away", "dangling", "staged", "staged once"}
    findings = by_token(look(tmp_path / "mirror", rules, environment))
    assert set(findings) == {token for place, token in tokens.items() if place not in left_behind}


def test_the_command_finds_them_too(tmp_path: Path, tokens) -> None:
    repo = Repo(tmp_path / "repo")
    build(repo, tokens)
    command = [sys.executable, "-m", "patscan", "history", str(repo.path), "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["findings"]) == len(PLACES)
