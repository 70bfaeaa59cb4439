"""The rules as they were read the last time: the same ones, until a rule file changes."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from patscan import rulebook
from patscan.cli import cache
from patscan.errors import RuleError
from patscan.model import Note
from tests.cli.test_main import patscan
from tests.repo import Repo
from tests.tokens import classic

RULE = """
[[rule]]
id = "own"
kind = "own"
name = "{name}"
severity = "high"
description = "d"
remedy = "r"
references = []
prefix = "ownpfx-"
pattern = "(?P<secret>ownpfx-[a-z]{{20}})"
body = "opaque"
examples = [{{text = "ownpfx-~abcdefghijklmnopqrst", secret = "ownpfx-~abcdefghijklmnopqrst"}}]
"""


def kept(folder: Path) -> Path:
    (file,) = folder.glob("*.rules")
    return file


def test_they_are_the_rules_without_their_examples(no_foreign_cache: Path) -> None:
    plain = tuple(rule._replace(examples=(), counter_examples=()) for rule in rulebook.load())
    assert cache.rules([]) == plain
    assert kept(no_foreign_cache).is_file()
    assert cache.rules([]) == plain


def test_nothing_kept_looks_like_a_token(no_foreign_cache: Path) -> None:
    cache.rules([])
    content = kept(no_foreign_cache).read_bytes()
    for rule in rulebook.load():
        assert not any(example.secret.encode() in content for example in rule.examples)
    assert not re.search(rb"glpat-[A-Za-z0-9_-]{20}", content)


@pytest.mark.parametrize("content", [b"", b"garbage", b"N", b"(\x02\x00\x00\x00NN", b"i\x00"])
def test_what_is_broken_is_read_again(no_foreign_cache: Path, content: bytes) -> None:
    rules = cache.rules([])
    kept(no_foreign_cache).write_bytes(content)
    notes: list[Note] = []
    assert cache.rules([], notes=notes) == rules
    assert [(note.kind, "read again" in note.reason) for note in notes] == [("cache", True)]
    assert kept(no_foreign_cache).read_bytes() != content


def test_where_nothing_can_be_kept_they_are_read(no_foreign_cache: Path) -> None:
    no_foreign_cache.parent.mkdir(exist_ok=True)
    no_foreign_cache.write_text("a file in the folder's place")
    assert cache.rules([]) == cache.rules([]) != ()


def test_a_changed_rule_is_seen(tmp_path: Path) -> None:
    for name in ("first", "second one"):
        (tmp_path / "own.toml").write_text(RULE.format(name=name))
        for _ in range(2):
            assert cache.rules([tmp_path])[-1].name == name
    (tmp_path / "own.toml").unlink()
    with pytest.raises(RuleError):
        cache.rules([tmp_path])
    with pytest.raises(RuleError):
        cache.rules([tmp_path / "none"])


def scanned(folder: Path, command: str = "scan") -> tuple[int, list[str]]:
    done = patscan(command, folder, "--format", "json")
    notes = json.loads(done.stdout)["coverage"]["notes"]
    return done.returncode, [note["reason"] for note in notes if "cache" in note["reason"]]


def everything(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_rules_that_were_changed_in_the_cache_hide_nothing(tmp_path: Path, rng: random.Random, no_foreign_cache: Path) -> None:
    leak = tmp_path / "leak"
    leak.mkdir()
    (leak / "a").write_text(classic(rng))
    assert scanned(leak) == (1, [])
    file = kept(no_foreign_cache)
    file.write_bytes(file.read_bytes().replace(b"glpat-", b"glpaT-"))
    code, notes = scanned(leak)
    assert (code, len(notes), "changed" in notes[0]) == (1, 1, True)
    assert b"glpaT-" not in file.read_bytes()
    assert scanned(leak) == (1, [])


def test_a_pipe_in_the_place_of_the_rules_is_no_end(tmp_path: Path, rng: random.Random, no_foreign_cache: Path) -> None:
    (tmp_path / "a").write_text(classic(rng))
    assert scanned(tmp_path / "a")[0] == 1
    file = kept(no_foreign_cache)
    file.unlink()
    os.mkfifo(file)
    code, notes = scanned(tmp_path / "a")
    assert (code, len(notes)) == (1, 1)


FORGERIES: dict[str, Callable[[Path, Path], object]] = {
    # An audit of another repository under the user's key, and all of one under a stranger's.
    "renamed": lambda own, _: [shutil.copy(own, other) for other in own.parent.glob("*.seen") if other != own],
    "under another key": lambda own, foreign: shutil.copy(foreign, own),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_was_seen_can_not_be_forged(
    tmp_path: Path, rng: random.Random, no_foreign_cache: Path, forgery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean, leaky = Repo(tmp_path / "clean"), Repo(tmp_path / "leaky")
    clean.commit({"a": "nothing"})
    leaky.commit({"a": classic(rng)})
    for repo in (clean, leaky):
        repo.pack()
    foreign = tmp_path / "foreign"
    with monkeypatch.context() as stranger:
        stranger.setenv("XDG_CACHE_HOME", str(foreign))
        stranger.setenv("XDG_CONFIG_HOME", str(tmp_path / "stranger"))
        assert scanned(clean.path, "history") == (0, [])
    assert scanned(clean.path, "history") == (0, [])
    (own,) = no_foreign_cache.rglob("*.seen")
    assert scanned(leaky.path, "history") == (1, [])
    (other,) = foreign.rglob("*.seen")
    for file in no_foreign_cache.rglob("*.facts"):
        file.unlink()
    if forgery == "under another key":
        (own,) = (file for file in no_foreign_cache.rglob("*.seen") if file != own)
    FORGERIES[forgery](own, other)
    code, notes = scanned(leaky.path, "history")
    assert (code, len(notes)) == (1, 1)
    assert scanned(leaky.path, "history") == (1, [])


def test_the_key_is_its_owners_and_a_cache_without_it_is_not_believed(tmp_path: Path, rng: random.Random, no_foreign_cache: Path) -> None:
    (tmp_path / "a").write_text(classic(rng))
    assert scanned(tmp_path / "a") == (1, [])
    (key,) = everything(Path(os.environ["XDG_CONFIG_HOME"]))
    assert (key.name, key.stat().st_mode & 0o777, key.stat().st_size) == ("cache.key", 0o600, 32)
    drawn = key.read_bytes()
    key.write_bytes(drawn[:7])
    assert scanned(tmp_path / "a") == (1, [])
    assert len(key.read_bytes()) == 32
    assert key.read_bytes() != drawn


def test_without_a_folder_for_the_key_nothing_is_kept(tmp_path: Path, repo: Repo, no_foreign_cache: Path) -> None:
    repo.commit({"a": "nothing"})
    (tmp_path / "file").write_text("")
    for command in ("scan", "history"):
        done = patscan(command, repo.path, XDG_CONFIG_HOME=str(tmp_path / "file"))
        assert done.returncode == 0, done.stderr
    assert not no_foreign_cache.exists()


def test_sets_of_rules_do_not_pile_up(tmp_path: Path, no_foreign_cache: Path) -> None:
    for number in range(12):
        (tmp_path / "own.toml").write_text(RULE.format(name=f"number {number}"))
        cache.rules([tmp_path])
    assert 1 < len(list(no_foreign_cache.glob("*.rules"))) < 12


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_compiled_anchors_that_were_changed_are_compiled_again(no_foreign_cache: Path, tmp_path: Path, content: bytes | None) -> None:
    """A cache in which other anchors stand would make every later scan green."""
    (tmp_path / "a.env").write_text(f"T={classic(random.Random(7))}\n")
    run = patscan("scan", str(tmp_path / "a.env"), "--format", "json")
    assert run.returncode == 1
    (file,) = no_foreign_cache.glob("*.anchors")
    first = file.read_bytes()
    file.write_bytes(first.replace(b"glpat-", b"glpaT-") if content is None else content)
    assert file.read_bytes() != first
    run = patscan("scan", str(tmp_path / "a.env"), "--format", "json")
    assert run.returncode == 1
    assert [note["kind"] for note in json.loads(run.stdout)["coverage"]["notes"]] == ["cache"]
    assert not json.loads(patscan("scan", str(tmp_path / "a.env"), "--format", "json").stdout)["coverage"]["notes"]


def test_few_sets_of_compiled_anchors_are_kept(no_foreign_cache: Path, tmp_path: Path) -> None:
    rules = cache.rules([])
    for number in range(12):
        kept = cache.compiled((rules[0]._replace(anchors=(f"anchor-{number}",)),), [])
        assert kept
        kept.file.keep(b"content")
    assert len(list(no_foreign_cache.glob("*.anchors"))) == 8
