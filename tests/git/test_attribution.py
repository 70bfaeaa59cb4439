"""Which commit brought what, under which path, by whom and when."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from patscan.content import Piece
from patscan.git import attribution
from patscan.git.repository import open_repository
from patscan.git.signature import signed
from patscan.kind import Kind
from patscan.model import Sighting
from patscan.sources.history import History
from tests.git.crafted import Crafted
from tests.repo import Repo

HOUR = 3600
FIRST = 1_700_000_000
ADA = "Ada <ada@example.com>"


def places(repo: Repo, environment: Mapping[str, str], *blobs: str, at: Path | None = None) -> list[list[Sighting]]:
    """The origins of each blob, as a scan learns them: shards first."""
    source = History(open_repository(at or repo.path, environment))
    list(source.shards())
    sightings = source.sightings(blobs)
    assert sightings.keys() == set(blobs)
    return [list(sightings[blob]) for blob in blobs]


def blob(repo: Repo, text: str) -> str:
    return repo.line("hash-object", "--stdin", stdin=text.encode())


def short(sightings: list[Sighting]) -> list[tuple[str, str | None, str | None]]:
    return [(sighting.kind, sighting.path, sighting.commit) for sighting in sightings]


def test_no_blobs_have_no_places(repo: Repo, environment: Mapping[str, str]) -> None:
    assert places(repo, environment) == []


def test_an_unreferenced_blob_has_a_place_without_a_path(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "something else"})
    name = repo.line("hash-object", "-w", "--stdin", stdin=b"never added")
    assert places(repo, environment, name) == [[Sighting(Kind.BLOB, blob=name)]]


def test_a_repository_without_commits_has_places_without_commits(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.write("staged", "text")
    repo.git("add", "staged")
    assert places(repo, environment, blob(repo, "text")) == [[Sighting(Kind.INDEX, "staged", blob=blob(repo, "text"))]]


def test_the_root_commit_is_a_first_commit(repo: Repo, environment: Mapping[str, str]) -> None:
    root = repo.commit({"folder/a": "text"})
    repo.commit({"b": "later"})
    [[place]] = places(repo, environment, blob(repo, "text"))
    assert place == Sighting(Kind.BLOB, "folder/a", root, ADA, "2023-11-15T01:13:20+02:00", blob(repo, "text"), "change")


def test_the_first_introducing_commit_comes_first(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "before"})
    first = repo.commit({"a": "text"})
    repo.commit({"a": "away"})
    second = repo.commit({"a": "text"})
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", first), ("blob", "a", second)]


def test_the_order_is_that_of_history_not_of_clocks(repo: Repo, environment: Mapping[str, str]) -> None:
    first = repo.commit({"a": "text"})
    repo._clock -= 100 * HOUR
    second = repo.commit({"a": "away", "b": "text"})
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", first), ("blob", "b", second)]


def test_a_rename_keeps_the_first_path(repo: Repo, environment: Mapping[str, str]) -> None:
    first = repo.commit({"old": "text"})
    repo.git("mv", "old", "new")
    second = repo.commit()
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "old", first), ("blob", "new", second)]


def test_the_same_blob_at_two_paths_has_two_places(repo: Repo, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "text", "b/c": "text"})
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", commit), ("blob", "b/c", commit)]


def merge(repo: Repo, resolution: str) -> tuple[str, str, str]:
    """Two branches that disagree, and their merge."""
    repo.commit({"a": "base"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit({"a": "side"})
    repo.git("checkout", "-q", "main")
    main = repo.commit({"a": "main"})
    repo.git("merge", "-q", "-s", "ours", "--no-commit", "side")
    return side, main, repo.commit({"a": resolution})


def test_a_merge_resolution_belongs_to_the_merge(repo: Repo, environment: Mapping[str, str]) -> None:
    _, _, merged = merge(repo, "neither")
    assert short(places(repo, environment, blob(repo, "neither"))[0]) == [("blob", "a", merged)]


def test_a_side_branch_s_commit_comes_before_the_merge(repo: Repo, environment: Mapping[str, str]) -> None:
    side, _, merged = merge(repo, "side")
    assert short(places(repo, environment, blob(repo, "side"))[0]) == [("blob", "a", side), ("blob", "a", merged)]


def test_an_octopus_and_a_merge_of_two_roots_are_merges(repo: Repo, environment: Mapping[str, str]) -> None:
    root = repo.commit({"a": "one"})
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("rm", "-q", "-rf", ".")
    other = repo.commit({"b": "two"})
    repo.git("checkout", "-q", "-b", "third", root)
    third = repo.commit({"c": "three"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--allow-unrelated-histories", "--no-commit", "other")
    both = repo.commit({"d": "four"})
    tree = repo.line("rev-parse", "HEAD^{tree}")
    octopus = repo.line("commit-tree", "-m", "three", "-p", both, "-p", other, "-p", third, tree)
    repo.git("reset", "-q", "--hard", octopus)
    wanted = [blob(repo, text) for text in ("one", "two", "three", "four")]
    assert [short(sightings)[0] for sightings in places(repo, environment, *wanted)] == [
        ("blob", "a", root),
        ("blob", "b", other),
        ("blob", "c", third),
        ("blob", "d", both),
    ]


def test_a_symlink_is_called_one(repo: Repo, environment: Mapping[str, str]) -> None:
    (repo.path / "link").symlink_to("text")
    commit = repo.commit()
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("symlink", "link", commit)]


def test_a_file_that_becomes_executable_is_no_new_place_of_another_kind(repo: Repo, environment: Mapping[str, str]) -> None:
    first = repo.commit({"a": "text"})
    repo.git("update-index", "--chmod=+x", "a")
    repo.git("commit", "-q", "-m", "x")
    [sightings] = places(repo, environment, blob(repo, "text"))
    assert short(sightings) == [("blob", "a", first), ("blob", "a", repo.line("rev-parse", "HEAD"))]


def test_an_amended_commit_is_found_by_its_reflog_and_by_nothing(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "base"})
    away = repo.commit({"a": "text"})
    repo.commit({"a": "amended"}, "amended", "--amend")
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", away)]
    repo.git("reflog", "expire", "--expire=now", "--all")
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", away)]
    repo.pack()
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", away)]


def test_unreachable_commits_come_in_the_order_of_their_dates(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "base"})
    chain = [repo.commit({name: "text"}) for name in "bcdefg"]
    repo.git("reset", "-q", "--hard", "HEAD~6")
    repo.git("reflog", "expire", "--expire=now", "--all")
    assert [sighting.commit for sighting in places(repo, environment, blob(repo, "text"))[0]] == chain


def test_a_staged_blob_is_in_the_index_wherever_one_stands(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"folder/a": "base"})
    repo.write("top", "text")
    repo.git("add", "top")
    for folder in (repo.path, repo.path / "folder", repo.path / ".git"):
        assert places(repo, environment, blob(repo, "text"), at=folder) == [[Sighting(Kind.INDEX, "top", blob=blob(repo, "text"))]]


def test_a_committed_blob_is_not_the_index_s(repo: Repo, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "text"})
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", commit)]


def test_a_stash_has_a_commit(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "base"})
    repo.write("a", "text")
    repo.git("stash", "-q")
    [[place, *_]] = places(repo, environment, blob(repo, "text"))
    assert (place.path, place.commit) == ("a", repo.line("rev-parse", "refs/stash"))


def test_a_note_is_called_one(repo: Repo, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "base"})
    repo.git("notes", "add", "-m", "text", commit)
    [[place]] = places(repo, environment, blob(repo, "text\n"))
    assert (place.kind, place.path, place.commit) == (Kind.NOTE, commit, repo.line("rev-parse", "refs/notes/commits"))


@pytest.mark.parametrize(
    "path",
    [
        b"\xff\xfe",
        b"line\nfeed",
        b"\x02two",
        b":colon",
        b" 100644 blob",
        "\u00fc/\u2028".encode(),
        b"-dash",
        b"*",
        b":(glob)*",
        b'"quoted"',
    ],
    ids=range(10),
)
def test_a_path_is_its_bytes(path: bytes, repo: Repo, environment: Mapping[str, str]) -> None:
    repo.write(path, "text")
    repo.write("z", "another")
    commit = repo.commit()
    [[place], [other]] = places(repo, environment, blob(repo, "text"), blob(repo, "another"))
    assert os.fsencode(place.path or "") == path
    assert place.commit == other.commit == commit


def raw_commit(repo: Repo, header: bytes, content: str = "text") -> str:
    tree = repo.line(
        "mktree", "-z", stdin=b"100644 blob %b\ta\0" % repo.git("hash-object", "-w", "--stdin", stdin=content.encode()).strip()
    )
    name = repo.line(
        "hash-object", "--literally", "-w", "-t", "commit", "--stdin", stdin=b"tree %b\n%b\n\nmessage\n" % (tree.encode(), header)
    )
    repo.git("update-ref", "refs/heads/main", name)
    return name


@pytest.mark.parametrize(
    ("header", "author", "date"),
    [
        (b"author B\xff <b@x> 1 +0000\ncommitter C <c@x> 1 +0000", "B\udcff <b@x>", "1970-01-01T00:00:01+00:00"),
        (b"author B\xe4 <b@x> 1 +0000\ncommitter C <c@x> 1 +0000\nencoding ISO-8859-1", "B\u00e4 <b@x>", "1970-01-01T00:00:01+00:00"),
        (b"author \x02B <b@x> 1 -0730\ncommitter C <c@x> 1 +0000", "\x02B <b@x>", "1969-12-31T16:30:01-07:30"),
        (b"author  <> 1 +0000\ncommitter C <c@x> 1 +0000", " <>", "1970-01-01T00:00:01+00:00"),
        (b"author B <b@x> 99999999999999999999 +0000\ncommitter C <c@x> 1 +0000", "B <b@x>", None),
        (b"author B <b@x> x +0000\ncommitter C <c@x> 1 +0000", "B <b@x>", None),
        (b"author B\ncommitter C", None, None),
        (b"committer C <c@x> 1 +0000", None, None),
        (b"author B <b@x> 1 +9999\ncommitter C <c@x> 1 +0000", "B <b@x>", None),
    ],
    ids=range(9),
)
def test_an_odd_author_stops_nothing(
    header: bytes, author: str | None, date: str | None, repo: Repo, environment: Mapping[str, str]
) -> None:
    commit = raw_commit(repo, header)
    [[place]] = places(repo, environment, blob(repo, "text"))
    assert (place.path, place.commit) == ("a", commit)
    assert author is None or place.author == author
    assert date is None or place.date == date
    attribution.exposure([place])
    source = signed(Piece(commit, "commit", 0, repo.git("cat-file", "-p", commit)), str, 1000)
    assert source
    assert (source.kind, source.commit) == (Kind.COMMIT_MESSAGE, commit)


def test_cyclic_grafts_end(repo: Repo, environment: Mapping[str, str]) -> None:
    first = repo.commit({"a": "text"})
    second = repo.commit({"b": "more"})
    (repo.path / ".git/info/grafts").write_text(f"{first} {second}\n")
    assert len(places(repo, environment, blob(repo, "text"))) == 1


def test_a_replaced_commit_and_a_graft_change_nothing(repo: Repo, environment: Mapping[str, str]) -> None:
    first = repo.commit({"a": "text"})
    second = repo.commit({"a": "other"})
    repo.git("replace", "--graft", second)
    (repo.path / ".git/info/grafts").write_text(f"{second}\n")
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", first)]


def test_a_configuration_that_changes_diffs_changes_nothing(repo: Repo, environment: Mapping[str, str]) -> None:
    (repo.path / ".gitattributes").write_text("* -diff binary\n")
    (repo.path / ".mailmap").write_text("Eve <eve@example.com> <ada@example.com>\n")
    root = repo.commit({"folder/a": "text"})
    repo.git("mv", "folder/a", "folder/b")
    second = repo.commit()
    for option, value in (
        ("diff.renames", "copies"), ("diff.relative", "true"), ("diff.noprefix", "true"), ("diff.orderFile", "/not/there"),
        ("diff.ignoreSubmodules", "all"), ("log.showRoot", "false"), ("log.showSignature", "true"), ("log.diffMerges", "combined"),
        ("core.abbrev", "4"), ("core.quotePath", "true"), ("i18n.logOutputEncoding", "UTF-16"), ("diff.algorithm", "histogram"),
        ("log.mailmap", "true"), ("format.pretty", "oneline"), ("color.ui", "always"), ("log.follow", "true"),
    ):  # fmt: skip
        repo.git("config", option, value)
    [sightings] = places(repo, environment, blob(repo, "text"), at=repo.path / "folder")
    assert short(sightings) == [("blob", "folder/a", root), ("blob", "folder/b", second)]
    assert {place.author for place in sightings} == {ADA}


def damage(repo: Repo, revision: str) -> None:
    """Make one object unreadable."""
    name = repo.line("rev-parse", revision)
    (repo.path / ".git/objects" / name[:2] / name[2:]).chmod(0o644)
    (repo.path / ".git/objects" / name[:2] / name[2:]).write_bytes(b"garbage")


def remove(repo: Repo, revision: str) -> None:
    name = repo.line("rev-parse", revision)
    (repo.path / ".git/objects" / name[:2] / name[2:]).unlink()


@pytest.mark.parametrize("broken", [damage, remove])
@pytest.mark.parametrize("what", ["HEAD~3", "HEAD~3^{tree}", "HEAD", "HEAD^{tree}"])
def test_a_broken_commit_or_tree_hides_no_other_places(what: str, broken: object, repo: Repo, environment: Mapping[str, str]) -> None:
    commits = [repo.commit({f"file {number}": f"text {number}"}) for number in range(8)]
    assert callable(broken)
    broken(repo, what)
    source = History(open_repository(repo.path, environment))
    list(source.shards())
    lost = {"HEAD~3": {4, 5}, "HEAD": {7}, "HEAD~3^{tree}": {4, 5}, "HEAD^{tree}": {7}}[what]
    sightings = source.sightings([blob(repo, f"text {number}") for number in range(8)])
    for number in set(range(8)) - lost:
        assert short(list(sightings[blob(repo, f"text {number}")]))[0] == ("blob", f"file {number}", commits[number])
    if "tree" in what or broken is damage:
        assert source.gaps.notes or "tree" not in what


def test_a_dangling_ref_hides_no_places(repo: Repo, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "text"})
    (repo.path / ".git/refs/heads/gone").write_text("12" * 20 + "\n")
    (repo.path / ".git/refs/heads/garbage").write_text("garbage\n")
    assert short(places(repo, environment, blob(repo, "text"))[0]) == [("blob", "a", commit)]


def test_many_broken_commits_are_given_up_in_bounded_time(repo: Repo, environment: Mapping[str, str]) -> None:
    """Each costs some starts of git; commits without trees, as in a treeless clone, may be all there are."""
    pack = Crafted()
    for number in range(3000):
        pack.whole(b"tree %040d\nauthor A <a@b> %d +0000\ncommitter A <a@b> 1 +0000\n\nx\n" % (number + 1, number), 1)
    pack.write(repo.path)
    repo.commit({"a": "other"})
    source = History(open_repository(repo.path, environment))
    list(source.shards())
    name = repo.line("hash-object", "-w", "--stdin", stdin=b"text")
    assert source.sightings([name]) == {name: [Sighting(Kind.BLOB, blob=name)]}
    [note] = (note for note in source.gaps.notes if "commits" in note.reason)
    assert "3,000 commits can't be read" in note.reason


def test_an_unreferenced_blob_causes_no_second_walk(repo: Repo, environment: Mapping[str, str]) -> None:
    for number in range(4):
        repo.commit({f"file {number}": "text"})
    remove(repo, "HEAD^{tree}")
    name = repo.line("hash-object", "-w", "--stdin", stdin=b"never added")
    source = History(open_repository(repo.path, environment))
    list(source.shards())
    assert source.sightings([name]) == {name: [Sighting(Kind.BLOB, blob=name)]}
    assert [note.reason.split()[0] for note in source.gaps.notes if "commit can't be read" in note.reason] == ["1"]


def test_many_blobs_in_many_commits_are_asked_for_together(repo: Repo, environment: Mapping[str, str]) -> None:
    """More commits than one process takes, more blobs than one command line."""
    rng = random.Random(1)
    stream, texts = [], []
    for number in range(1200):
        names = [f"text {number} {rng.random()}" for _ in range(5)]
        texts += names
        stream.append(b"commit refs/heads/main\ncommitter Ada <ada@example.com> %d +0000\ndata 0\n\n" % (FIRST + number))
        stream += [b"M 100644 inline %d\ndata %d\n%b\n" % (place, len(text), text.encode()) for place, text in enumerate(names)]
    repo.git("-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", stdin=b"".join(stream))
    commits = repo.line("rev-list", "--reverse", "main").split()
    blobs = [line.split()[3].decode() for line in repo.git("log", "--reverse", "--raw", "--no-abbrev", "--format=", "main").splitlines()]
    assert len(blobs) == 6000
    sightings = places(repo, environment, *blobs)
    assert [short(place) for place in sightings] == [[("blob", str(number % 5), commits[number // 5])] for number in range(6000)]


def test_exposure_begins_with_the_earliest_date(repo: Repo) -> None:
    early = Sighting(Kind.BLOB, "a", "1" * 40, ADA, "2024-01-01T00:00:00+02:00", "b")
    late = early._replace(commit="2" * 40, date="2024-01-01T00:00:00+00:00")
    nameless = early._replace(commit=None)
    dateless = early._replace(date=None)
    first = attribution.exposure([nameless, late, dateless, early]).first_seen
    assert first is not None
    assert (first.id, first.author, first.date) == ("1" * 40, ADA, early.date)
    assert attribution.exposure([nameless, dateless]).first_seen is None
    assert attribution.exposure([early._replace(date="nonsense")]).first_seen is not None


def test_a_header_and_a_message_are_told_apart() -> None:
    text = b"tree 0\nauthor A <a@b> 1700000000 +0530\ncommitter C <c@d> 1 +0000\n\nfirst\n\nauthor X <x@y> 5 +0000\n"
    inside = signed(Piece("name", "commit", 0, text), str, text.index(b"C <c"))
    behind = signed(Piece("name", "commit", 0, text), str, text.index(b"X <x"))
    assert inside == Sighting(Kind.AUTHOR, None, "name", "A <a@b>", "2023-11-15T03:43:20+05:30", message="first")
    assert behind == inside._replace(kind=Kind.COMMIT_MESSAGE)
