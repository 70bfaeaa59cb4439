"""A range gives what it introduced; a range of nothing, or of what isn't there, is never clean."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from patscan import scan
from patscan.cli import pools
from patscan.errors import UsageError
from patscan.git.repository import open_repository
from patscan.model import Report, Rule
from patscan.run import Options
from patscan.sources.revisions import Revisions
from tests.repo import Repo
from tests.tokens import classic


@pytest.fixture
def look(rules: tuple[Rule, ...], environment: Mapping[str, str]):
    def look(path: Path, *revisions: str, options: Options = Options()) -> Report:  # noqa: B008
        source = Revisions(open_repository(path, environment), revisions)
        return scan.scan(source, rules, pools.serial, lambda _: None, options)

    return look


def tokens_of(report: Report) -> set[str]:
    return {finding.secret.reveal().decode() for finding in report.findings}


@pytest.mark.parametrize("revision", ["--exec=touch mark", "-n1", "--output=x", "--stdin", "--objects-edge", "--since=1"])
def test_an_option_that_does_more_than_select_is_refused(repo: Repo, environment, revision: str) -> None:
    with pytest.raises(UsageError):
        Revisions(open_repository(repo.path, environment), [revision])


def test_an_unknown_revision_is_reported(repo: Repo, look) -> None:
    repo.commit({"a": "1"})
    with pytest.raises(UsageError, match="nosuch"):
        look(repo.path, "nosuch..HEAD")


def test_a_range_of_nothing_is_not_clean(repo: Repo, look) -> None:
    repo.commit({"a": "1"})
    report = look(repo.path, "HEAD..HEAD")
    assert [skip.reason for skip in report.coverage.skipped] == ["the range selects nothing, so nothing was looked at."]


def test_the_edge_of_a_shallow_clone_inside_the_range_is_a_gap(tmp_path: Path, repo: Repo, look) -> None:
    for number in range(4):
        repo.commit({"a": str(number)})
    subprocess.run(["git", "clone", "-q", "--depth=3", f"file://{repo.path}", str(tmp_path / "cut")], check=True)
    assert not look(tmp_path / "cut", "HEAD").coverage.complete
    assert look(tmp_path / "cut", "HEAD~1..HEAD").coverage.complete


def test_older_contents_are_not_in_the_range(repo: Repo, look, rng: random.Random) -> None:
    old, new, gone, in_message = (classic(rng) for _ in range(4))
    repo.commit({"a": old})
    repo.commit({"b": gone})
    repo.commit({"b": "clean", "bin": b"\0" + new.encode(), ".gitattributes": "bin -diff\n"}, f"says {in_message}")
    repo.git("mv", "a", "moved")
    repo.commit()
    assert tokens_of(look(repo.path, "HEAD~3..HEAD")) == {gone, new, in_message}
    assert tokens_of(look(repo.path, "HEAD~1..HEAD")) == set()
    assert tokens_of(look(repo.path, "--all")) == {old, gone, new, in_message}
    assert tokens_of(look(repo.path, "HEAD~1", "--not", "HEAD~2")) == {new, in_message}


def test_a_merge_resolution_is_in(repo: Repo, look, rng: random.Random) -> None:
    token = classic(rng)
    base = repo.commit({"a": "base"})
    repo.commit({"a": "ours"})
    repo.git("switch", "-qc", "side", base)
    repo.commit({"a": "theirs"})
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "-s", "ours", "--no-commit", "side")
    repo.commit({"a": token})
    assert tokens_of(look(repo.path, "HEAD^1..HEAD")) == {token}


def test_an_annotated_tag_in_the_range_is_read(repo: Repo, look, rng: random.Random) -> None:
    token = classic(rng)
    repo.commit({"a": "1"})
    repo.git("tag", "-a", "v1", "-m", token)
    assert tokens_of(look(repo.path, "v1")) == {token}


def test_dates_and_authors_narrow_the_answer_and_drop_nothing(repo: Repo, look, rng: random.Random) -> None:
    first, second = classic(rng), classic(rng)
    repo.commit({"a": first})
    middle = float(repo.line("log", "-1", "--format=%ct")) + 1
    repo.commit({"b": second}, "later", "--author=Grace <grace@example.com>")
    for options, expected in (
        (Options(since=middle), {second}),
        (Options(until=middle), {first}),
        (Options(author="GRACE@"), {second}),
        (Options(author="ada"), {first}),
        (Options(since=middle, author="ada"), set()),
    ):
        report = look(repo.path, "--all", options=options)
        assert tokens_of(report) == expected
        assert {finding.reason for finding in report.ignored} == ({"narrowed"} if len(expected) < 2 else set())
