"""The reader agrees with git on every object, whatever shape the store has."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patscan import content
from patscan.git import entries, objects
from patscan.git.repository import open_repository
from patscan.sources import store
from patscan.sources.history import History
from tests.git.crafted import Crafted, copy, delta, object_id
from tests.git.reading import agree, by_git
from tests.repo import IDENTITY, Repo

FORMATS = pytest.mark.parametrize("name", ["sha1", "sha256"])

Shape = Callable[[Repo], None]


def grow(repo: Repo, rng: random.Random, commits: int = 12) -> None:
    """A history whose files resemble their earlier versions, so that git makes deltas of them, with a tag object at its end: all loose."""
    lines = [f"{rng.random()} line {number}" for number in range(80)]
    stream = []
    for turn in range(commits):
        lines[rng.randrange(len(lines))] = f"changed in {turn} {rng.random()}"
        lines.insert(rng.randrange(len(lines)), f"added in {turn}")
        files = {"text": "\n".join(lines).encode(), f"folder/{turn % 3}": "\n".join(lines[turn:]).encode(), "binary": rng.randbytes(500)}
        tip = b"from refs/heads/main^0\n" if not turn and repo.git("for-each-ref", "refs/heads/main") else b""
        stream.append(commit(b"turn %d" % turn, files, tip))
    stream.append(b"tag v%d\nfrom refs/heads/main\ntagger Ada <a@b> 1 +0000\ndata 1\nx\n" % rng.randrange(1 << 60))
    repo.git("-c", "fastimport.unpackLimit=9999", "fast-import", "--quiet", stdin=b"".join(stream))
    repo.git("reset", "-q", "--hard")


def commit(message: bytes, files: Mapping[str, bytes], tip: bytes = b"") -> bytes:
    """A commit on main, for ``git fast-import``."""
    head = b"commit refs/heads/main\ncommitter Ada <ada@example.com> 1 +0000\ndata %d\n%b\n%b" % (len(message), message, tip)
    return head + b"".join(b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(text), text) for path, text in files.items())


def one_pack(repo: Repo) -> None:
    grow(repo, random.Random(1))
    repo.pack()


def loose(repo: Repo) -> None:
    grow(repo, random.Random(2), 4)


def several_packs(repo: Repo) -> None:
    for seed in range(3):
        grow(repo, random.Random(seed), 5)
        repo.git("repack", "-d", "-q")
    assert len(packs(repo)) == 3


def packs_and_loose(repo: Repo) -> None:
    one_pack(repo)
    grow(repo, random.Random(3), 3)


def same_objects_twice(repo: Repo) -> None:
    """A pack of all, packs of parts, and loose copies too."""
    several_packs(repo)
    names = "\n".join(repo.objects()).encode()
    repo.git("pack-objects", "-q", ".git/objects/pack/pack", stdin=names)
    repo.git("pack-objects", "-q", "--window=0", ".git/objects/pack/pack", stdin=names[: len(names) // 2].rpartition(b"\n")[0])
    loosen(repo, packs(repo)[0])


def deltas_by_id(repo: Repo) -> None:
    grow(repo, random.Random(4))
    repo.git("-c", "repack.useDeltaBaseOffset=false", "repack", "-a", "-d", "-f", "-q")


def long_chains(repo: Repo) -> None:
    one_pack(repo)
    stream = b"".join(b"blob\ndata %d\n%b\n" % (len(text), text) for text in versions(random.Random(6), 300))
    repo.git("-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--depth=250", stdin=stream)
    assert longest_chain(repo) > 200


def versions(rng: random.Random, count: int) -> list[bytes]:
    text = rng.randbytes(3000).hex().encode()
    stored = []
    for _ in range(count):
        place = rng.randrange(len(text))
        text = text[:place] + rng.randbytes(8).hex().encode() + text[place + 4 :]
        stored.append(text)
    return stored


def multi_pack_index(repo: Repo) -> None:
    same_objects_twice(repo)
    repo.git("multi-pack-index", "write")
    assert (repo.path / ".git/objects/pack/multi-pack-index").exists()


def cruft_pack(repo: Repo) -> None:
    one_pack(repo)
    repo.git("reset", "--hard", "-q", "HEAD~5")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("tag", "-d", *repo.line("tag").split())
    repo.git("repack", "--cruft", "-d", "-q")
    assert list((repo.path / ".git/objects/pack").glob("*.mtimes"))


def kept_pack(repo: Repo) -> None:
    one_pack(repo)
    packs(repo)[0].with_suffix(".keep").write_text("mine")
    grow(repo, random.Random(7), 3)
    repo.git("repack", "-a", "-d", "-q")
    assert len(packs(repo)) == 2


def bitmap_and_reverse_index(repo: Repo) -> None:
    grow(repo, random.Random(8))
    repo.git("-c", "pack.writeReverseIndex=true", "repack", "-a", "-d", "-q", "--write-bitmap-index")
    assert list((repo.path / ".git/objects/pack").glob("*.rev"))


def wide_offsets(repo: Repo) -> None:
    """What a pack beyond 2 GiB has: offsets in the table of 64-bit ones."""
    one_pack(repo)
    [pack] = packs(repo)
    pack.with_suffix(".idx").unlink()
    repo.git("index-pack", "--index-version=2,0x40", str(pack))


def old_index(repo: Repo) -> None:
    one_pack(repo)
    [pack] = packs(repo)
    pack.with_suffix(".idx").unlink()
    repo.git("index-pack", "--index-version=1", str(pack))


def nothing(repo: Repo) -> None:
    pass


def empty_pack(repo: Repo) -> None:
    repo.git("pack-objects", "-q", ".git/objects/pack/pack")
    assert len(packs(repo)) == 1


def empty_pack_before_others(repo: Repo) -> None:
    empty_pack(repo)
    rename(packs(repo)[0], "pack-" + "0" * 40)
    several_packs_beside(repo)


def empty_pack_after_others(repo: Repo) -> None:
    empty_pack(repo)
    rename(packs(repo)[0], "pack-" + "f" * 40)
    several_packs_beside(repo)


def several_packs_beside(repo: Repo) -> None:
    for seed in range(2):
        grow(repo, random.Random(seed), 5)
        repo.git("repack", "-d", "-q")
    assert len(packs(repo)) == 3


def empty_contents(repo: Repo) -> None:
    repo.commit({"empty": b"", "line": b"\n"}, "x")
    repo.git("commit", "--allow-empty", "--allow-empty-message", "-m", "")
    repo.pack()


def packs(repo: Repo) -> list[Path]:
    return sorted((repo.path / ".git/objects/pack").glob("*.pack"))


def rename(pack: Path, stem: str) -> None:
    for suffix in (".pack", ".idx"):
        pack.with_suffix(suffix).rename(pack.with_name(stem + suffix))


def loosen(repo: Repo, pack: Path) -> None:
    """Loose copies of what is in `pack`, which stays."""
    other = Repo(repo.path.parent / "unpacked", f"--object-format={repo.line('rev-parse', '--show-object-format')}")
    other.git("unpack-objects", "-q", stdin=pack.read_bytes())
    shutil.copytree(other.path / ".git/objects", repo.path / ".git/objects", dirs_exist_ok=True)


def longest_chain(repo: Repo) -> int:
    listed = repo.line("cat-file", "--batch-all-objects", "--batch-check=%(deltabase) %(objectname)").split("\n")
    base = dict(reversed(line.split()) for line in listed)
    return max(len(list(chain(base, name))) for name in base)


def chain(base: dict[str, str], name: str) -> Iterator[str]:
    """An object, its base, the base of that."""
    while name in base:
        yield name
        name = base[name]


SHAPES: list[Shape] = [
    nothing, empty_contents, loose, one_pack, several_packs, packs_and_loose, same_objects_twice, deltas_by_id, multi_pack_index,
    cruft_pack, kept_pack, bitmap_and_reverse_index, wide_offsets, old_index, empty_pack, empty_pack_before_others,
    empty_pack_after_others,
]  # fmt: skip


@FORMATS
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_reader_agrees_with_git(shape: Shape, name: str, tmp_path: Path, environment: Mapping[str, str]) -> None:
    repo = Repo(tmp_path / "repo", f"--object-format={name}")
    shape(repo)
    agree(repo.path, environment)


def test_the_reader_agrees_with_git_on_long_chains(repo: Repo, environment: Mapping[str, str]) -> None:
    long_chains(repo)
    assert agree(repo.path, environment).through_git == set()


@pytest.mark.parametrize("missing", [("isal",), ("dulwich._pack",), ("isal", "dulwich._pack")])
def test_the_plain_stand_ins_of_fast_paths_agree_with_git_and_are_named(
    missing: tuple[str, ...], repo: Repo, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in missing:
        monkeypatch.setitem(sys.modules, module, None)
    same_objects_twice(repo)
    agree(repo.path, environment)
    assert entries.engines() == (
        "zlib" if "isal" in missing else "isal",
        "dulwich-python" if "dulwich._pack" in missing else "dulwich-rust",
    )


@pytest.mark.parametrize("shape", [one_pack, deltas_by_id, wide_offsets, several_packs], ids=lambda shape: shape.__name__)
def test_what_is_packed_is_read_without_git(shape: Shape, repo: Repo, environment: Mapping[str, str]) -> None:
    shape(repo)
    reading = agree(repo.path, environment)
    assert reading.through_git == set()
    assert reading.notes == []


def test_an_index_of_version_1_is_left_to_git_and_noted(repo: Repo, environment: Mapping[str, str]) -> None:
    old_index(repo)
    [note] = agree(repo.path, environment).notes
    assert note.where == str(packs(repo)[0])
    assert "version 2" in note.reason


def test_a_base_may_lie_behind_its_deltas(repo: Repo, environment: Mapping[str, str]) -> None:
    """git writes a base first, but the format of REF_DELTA doesn't ask for it."""
    texts = versions(random.Random(9), 12)
    pack = Crafted()
    for text, base in zip(texts, texts[1:], strict=False):
        pack.named(text, object_id(3, base), edit(base, text))
    pack.whole(texts[-1])
    path = pack.write(repo.path)
    repo.git("index-pack", "--strict", str(path))
    assert agree(repo.path, environment).through_git == set()
    assert len(by_git(repo.path)) == len(texts)


def edit(base: bytes, result: bytes) -> bytes:
    """A delta that copies what both begin and end with."""
    head = next(place for place in range(len(base)) if base[place] != result[place])
    tail = next(place for place in range(len(base) - head) if base[-1 - place] != result[-1 - place])
    middle = result[head : len(result) - tail]
    return delta(len(base), len(result), copy(0, head), bytes([len(middle)]) + middle, copy(len(base) - tail, tail))


def test_alternates_are_read_relative_and_chained(tmp_path: Path, environment: Mapping[str, str]) -> None:
    first = Repo(tmp_path / "first")
    one_pack(first)
    second, third = tmp_path / "second", tmp_path / "third"
    first.git("clone", "-q", "--shared", str(first.path), str(second))
    first.git("clone", "-q", "--shared", str(second), str(third))
    (second / ".git/objects/info/alternates").write_text("# a comment\n../../../first/.git/objects\n")
    (third / ".git/objects/info/alternates").write_text("../../../second/.git/objects\n")
    for number, path in enumerate((second, third)):
        own = Repo(path)
        own.commit({"own": f"of {number}"})
    assert len(agree(third, environment).contents) == len(by_git(first.path)) + 4
    agree(second, environment)


def test_alternates_named_by_the_environment_are_read(
    tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a server's pre-receive hook the new objects lie in a quarantine folder beside the real one."""
    first, second = Repo(tmp_path / "first"), Repo(tmp_path / "second")
    one_pack(first)
    loose(second)
    shown = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{first.path}/.git/objects"}
    monkeypatch.setenv(*next(iter(shown.items())))
    assert agree(second.path, {**environment, **shown}).contents.keys() > by_git(first.path).keys()


def test_an_object_folder_named_by_the_environment_is_read(
    tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Repo(tmp_path / "first"), Repo(tmp_path / "second")
    one_pack(first)
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", f"{first.path}/.git/objects")
    assert len(agree(second.path, {**environment, "GIT_OBJECT_DIRECTORY": f"{first.path}/.git/objects"}).contents) > 30


def test_a_worktree_shares_its_repository_s_objects(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    packs_and_loose(repo)
    repo.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    assert len(agree(tmp_path / "tree", environment).contents) == len(by_git(repo.path))


def test_a_submodule_has_its_objects_in_its_superproject(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    inner = Repo(tmp_path / "inner")
    one_pack(inner)
    repo.commit({"a": "b"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "part")
    assert (repo.path / "part/.git").is_file()
    assert agree(repo.path / "part", environment).contents.keys() == by_git(inner.path).keys()


def test_a_folder_of_the_working_tree_stands_for_the_whole_repository(repo: Repo, environment: Mapping[str, str]) -> None:
    packs_and_loose(repo)
    assert len(agree(repo.path / "folder", environment).contents) == len(by_git(repo.path))


@FORMATS
def test_bare_mirrors_are_read(name: str, tmp_path: Path, environment: Mapping[str, str]) -> None:
    repo = Repo(tmp_path / "repo", f"--object-format={name}")
    packs_and_loose(repo)
    repo.git("clone", "-q", "--mirror", str(repo.path), str(tmp_path / "mirror"))
    agree(tmp_path / "mirror", environment)


def test_replaced_objects_are_read_as_they_are_stored(repo: Repo, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"a": "the first"})
    repo.write("b", "the second")
    repo.git("replace", repo.line("rev-parse", "HEAD:a"), repo.line("hash-object", "-w", "b"))
    monkeypatch.setenv("GIT_NO_REPLACE_OBJECTS", "1")
    assert ("blob", b"the first") in agree(repo.path, environment).contents.values()


def test_an_object_larger_than_a_piece_comes_in_pieces_that_overlap(
    repo: Repo, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packed objects above the limit are given to git, whose answer is cut: `whole` checks the edges of the pieces."""
    small = partial(content.windows, window=1 << 12, overlap=1 << 8)
    monkeypatch.setattr(objects, "windows", small)
    monkeypatch.setattr(entries, "WINDOW", 1 << 12)
    for size in (4095, 4096, 4097, 4096 * 2 - 256, 4096 * 2 - 255, 20_000):
        repo.commit({str(size): random.Random(size).randbytes(size)})
    repo.commit({"similar": random.Random(20_000).randbytes(20_000)[:-1]})
    repo.pack("-f")
    reading = agree(repo.path, environment)
    assert len(reading.through_git) == 5


def test_a_delta_that_makes_more_than_a_piece_is_left_to_git(repo: Repo, environment: Mapping[str, str]) -> None:
    base = random.Random(1).randbytes(1 << 20)
    large = base * 65
    pack = Crafted()
    pack.whole(base)
    pack.near(large, 12, delta(len(base), len(large), *[copy(0, len(base))] * 65))
    pack.write(repo.path)
    assert agree(repo.path, environment).through_git == {object_id(3, large).hex()}


def test_every_object_of_a_large_pack_is_in_exactly_one_shard(
    repo: Repo, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_SMALLEST", 1)
    monkeypatch.setattr(store, "_LARGEST", 300)
    same_objects_twice(repo)
    deltas_by_id(repo)
    agree(repo.path, environment)


def test_a_worker_reads_a_shard_without_importing_numpy(repo: Repo, environment: Mapping[str, str]) -> None:
    """In each worker the import would take as long as a small repository."""
    one_pack(repo)
    shards = [shard for shard in History(open_repository(repo.path, environment)).shards() if isinstance(shard, entries.PackShard)]
    code = (
        "import pickle, sys; from patscan import look; shards = pickle.load(sys.stdin.buffer); "
        "print(*(shard.name(piece.key) for shard in shards for piece in shard.pieces([])), 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(shards), capture_output=True, check=True)
    *names, is_imported = done.stdout.decode().split()
    assert is_imported == "False"
    assert set(names) == set(by_git(repo.path))


@st.composite
def histories(draw: st.DrawFn) -> bytes:
    """A stream for ``git fast-import``: files that grow out of one another, some unlike all others, and odd names."""
    files = {name: draw(st.binary(max_size=200)) * draw(st.integers(1, 40)) for name in ("a", "b/c")}
    stream = []
    for _ in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(sorted(files)))
        old, cut = files[name], draw(st.integers(0, 5000))
        files[name] = old[:cut] + draw(st.binary(max_size=60)) + old[cut + draw(st.integers(0, 50)) :]
        files[draw(st.sampled_from(["a", "b/c", "d", "e/f/g"]))] = files[name]
        stream.append(commit(draw(st.binary(max_size=30)), files))
    return b"".join(stream)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], derandomize=True)
@given(stream=histories(), repack=st.sampled_from([(), ("-f",), ("-f", "--depth=50", "--window=100"), ("by id",), ("loose",)]))
def test_the_reader_agrees_with_git_on_generated_histories(
    stream: bytes, repack: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    repo = Repo(tmp_path_factory.mktemp("generated"))
    repo.git("-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", stdin=stream)
    if repack == ("by id",):
        repo.git("-c", "repack.useDeltaBaseOffset=false", "repack", "-a", "-d", "-f", "-q")
    elif repack == ("loose",):
        loosen(repo, packs(repo)[0])
    elif repack:
        repo.git("repack", "-a", "-d", "-q", *repack)
    agree(repo.path, {"PATH": os.environ["PATH"], **IDENTITY})
