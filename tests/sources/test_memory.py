"""A second audit says what the first one said, and reads only what is new."""

from __future__ import annotations

import base64
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from patscan import scan
from patscan.cli import cache, pools
from patscan.content import Looked
from patscan.git.repository import open_repository
from patscan.model import Report, Rule
from patscan.run import Options
from patscan.sources.history import History
from patscan.sources.memory import Memory
from tests.repo import Repo
from tests.sources.test_constructed import PLACES, build
from tests.tokens import classic, routable

ROOT = Path(__file__).parents[2]
KEY = bytes(32)
Audit = Callable[..., tuple[Report, int]]


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    rng = random.Random("memory")
    return {place: routable(rng) if place == "both" else classic(rng) for place in PLACES}


@pytest.fixture
def built(repo: Repo, tokens: Mapping[str, str]) -> Repo:
    build(repo, tokens)
    pack_all(repo)
    return repo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "seen"


@pytest.fixture
def audit(folder: Path, rules: tuple[Rule, ...], environment: Mapping[str, str]) -> Audit:
    """A report with the memory in `folder`, or without one, and how many contents were read out of packs for it."""

    def audit(repo: Repo, memory: Memory | None = None, forgetful: bool = False, digest: str = "rules") -> tuple[Report, int]:
        memory = None if forgetful else memory or Memory(folder, digest, KEY)
        read: list[Looked] = []
        source = History(open_repository(repo.path, environment), memory=memory)
        report = scan.scan(source, rules, pools.serial, read.append, Options())
        return report, sum(len(looked.sizes[0]) for looked in read)

    return audit


def pack_all(repo: Repo, *options: str, every: int = 1, keep: bool = False) -> None:
    """One pack of all objects, or of each second one, dangling and loose ones too; the others go, or stay."""
    folder = repo.path / ".git/objects/pack"
    old = [] if keep else list(folder.iterdir())
    names = "".join(f"{name}\n" for name in list(repo.objects())[::every])
    made = repo.line("pack-objects", "-q", *options, str(folder / "pack"), stdin=names.encode())
    for path in old:
        if made not in path.name:
            path.unlink()
    repo.git("prune-packed", "-q")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def without_cache_notes(report: Report) -> Report:
    return report._replace(coverage=report.coverage._replace(notes=tuple(note for note in report.coverage.notes if note.kind != "cache")))


def contents(repo: Repo) -> int:
    return sum(kind != "tree" for kind in repo.objects().values())


@pytest.mark.parametrize("hashing", ["sha1", "sha256"])
def test_an_unchanged_repository_is_not_read_again(tmp_path: Path, audit: Audit, tokens: Mapping[str, str], hashing: str) -> None:
    repo = Repo(tmp_path / hashing, f"--object-format={hashing}")
    build(repo, tokens)
    pack_all(repo)
    plain, _ = audit(repo, forgetful=True)
    first, read = audit(repo)
    again, read_again = audit(repo)
    assert plain == first == again
    assert len(first.findings) == len(PLACES)
    assert (read, read_again) == (contents(repo), 0)


def test_after_a_repack_nothing_is_read_again(built: Repo, audit: Audit) -> None:
    first, _ = audit(built)
    built.commit({"new.txt": "brand new\n"}, "new")
    pack_all(built, "--depth=3", "--no-reuse-delta")
    report, read = audit(built)
    assert read == 2
    assert report == audit(built, forgetful=True)[0]
    assert len(report.findings) == len(first.findings)
    assert audit(built) == (report, 0)


def test_only_what_is_new_is_read(built: Repo, audit: Audit, rng: random.Random) -> None:
    audit(built)
    built.commit({"new.txt": classic(rng)}, "new")
    built.git("repack", "-dq")
    report, read = audit(built)
    assert read == 2
    assert len(report.findings) == len(PLACES) + 1
    assert report == audit(built, forgetful=True)[0]
    assert audit(built) == (report, 0)


def test_what_several_packs_hold_is_counted_once(built: Repo, audit: Audit) -> None:
    audit(built)
    pack = next((built.path / ".git/objects/pack").glob("*.pack"))
    pack_all(built, "--depth=0", "--no-reuse-delta", keep=True)
    pack_all(built, every=2, keep=True)
    plain, _ = audit(built, forgetful=True)
    assert audit(built) == (plain, 0)
    assert audit(built) == (plain, 0)
    for suffix in (".pack", ".idx", ".rev"):
        pack.with_suffix(suffix).unlink(missing_ok=True)
    assert audit(built) == (plain, 0)
    assert audit(built) == (plain, 0)


def test_other_rules_remember_nothing(built: Repo, audit: Audit, rules: tuple[Rule, ...]) -> None:
    audit(built)
    assert audit(built, digest="others")[1] == contents(built)
    assert cache.digest(rules) == cache.digest(rules) != cache.digest(rules[1:])


def test_a_pack_that_can_not_be_read_whole_is_not_remembered(built: Repo, audit: Audit, folder: Path) -> None:
    pack = next((built.path / ".git/objects/pack").glob("*.pack"))
    pack.chmod(0o600)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    pack.write_bytes(data)
    first, _ = audit(built)
    assert first.coverage.skipped
    assert files(folder) == []
    assert audit(built)[0] == first


def test_an_interrupted_scan_is_not_remembered(built: Repo, folder: Path, rules: tuple[Rule, ...], environment: Mapping[str, str]) -> None:
    class Stopped(History):
        def learn(self, looked: Looked) -> None:
            raise KeyboardInterrupt

    source = Stopped(open_repository(built.path, environment), memory=Memory(folder, "rules", KEY))
    assert scan.scan(source, rules, pools.serial, lambda _: None, Options()).interrupted
    assert files(folder) == []


def damages() -> dict[str, Callable[[bytes], bytes]]:
    return {
        "empty": lambda data: b"",
        "cut": lambda data: data[: len(data) // 20],
        "garbage": lambda data: bytes(reversed(data)),
        "newer": lambda data: data.replace(b'"version": 2', b'"version": 3'),
        "no utf-8": lambda data: b"\xff" * len(data) + b"\n",
    }


@pytest.mark.parametrize("damage", damages())
def test_a_damaged_file_is_noted_and_replaced(built: Repo, audit: Audit, folder: Path, damage: str) -> None:
    first, read = audit(built)
    (file,) = files(folder)
    file.write_bytes(damages()[damage](file.read_bytes()))
    report, again = audit(built)
    (note,) = (note for note in report.coverage.notes if note.kind == "cache")
    assert "damaged" in note.reason
    assert (without_cache_notes(report), again) == (first, read)
    assert audit(built) == (first, 0)


@pytest.mark.parametrize("cut", [True, False])
def test_damaged_ids_are_noted_after_a_repack(built: Repo, audit: Audit, folder: Path, cut: bool) -> None:
    audit(built)
    (file,) = files(folder)
    file.write_bytes(file.read_bytes()[:-1] if cut else file.read_bytes()[:-1] + b"\x01")
    built.commit()
    pack_all(built)
    report, read = audit(built)
    assert read == contents(built)
    assert sum(note.kind == "cache" for note in report.coverage.notes) == 1
    assert without_cache_notes(report) == audit(built, forgetful=True)[0]


def test_a_folder_that_can_not_be_written_is_noted(built: Repo, audit: Audit, folder: Path) -> None:
    folder.write_text("not a folder")
    report, _ = audit(built)
    (note,) = (note for note in report.coverage.notes if note.kind == "cache")
    assert note.where == str(folder)
    assert without_cache_notes(report) == audit(built, forgetful=True)[0]


def test_a_full_disk_is_noted(built: Repo, audit: Audit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    report, _ = audit(built)
    assert "No space left on device" in next(note.reason for note in report.coverage.notes if note.kind == "cache")
    assert without_cache_notes(report) == audit(built, forgetful=True)[0]
    assert files(folder) == []


def test_the_least_recently_used_file_is_removed_first(tmp_path: Path, audit: Audit, folder: Path) -> None:
    repos = [Repo(tmp_path / str(number)) for number in range(4)]
    for number, repo in enumerate(repos):
        repo.commit({"file": f"{number}\n"})
        repo.pack()
    audit(repos[0])
    size = files(folder)[0].stat().st_size
    for repo in (*repos[1:3], repos[0], repos[3]):
        audit(repo, Memory(folder, "rules", KEY, 3 * size + 10))
    assert sum(file.stat().st_size for file in files(folder)) <= 3 * size + 10
    assert [audit(repo)[1] for repo in (repos[0], repos[2], repos[3], repos[1])] == [0, 0, 0, 2]


def run(repo: Repo, *flags: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "patscan", "history", str(repo.path), "--format", "json", *flags], stdout=subprocess.PIPE, cwd=ROOT
    )


def test_concurrent_and_later_runs_agree(built: Repo, tokens: Mapping[str, str], no_foreign_cache: Path) -> None:
    both = [run(built), run(built)]
    first, second = (process.communicate()[0] for process in both)
    third = run(built).communicate()[0]
    assert first == second == third
    assert len([file for file in files(no_foreign_cache) if file.suffix == ".seen"]) == 1
    assert b'"findings": []' not in third
    for path in no_foreign_cache.rglob("*"):
        assert path.stat().st_mode & 0o77 == 0
    stored = b"".join(path.read_bytes() + path.name.encode() for path in files(no_foreign_cache))
    for token in tokens.values():
        for form in (token.encode(), token[-12:].encode(), base64.b64encode(token.encode())[:16], token.encode().hex().encode()):
            assert form not in stored


def test_no_cache_leaves_nothing(built: Repo, no_foreign_cache: Path) -> None:
    run(built, "--no-cache").communicate()
    assert not no_foreign_cache.exists()
