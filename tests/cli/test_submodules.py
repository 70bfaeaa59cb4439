"""``patscan history --submodules``: every submodule as its own history, its path in front."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from patscan.cli import main
from tests.repo import Repo
from tests.tokens import classic

LOCAL = ("-c", "protocol.file.allow=always")


def notes(report: dict[str, Any]) -> list[dict[str, str]]:
    """Without the one that every history has, on past names."""
    return [note for note in report["coverage"]["notes"] if "--paths" not in note["reason"]]


def history(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main(["history", "--no-cache", "--jobs", "1", "--show-secrets", "--quiet", "--format", "json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def places(report: Any) -> dict[str, set[tuple[str | None, str]]]:
    return {one["token"]: {(each["path"], each["type"]) for each in one["occurrences"]} for one in report["findings"]}


@pytest.fixture
def tokens(rng: random.Random) -> dict[str, str]:
    return {name: classic(rng) for name in ("top", "inner", "innermost", "gone", "both")}


@pytest.fixture
def forest(tmp_path: Path, tokens: dict[str, str]) -> Repo:
    """A repository with a submodule, which has one, and a submodule that was removed."""
    innermost, inner, removed, top = (Repo(tmp_path / name) for name in ("innermost", "inner", "removed", "top"))
    innermost.commit({"a b.txt": tokens["innermost"]})
    inner.commit({"c.txt": tokens["inner"], "d.txt": tokens["both"]}, f"says {tokens['inner']}")
    inner.git(*LOCAL, "submodule", "add", "-q", str(innermost.path), "deep/er")
    inner.commit()
    removed.commit({"e.txt": tokens["gone"]})
    top.commit({"f.txt": tokens["top"], "g.txt": tokens["both"]})
    for path, source in (("lib/one", inner), ("old", removed)):
        top.git(*LOCAL, "submodule", "add", "-q", str(source.path), path)
    top.commit()
    top.git(*LOCAL, "submodule", "update", "-q", "--init", "--recursive")
    top.git("rm", "-q", "old")
    top.commit()
    return top


def test_without_the_flag_they_are_only_mentioned(forest: Repo, tokens: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, report = history(capsys, str(forest.path))
    assert code == 1
    assert set(places(report)) == {tokens["top"], tokens["both"]}
    assert ["--submodules" in note["reason"] for note in notes(report)] == [True]


def test_each_is_its_own_history_with_its_path_in_front(forest: Repo, tokens: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, report = history(capsys, "--submodules", str(forest.path))
    assert code == 1
    assert places(report) == {
        tokens["top"]: {("f.txt", "blob")},
        tokens["both"]: {("g.txt", "blob"), ("lib/one/d.txt", "blob")},
        tokens["inner"]: {("lib/one/c.txt", "blob"), ("lib/one", "commit-message")},
        tokens["innermost"]: {("lib/one/deep/er/a b.txt", "blob")},
        tokens["gone"]: {("old/e.txt", "blob")},
    }
    [both] = [one for one in report["findings"] if one["token"] == tokens["both"]]
    assert {"refs/heads/main", "lib/one: refs/heads/main"} <= set(both["exposure"]["tips"])
    assert both["exposure"]["pushed"] is True  # the submodule has a remote that holds it
    assert report["coverage"]["complete"]
    assert notes(report) == []


def test_content_without_a_path_is_no_file(forest: Repo, tmp_path: Path, rng: random.Random, capsys: pytest.CaptureFixture[str]) -> None:
    dangling = classic(rng)
    blob = forest.line("-C", "lib/one", "hash-object", "-w", "--stdin", stdin=dangling.encode())
    names = ("text", "gitlab", "json")
    history(capsys, "--submodules", str(forest.path), *(flag for name in names for flag in ("--report", f"{name}={tmp_path / name}")))
    text, gitlab, report = ((tmp_path / name).read_text("utf-8") for name in names)
    [finding] = [one for one in json.loads(report)["findings"] if one["token"] == dangling]
    assert [(one["path"], one["submodule"], one["blob"]) for one in finding["occurrences"]] == [(None, "lib/one", blob)]
    assert f"lib/one: blob {blob[:10]}:1:1" in text
    assert "lib/one" not in {one["location"].get("file") for one in json.loads(gitlab)["vulnerabilities"]}
    saved = tmp_path / "json"
    for name in names:
        main(["report", str(saved), "--show-secrets", "--format", name])
        assert capsys.readouterr().out == (tmp_path / name).read_text("utf-8")


def test_a_submodule_that_is_not_here_is_a_note(tmp_path: Path, forest: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    clone = tmp_path / "clone"
    forest.git("clone", "-q", str(forest.path), str(clone))
    code, report = history(capsys, "--submodules", str(clone))
    assert (code, [note["where"] for note in notes(report)]) == (1, ["lib/one"])


def test_a_broken_one_is_a_gap(forest: Repo, tokens: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    (forest.path / ".git/modules/lib/one/config").write_text("[broken", "utf-8")
    code, report = history(capsys, "--submodules", str(forest.path))
    assert (code, [skip["where"] for skip in report["coverage"]["skipped"]]) == (1, ["lib/one"])
    assert tokens["gone"] in places(report)


def test_its_working_tree_may_be_gone_and_its_configuration_may_lie(
    tmp_path: Path, forest: Repo, tokens: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(forest.path / "lib")
    forest.git("config", "--file", ".git/modules/old/config", "core.worktree", str(tmp_path / "elsewhere"))
    _, report = history(capsys, "--submodules", str(forest.path))
    assert {"lib/one/c.txt", "lib/one/deep/er/a b.txt", "old/e.txt"} <= {path for each in places(report).values() for path, _ in each}


def test_a_link_out_of_the_repository_is_not_followed(
    tmp_path: Path, repo: Repo, rng: random.Random, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Repo(tmp_path / "other")
    other.commit({"a": classic(rng)})
    repo.commit({"b": "text"})
    (repo.path / ".git/modules").symlink_to(tmp_path)
    code, report = history(capsys, "--submodules", str(repo.path))
    assert (code, report["findings"]) == (0, [])


@pytest.mark.parametrize("arguments", [["--rev", "HEAD"], ["https://git.example/x.git"]])
def test_what_makes_no_sense_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "--submodules", *arguments]) == 2
    assert "--submodules" in capsys.readouterr().err
