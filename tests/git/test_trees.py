"""Which commits may have changed something that some blobs live in, by the packs alone; git says which ones did."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from patscan.git import trees as module
from patscan.git.packs import Pack
from patscan.git.trees import TreeContents, search_trees
from tests.git.crafted import TREE, Crafted, copy, delta, head, insert
from tests.repo import Repo

HISTORIES = 60


@pytest.fixture(autouse=True)
def git_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a repository as small as a test's git is always quicker."""
    monkeypatch.setattr(module, "_SEARCH_COST", 0)
    monkeypatch.setattr(module, "_REBUILD_COST", 0)


def packs(repo: Repo) -> list[Pack]:
    size = {"sha1": 20, "sha256": 32}[repo.line("rev-parse", "--show-object-format")]
    return [Pack(path, size) for path in sorted(repo.path.glob("**/objects/pack/*.pack"))]


def loose(repo: Repo) -> list[str]:
    return [path.parent.name + path.name for path in repo.path.glob("**/objects/??/*")]


def commits(repo: Repo) -> dict[str, list[str]]:
    """Of each commit its tree and its parents."""
    return {line.split()[0]: line.split()[1:] for line in repo.line("log", "--all", "--format=%H %T %P").splitlines()}


def tree_contents(repo: Repo, *wanted: str) -> TreeContents:
    contents = search_trees(packs(repo), wanted, loose(repo), map)
    assert contents
    return contents


def asked(contents: TreeContents, commits: Mapping[str, list[str]]) -> set[str]:
    parents = {commit: facts[1:] for commit, facts in commits.items()}
    return set(contents.differing(commits, parents, {commit: facts[0] for commit, facts in commits.items()}))


def differing(repo: Repo, *wanted: str) -> set[str]:
    return asked(tree_contents(repo, *wanted), commits(repo))


def changing(repo: Repo, *wanted: str) -> set[str]:
    """The same by git: each tree listed, file by file."""

    def held(tree: str | None) -> list[str]:
        listed = repo.git("ls-tree", "-r", "-z", tree).split(b"\0") if tree else []
        return [entry.decode() for entry in listed if entry and entry.split()[2].decode() in wanted]

    contents = commits(repo)
    return {
        commit for commit, (tree, *parent_ids) in contents.items() if held(tree) != held(contents[parent_ids[0]][0] if parent_ids else None)
    }


def deltas(repo: Repo) -> int:
    """How many trees are made of others."""
    listed = [line.split() for path in repo.path.glob("**/*.idx") for line in repo.line("verify-pack", "-v", str(path)).splitlines()]
    return sum(fields[1] == "tree" and len(fields) == 7 for fields in listed if len(fields) > 4)


def files(text: str = "") -> dict[str, bytes | str]:
    """Enough of them, so that git makes deltas of their trees."""
    return {f"{folder}{name}.txt": f"{folder}{name}{text}\n" for folder in ("", "a/", "a/b/", "c d/") for name in range(12)}


def blob(repo: Repo, text: str) -> str:
    return repo.line("hash-object", "-w", "--stdin", stdin=text.encode())


def test_what_no_tree_holds_changes_with_no_commit(repo: Repo) -> None:
    repo.commit(files())
    repo.commit({"a/b/3.txt": "changed"})
    name = blob(repo, "in no tree")
    repo.pack()
    assert differing(repo, name) == set()


def test_nothing_looked_for_is_nothing_found(repo: Repo) -> None:
    repo.commit(files())
    repo.pack()
    assert differing(repo) == set()


def test_each_way_to_change_where_a_blob_lives(repo: Repo) -> None:
    quiet, loud = [repo.commit(files())], []
    loud += [repo.commit({"a/b/secret": "token"})]
    quiet += [repo.commit({"a/b/3.txt": "changed"}), repo.commit({"1.txt": "changed"}), repo.commit({"a/b/secres": "x", "a/b/secreu": "y"})]
    repo.git("mv", "a/b/secret", "a/b/secrets")
    loud += [repo.commit()]
    repo.git("mv", "a/b", "a/e")
    loud += [repo.commit()]
    quiet += [repo.commit({"a/e/4.txt": "changed"})]
    repo.git("update-index", "--chmod=+x", "a/e/secrets")
    repo.git("commit", "-q", "-m", "x")
    loud += [repo.line("rev-parse", "HEAD")]
    loud += [repo.commit({"copy": "token"})]
    repo.git("mv", "a/e/secrets", "c d/secrets")
    loud += [repo.commit()]
    repo.git("rm", "-q", "copy")
    loud += [repo.commit({})]
    repo.git("rm", "-q", "c d/secrets")
    loud += [repo.commit({})]
    quiet += [repo.commit({"c d/3.txt": "changed"})]
    repo.git("config", "core.fileMode", "false")
    repo.pack("-f", "--depth=50", "--window=50")
    assert deltas(repo) > 3
    name = blob(repo, "token")
    assert differing(repo, name) == set(loud) == changing(repo, name)


def test_a_root_tree_that_is_a_folder_elsewhere(repo: Repo) -> None:
    inner = repo.commit({"secret": "token"})
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("rm", "-q", "-rf", ".")
    repo.commit(files())
    repo.git("read-tree", "--prefix=deep/er", inner)
    repo.git("commit", "-q", "-m", "subtree")
    outer = repo.line("rev-parse", "HEAD")
    repo.pack()
    assert differing(repo, blob(repo, "token")) == {inner, outer}


def test_many_blobs_in_one_folder(repo: Repo) -> None:
    repo.commit(files())
    first = repo.commit({f"a/b/secret {number}": f"token {number}" for number in range(50)})
    second = repo.commit({f"a/b/secret {number}": f"token {number + 20}" for number in range(20, 50)})
    repo.commit({"a/b/3.txt": "changed"})
    names = [blob(repo, f"token {number}") for number in range(70)]
    repo.pack("-f", "--window=50")
    assert differing(repo, *names) == {first, second}


def test_an_unpacked_tree_counts_as_changed(repo: Repo) -> None:
    repo.commit(files() | {"a/secret": "token"})
    repo.pack()
    packed = repo.commit({"a/b/3.txt": "changed"})
    later = repo.commit({"a/b/4.txt": "changed"})
    assert {packed, later} <= differing(repo, blob(repo, "token"))


def test_a_packed_tree_that_names_a_loose_one_counts_as_changed(repo: Repo) -> None:
    first = repo.commit(files() | {"a/secret": "token"})
    second = repo.commit({"a/secret": "other"})
    folder = repo.line("rev-parse", f"{first}:a")
    name = blob(repo, "token")
    listed = "\n".join(one for one in repo.objects() if one not in {folder, name})
    repo.git("pack-objects", "-q", str(repo.path / ".git/objects/pack/pack"), stdin=f"{listed}\n".encode())
    repo.git("prune-packed", "-q")
    assert sorted(loose(repo)) == sorted([folder, name])
    assert differing(repo, name) == {first, second}


def test_an_unlisted_parent_counts_as_changed(repo: Repo) -> None:
    commit = repo.commit(files())
    repo.pack()
    tree = repo.line("rev-parse", "HEAD^{tree}")
    assert asked(tree_contents(repo, "1" * 40), {commit: [tree, "2" * 40]}) == {commit}


def test_too_much_is_left_to_git(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for number in range(5):
        repo.commit(files(str(number)) | {"a/b/secret": "token"})
    repo.pack()
    assert search_trees(packs(repo), [blob(repo, "token")], loose(repo), map) is None


def test_a_tree_that_cannot_be_read_leaves_all_to_git(repo: Repo) -> None:
    repo.commit(files() | {"secret": "token"})
    repo.pack()
    [pack] = packs(repo)
    tree = repo.line("rev-parse", "HEAD:a/b")
    [at] = [number for number in range(len(pack)) if pack.name(number) == tree]
    path, where = pack.path, int(pack.offset[at])
    content = bytearray(path.read_bytes())
    content[where + 6 : where + 16] = bytes(10)
    path.chmod(0o600)
    path.write_bytes(content)
    assert search_trees(packs(repo), [blob(repo, "token")], loose(repo), map) is None


SECRET = bytes(range(100, 120))
FOLDER = b"".join(b"100644 %02d\0" % number + bytes([number]) * 20 for number in range(10))
ENTRY = b"100644 secret\0" + SECRET


def crafted(repo: Repo, *steps: bytes) -> tuple[str, str, list[Pack]]:
    """Two trees, the second made of the first by these steps."""
    pack, result = Crafted(), FOLDER + ENTRY
    names = pack.whole(FOLDER, TREE), pack.near(result, 12, delta(len(FOLDER), len(result), *steps), TREE)
    pack.write(repo.path)
    return names[0].hex(), names[1].hex(), [Pack(path, 20) for path in repo.path.glob(".git/objects/pack/*.pack")]


@pytest.mark.parametrize("cut", range(1, len(ENTRY)))
def test_an_id_that_a_delta_splits(repo: Repo, cut: int) -> None:
    before, after, held = crafted(repo, copy(0, len(FOLDER)), insert(ENTRY[:cut]), insert(ENTRY[cut:]))
    tree_contents = search_trees(held, [SECRET.hex()], [], map)
    assert tree_contents
    history = {"root": [before], "brought": [after, "root"], "kept": [after, "brought"], "removed": [before, "kept"]}
    assert asked(tree_contents, history) == {"brought", "removed"}


def test_ids_assembled_from_tiny_copies_are_left_to_git(repo: Repo) -> None:
    crumbs = [b"\x91\x08\x01" + insert(bytes([byte])) for byte in ENTRY[1:]]
    *_, held = crafted(repo, copy(0, len(FOLDER)), *crumbs)
    assert search_trees(held, [SECRET.hex()], [], map) is None


def test_an_id_that_is_said_too_often_is_left_to_git(repo: Repo) -> None:
    pack = Crafted()
    pack.whole((b"100644 x\0" + SECRET) * 20_001, TREE)
    pack.write(repo.path)
    assert search_trees(packs(repo), [SECRET.hex()], [], map) is None


def test_folders_that_hold_each_other_are_left_to_git(repo: Repo) -> None:
    pack, one, other = Crafted(), b"\1" * 20, b"\2" * 20
    for name, content in ((one, b"40000 other\0" + other + b"100644 secret\0" + SECRET), (other, b"40000 one\0" + one)):
        pack.raw(name, head(TREE, len(content)) + zlib.compress(content))
    pack.write(repo.path)
    assert search_trees(packs(repo), [SECRET.hex()], [], map) is None


def test_names_that_never_end_are_cut(repo: Repo) -> None:
    pack = Crafted()
    long = pack.whole(b"100644 " + b"x" * 100_000 + b"\0" + SECRET, TREE), pack.whole(b"100644 " + b"x" * 100_001 + b"\0" + SECRET, TREE)
    pack.write(repo.path)
    tree_contents = search_trees(packs(repo), [SECRET.hex()], [], map)
    assert tree_contents
    assert asked(tree_contents, {"a": [long[0].hex()], "b": [long[1].hex(), "a"]}) == {"a"}


def test_a_tree_that_inflates_to_very_much_is_left_to_git(repo: Repo) -> None:
    pack = Crafted()
    pack.whole(bytes(33 << 20), TREE)
    path = pack.write(repo.path)
    assert path.stat().st_size < 100_000
    assert search_trees(packs(repo), [SECRET.hex()], [], map) is None


def test_the_search_is_shared_out(repo: Repo) -> None:
    repo.commit(files() | {"secret": "token"})
    repo.pack()
    shares = []

    def each(task: object, over: Sequence[object]) -> Iterator[object]:
        shares.append(len(over))
        return map(task, over)  # type: ignore[call-overload, no-any-return]

    assert search_trees(packs(repo), [blob(repo, "token")], [], each)
    assert shares == [1, 1]  # the blob, then the root tree, which nothing holds


def random_history(repo: Repo, rng: random.Random) -> list[str]:
    """Folders that grow, change, move and merge; some blobs come and go. Returns those."""
    tokens = [f"token {number}\n" for number in range(rng.randint(1, 4))]
    paths = [f"{folder}{name}" for folder in ("", "a/", "a/b/", "a/b/c/", "d e/", "ü/") for name in ("1", "2 3", "100644 x", "y" * 60)]
    lines: list[str] = []
    for mark in range(1, rng.randint(15, 40)):
        count = min(mark - 1, rng.choice([0, 1, 1, 1, 1, 1, 1, 2, 3]))
        lines += [f"commit refs/heads/b{mark}", f"mark :{mark}", f"committer C <c@x> {mark} +0000", "data 1", "m"]
        parent_ids = [mark - 1, *rng.sample(range(1, mark), count - 1)] if count else []
        lines += [f"{'merge' if place else 'from'} :{parent}" for place, parent in enumerate(dict.fromkeys(parent_ids))]
        for path in rng.sample(paths, len(paths) if mark == 1 else rng.randint(0, 4)):
            content = rng.choice(tokens) if rng.random() < 0.2 else f"clean {rng.random()}\n"
            mode = rng.choice(["100644", "100644", "100755", "120000"])
            lines += [f"M {mode} inline {path}", f"data {len(content)}", content] if rng.random() < 0.8 else [f"D {path}"]
        if count and rng.random() < 0.2:
            # Nothing can be moved that isn't there.
            lines += [line for folder in ("a", "a/b", "ü") for line in (f"M 100644 inline {folder}/4", "data 6", "clean\n")]
            lines += [rng.choice(["R a/b f", "C a g/h", "R ü a/b/i", "D a/b"])]
    repo.git("fast-import", "--quiet", "--force", stdin=("\n".join(lines) + "\n").encode())
    return [blob(repo, token) for token in tokens]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_the_commits_that_git_says_changed_something(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    repo = Repo(tmp_path / "r", "--bare", f"--object-format={rng.choice(['sha1', 'sha256'])}")
    wanted = random_history(repo, rng)
    repo.git("symbolic-ref", "HEAD", "refs/heads/b1")
    repo.pack("-f", f"--depth={rng.choice([1, 5, 50])}", "--window=50")
    assert deltas(repo)
    assert differing(repo, *wanted) == changing(repo, *wanted)


@pytest.mark.parametrize("seed", range(HISTORIES // 4))
def test_no_changing_commit_is_lost_where_objects_lie_in_several_places(tmp_path: Path, seed: int) -> None:
    rng = random.Random(1000 + seed)
    repo = Repo(tmp_path / "r", "--bare")
    wanted = random_history(repo, rng)
    repo.git("symbolic-ref", "HEAD", "refs/heads/b1")
    objects = sorted(repo.objects())
    for _ in range(2):
        some = "\n".join(rng.sample(objects, len(objects) // 2))
        repo.git("pack-objects", "-q", "--window=50", str(repo.path / "objects/pack/pack"), stdin=f"{some}\n".encode())
    repo.git("prune-packed", "-q")
    assert changing(repo, *wanted) <= differing(repo, *wanted)


def test_what_is_asked_of_git_is_much_less(repo: Repo, environment: Mapping[str, str]) -> None:
    loud = repo.commit(files() | {"a/secret": "token"})
    for number in range(20):
        repo.commit({"a/b/3.txt": f"changed {number}", "1.txt": f"too {number}"})
    repo.pack("-f")
    assert differing(repo, blob(repo, "token")) == {loud}
