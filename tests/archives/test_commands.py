"""Archives in what is committed, pushed, checked by a CI job, and written as a message."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from typing import Any

import zstandard

from tests.archives.packing import NAME, tarred, zipped
from tests.archives.test_limits import encrypted
from tests.cli.hooked import patscan
from tests.repo import Repo
from tests.tokens import classic


def written(repo: Repo, *command: str, stdin: bytes = b"", **environment: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a command and its report."""
    done = patscan(repo.path, *command, "--quiet", "--report", "json=../report.json", stdin=stdin, **environment)
    return done.code, json.loads((repo.path.parent / "report.json").read_text())


def places(findings: list[dict[str, Any]]) -> set[tuple[str, str | None]]:
    return {(one["path"], one["member"]) for finding in findings for one in finding["occurrences"]}


def test_a_token_that_was_committed_in_an_archive_is_ignored_and_a_new_one_beside_it_is_not(repo: Repo, rng: random.Random) -> None:
    old, new = classic(rng), classic(rng)
    repo.commit({"a.zip": zipped(old.encode()), "b.tar.gz": gzip.compress(tarred(old.encode()))})
    repo.write("a.zip", zipped(f"{old}\n# more\n".encode()))
    repo.write("b.tar.gz", gzip.compress(tarred(f"{old}\n{new}\n".encode())))
    repo.git("add", "--all")
    code, report = written(repo, "hook")
    assert code == 1
    assert places(report["findings"]) == {("b.tar.gz", NAME)}
    assert {finding["reason"] for finding in report["ignored"]} == {"already committed"}
    assert places(report["ignored"]) == {("a.zip", NAME), ("b.tar.gz", NAME)}
    assert len(report["findings"]) == 1
    assert written(repo, "hook", "--whole-files")[0] == 1


def test_what_a_copy_under_another_name_holds_is_new(repo: Repo, rng: random.Random) -> None:
    data = zipped(classic(rng).encode())
    repo.commit({"a.zip": data})
    repo.write("b.zip", data)
    repo.git("add", "--all")
    code, report = written(repo, "hook")
    assert (code, places(report["findings"])) == (1, {("b.zip", NAME)})


def test_a_limit_is_a_skip_in_a_scan_and_a_note_in_a_commit_or_push(repo: Repo, rng: random.Random) -> None:
    noise = rng.randbytes(1 << 16)
    packed = {"a.gz": gzip.compress(noise), "b.tar": tarred(noise), "c.tar.xz": lzma.compress(tarred(noise)), "d.zip": zipped(noise)}
    limit = ("--archive-limit", "held=1K")
    base = repo.commit()
    for name, data in packed.items():
        repo.write(name, data)
    repo.git("add", "--all")
    hooked = written(repo, "hook", *limit)
    repo.commit()
    for (code, report), gaps in (
        (written(repo, "scan", *limit), "skipped"),
        (written(repo, "history", "--no-cache", *limit), "skipped"),
        (written(repo, "ci", *limit, PATSCAN_BASE=base, PATSCAN_HEAD="HEAD"), "skipped"),
        (hooked, "notes"),
        (written(repo, "push", *limit), "notes"),
    ):
        assert code == (3 if gaps == "skipped" else 0), report["coverage"]
        reasons = {gap["where"]: gap["reason"] for gap in report["coverage"][gaps] if "--archive-limit held=N" in gap["reason"]}
        assert {where.partition("!/")[0] for where in reasons} == set(packed)
        assert not [gap for gap in report["coverage"]["notes"] if "broken" in gap["reason"] or "cut off" in gap["reason"]]


def test_a_decoder_that_wants_more_memory_than_it_may_is_our_limit(repo: Repo, rng: random.Random) -> None:
    repo.write("a.xz", lzma.compress(b"line\n" * 5000 + classic(rng).encode(), preset=9))
    repo.write("b.zst", zstandard.ZstdCompressor(19).compress(bytes(1 << 20) + classic(rng).encode()))
    code, report = written(repo, "scan", "--archive-limit", "held=4M")
    assert code == 1
    assert {gap["where"]: "held=N" in gap["reason"] for gap in report["coverage"]["skipped"]} == {"a.xz": True}
    assert places(report["findings"]) == {("b.zst", None)}
    assert len(written(repo, "scan")[1]["findings"]) == 2


def test_a_note_of_a_history_names_the_archive_by_its_path(repo: Repo) -> None:
    repo.commit({"dir/broken.gz": gzip.compress(bytes(100))[:-4]})
    _, report = written(repo, "history")
    assert [gap["where"] for gap in report["coverage"]["notes"] if "cut off" in gap["reason"]] == ["dir/broken.gz"]


def test_an_archive_of_the_past_is_named_by_path_and_commit_if_there_are_tokens(repo: Repo, rng: random.Random) -> None:
    """Looking for its path alone would take as long as the scan."""
    commit = repo.commit({"dir/broken.gz": gzip.compress(bytes(100))[:-4]})
    blob = repo.git("rev-parse", "HEAD:dir/broken.gz").decode().strip()
    repo.commit({"dir/broken.gz": b"gone"})
    for token in ("", classic(rng)):
        repo.commit({"a.txt": token.encode()})
        _, report = written(repo, "history", "--no-cache")
        (note,) = [gap for gap in report["coverage"]["notes"] if "cut off" in gap["reason"]]
        assert note["where"] == ("dir/broken.gz" if token else f"blob {blob}")
        assert note["reason"].endswith(f" Commit {commit[:10]} introduced it.") is bool(token)


def test_archives_that_are_pushed_or_checked_by_a_ci_job(repo: Repo, rng: random.Random) -> None:
    base = repo.commit()
    repo.commit({"a.whl": zipped(classic(rng).encode())})
    repo.commit({"a.whl": b"gone"})
    for command, environment in ((("push",), {}), (("ci",), {"PATSCAN_BASE": base, "PATSCAN_HEAD": "HEAD"})):
        code, report = written(repo, *command, **environment)
        assert (code, places(report["findings"])) == (1, {("a.whl", NAME)}), command


def test_even_the_shortest_report_says_what_was_not_read_of_a_staged_archive(repo: Repo, rng: random.Random) -> None:
    repo.commit()
    repo.write("a.zip", encrypted(classic(rng).encode()))
    repo.write("b.txt", b"H4sIAAAAAAAA")
    repo.git("add", "--all")
    done = patscan(repo.path, "hook")
    lines = done.text.splitlines()
    assert (done.code, lines) == (
        0,
        [f"  note    a.zip!/{NAME}: encrypted, so its content wasn't looked at.", "patscan: no token in 2 staged files."],
    )


def test_a_message_is_no_archive(repo: Repo, rng: random.Random) -> None:
    """git takes a NUL out of no message: what begins like an archive there is text."""
    repo.write("message", b"BZh91AY&SY" + classic(rng).encode())
    code, report = written(repo, "message", "message")
    assert code == 1
    assert not [gap for gap in report["coverage"]["notes"] if "broken" in gap["reason"]]
