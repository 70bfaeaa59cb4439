"""What an audit remembers of provenance: the same words again while nothing changed, other words as soon as something did."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from patscan import scan
from patscan.cli import pools
from patscan.git.repository import open_repository
from patscan.model import Report, Rule
from patscan.run import Options
from patscan.sources.history import History
from patscan.sources.memory import Memory
from tests.repo import Repo
from tests.tokens import classic

Audit = Callable[[bool], Report]

CHANGES: dict[str, Callable[[Repo], object]] = {
    "a commit that takes it away": lambda repo: repo.commit({"a": "gone"}),
    "a commit elsewhere": lambda repo: repo.commit({"z": "text"}),
    "a branch": lambda repo: repo.git("branch", "other"),
    "a branch less": lambda repo: repo.git("branch", "-D", "side"),
    "a tag": lambda repo: repo.git("tag", "v1"),
    "HEAD on another branch": lambda repo: repo.git("checkout", "-q", "side"),
    "a reset": lambda repo: repo.git("reset", "-q", "--hard", "HEAD~1"),
    "a stash": lambda repo: (repo.write("a", "changed"), repo.git("stash")),
    "staged": lambda repo: (repo.git("rm", "-q", "--cached", "a"), repo.git("mv", "b", "c")),
    "a remote": lambda repo: repo.git("remote", "add", "origin", "https://git.example/x.git"),
    "pushed": lambda repo: repo.git("update-ref", "refs/remotes/origin/main", "HEAD"),
    "reflogs expired": lambda repo: repo.git("reflog", "expire", "--expire=all", "--all"),
    "another working tree": lambda repo: repo.git("worktree", "add", "-q", "--detach", str(repo.path) + "-more", "side"),
    "a note": lambda repo: repo.git("notes", "add", "-m", "text", "HEAD"),
}


@pytest.fixture
def token(rng: random.Random) -> str:
    return classic(rng)


@pytest.fixture
def leaky(repo: Repo, token: str) -> Repo:
    """A token on two branches, at a path that goes by its name, too, and on a commit that only the reflog leads to."""
    repo.commit({"a": f"x = {token}\n", "b": "text"}, f"brings {token}")
    repo.git("branch", "side")
    repo.commit({"b": f"y = {token}\n", token: "text"})
    repo.commit({"b": "text"})
    repo.commit({"d": f"only once {token}\n"})
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("branch", token)
    return repo


@pytest.fixture
def audit(leaky: Repo, tmp_path: Path, rules: tuple[Rule, ...], environment: Mapping[str, str]) -> Audit:
    def audit(remembers: bool) -> Report:
        memory = Memory(tmp_path / "cache", "rules", bytes(32)) if remembers else None
        source = History(open_repository(leaky.path, environment), memory=memory)
        return scan.scan(source, rules, pools.serial, lambda looked: None, Options())

    return audit


def facts(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*.facts")}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_repository_is_asked_again(name: str, leaky: Repo, audit: Audit, tmp_path: Path) -> None:
    audit(True)
    known = facts(tmp_path)
    CHANGES[name](leaky)
    after = audit(True)
    assert after == audit(False) == audit(True)
    assert len(facts(tmp_path)) == len(known) + 1


def test_an_unchanged_repository_is_not_asked_again(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = audit(False)
    assert audit(True) == fresh
    # Whoever asks git about all commits now, dies of it.
    monkeypatch.setattr("patscan.git.attribution.attribute", None)
    assert audit(True) == fresh


def test_no_token_is_remembered(audit: Audit, tmp_path: Path, token: str) -> None:
    report = audit(True)
    assert {"commit-message", "blob", "ref-name"} <= {one.sighting.kind for finding in report.findings for one in finding.occurrences}
    [content] = facts(tmp_path).values()
    for part in (token, token[6:], base64.b64encode(token.encode()).decode()):
        assert part.encode() not in content


@pytest.mark.parametrize("damage", [b"", b"garbage", b"{}"])
def test_damaged_facts_are_asked_for_again(damage: bytes, audit: Audit, tmp_path: Path) -> None:
    fresh = audit(True)
    [path] = facts(tmp_path)
    path.write_bytes(damage)
    again = audit(True)
    assert again.findings == fresh.findings
    assert "damaged" in next(note.reason for note in again.coverage.notes if note.kind == "cache")
    assert audit(True) == fresh


def test_whether_a_place_is_at_head(audit: Audit, leaky: Repo) -> None:
    [finding] = audit(False).findings
    standing = {(one.sighting.path, one.sighting.kind): one.at_head for one in finding.occurrences}
    assert standing == {
        ("a", "blob"): True,
        ("b", "blob"): False,
        ("d", "blob"): False,
        (None, "commit-message"): None,
        (finding.secret.reveal().decode(), "path"): True,
        (f"refs/heads/{finding.secret.reveal().decode()}", "ref-name"): None,
    }


def test_tokens_of_one_file_share_their_exposure(leaky: Repo, environment: Mapping[str, str]) -> None:
    """A file with a hundred thousand tokens costs as much as one with a single token."""
    history = History(open_repository(leaky.path, environment))
    blobs = [leaky.line("rev-parse", f"side:{name}") for name in "ab"]
    sightings = history.sightings(blobs)
    exposures = history.exposures({f"{blob} {number}": sightings[blob] for blob in blobs for number in range(3)})
    assert len({id(exposures[f"{blobs[0]} {number}"]) for number in range(3)}) == 1
    assert len({id(exposure) for exposure in exposures.values()}) == 2
