"""Archives in what is committed, pushed, checked by a CI job, and written as a message."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

from tests.archives.packing import NAME, tarred, zipped
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
