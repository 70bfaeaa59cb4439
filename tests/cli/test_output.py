"""Where reports go: whole or not at all, to their owner only, and never over what they are about."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.test_main import patscan
from tests.repo import Repo
from tests.tokens import classic

ROOT = Path(__file__).parents[2]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux's device files")


@pytest.fixture
def leak(tmp_path: Path, rng: random.Random) -> Path:
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "leak.env"
    file.write_text(f"TOKEN={classic(rng)}\n")
    return file


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def shell(command: str, *args: Path) -> subprocess.CompletedProcess[bytes]:
    script = command.replace("patscan", f"{sys.executable} -m patscan")
    return subprocess.run(["bash", "-c", script, "bash", *map(str, args)], capture_output=True, cwd=ROOT, check=False)


def test_several_at_once_each_its_owners(leak: Path, out: Path) -> None:
    (out / "old.json").write_text("old")
    (out / "old.json").chmod(0o644)
    done = patscan(
        "scan", leak, "--report", f"json={out / 'old.json'}", "--report", f"json={out / 'new.json'}", "--report", f"csv={out / 'x'}"
    )
    assert done.returncode == 1
    assert sorted(os.listdir(out)) == ["new.json", "old.json", "x"]
    assert {file.stat().st_mode & 0o777 for file in out.iterdir()} == {0o600}
    assert (out / "old.json").read_bytes() == (out / "new.json").read_bytes()


def test_a_link_is_replaced_and_never_followed(leak: Path, out: Path, tmp_path: Path) -> None:
    # A hostile checkout may hold gl-secret-detection-report.json as a link to somebody's .bashrc.
    precious, missing = tmp_path / "precious", tmp_path / "missing"
    precious.write_text("precious")
    for name, target in (("live", precious), ("dangling", missing), ("device", Path("/dev/null")), ("loop", out / "loop")):
        (out / name).symlink_to(target)
        assert patscan("scan", leak, "--quiet", "--report", f"json={out / name}").returncode == 1
        assert not (out / name).is_symlink()
        assert json.loads((out / name).read_text())["findings"]
    assert precious.read_text() == "precious"
    assert not missing.exists()


def test_the_same_path_twice(leak: Path, out: Path) -> None:
    done = patscan("scan", leak, "--report", f"json={out / 'x'}", "--report", f"csv={out / '..' / 'out' / 'x'}")
    assert done.returncode == 2
    assert "is named twice" in done.stderr
    assert not os.listdir(out)


def test_a_report_is_never_written_over_what_is_scanned(leak: Path) -> None:
    before = leak.read_bytes()
    for path in (leak, leak.parent / ".." / "in" / leak.name):
        done = patscan("scan", leak, "--report", f"json={path}")
        assert done.returncode == 2
        assert "is an input file" in done.stderr
    assert leak.read_bytes() == before
    (leak.parent / "report.json").write_text("{}")
    assert patscan("scan", leak.parent, "--report", f"json={leak.parent / 'report.json'}").returncode == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_what_may_not_be_written_is_said_before_the_work(leak: Path, out: Path) -> None:
    (out / "x").write_text("old")
    (out / "x").chmod(0o400)
    assert "can't be written to" in patscan("scan", leak, "--report", f"json={out / 'x'}").stderr
    out.chmod(0o500)
    assert "can't be written to" in patscan("scan", leak, "--report", f"json={out / 'y'}").stderr


@LINUX
def test_one_that_fails_costs_no_other_and_leaves_nothing(leak: Path, out: Path) -> None:
    done = patscan("scan", leak, "--report", "json=/dev/full", "--report", f"csv={out / 'x'}", "--report", "json=/proc/x")
    assert done.returncode == 2
    assert "/dev/full can't be written: No space left on device." in done.stderr
    assert "/proc/x can't be written" in done.stderr
    assert os.listdir(out) == ["x"]


def test_what_exists_is_never_half_overwritten(leak: Path, out: Path) -> None:
    for number in range(300):
        (leak.parent / f"{number}.env").write_text(f"T={leak.read_text()}{number}")
    (out / "x").write_text("old and whole")
    script = 'ulimit -f 8; PYTHONDONTWRITEBYTECODE=1 patscan scan "$1" --quiet --report json="$2" --show-secrets'
    done = shell(script, leak.parent, out / "x")
    assert done.returncode == 2, done
    assert b"can't be written: File too large." in done.stderr
    assert (out / "x").read_text() == "old and whole"
    assert os.listdir(out) == ["x"]


def test_a_pipe_is_written_to(leak: Path, out: Path) -> None:
    os.mkfifo(out / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((out / "pipe").read_text()))
    reader.start()
    assert patscan("scan", leak, "--quiet", "--report", f"json={out / 'pipe'}").returncode == 1
    reader.join(10)
    assert json.loads(read[0])["findings"]
    assert (out / "pipe").is_fifo()


@LINUX
def test_process_substitution_and_devices(leak: Path, out: Path) -> None:
    done = shell('patscan scan "$1" --quiet --report json=>(cat > "$2") --report csv=/dev/null; wait', leak, out / "copy")
    assert done.returncode == 0
    for _ in range(100):
        if (out / "copy").exists() and (out / "copy").read_text().endswith("}\n"):
            break
        threading.Event().wait(0.05)
    assert json.loads((out / "copy").read_text())["findings"]


@LINUX
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_by_its_name_is_the_same_stream(leak: Path, out: Path, name: str) -> None:
    for target in ('> "$2"', '| cat > "$2"'):
        shell(f'patscan scan "$1" --report csv={name} {target}', leak, out / "both")
        text = (out / "both").read_text()
        assert text.startswith('"row",')
        assert text.endswith("\n1 token found.\n")
    assert Path("/dev/stdout").is_symlink()


def test_a_long_name(leak: Path, out: Path) -> None:
    path = out / ("n" * 255)
    assert patscan("scan", leak, "--quiet", "--report", f"json={path}").returncode == 1
    assert path.exists()


@pytest.mark.parametrize(
    ("variables", "setting"),
    [
        ({"CI_JOB_STARTED_AT": "2026-01-31T12:00:00Z", "SOURCE_DATE_EPOCH": "0"}, "2026-01-31T12:00:00"),
        ({"SOURCE_DATE_EPOCH": "1700000000"}, "2023-11-14T22:13:20"),
        ({"SOURCE_DATE_EPOCH": "soon"}, "1970-01-01T00:00:00"),
        ({"SOURCE_DATE_EPOCH": "9" * 30}, "1970-01-01T00:00:00"),
        ({}, "1970-01-01T00:00:00"),
    ],
)
def test_the_environment_says_when(leak: Path, variables: dict[str, str], setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI_JOB_STARTED_AT", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    assert json.loads(patscan("scan", leak, "--format", "gitlab", **variables).stdout)["scan"]["start_time"] == setting


def unchanged(repo: Repo) -> None:
    assert repo.line("status", "--porcelain", "--untracked-files=no") == ""
    assert repo.line("rev-parse", "--verify", "HEAD")


@pytest.mark.parametrize("path", ["a.py", "sub/../a.py", "link/a.py", "./sub/b.py", "-a b*.py"])
def test_a_report_never_takes_the_place_of_a_tracked_file(repo: Repo, path: str) -> None:
    repo.commit({"a.py": "a", "sub/b.py": "b", "-a b*.py": "c"})
    (repo.path / "link").symlink_to(repo.path)
    listed = sorted(os.listdir(repo.path))
    for command in (("scan", "sub"), ("history", "."), ("hook",)):
        done = patscan(*command, "--report", "json=new.json", "--report", f"json={path}", cwd=repo.path)
        assert (done.returncode, "is tracked by git" in done.stderr) == (2, True), done.stderr
    assert patscan("scan", repo.path / "sub", "--report", f"json={repo.path / path}", cwd=repo.path.parent).returncode == 2
    unchanged(repo)
    assert sorted(os.listdir(repo.path)) == listed


def test_a_tracked_file_of_a_repository_that_lies_elsewhere(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"a.py": "a"})
    (repo.path / ".git").rename(repo.path.parent / "store")
    monkeypatch.setenv("GIT_DIR", str(repo.path.parent / "store"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repo.path))
    assert patscan("scan", ".", "--report", "json=a.py", cwd=repo.path).returncode == 2
    assert (repo.path / "a.py").read_text() == "a"


@pytest.mark.parametrize("path", [".git/HEAD", ".git/new", "link/HEAD", "sub/../.git/refs/x", "../bare/HEAD", "../bare/hooks/x", ".git"])
def test_a_report_never_lands_in_a_git_folder(repo: Repo, path: str) -> None:
    repo.commit({"sub/b.py": "b"})
    repo.git("clone", "--quiet", "--bare", ".", "../bare")
    (repo.path / "link").symlink_to(".git")
    done = patscan("scan", "sub", "--report", f"json={path}", cwd=repo.path)
    assert done.returncode == 2
    unchanged(repo)
    assert not (repo.path / path).is_file() or path.endswith("HEAD")
    repo.git("-C", "../bare", "fsck")


def test_a_worktrees_git_file_stays(repo: Repo) -> None:
    repo.commit({"a": "a"})
    repo.git("worktree", "add", "--quiet", "../tree")
    tree = repo.path.parent / "tree"
    before = (tree / ".git").read_bytes()
    assert patscan("scan", ".", "--report", "json=.git", cwd=tree).returncode == 2
    assert patscan("scan", ".", "--report", "json=a", cwd=tree).returncode == 2
    assert ((tree / ".git").read_bytes(), (tree / "a").read_text()) == (before, "a")


def test_an_untracked_file_and_a_link_give_way(repo: Repo) -> None:
    repo.commit({"a.py": "a"})
    (repo.path / "old.json").write_text("old")
    (repo.path / "link.json").symlink_to("a.py")
    for name in ("old.json", "new.json", "link.json"):
        assert patscan("scan", ".", "--report", f"json={name}", cwd=repo.path).returncode == 0
        assert json.loads((repo.path / name).read_text())["findings"] == []
    assert (repo.path / "a.py").read_text() == "a"
