"""What a repository's own files hide is named by every command in every format; the hook goes by what is staged."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from patscan.formats import FORMATS
from tests.cli.hooked import git, hooked, hooks, kind
from tests.cli.test_main import patscan
from tests.repo import Repo
from tests.tokens import classic

__all__ = ["hooked", "hooks", "kind"]

HIDING = 'ignore-paths = ["deep/rather/long/name/", "*"]\n'
NAMED = "ignore-paths = [*, deep/rather/long/name/]"


def words(text: str) -> str:
    """`text` without the breaks of its lines and what a format escapes."""
    return " ".join(text.replace("&lt;", "<").replace("\\\\", "\\").split())


@pytest.fixture
def hiding(repo: Repo, rng: random.Random) -> Repo:
    """A repository whose own configuration hides everything, with a token in a commit that isn't pushed and one that is staged."""
    repo.commit({".patscan.toml": HIDING, "a": classic(rng)})
    repo.write("b", classic(rng))
    repo.git("add", "--all")
    return repo


@pytest.mark.parametrize("command", ["scan", "history", "hook", "push"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_command_and_format_names_the_patterns(hiding: Repo, command: str, form: str) -> None:
    done = patscan(command, "--format", form, cwd=hiding.path)
    assert done.returncode == 0
    assert NAMED in words(done.stderr if form == "codequality" else done.stdout)
    assert "not unpacked" not in done.stdout


def test_a_message_a_code_quality_file_and_a_saved_report_name_them(hiding: Repo) -> None:
    (hiding.path / "message").write_text("text\n")
    assert NAMED in patscan("message", "message", cwd=hiding.path).stdout
    done = patscan("hook", "--quiet", "--report", "codequality=q.json", "--report", "json=r.json", cwd=hiding.path)
    assert NAMED in done.stderr
    for form in FORMATS:
        again = patscan("report", "r.json", "--format", form, cwd=hiding.path)
        assert NAMED in words(again.stderr if form == "codequality" else again.stdout)
    for verb in ("write", "check", "prune"):
        assert NAMED in patscan("baseline", verb, cwd=hiding.path).stderr


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[rules]\noff = ["gitlab-pat"]', "rules.off = [gitlab-pat]"),
        ('[rules]\nonly = ["gitlab-deploy-token"]', "rules.only = [gitlab-deploy-token]"),
        ('min-confidence = "certain"', "min-confidence = certain"),
        ("ignore-paths = [" + ", ".join(f'"name{number:03}"' for number in range(100)) + ', "**"]', "ignore-paths = [**, name000,"),
        ('pat-prefix = "acme-"', ""),
    ],
)
def test_the_hook_names_all_that_hides_and_nothing_else(repo: Repo, text: str, named: str) -> None:
    repo.write(".patscan.toml", text)
    repo.git("add", "--all")
    done = patscan("hook", cwd=repo.path)
    assert ("note" in done.stdout, named in done.stdout) == (bool(named), True)
    assert len(done.stdout) < 1000


def test_a_baseline_that_is_not_staged_does_not_count_and_says_so(hooked: Repo, rng: random.Random) -> None:
    token = classic(rng)
    hooked.commit({"a": "1"})
    hooked.write("b", token)
    assert patscan("baseline", "write", cwd=hooked.path).returncode == 0
    hooked.git("add", "b")
    done = git(hooked, "commit", "-m", "more")
    assert (done.code, "it accepts 1 token of this scan" in done.text, "git add .patscan-baseline" in done.text) == (1, True, True)
    hooked.git("add", ".patscan-baseline")
    done = git(hooked, "commit", "-m", "more")
    assert done.code == 0, done.text


def test_a_changed_baseline_that_is_not_staged_does_not_count(repo: Repo, rng: random.Random) -> None:
    first, second = classic(rng), classic(rng)
    repo.write("a", first)
    patscan("baseline", "write", cwd=repo.path)
    repo.commit()
    repo.write("a", f"{first}\n{second}\n")
    patscan("baseline", "write", cwd=repo.path)
    repo.git("add", "a")
    (repo.path / "deep").mkdir()
    for folder, name in ((repo.path, ".patscan-baseline"), (repo.path / "deep", "../.patscan-baseline")):
        done = patscan("hook", cwd=folder)
        assert (done.returncode, f"git add {name}" in done.stdout) == (1, True), done.stdout
    # The baseline that is staged, whatever lies on the disk.
    repo.git("add", "--all")
    (repo.path / ".patscan-baseline").write_text((repo.path / ".patscan-baseline").read_text().rsplit("\n", 2)[0] + "\n")
    assert patscan("hook", cwd=repo.path).returncode == 0


@pytest.mark.parametrize("name", [".patscan.toml", "pyproject.toml"])
def test_a_configuration_that_is_not_staged_does_not_count(repo: Repo, rng: random.Random, name: str) -> None:
    text = 'ignore-paths = ["*"]'
    repo.commit({"a": "1"})
    repo.write("a", classic(rng))
    repo.git("add", "a")
    repo.write(name, text if name == ".patscan.toml" else f"[tool.patscan]\n{text}")
    done = patscan("hook", cwd=repo.path)
    assert (done.returncode, f"git add {name}" in done.stdout) == (1, True), done.stdout
    repo.git("add", name)
    assert patscan("hook", cwd=repo.path).returncode == 0
    repo.write(name, "")
    repo.write(name, "" if name == ".patscan.toml" else "[tool.patscan]\n")
    assert patscan("hook", cwd=repo.path).returncode == 0


def test_what_a_flag_names_need_not_be_staged(repo: Repo, rng: random.Random, tmp_path: Path) -> None:
    repo.write("a", classic(rng))
    repo.git("add", "a")
    assert patscan("baseline", "write", "--baseline", tmp_path / "own", cwd=repo.path).returncode == 0
    assert patscan("hook", "--baseline", tmp_path / "own", cwd=repo.path).returncode == 0
    (tmp_path / "own.toml").write_text('ignore-paths = ["a"]')
    assert patscan("hook", "--config", tmp_path / "own.toml", cwd=repo.path).returncode == 0


def test_what_is_accepted_is_listed(repo: Repo, rng: random.Random) -> None:
    first, second, past = classic(rng), classic(rng), classic(rng)
    repo.commit({"a": past})
    repo.commit({"a": f"x\n  {first}\n", f"d/{second}": "1"})
    done = patscan("baseline", "write", "--history", repo.path)
    assert done.returncode == 0
    lines = [line.split("  ") for line in done.stdout.splitlines() if line.startswith("added")]
    assert sorted(line[1] for line in lines) == ["a:1:1", "a:2:3", "d/glpat-…(26)"]
    assert all("glpat-…(26)" in line[3] for line in lines)
    assert not any(token in done.stdout for token in (first, second, past))
    assert "added" not in patscan("baseline", "write", "--history", repo.path).stdout.replace("0 added", "")


def test_a_block_names_the_baseline(repo: Repo, rng: random.Random) -> None:
    repo.write("a", classic(rng))
    repo.git("add", "a")
    assert "patscan baseline write --reason REASON" in patscan("hook", cwd=repo.path).stdout
    report = json.loads(patscan("hook", "--format", "json", cwd=repo.path).stdout)
    assert [note for note in report["coverage"]["notes"] if "kind" in note] == []
