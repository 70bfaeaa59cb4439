"""Packs that lie, are damaged or were made to hurt: never an exception, never a hang, never "clean", and the rest is still read."""

from __future__ import annotations

import io
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from patscan import scan
from patscan.cli import pools
from patscan.content import Failure
from patscan.git import child, entries
from patscan.git.repository import open_repository
from patscan.model import Report, Rule
from patscan.run import Options
from patscan.sources.history import History
from tests.git.crafted import (
    BLOB,
    COMMIT,
    OFS_DELTA,
    REF_DELTA,
    TREE,
    Crafted,
    copy,
    delta,
    distance,
    head,
    index,
    insert,
    object_id,
    varint,
)
from tests.git.reading import by_patscan
from tests.git.test_packs import grow, packs
from tests.repo import Repo
from tests.tokens import classic

LIE = b"an innocent text\n" * 20
SECONDS = 20


@pytest.fixture
def tokens(rng: random.Random) -> list[str]:
    """One for the pack, one for a loose object beside it."""
    return [classic(rng), classic(rng)]


@pytest.fixture
def pack(tokens: list[str], repo: Repo) -> Crafted:
    """A pack whose first entry is healthy and holds a token; another stands in a loose object."""
    repo.write("loose", tokens[1] + "\n")
    repo.git("hash-object", "-w", "loose")
    made = Crafted()
    made.whole(tokens[0].encode() + b"\n")
    return made


@pytest.fixture
def look(repo: Repo, rules: tuple[Rule, ...], environment: Mapping[str, str]) -> Callable[[], Report]:
    """Scan the repository, within a time and a memory that nothing here may exceed."""

    def scanned() -> Report:
        begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        source = History(open_repository(repo.path, environment))
        report = scan.scan(source, rules, pools.serial, lambda looked: None, Options())
        assert time.monotonic() - begun < SECONDS
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10, "KiB"
        return report

    return scanned


def tokens_of(report: Report) -> set[str]:
    return {finding.secret.reveal().decode() for finding in report.findings}


def skipped(report: Report) -> set[str]:
    for skip in report.coverage.skipped:
        assert skip.reason.endswith((".", "Try: git fsck")), skip
        assert "\n" not in skip.reason
    return {skip.where for skip in report.coverage.skipped}


def check(report: Report, tokens: list[str], *broken: bytes) -> None:
    """Both tokens are found and exactly these objects are said not to be read."""
    assert tokens_of(report) == set(tokens)
    assert skipped(report) == {name.hex() for name in broken}
    assert not report.coverage.complete


def test_a_size_that_is_too_small_is_no_content(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    broken = pack.whole(LIE, size=len(LIE) - 1)
    pack.whole(b"behind it")
    pack.write(repo.path)
    check(look(), tokens, broken)


def test_a_size_that_is_too_large_is_no_content(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    broken = pack.whole(LIE, size=len(LIE) + 1)
    pack.write(repo.path)
    check(look(), tokens, broken)


def test_a_declared_size_of_gigabytes_allocates_nothing(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    broken = [pack.whole(b"%d" % size, size=size) for size in (3 << 30, 1 << 40, (1 << 63) - 1)]
    pack.write(repo.path)
    check(look(), tokens, *broken)


@pytest.mark.parametrize("declared", [10, 1 << 20])
def test_a_bomb_that_declares_little_is_not_blown_up(
    declared: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    """256 MiB of zeros in 256 KiB: the inflater stops where the declared size ends."""
    deflate = zlib.compressobj(9)
    stream = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(1 << 8)) + deflate.flush()
    broken = pack.raw(object_id(BLOB, b"bomb"), head(BLOB, declared) + stream)
    pack.write(repo.path)
    check(look(), tokens, broken)


@pytest.mark.parametrize(
    "steps",
    [
        delta(len(LIE), 10, copy(len(LIE) - 5, 10)),
        delta(len(LIE), 10, copy(1 << 31, 10)),
        delta(len(LIE), 9, copy(0, 10)),
        delta(len(LIE), 11, copy(0, 10)),
        delta(len(LIE), 10, copy(0, 5), copy(0, 6)),
        delta(len(LIE) + 1, 10, copy(0, 10)),
        delta(len(LIE) - 1, 10, copy(0, 10)),
        delta(len(LIE), 10, copy(0, 10)[:-1]),
        delta(len(LIE), 10, b"\x91"),
        delta(len(LIE), 10, b"\x0aabc"),
        delta(len(LIE), 2, insert(b"abc")),
        delta(len(LIE), 3, b"\0", insert(b"abc")),
        varint(len(LIE)) + b"\xff" * 40,
        b"\xff" * 5000,
        b"\x80" * 5000,
        varint(len(LIE)),
        b"",
        delta(len(LIE), 1 << 40, copy(0, 10)),
        delta(len(LIE), 1 << 62, copy(0, 10)),
        delta(len(LIE), (1 << 64) - 1, copy(0, 10)),
        varint(len(LIE)) + varint(1 << 64 | 10) + copy(0, 10),
        varint(1 << 64 | len(LIE)) + varint(10) + copy(0, 10),
    ],
    ids=range(22),
)
def test_a_delta_that_does_not_fit_is_no_content(
    steps: bytes, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    start = pack.end
    pack.whole(LIE)
    broken = pack.near(b"never made", start, steps)
    upon = pack.near(b"made of what was never made", pack.offsets()[broken], delta(10, 10, copy(0, 10)))
    sibling = b"its sibling " + tokens[0].encode()
    pack.near(sibling, start, delta(len(LIE), len(sibling), insert(sibling)))
    pack.write(repo.path)
    check(look(), tokens, broken, upon)


def test_a_header_of_a_megabyte_is_not_read_to_its_end(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    """Summing up a number of a million bytes takes hours."""
    start = pack.end
    pack.whole(LIE)
    broken = pack.near(b"never made", start, b"\xff" * (4 << 20))
    pack.write(repo.path)
    check(look(), tokens, broken)


def test_a_delta_of_some_hundred_bytes_that_declares_gigabytes_is_not_made(
    pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 bytes make 1.7 GB of a 16 MiB base. git, which is asked instead, is not asked here: it would be minutes of zeros."""
    base = bytes(16 << 20)
    start = pack.end
    pack.whole(base)
    broken = pack.near(b"huge", start, delta(len(base), 107 * len(base) - 107, *[copy(0, len(base) - 1)] * 107))
    pack.write(repo.path)
    monkeypatch.setattr(History, "again", lambda self, keys: iter(()))
    failed: list[Failure] = []
    begun = time.monotonic()
    source = History(open_repository(repo.path, dict(os.environ)))
    names = [shard.name(piece.key) for shard in source.shards() for piece in shard.pieces(failed)]
    assert broken.hex() not in names
    assert failed == [Failure(broken.hex(), "larger than one piece", again=True)]
    assert time.monotonic() - begun < 5


def test_a_base_that_is_not_there_is_reported(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    broken = pack.named(b"never made", object_id(BLOB, b"nowhere"), delta(7, 3, copy(0, 3)))
    start = pack.end
    upon = pack.named(b"nor this", broken, delta(10, 3, copy(0, 3)))
    third = pack.near(b"nor that", start, delta(8, 3, copy(0, 3)))
    pack.write(repo.path)
    check(look(), tokens, broken, upon, third)


def test_a_base_in_another_pack_is_no_base(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    """A thin pack is one on its way; stored packs are complete, for git as for us."""
    other = Crafted()
    base = other.whole(LIE)
    other.write(repo.path, "other")
    broken = pack.named(b"never made", base, delta(len(LIE), 3, copy(0, 3)))
    pack.write(repo.path)
    check(look(), tokens, broken)


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_cyclic_deltas_are_reported_and_git_is_not_asked(
    length: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    """git follows such a circle until no memory is left."""
    texts = [b"%d of a circle" % number for number in range(length)]
    broken = []
    for text, base in zip(texts, [*texts[1:], texts[0]], strict=True):
        broken.append(pack.named(text, object_id(BLOB, base), delta(len(base), len(text), insert(text))))
    broken.append(pack.named(b"hangs on it", broken[0], delta(len(texts[0]), 3, copy(0, 3))))
    start = pack.offsets()[broken[0]]
    broken.append(pack.near(b"hangs on it nearby", start, delta(len(texts[0]), 3, copy(0, 3))))
    pack.write(repo.path)
    check(look(), tokens, *broken)


def test_a_cycle_of_both_kinds_of_deltas_is_reported(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    one, two = b"one of two", b"two of two"
    start = pack.end
    broken = [pack.named(one, object_id(BLOB, two), delta(10, 10, insert(one))), pack.near(two, start, delta(10, 10, insert(two)))]
    pack.write(repo.path)
    check(look(), tokens, *broken)


def test_a_token_s_commit_is_found_beside_a_cycle(repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    """Looking for unreachable commits must not ask git for what never ends."""
    commit = repo.commit({"a": tokens[0]})
    repo.commit({"a": "gone"}, "amended", "--amend")
    repo.git("reflog", "expire", "--expire=now", "--all")
    pack = Crafted()
    text = b"of itself"
    broken = pack.named(text, object_id(BLOB, text), delta(len(text), len(text), insert(text)))
    pack.write(repo.path)
    report = look()
    assert skipped(report) == {broken.hex()}
    assert [occurrence.sighting.commit for finding in report.findings for occurrence in finding.occurrences] == [commit]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child's memory isn't bounded")
@pytest.mark.parametrize("kind", [COMMIT, TREE])
def test_a_ref_to_a_cycle_costs_bounded_memory(
    kind: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """git follows the ref, and the circle, until no memory is left; the places of what it found first are lost then."""
    monkeypatch.setattr(child, "_MEMORY", 100 << 20)
    text = b"of itself"
    circle = object_id(kind, text)
    pack.raw(circle, head(REF_DELTA, 12) + circle + zlib.compress(delta(len(text), len(text), insert(text))))
    commit = circle
    if kind == TREE:
        commit = pack.whole(b"tree %b\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n" % circle.hex().encode(), COMMIT)
    pack.write(repo.path)
    (repo.path / ".git/refs/heads/main").write_text(commit.hex() + "\n")
    report = look()
    assert tokens_of(report) == set(tokens)
    # The circle is named; and because git dies of it, what else the repository lacks can't be told, which is said, too.
    assert skipped(report) == {circle.hex(), str(repo.path)}


@pytest.mark.parametrize("far", [0, 1, 5, 1000, 1 << 40, (1 << 62) + 3, (1 << 70) + 1])
def test_a_base_before_the_pack_or_between_entries_is_no_base(
    far: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    pack.whole(LIE)
    packed = zlib.compress(delta(len(LIE), 3, copy(0, 3)))
    broken = pack.raw(object_id(BLOB, b"never made"), head(OFS_DELTA, 30) + distance(far) + packed)
    pack.write(repo.path)
    check(look(), tokens, broken)


@pytest.mark.parametrize("kind", [0, 5])
def test_an_unknown_kind_is_reported(kind: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    start = pack.end
    broken = pack.raw(object_id(BLOB, LIE), head(kind, len(LIE)) + zlib.compress(LIE))
    upon = pack.near(b"made of it", start, delta(len(LIE), 3, copy(0, 3)))
    pack.write(repo.path)
    check(look(), tokens, broken, upon)


@pytest.mark.parametrize(
    "entry",
    [
        b"\xb0" + b"\x80" * 12 + b"\x01" + zlib.compress(LIE),
        b"\xb0" + b"\xff" * 300,
        b"\xbf" + b"\xff" * 8 + b"\x7f" + zlib.compress(LIE),
        b"\xe0" + b"\xff" * 300,
        b"\xf0" + b"\xff" * 300,
        b"\x30",
        b"\x60",
        b"\x60\x80",
        b"\x70" + bytes(10),
        head(BLOB, 0),
        head(BLOB, 3) + b"not deflated at all",
        head(REF_DELTA, 3) + bytes(20) + b"not deflated at all",
    ],
    ids=range(12),
)
@pytest.mark.parametrize("last", [True, False])
def test_headers_without_sense_are_reported(
    entry: bytes, last: bool, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    broken = pack.raw(object_id(BLOB, b"whatever"), entry)
    if not last:
        pack.whole(b"behind it")
    pack.write(repo.path)
    check(look(), tokens, broken)


def test_empty_streams_and_objects_are_healthy(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    start = pack.end
    pack.whole(b"")
    pack.near(tokens[0].encode(), start, delta(0, 26, insert(tokens[0].encode())))
    start = pack.end
    pack.whole(LIE)
    pack.entries.append((b"\xee" * 20, head(OFS_DELTA, 3) + distance(pack.end - start) + zlib.compress(delta(len(LIE), 0))))
    pack.write(repo.path)
    report = look()
    assert tokens_of(report) == set(tokens)
    assert report.coverage.complete


@pytest.mark.parametrize("place", [-10, -21, -40])
def test_a_cut_pack_is_reported(place: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    """git uses nothing of a pack whose end isn't the one its index names."""
    pack.whole(LIE)
    path = pack.write(repo.path)
    path.write_bytes(path.read_bytes()[:place])
    report = look()
    assert tokens_of(report) == {tokens[1]}
    assert skipped(report) == {name.hex() for name, _ in pack.entries}
    assert [note.where for note in report.coverage.notes if note.where.endswith(".pack")] == [str(path)]


@pytest.mark.parametrize("left", [0, 3, 12, 19, 31])
def test_a_pack_of_some_bytes_is_reported(left: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    path = pack.write(repo.path)
    path.write_bytes(path.read_bytes()[:left])
    report = look()
    assert tokens_of(report) == {tokens[1]}
    assert skipped(report) == {name.hex() for name, _ in pack.entries}


def test_a_damaged_byte_breaks_one_object_only(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    start = pack.end
    broken = pack.whole(random.Random(1).randbytes(5000))
    pack.whole(b"behind it")
    path = pack.write(repo.path)
    damaged = bytearray(path.read_bytes())
    damaged[start + 2500] ^= 0x10
    path.write_bytes(damaged)
    check(look(), tokens, broken)


def test_an_object_that_is_broken_in_one_pack_is_read_from_another(
    pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str], rng: random.Random
) -> None:
    third = classic(rng)
    content = third.encode() + b" " + rng.randbytes(500)
    other = Crafted()
    other.whole(content)
    other.write(repo.path, "zz-later")
    start = pack.end
    pack.whole(content)
    path = pack.write(repo.path)
    damaged = bytearray(path.read_bytes())
    damaged[start + 100] ^= 0x10
    path.write_bytes(damaged)
    report = look()
    assert tokens_of(report) == {*tokens, third}
    assert report.coverage.complete


def test_an_index_of_another_pack_is_no_index(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    other = Crafted()
    stranger = other.whole(LIE)
    path = pack.write(repo.path)
    path.with_suffix(".idx").write_bytes(index(other.offsets(), other.pack()[-20:]))
    report = look()
    assert tokens_of(report) == {tokens[1]}
    assert skipped(report) == {stranger.hex()}


@pytest.mark.parametrize("offset", [0, 11, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_an_index_that_points_out_of_its_pack_is_left_to_git(
    offset: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    broken = object_id(BLOB, b"far away")
    path = pack.write(repo.path)
    path.with_suffix(".idx").write_bytes(index({**pack.offsets(), broken: offset}, pack.pack()[-20:]))
    report = look()
    assert tokens_of(report) >= {tokens[1]}
    assert skipped(report) >= {broken.hex()}


def test_an_index_that_points_between_entries_spoils_these_alone(
    pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    start = pack.end
    spoiled = pack.whole(random.Random(2).randbytes(3000))
    broken = object_id(BLOB, b"between")
    path = pack.write(repo.path)
    path.with_suffix(".idx").write_bytes(index({**pack.offsets(), broken: start + 1500}, pack.pack()[-20:]))
    check(look(), tokens, broken, spoiled)


def test_an_entry_with_two_names_is_read_under_both(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    alias = pack.raw(object_id(BLOB, b"an alias"), b"")
    path = pack.write(repo.path)
    path.with_suffix(".idx").write_bytes(index({**pack.offsets(), alias: 12}, pack.pack()[-20:]))
    report = look()
    check(report, tokens, alias)
    blobs = {occurrence.sighting.blob for finding in report.findings for occurrence in finding.occurrences}
    assert {pack.entries[0][0].hex(), alias.hex()} < blobs


def test_entries_that_the_index_leaves_out_do_not_disturb(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    """git refuses the whole pack, since it holds more than its index; a delta on such an entry can't be made."""
    start = pack.end
    base = pack.whole(LIE)
    broken = pack.near(b"made of it", start, delta(len(LIE), 10, insert(b"made of it")))
    offsets = pack.offsets()
    del offsets[base]
    path = pack.write(repo.path)
    path.with_suffix(".idx").write_bytes(index(offsets, pack.pack()[-20:]))
    check(look(), tokens, broken)


def test_an_index_whose_names_are_in_no_order_hides_nothing(
    pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    for number in range(50):
        pack.whole(b"%d" % number)
    path = pack.write(repo.path)
    names = sorted(pack.offsets())
    raw = bytearray(path.with_suffix(".idx").read_bytes())
    raw[1032 : 1032 + 20 * len(names)] = b"".join(reversed(names))
    path.with_suffix(".idx").write_bytes(raw)
    report = look()
    assert not report.coverage.complete or tokens_of(report) == set(tokens)


@pytest.mark.parametrize("cut", [1, 8, 20, 400, -1, -20, -40])
def test_a_cut_index_is_reported(cut: int, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    path = pack.write(repo.path)
    whole = path.with_suffix(".idx").read_bytes()
    path.with_suffix(".idx").write_bytes(whole[:cut])
    report = look()
    assert tokens_of(report) >= {tokens[1]}
    assert not report.coverage.complete


def test_an_index_that_claims_billions_of_entries_is_reported(
    pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    path = pack.write(repo.path)
    raw = bytearray(path.with_suffix(".idx").read_bytes())
    raw[1028:1032] = b"\xff\xff\xff\xff"
    path.with_suffix(".idx").write_bytes(raw)
    report = look()
    assert tokens_of(report) == {tokens[1]}
    assert skipped(report) == {str(path)}


@pytest.mark.parametrize("missing", [".idx", ".pack"])
def test_half_a_pack_is_reported(missing: str, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    path = pack.write(repo.path)
    path.with_suffix(missing).unlink()
    report = look()
    assert tokens_of(report) == {tokens[1]}
    assert skipped(report) == {str(path.with_suffix({".idx": ".pack", ".pack": ".idx"}[missing]))}


@pytest.mark.parametrize("what", [".idx", ".pack"])
def test_a_folder_in_the_place_of_a_file_is_reported(
    what: str, pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    path = pack.write(repo.path)
    path.with_suffix(what).unlink()
    path.with_suffix(what).mkdir()
    report = look()
    # With a folder for an index git reads nothing at all any more.
    assert tokens_of(report) == ({tokens[1]} if what == ".pack" else set())
    assert not report.coverage.complete


def test_a_pack_that_goes_away_during_the_scan_is_read_from_where_it_went(repo: Repo, environment: Mapping[str, str]) -> None:
    """A repack runs whenever git pleases."""
    grow(repo, random.Random(1), 3)
    repo.pack()
    expected = by_patscan(repo.path, environment).contents
    source = History(open_repository(repo.path, environment))
    shards = list(source.shards())
    grow(repo, random.Random(2), 1)
    repo.pack("-f")
    failed: list[Failure] = []
    seen = [piece for shard in shards for piece in shard.pieces(failed)]
    assert [piece.kind for piece in seen if piece.kind != "tree"] == ["ref-name"]
    again: list[tuple[int | str, str]] = []
    contents = {
        piece.key: (piece.kind, piece.data) for shard in source.again(name for name, _, _ in failed) for piece in shard.pieces(again)
    }
    assert contents == expected
    assert again == []


def test_a_chain_that_runs_backwards_through_a_whole_pack_takes_no_longer_than_another(repo: Repo, environment: Mapping[str, str]) -> None:
    """Each base behind its delta, 30,000 deep: walking it link by link would take a second for each thousand."""
    pack = Crafted()
    texts = [b"%08d" % number for number in range(30_000)]
    for text, base in zip(texts, texts[1:], strict=False):
        pack.entries.append(
            (object_id(BLOB, text), head(REF_DELTA, 11) + object_id(BLOB, base) + zlib.compress(delta(8, 8, insert(text)), 1))
        )
    pack.whole(texts[-1])
    pack.write(repo.path)
    begun = time.monotonic()
    assert by_patscan(repo.path, environment).contents.keys() == {object_id(BLOB, text).hex() for text in texts}
    assert time.monotonic() - begun < 6


def test_ids_that_begin_alike_are_told_apart(pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]) -> None:
    """Nobody can make honest ids share eight bytes, but an index may claim what it likes."""
    near = [bytes(8) + number.to_bytes(12, "big") for number in range(40)]
    for name in near:
        pack.raw(name, head(BLOB, len(LIE)) + zlib.compress(LIE))
    text = b"made of the thirtieth: " + tokens[0].encode()
    pack.named(text, near[30], delta(len(LIE), len(text), insert(text)))
    pack.write(repo.path)
    report = look()
    assert tokens_of(report) == set(tokens)
    assert report.coverage.complete


def test_a_panic_in_rust_is_a_broken_entry_and_ctrl_c_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyO3's PanicException derives from BaseException; dulwich 1.0 panics on a delta that is cut."""
    panic = type("PanicException", (BaseException,), {})
    for raised, expected in ((panic, entries._Broken), (MemoryError, entries._Broken), (KeyboardInterrupt, KeyboardInterrupt)):

        def apply(base: bytes, steps: bytes, raised: type[BaseException] = raised) -> list[bytes]:
            raise raised

        monkeypatch.setattr(entries, "_deltas", lambda apply=apply: (apply, (ValueError, MemoryError), "test"))
        with pytest.raises(expected):
            entries._applier()(b"base", delta(4, 3, copy(0, 3)))


@pytest.fixture(scope="module")
def healthy() -> Iterator[Repo]:
    folder = Path(tempfile.mkdtemp())
    repo = Repo(folder / "repo")
    grow(repo, random.Random(1), 6)
    repo.git("-c", "repack.useDeltaBaseOffset=false", "repack", "-d", "-q")
    grow(repo, random.Random(2), 3)
    repo.pack("-f")
    yield repo
    shutil.rmtree(folder)


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
@pytest.mark.parametrize("seed", range(2))
def test_damage_anywhere_gives_what_git_gives_or_a_skip(
    suffix: str, seed: int, healthy: Repo, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    """A flipped bit may slip through Adler-32, for git as for us: what is given then is what git gives."""
    rng = random.Random(seed)
    [pack] = packs(healthy)
    whole = pack.with_suffix(suffix).read_bytes()
    expected = by_patscan(healthy.path, environment).contents
    repo = Repo(tmp_path / "damaged")
    shutil.copytree(healthy.path, repo.path, dirs_exist_ok=True)
    [target] = packs(repo)
    target.with_suffix(suffix).chmod(0o644)
    silent = 0
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 1, 1, 5))):
            damaged[rng.randrange(len(damaged) - 40)] ^= 1 << rng.randrange(8)
        target.with_suffix(suffix).write_bytes(damaged)
        reading = by_patscan(repo.path, environment)
        gaps = {skip.where for skip in reading.skips}
        for name, content in reading.contents.items():
            # A name that the damage invented stands for a true content.
            right = expected.get(name) == content or (name not in expected and content in expected.values())
            if not right and name not in gaps:
                assert git_gives(repo, name) == content[1]
                silent += 1
        assert (
            not (expected.keys() - reading.contents.keys() - gaps)
            or suffix == ".idx"
            or not git_knows(repo, expected.keys() - reading.contents.keys() - gaps)
        )
    assert silent < 10


def git_gives(repo: Repo, name: str) -> bytes:
    out = repo.git("cat-file", "--batch", stdin=f"{name}\n".encode())
    return out[out.index(b"\n") + 1 : -1]


def git_knows(repo: Repo, names: set[str]) -> list[str]:
    kinds = [repo.git("cat-file", "--batch-check=%(objecttype)", stdin=f"{name}\n".encode()).decode().split()[-1] for name in names]
    return [kind for kind in kinds if kind in ("blob", "commit", "tag")]


def test_random_bytes_between_a_true_header_and_a_true_end_raise_nothing(repo: Repo, environment: Mapping[str, str]) -> None:
    rng = random.Random(3)
    for turn in range(25):
        pack, bases = Crafted(), dict[bytes, bytes]()
        for number in range(60):
            pack.raw(rng.randbytes(20), bytes([rng.randrange(256)]) + rng.randbytes(rng.randrange(40)))
            if number % 7 == 0:
                base, place = rng.choice(list(pack.offsets().items()))
                bases[pack.near(rng.randbytes(9), place, rng.randbytes(rng.randrange(30)))] = base
        path = pack.write(repo.path)
        reading = by_patscan(repo.path, environment)
        trees: set[bytes] = set()
        for name, raw in pack.entries:
            if raw[0] >> 4 & 7 == 2 or bases.get(name) in trees:
                trees.add(name)
        names = reading.contents.keys() | {skip.where for skip in reading.skips}
        assert {name.hex() for name, _ in pack.entries if name not in trees} <= names, turn
        path.unlink()
        path.with_suffix(".idx").unlink()


def test_random_deltas_raise_nothing(repo: Repo) -> None:
    """Against git's rule, written down once more here."""
    rng = random.Random(4)
    apply = entries._applier()
    base = rng.randbytes(300)
    for _ in range(20_000):
        steps = [random_step(rng) for _ in range(rng.randrange(5))]
        asked = delta(rng.choice((300, 300, 299)), rng.randrange(600), *steps)
        expected = by_the_book(base, asked)
        try:
            assert apply(base, asked) == expected
        except entries._Broken:
            assert expected is None


def random_step(rng: random.Random) -> bytes:
    return rng.choice([insert(rng.randbytes(rng.randrange(1, 127))), copy(rng.randrange(300), rng.randrange(1, 310)), rng.randbytes(3)])


def by_the_book(base: bytes, steps: bytes) -> bytes | None:
    """git's patch_delta(), slowly; ``None`` for what it refuses."""
    reader = io.BytesIO(steps)
    try:
        if number(reader) != len(base):
            return None
        wanted, made = number(reader), b""
        while step := reader.read(1):
            made += copied(base, step[0], reader) if step[0] & 0x80 else exactly(reader, step[0] or 1 << 30)
            if len(made) > wanted:
                return None
    except EOFError:
        return None
    return made if len(made) == wanted else None


def copied(base: bytes, step: int, reader: io.BytesIO) -> bytes:
    """The part of the base that a step names by four bytes of offset and three of size, zeros left out."""
    numbers = bytes(exactly(reader, 1)[0] if step >> bit & 1 else 0 for bit in range(7))
    offset, size = int.from_bytes(numbers[:4], "little"), int.from_bytes(numbers[4:], "little") or 0x10000
    return exactly(io.BytesIO(base[offset:]), size)


def exactly(reader: io.BytesIO, size: int) -> bytes:
    data = reader.read(size)
    if len(data) < size:
        raise EOFError
    return data


def number(reader: io.BytesIO) -> int:
    byte = exactly(reader, 1)[0]
    return byte & 0x7F | number(reader) << 7 if byte & 0x80 else byte


def test_a_commit_that_claims_gigabytes_does_not_stop_the_scan(
    pack: Crafted, repo: Repo, look: Callable[[], Report], tokens: list[str]
) -> None:
    commit = b"tree %b\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nx\n" % (b"0" * 40)
    broken = pack.whole(commit, COMMIT, size=5 << 30)
    pack.write(repo.path)
    check(look(), tokens, broken)
