"""The whole history of a repository: every place that has bytes is looked at, and what can't be looked at is said."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from patscan import scan
from patscan.cli import pools
from patscan.content import Failure, Key, Looked, Piece, Shard
from patscan.git.repository import open_repository
from patscan.kind import Kind
from patscan.model import Occurrence, Report, Rule, Sighting, Target
from patscan.run import Options
from patscan.sources import store
from patscan.sources.history import History
from tests.repo import IDENTITY, Repo
from tests.sources.planted import Place, Planted
from tests.tokens import classic

NEVER = 10**9


def look(source: History, rules: tuple[Rule, ...], jobs: int = 1, progress: Callable[[Looked], None] = lambda looked: None) -> Report:
    pool = pools.serial if jobs == 1 else partial(pools.processes, jobs=jobs)
    return scan.scan(source, rules, pool, progress, Options())


def history(path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...], jobs: int = 1) -> Report:
    return look(History(open_repository(path, environment)), rules, jobs)


def tokens(report: Report) -> set[str]:
    return {finding.secret.reveal().decode() for finding in report.findings}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp())
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def planted(folder: Path) -> Planted:
    """Nothing is packed."""
    return Planted(Repo(folder / "sha1"))


@pytest.fixture(scope="module")
def packed(planted: Planted, folder: Path) -> Repo:
    """Everything is in one pack, with deltas."""
    return pack(planted, folder / "packed")


@pytest.fixture(scope="module")
def planted_sha256(folder: Path) -> Planted:
    return Planted(Repo(folder / "sha256", "--object-format=sha256"), 2)


def pack(planted: Planted, path: Path) -> Repo:
    shutil.copytree(planted.repo.path, path, symlinks=True)
    repo = Repo(path)
    repo.git("pack-objects", "-q", ".git/objects/pack/pack", stdin="\n".join(repo.objects()).encode())
    repo.git("prune-packed", "-q")
    assert not list((path / ".git/objects").glob("[0-9a-f][0-9a-f]/*"))
    return repo


def check(report: Report, expected: Mapping[str, Place]) -> None:
    """Every place is found and nothing else is, with its whole token, its span, its position and its origins."""
    assert tokens(report) == {place.token for place in expected.values()}
    assert report.ignored == ()
    by_token = {finding.secret.reveal().decode(): finding for finding in report.findings}
    for name, place in expected.items():
        finding = by_token[place.token]
        assert finding.confidence == "high", name
        for occurrence in finding.occurrences:
            check_span(name, place, occurrence)
        sightings = {(occurrence.sighting.kind, occurrence.sighting.path, occurrence.sighting.commit) for occurrence in finding.occurrences}
        assert sightings == {(place.type, path, commit) for path, commit in place.paths}, name
        assert all(occurrence.sighting.blob in (place.object, None) for occurrence in finding.occurrences), name


def check_span(name: str, place: Place, occurrence: Occurrence) -> None:
    assert place.content[occurrence.start : occurrence.end] == place.form, name
    assert (occurrence.start, occurrence.end) == place.span, name
    assert occurrence.position == place.position, name
    assert occurrence.encodings == place.encodings, name
    assert place.token not in "".join(occurrence.frame), name


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("form", ["loose", "packed"])
def test_every_place_is_found_whole_and_where_it_stands(
    form: str, jobs: int, planted: Planted, packed: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    report = history(planted.repo.path if form == "loose" else packed.path, environment, rules, jobs)
    check(report, planted.places)
    assert report.coverage.complete
    assert ["--paths" in note.reason for note in report.coverage.notes] == [True]
    assert not report.interrupted


@pytest.mark.parametrize("form", ["loose", "packed"])
def test_every_place_is_found_in_a_sha256_repository(
    form: str, planted_sha256: Planted, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    path = planted_sha256.repo.path if form == "loose" else pack(planted_sha256, tmp_path / "packed").path
    check(history(path, environment, rules), planted_sha256.places)


def test_a_mirror_has_what_refs_lead_to(planted: Planted, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    planted.repo.git("clone", "-q", "--mirror", "--no-local", str(planted.repo.path), str(tmp_path / "mirror"))
    report = history(tmp_path / "mirror", environment, rules, 2)
    check(report, {name: place for name, place in planted.places.items() if name in planted.reachable})
    assert report.coverage.complete


def test_a_clone_that_borrows_objects_shows_the_lender_s_too(
    planted: Planted, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    planted.repo.git("clone", "-q", "--shared", str(planted.repo.path), str(tmp_path / "clone"))
    report = history(tmp_path / "clone", environment, rules)
    missing = {"branch name"}  # it is origin/feature/… here
    assert tokens(report) >= {place.token for name, place in planted.places.items() if name not in missing}
    assert report.coverage.complete


def test_both_ways_of_working_give_the_same_report(packed: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    one, two = (history(packed.path, environment, rules, jobs) for jobs in (1, 2))
    assert one.findings == two.findings
    assert one.coverage == two.coverage


def test_coverage_counts_every_object_once(packed: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    kinds = list(packed.objects().values())
    report = history(packed.path, environment, rules)
    assert report.coverage.commits == kinds.count("commit")
    assert report.coverage.blobs == kinds.count("blob") + kinds.count("tag")


def test_an_empty_repository_is_never_green(repo: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    report = history(repo.path, environment, rules)
    assert (report.findings, report.coverage.blobs) == ((), 0)
    [skip] = report.coverage.skipped
    assert "nothing to look at" in skip.reason


def test_a_repository_without_tokens_is_clean(repo: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    for number in range(3):
        repo.commit({"a": f"glpat- {number}", "b": "glpat-<token>"})
    report = history(repo.path, environment, rules, 2)
    assert report.findings == ()
    assert report.coverage.complete


def test_a_token_of_many_commits_is_one_finding(
    repo: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...], rng: random.Random
) -> None:
    token = classic(rng)
    first = repo.commit({"a": f"1 {token}"})
    repo.commit({"a": f"2 {token}", "b": token}, f"with {token}")
    [finding] = history(repo.path, environment, rules).findings
    places = {(occurrence.sighting.kind, occurrence.sighting.path) for occurrence in finding.occurrences}
    assert places == {("blob", "a"), ("blob", "b"), ("commit-message", None)}
    assert finding.exposure.first_seen is not None
    assert finding.exposure.first_seen.id == first


def test_a_shallow_clone_is_not_complete(planted: Planted, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    planted.repo.git("clone", "-q", "--depth=1", f"file://{planted.repo.path}", str(tmp_path / "shallow"))
    report = history(tmp_path / "shallow", environment, rules)
    assert planted.places["normal"].token in tokens(report)
    assert planted.places["removed later"].token not in tokens(report)
    [skip] = report.coverage.skipped
    assert skip.where == str(tmp_path / "shallow")
    assert "shallow" in skip.reason


@pytest.mark.parametrize("kind", ["blob:none", "tree:0", "blob:limit=100"])
def test_a_partial_clone_is_not_complete_and_fetches_nothing(
    kind: str, planted: Planted, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    source = planted.repo
    source.git("config", "uploadpack.allowFilter", "true")
    path = tmp_path / "partial"
    source.git("clone", "-q", f"--filter={kind}", "--no-checkout", f"file://{source.path}", str(path))
    before = sorted(path.rglob("*"))
    report = history(path, environment, rules)
    assert sorted(path.rglob("*")) == before
    assert planted.places["commit message"].token in tokens(report)
    assert planted.places["in a long line"].token not in tokens(report)
    (gap,) = (skip.reason for skip in report.coverage.skipped if "partial clone" in skip.reason)
    assert "fetch" in gap


def test_a_partial_clone_that_has_everything_is_complete(
    repo: Repo, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    repo.commit({"a": "text"})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "-q", "--filter=blob:none", f"file://{repo.path}", str(tmp_path / "partial"))
    assert history(tmp_path / "partial", environment, rules).coverage.complete


class Deadly(NamedTuple):
    """A shard that ends its worker as a lack of memory does, `times` times; then it has one content."""

    diary: Path
    times: int
    key: str
    content: bytes

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        with self.diary.open("a") as file:
            file.write("x")
        if len(self.diary.read_text()) <= self.times:
            os._exit(9)
        yield Piece(self.key, "blob", 0, self.content)

    def engines(self) -> tuple[str, ...]:
        return ()

    def name(self, key: Key) -> str:
        return str(key)

    def sighting(self, piece: Piece, start: int) -> None:
        return None


class Failing(NamedTuple):
    """A shard that raises."""

    error: Exception

    def pieces(self, failed: list[Failure]) -> Iterator[Piece]:
        yield Piece("0" * 40, "blob", 0, b"a piece before")
        raise self.error

    def engines(self) -> tuple[str, ...]:
        return ()


class Mixed(History):
    """A repository's shards with another one among them."""

    other: Shard

    def shards(self) -> Iterator[Shard]:
        shards = list(super().shards())
        yield from shards[: len(shards) // 2]
        yield self.other
        yield from shards[len(shards) // 2 :]


def mixed(path: Path, environment: Mapping[str, str], other: Shard) -> Mixed:
    source = Mixed(open_repository(path, environment))
    source.other = other
    return source


def test_a_worker_that_dies_once_costs_nothing(
    planted: Planted, packed: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...], tmp_path: Path
) -> None:
    normal = planted.places["normal"]
    source = mixed(packed.path, environment, Deadly(tmp_path / "diary", 1, normal.object, normal.content))
    report = look(source, rules, 2)
    assert (tmp_path / "diary").read_text() == "xx"
    check(report, planted.places)
    assert report.coverage.complete


def test_what_kills_its_worker_twice_is_a_gap_and_the_only_one(
    planted: Planted, packed: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...], tmp_path: Path
) -> None:
    report = look(mixed(packed.path, environment, Deadly(tmp_path / "diary", NEVER, "x", b"")), rules, 2)
    assert (tmp_path / "diary").read_text() == "xx"
    check(report, planted.places)
    [skip] = report.coverage.skipped
    assert "died" in skip.reason
    assert "Deadly" in skip.where


def test_what_a_dead_worker_left_unread_is_still_read_through_git(
    planted: Planted, environment: Mapping[str, str], rules: tuple[Rule, ...], tmp_path: Path
) -> None:
    """Broken entries among the shards that are looked at again are asked for again, too."""
    repo = pack(planted, tmp_path / "packed")
    [path] = (repo.path / ".git/objects/pack").glob("*.pack")
    name = planted.places["in a long line"].object
    index = repo.git("show-index", stdin=path.with_suffix(".idx").read_bytes()).decode().splitlines()
    offset = next(int(line.split()[0]) for line in index if line.split()[1] == name)
    damaged = bytearray(path.read_bytes())
    damaged[offset + 100] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(damaged)

    class Early(Mixed):
        def shards(self) -> Iterator[Shard]:
            yield self.other
            yield from History.shards(self)

    source = Early(open_repository(repo.path, environment))
    source.other = Deadly(tmp_path / "diary", 1, "x", b"")
    report = look(source, rules, 2)
    assert {skip.where for skip in report.coverage.skipped} == {name}
    assert tokens(report) == {place.token for other, place in planted.places.items() if other != "in a long line"}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("error", [MemoryError(), TimeoutError("regex timed out"), OSError(5, "Input/output error")], ids=repr)
def test_a_shard_that_fails_is_a_gap_and_the_only_one(
    error: Exception, jobs: int, planted: Planted, packed: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    report = look(mixed(packed.path, environment, Failing(error)), rules, jobs)
    check(report, planted.places)
    [skip] = report.coverage.skipped
    assert "Failing" in skip.where
    assert skip.reason == f"{error or type(error).__name__}."


def test_a_mistake_of_ours_is_not_hidden(packed: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    for jobs in (1, 2):
        with pytest.raises(ZeroDivisionError):
            look(mixed(packed.path, environment, Failing(ZeroDivisionError())), rules, jobs)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("calls", [1, 2, NEVER])
def test_ctrl_c_reports_what_was_found_so_far(
    calls: int,
    jobs: int,
    planted: Planted,
    packed: Repo,
    environment: Mapping[str, str],
    rules: tuple[Rule, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "_SMALLEST", 1)
    monkeypatch.setattr(store, "_LARGEST", 500)
    seen: list[Key] = []
    called = 0

    def progress(looked: Looked) -> None:
        nonlocal called
        called += 1
        seen.extend(match.address.name for match in looked.matches)
        if called == calls:
            raise KeyboardInterrupt

    source = History(open_repository(packed.path, environment))
    report = look(source, rules, jobs, progress)
    assert report.interrupted == (calls != NEVER)
    assert tokens(report) == {place.token for place in planted.places.values() if place.object in seen}
    assert (len(report.findings) == len(planted.places)) == (calls == NEVER)


def test_a_broken_object_is_a_gap_and_the_rest_is_found(
    planted: Planted, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    shutil.copytree(planted.repo.path, tmp_path / "broken", symlinks=True)
    name = planted.places["normal"].object
    target = tmp_path / "broken/.git/objects" / name[:2] / name[2:]
    target.chmod(0o644)
    target.write_bytes(target.read_bytes()[:-9])
    report = history(tmp_path / "broken", environment, rules, 2)
    assert [skip.where for skip in report.coverage.skipped] == [name]
    check(report, {other: place for other, place in planted.places.items() if other != "normal"})


def test_an_object_that_goes_away_after_the_look_costs_its_lines_hash(
    planted: Planted, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    shutil.copytree(planted.repo.path, tmp_path / "leaking", symlinks=True)
    name = planted.places["normal"].object

    class Leaking(History):
        def read(self, names: Iterable[str]) -> Iterator[Piece]:
            (tmp_path / "leaking/.git/objects" / name[:2] / name[2:]).unlink()
            return History.read(self, names)

    report = look(Leaking(open_repository(tmp_path / "leaking", environment)), rules)
    assert report.coverage.complete
    assert len(report.findings) == len(planted.places)
    hashes = {place.sighting.blob: place.line_hash for finding in report.findings for place in finding.occurrences if place.at_head}
    assert [blob for blob, line_hash in hashes.items() if line_hash is None and blob == name] == [name]
    assert any(hashes.values())


def test_tokens_at_the_edges_of_pieces_are_found_once(
    repo: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...], rng: random.Random
) -> None:
    """A blob of more than one piece: 64 MiB and the overlap behind it, with a token around each edge."""
    size, overlap = 64 << 20, 32 << 10
    edges = [size - overlap - 13, size - overlap // 2 - 13, size - 13, size + 100]
    content = bytearray(b"\n" * (size + 200))
    planted = []
    for edge in edges:
        planted.append(classic(rng))
        content[edge : edge + 26] = planted[-1].encode()
    repo.git("-c", "core.compression=1", "hash-object", "-w", "--stdin", stdin=bytes(content))
    report = history(repo.path, environment, rules)
    spans = {finding.secret.reveal().decode(): [(each.start, each.end) for each in finding.occurrences] for finding in report.findings}
    assert spans == {token: [(edge, edge + 26)] for token, edge in zip(planted, edges, strict=True)}
    lines = {finding.secret.reveal().decode(): finding.occurrences[0].position.line for finding in report.findings}
    assert lines == {token: edge + 1 - 26 * number for number, (token, edge) in enumerate(zip(planted, edges, strict=True))}


def test_who_and_when_come_along(repo: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...], rng: random.Random) -> None:
    commit = repo.commit({"a": classic(rng)})
    tagged = classic(rng)
    repo.git("tag", "-a", "-m", f"first {tagged}\n\nmore", "v1")
    sightings = [finding.occurrences[0].sighting for finding in history(repo.path, environment, rules).findings]
    blob = repo.line("rev-parse", "HEAD:a")
    who, when = "Ada <ada@example.com>", "2023-11-15T01:13:20+02:00"
    assert Sighting(Kind.BLOB, "a", commit, who, when, blob, "change") in sightings
    assert Sighting(Kind.TAG_MESSAGE, None, repo.line("rev-parse", "v1"), who, when, message=f"first {tagged}") in sightings


def test_the_target_names_what_was_scanned(repo: Repo, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "b"})
    repo.git("remote", "add", "origin", "https://ada:secret@git.example/x.git")
    target = History(open_repository(repo.path, environment)).target()
    assert target == Target("history", str(repo.path), "https://git.example/x.git", commit)


def test_git_s_own_variables_reach_git(
    repo: Repo, tmp_path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...], rng: random.Random
) -> None:
    """A hook is started with GIT_DIR and an index of its own."""
    token = classic(rng)
    repo.commit({"a": "b"})
    index = str(tmp_path / "index")
    repo.write("staged", token)
    repo.git("add", "staged", GIT_INDEX_FILE=index)
    shown = {**environment, **IDENTITY, "GIT_INDEX_FILE": index, "GIT_DIR": str(repo.path / ".git")}
    [finding] = history(repo.path, shown, rules).findings
    assert [(each.sighting.kind, each.sighting.path) for each in finding.occurrences] == [("index", "staged")]


@pytest.mark.parametrize("command", [("gc", "--prune=now", "--quiet"), ("repack", "-a", "-d", "-q", "--keep-unreachable")], ids=" ".join)
@pytest.mark.parametrize("jobs", [1, 2])
def test_packs_that_vanish_in_the_middle_of_it_cost_nothing(
    jobs: int,
    command: tuple[str, ...],
    repo: Repo,
    environment: Mapping[str, str],
    rules: tuple[Rule, ...],
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "_SMALLEST", 1)
    monkeypatch.setattr(store, "_LARGEST", 500)
    made = [classic(rng) for _ in range(40)]
    for low in range(0, len(made), 10):
        repo.commit({f"{low}-{number}": f"{token}\n" for number, token in enumerate(made[low : low + 10])})
        repo.git("repack", "-q")  # one pack for each commit
    run = iter([command])
    report = look(History(open_repository(repo.path, environment)), rules, jobs, lambda looked: [repo.git(*now) for now in run] and None)
    assert next(run, None) is None
    assert tokens(report) == set(made)
    assert report.coverage.complete, report.coverage.skipped
