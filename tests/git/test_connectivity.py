"""What is named and not stored: compared with every object read by git, and with git's own answer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from patscan.content import Failure
from patscan.git.connectivity import BY_PACKED, BY_UNPACKED, CHECKED, UNREADABLE, Packs, Trees, linked
from patscan.git.packs import Pack
from patscan.git.repository import open_repository
from patscan.sources import completeness
from patscan.sources.history import History
from patscan.sources.memory import Memory
from tests.git.crafted import TREE, Crafted, copy, delta, insert
from tests.repo import Repo

ODD_NAMES = ("160000 x", "100644 y", "a b", "\u00e9t\u00e9", "\u65e5\u672c\u8a9e", "x" * 180, "7 ", "40000")


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every repository counts as a large one."""
    monkeypatch.setattr(completeness, "_FOLLOWED", -1)


def history(rng: random.Random, commits: int = 30) -> bytes:
    """A stream for ``git fast-import``: files that change, move and go, submodules, links, and annotated tags."""
    stream = [b"reset refs/heads/main\n"]
    files: list[str] = []
    for number in range(commits):
        stream.append(b"commit refs/heads/main\ncommitter A <a@x> %d +0000\ndata 1\nx\n" % (1_700_000_000 + number))
        for _ in range(rng.choice((1, 1, 2, 5, 30))):
            name = rng.choice(ODD_NAMES) if rng.random() < 0.1 else f"file{rng.randrange(300)}"
            path = "/".join([*(f"d{rng.randrange(3)}" for _ in range(rng.randrange(3))), name])
            if rng.random() < 0.1:
                path = f"modules/m{rng.randrange(3)}"
                stream.append(f"M 160000 {rng.randbytes(20).hex()} {path}\n".encode())
                continue
            if files and rng.random() < 0.2:
                path = rng.choice(files)
                stream.append(f'D "{path}"\n'.encode())
                continue
            files.append(path)
            content = rng.randbytes(8).hex().encode()
            stream.append(f'M {rng.choice((100644, 100755, 120000))} inline "{path}"\ndata {len(content)}\n'.encode() + content + b"\n")
    stream.append(b"tag v1\nfrom refs/heads/main\ntagger A <a@x> 1700000000 +0000\ndata 1\nx\n")
    return b"".join(stream)


def pack_without(repo: Repo, *lost: str) -> None:
    """One pack of all objects but some."""
    folder = Path(repo.line("rev-parse", "--absolute-git-dir")) / "objects" / "pack"
    old = list(folder.iterdir())
    names = "".join(f"{name}\n" for name in repo.objects() if name not in lost)
    made = repo.line("pack-objects", "-q", "--depth=50", "--window=50", str(folder / "pack"), stdin=names.encode())
    for path in old:
        if made not in path.name:
            path.unlink()
    repo.git("prune-packed", "-q")
    for name in lost:
        (folder.parent / name[:2] / name[2:]).unlink(missing_ok=True)


def named(repo: Repo) -> set[str]:
    """All ids that stored objects name, read one by one by git."""
    result = set[str]()
    for name, kind in repo.objects().items():
        if kind == "tree":
            listed = repo.git("ls-tree", "-z", name).split(b"\0")[:-1]
            result.update(facts.split()[2].decode() for facts in listed if not facts.startswith(b"160000"))
        elif kind != "blob":
            header = repo.git("cat-file", kind, name).partition(b"\n\n")[0].decode()
            result.update(line.split()[1] for line in header.splitlines() if line.startswith(("tree ", "parent ", "object ")))
    return result


def missing_by_git(repo: Repo) -> set[str]:
    listed = repo.line("rev-list", "--objects", "--all", "--reflog", "--indexed-objects", "--missing=print")
    return {line[1:] for line in listed.splitlines() if line.startswith("?")}


def check(repo: Repo, environment: Mapping[str, str], memory: Memory | None = None) -> tuple[set[str], list[str], int]:
    """The ids that are named and in no pack, the reasons of skips, and the number of shards of trees."""
    source = History(open_repository(repo.path, environment), memory=memory)
    failed: list[Failure] = []
    trees = 0
    for shard in source.shards():
        trees += isinstance(shard, Trees)
        assert list(shard.pieces(failed)) is not None
    names = [failure.name for failure in failed]
    list(source.again(names))
    absent = {name.rpartition(":")[2] for name in names if name.startswith((BY_PACKED, BY_UNPACKED))}
    assert UNREADABLE not in names
    return absent, [skip.reason for skip in source.gaps.skips], trees


@pytest.mark.parametrize("seed", range(24))
def test_a_lost_object_of_any_kind(seed: int, tmp_path: Path, environment: Mapping[str, str]) -> None:
    rng = random.Random(seed)
    repo = Repo(tmp_path / "repo", *(["--object-format=sha256"] if not seed % 8 else []))
    stream = history(rng) if seed % 8 else b"".join(line for line in history(rng).splitlines(True) if not line.startswith(b"M 160000"))
    repo.git("fast-import", "--quiet", stdin=stream)
    pack_without(repo)
    absent, skips, _ = check(repo, environment)
    assert (absent, skips) == (set(), [])
    listed = repo.objects()
    lost = rng.choice([name for name, kind in listed.items() if kind == ("blob", "tree", "commit", "tag")[seed % 4]])
    pack_without(repo, lost)
    expected = named(repo) - set(repo.objects())
    absent, skips, _ = check(repo, environment)
    assert absent == expected
    assert len(skips) == len(set(skips))
    if seed % 4 > 1:
        assert skips  # git warns of a ref that points nowhere, and gives up at a missing parent
    else:
        reached = missing_by_git(repo)
        noun = "object is" if len(reached) == 1 else "objects are"
        assert [reason.partition(" missing")[0] for reason in skips] == [f"{len(reached)} {noun}"] * bool(reached)


@pytest.mark.parametrize("options", [(), ("--pack",)])
def test_what_only_a_reflog_or_the_index_leads_to(options: tuple[str, ...], repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "1\n"})
    repo.commit({"a": "amended away\n"})
    gone = repo.line("rev-parse", "HEAD:a")
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.write("b", "staged\n")
    repo.git("add", "b")
    staged = repo.line("rev-parse", ":b")
    for lost in (gone, staged):
        if options:
            pack_without(repo, lost)
        else:
            (repo.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
        assert check(repo, environment)[1][0].startswith("1 object is missing"), lost
        repo.git("hash-object", "-w", "--stdin", stdin=b"amended away\n" if lost == gone else b"staged\n")
    assert check(repo, environment)[1] == []


@pytest.mark.parametrize("is_packed", [False, True])
def test_what_only_unreachable_objects_name_is_no_skip(is_packed: bool, repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "1\n"})
    blob = repo.line("hash-object", "-w", "--stdin", stdin=b"garbage\n")
    repo.git("mktree", stdin=f"100644 blob {blob}\tx\n".encode())
    lost = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    if is_packed:
        pack_without(repo, blob)
    else:
        lost.unlink()
    assert check(repo, environment)[:2] == ({blob}, []) if is_packed else check(repo, environment)[1] == []


def test_the_edge_of_a_shallow_clone(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    for number in range(4):
        repo.commit({"a": f"{number}\n"})
    shallow = Repo(tmp_path / "shallow")
    shallow.git("fetch", "--quiet", "--depth=2", repo.path.as_uri(), "main:main2")
    pack_without(shallow)
    absent, skips, _ = check(shallow, environment)
    assert absent == set()
    assert [reason[:15] for reason in skips] == ["a shallow clone"]


def test_a_partial_clone_counts_what_it_lacks(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    for number in range(3):
        repo.commit({"a": f"{number}\n"})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "--quiet", "--bare", "--filter=blob:none", repo.path.as_uri(), str(tmp_path / "partial"))
    partial = Repo.__new__(Repo)
    partial.path, partial._clock = tmp_path / "partial", 1_700_000_000
    assert check(partial, environment)[1] == ["a partial clone without 3 objects. Get all with: git fetch --refetch --no-filter"]


def test_complete_packs_are_remembered_until_others_replace_them(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    def memory() -> Memory:
        return Memory(tmp_path / "seen", "rules", bytes(32))

    repo.git("fast-import", "--quiet", stdin=history(random.Random(1)))
    repo.git("reset", "--quiet", "--hard", "main")
    pack_without(repo)
    assert check(repo, environment, memory())[2] == 1
    assert check(repo, environment, memory()) == (set(), [], 0)
    new = repo.commit({"new": "x\n"})
    repo.git("repack", "-d", "-q")
    assert check(repo, environment, memory()) == (set(), [], 1), "only the new pack"
    lost = repo.line("rev-parse", f"{new}:new")
    pack_without(repo, lost)
    absent, skips, _ = check(repo, environment, memory())
    assert absent == {lost}
    assert skips
    assert check(repo, environment, memory())[1] == skips, "a second scan reads nothing, and says the same"


# Trees made by hand: deltas as git makes them at the edges of ids.


def tree(*entries: tuple[str, bytes]) -> bytes:
    return b"".join(f"{name}\0".encode() + name_id for name, name_id in sorted(entries))


def difference(base: bytes, result: bytes) -> bytes:
    """A delta that copies the longest common beginning and end, and inserts what is between."""
    low = next((at for at, (one, other) in enumerate(zip(base, result, strict=False)) if one != other), min(len(base), len(result)))
    high = next(
        (at for at in range(min(len(base), len(result)) - low) if base[-1 - at] != result[-1 - at]), min(len(base), len(result)) - low
    )
    middle = result[low : len(result) - high]
    inserts = [insert(middle[at : at + 127]) for at in range(0, len(middle), 127)]
    ends = ([copy(0, low)] if low else [], [copy(len(base) - high, high)] if high else [])
    return delta(len(base), len(result), *ends[0], *inserts, *ends[1])


def absent_in(crafted: Crafted, repo: Repo) -> set[str]:
    """The names of the failures in the trees of a crafted pack."""
    path = crafted.write(repo.path)
    pack = Pack(path, 20)
    failed: list[Failure] = []
    for shard in pack.shards(None, 0, 1 << 20, (TREE,)):
        list(Trees(shard, Packs((path,), 20)).pieces(failed))
    return {failure.name for failure in failed} - {CHECKED}


@pytest.mark.parametrize("shared", [0, 1, 2, 7])
@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("is_stored", [False, True])
def test_an_id_that_a_delta_inserts_in_part(shared: int, at_end: bool, is_stored: bool, repo: Repo) -> None:
    """The old and the new id have some of their first or last bytes in common."""
    rng = random.Random(shared)
    old, crafted = rng.randbytes(20), Crafted()
    rest = bytes(byte ^ 0x80 | 1 for byte in rng.randbytes(20 - shared))
    new = rest + old[20 - shared :] if at_end else old[:shared] + rest
    base = tree(("100644 a", old), ("100644 b", old))
    crafted.raw(old, b"\x30" + crafted_blob())
    if is_stored:
        crafted.raw(new, b"\x30" + crafted_blob())
    offset = crafted.end
    crafted.whole(base, TREE)
    result = tree(("100644 a", old), ("100644 b", new))
    crafted.near(result, offset, difference(base, result), TREE)
    assert absent_in(crafted, repo) == (set() if is_stored else {BY_PACKED + new.hex()})


def crafted_blob() -> bytes:
    import zlib

    return zlib.compress(b"")


@pytest.mark.parametrize("lost", [0, 3, 4, 11])
@pytest.mark.parametrize("size", [1, 4, 12])
def test_an_insert_longer_than_one_step_takes(lost: int, size: int, repo: Repo) -> None:
    rng, crafted = random.Random(size), Crafted()
    ids = [rng.randbytes(19) + b"\0" for _ in range(12)]
    for number, name in enumerate(ids):
        if number != lost:
            crafted.raw(name, b"\x30" + crafted_blob())
    base = tree(("100644 a", ids[1]), ("100644 z", ids[2]))
    offset = crafted.end
    crafted.whole(base, TREE)
    result = tree(("100644 a", ids[1]), *((f"100644 b{number:02}", name) for number, name in enumerate(ids[:size])), ("100644 z", ids[2]))
    crafted.near(result, offset, difference(base, result), TREE)
    assert absent_in(crafted, repo) == ({BY_PACKED + ids[lost].hex()} if lost < size else set())


def test_an_insert_of_the_longest_size_before_a_copy(repo: Repo) -> None:
    crafted, name, lost = Crafted(), bytes(range(200, 220)), bytes(range(130, 150))
    crafted.raw(name, b"\x30" + crafted_blob())
    base = tree(("100644 a", name), ("100644 z", name))
    offset = crafted.end
    crafted.whole(base, TREE)
    text = b"100644 " + b"b" * 99 + b"\0" + name
    assert len(text) == 127
    result = text + base[:29] + b"100644 y\0" + lost
    crafted.near(result, offset, delta(len(base), len(result), insert(text), copy(0, 29), insert(b"100644 y\0" + lost)), TREE)
    assert absent_in(crafted, repo) == {BY_PACKED + lost.hex()}


@pytest.mark.parametrize("mode", ["160000", "0160000"])
def test_a_submodule_is_stored_elsewhere(mode: str, repo: Repo) -> None:
    crafted, rng = Crafted(), random.Random(mode)
    first = tree((f"{mode} a", rng.randbytes(20)))
    offset = crafted.end
    crafted.whole(first, TREE)
    for _ in range(600):
        result = tree((f"{mode} a", rng.randbytes(20)))
        crafted.near(result, offset, difference(first, result), TREE)
    assert absent_in(crafted, repo) == set()


BROKEN = [b"100644 a", b"100644 a\0short", b"x a\0" + bytes(20), b"\0" * 60, b"100644 \0" + bytes(20), b" a\0" + bytes(20)]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_tree_is_for_git(content: bytes, repo: Repo) -> None:
    crafted = Crafted()
    crafted.whole(b"\xff" * 5 + content, TREE)
    assert absent_in(crafted, repo) == {UNREADABLE}


@pytest.mark.parametrize("steps", [b"", b"\x80", b"\x05\xff" + b"\x7fabc", b"\x05\x05\xff\0", b"\x05\x05\x05\xffab"])
def test_a_broken_delta_is_for_git(steps: bytes, repo: Repo) -> None:
    crafted = Crafted()
    crafted.whole(tree(("100644 a", b"\xff" * 20)), TREE)
    crafted.near(b"a", 12, steps, TREE)
    assert UNREADABLE in absent_in(crafted, repo)


def test_a_delta_that_git_would_not_make_is_for_git(repo: Repo) -> None:
    """It takes an id apart."""
    crafted = Crafted()
    base = tree(("100644 a", bytes(range(128, 148))))
    crafted.whole(base, TREE)
    places = range(27, 8, -2)
    tiny = b"".join(bytes([0x91, at, 2]) for at in places)
    crafted.near(base[:9] + b"".join(base[at : at + 2] for at in places), 12, delta(len(base), len(base), copy(0, 9), tiny), TREE)
    assert UNREADABLE in absent_in(crafted, repo)


def test_many_tiny_inserts_take_a_bounded_time(repo: Repo) -> None:
    """A delta of four million steps, each of one byte."""
    crafted = Crafted()
    base = tree(("100644 a", b"\xff" * 20))
    crafted.whole(base, TREE)
    count = 4_000_000
    crafted.near(b"a" * count, 12, delta(len(base), count, insert(b"\xfe") * count), TREE)
    assert UNREADABLE in absent_in(crafted, repo)


def test_a_pack_that_is_gone_is_for_git(repo: Repo) -> None:
    repo.commit({"a": "1\n"})
    pack_without(repo)
    path = next((repo.path / ".git" / "objects" / "pack").glob("*.pack"))
    packs, failed = Packs((path,), 20), []
    shards = [linked(shard, packs) for shard in Pack(path, 20).shards(None, 0, 1 << 20)]
    shards += [Trees(shard, packs) for shard in Pack(path, 20).shards(None, 0, 1 << 20, (TREE,))]
    path.unlink()
    for shard in shards:
        list(shard.pieces(failed))
    assert [failure.name for failure in failed].count(UNREADABLE) == 2
