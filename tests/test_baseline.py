"""The baseline's file: what is refused, what stays as it is, and that nothing in it churns."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patscan import baseline
from patscan.baseline import Baseline, Entry
from patscan.errors import ConfigError

HEAD = f"patscan-baseline 1\nsalt {'ab' * 16}\n"
LINE = f"{'0' * 32} personal-access-token - src/a.py an old one\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "not a baseline"),
        ("{}\n", 1, "not a baseline"),
        (HEAD.replace(" 1", " 2", 1), 1, "version '2'"),
        (HEAD.replace(" 1", "", 1), 1, "version ''"),
        ("patscan-baseline 1\n", 2, "salt"),
        (HEAD.replace("ab", "a"), 2, "salt"),
        (HEAD.replace("ab", "zz"), 2, "salt"),
        (HEAD.replace("salt ", ""), 2, "salt"),
        (f"patscan-baseline 1\n{LINE}", 2, "salt"),
        (HEAD + LINE[:-1], 3, "cut off"),
        (HEAD + LINE + LINE[:20] + "\n", 4, "not a complete entry"),
        (HEAD + LINE[:33] + "\n", 3, "not a complete entry"),
        (HEAD + "# a comment\n", 3, "not a complete entry"),
        (HEAD + LINE.replace(" - ", " 2026-13-01 "), 3, "isn't a date"),
        (HEAD + LINE.replace(" - ", " tomorrow "), 3, "isn't a date"),
        (HEAD + LINE.replace(" - ", " 20260101 "), 3, "isn't a date"),
        (f"{HEAD}<<<<<<< ours\n{LINE}=======\n>>>>>>> theirs\n", 3, "merge conflict"),
        (f"patscan-baseline 1\n<<<<<<< ours\nsalt {'ab' * 16}\n=======\n", 2, "merge conflict"),
    ],
)
def test_what_is_no_baseline_is_a_sentence_with_file_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    file = tmp_path / "b"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        baseline.read(file)
    assert str(error.value).startswith(f"{file}:{line}: ")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "b").write_text(HEAD)
    (tmp_path / "repo" / "link").symlink_to("../b")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "bytes").write_bytes(HEAD.encode() + b"\xff\n")
    for file, inside in (("repo/link", "repo"), ("pipe", None), ("repo", None), ("nowhere", None), ("bytes", None)):
        with pytest.raises(ConfigError, match=file.rsplit("/", maxsplit=1)[-1]):
            baseline.read(tmp_path / file, tmp_path / inside if inside else None)


def test_writing_what_was_read_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_text(HEAD + LINE)
    before = file.stat()
    read = baseline.read(file)
    assert not baseline.write(read)
    assert file.stat() == before
    assert (read.salt, read.lines) == (b"\xab" * 16, (3,))


def test_windows_line_ends_and_empty_lines_are_read(tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_bytes((HEAD + "\n" + LINE).replace("\n", "\r\n").encode())
    assert baseline.read(file).entries == (Entry("0" * 32, "personal-access-token", None, "src/a.py", "an old one"),)


def test_entries_are_sorted_and_a_duplicate_is_reported_and_removed(tmp_path: Path) -> None:
    other = LINE.replace("0" * 32, "1" * 32)
    file = tmp_path / "b"
    file.write_text(HEAD + other + LINE + LINE.replace("an old one", "again"))
    read = baseline.read(file)
    assert [where for where, _ in read.duplicates()] == [f"{file}:5"]
    assert baseline.write(read)
    assert file.read_text() == HEAD + LINE + other
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be written"):
        baseline.write(baseline.new(tmp_path / "nowhere" / "b"))


def test_an_entry_holds_through_its_last_day() -> None:
    entry = Entry("0" * 32, "k", date(2026, 5, 1), "a", "why")
    one = Baseline(Path("b"), b"", (entry,))
    assert one.accepted(date(2026, 5, 1)) == {"0" * 32: "why"}
    assert one.accepted(date(2026, 5, 2)) == {}


def test_every_salt_is_its_own() -> None:
    salts = {baseline.new(Path("b")).salt for _ in range(50)}
    assert len(salts) == 50
    assert {len(salt) for salt in salts} == {16}


@given(path=st.text(), reason=st.text(), expires=st.none() | st.dates(min_value=date(1000, 1, 1)))
def test_whatever_a_path_or_a_reason_holds_the_file_stays_readable(
    tmp_path_factory: pytest.TempPathFactory, path: str, reason: str, expires: date | None
) -> None:
    file = tmp_path_factory.mktemp("b") / "b"
    entries = (Entry("0" * 32, "k", expires, path, reason), Entry("1" * 32, "k", None, "a", ""))
    baseline.write(Baseline(file, b"s" * 16, entries))
    read = baseline.read(file)
    assert [(entry.fingerprint, entry.expires) for entry in read.entries] == [(entry.fingerprint, entry.expires) for entry in entries]
    assert not baseline.write(read)
