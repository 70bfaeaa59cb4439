"""`patscan history URL` as a user meets it: everything is found, nothing stays, nothing secret shows, nothing else runs."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_main import patscan
from tests.git.servers import PASSWORD, USER, guarded, silent
from tests.repo import Repo
from tests.tokens import classic

QUOTED = "s3cr3t%2Fp%40ss%3Aw%25rd"
"""The password as a URL holds it."""
SECRETS = (USER, PASSWORD, QUOTED, "s3cr3t")


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders are made; it is empty after every test."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert not list(folder.iterdir())


def tokens(report: dict[str, Any]) -> set[str]:
    return {finding["token"] for finding in report["findings"]}


def history(*args: str | Path) -> tuple[int, dict[str, Any]]:
    done = patscan("history", *args, "--format", "json", "--show-secrets", "--jobs", "1")
    return done.returncode, json.loads(done.stdout)


def dangling(repo: Repo, content: str) -> str:
    """A commit that no ref leads to."""
    blob = repo.line("hash-object", "-w", "--stdin", stdin=content.encode())
    tree = repo.line("mktree", stdin=f"100644 blob {blob}\tfile\n".encode())
    return repo.line("commit-tree", "-m", "x", tree)


def test_tokens_that_only_odd_refs_lead_to_are_found(repo: Repo, rng: random.Random) -> None:
    made = [classic(rng) for _ in range(3)]
    repo.commit({"a": made[0]})
    repo.git("update-ref", "refs/merge-requests/1/head", dangling(repo, made[1]))
    kept = dangling(repo, made[2])
    repo.git("update-ref", f"refs/keep-around/{kept}", kept)
    url = f"file://{repo.path}"
    code, report = history(url)
    assert (code, tokens(report)) == (1, set(made))
    assert report["target"] == {"type": "history", "path": url, "remote": url, "head": repo.line("rev-parse", "HEAD")}
    assert report["coverage"]["complete"]


def test_a_server_without_commits_is_not_clean(repo: Repo) -> None:
    code, report = history(f"file://{repo.path}")
    (skip,) = report["coverage"]["skipped"]
    assert (code, skip["where"]) == (3, f"file://{repo.path}")


def test_a_folder_stays_a_folder(repo: Repo, rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    token = classic(rng)
    repo.commit({"a": token})
    monkeypatch.chdir(repo.path)
    for args in ([], [repo.path]):
        code, report = history(*args)
        assert (code, tokens(report)) == (1, {token})
    assert patscan("history", repo.path, "--keep", repo.path.parent / "kept").returncode == 2


def test_gits_own_variables_speak_of_another_repository(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook runs with them; the mirror must not end up there."""
    repo.commit({"a": "1"})
    other = Repo(tmp_path / "other")
    before = sorted(other.path.rglob("*"))
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git/objects"))
    assert history(f"file://{repo.path}")[0] == 0
    assert sorted(other.path.rglob("*")) == before


class TestKeep:
    def test_the_second_time_what_is_new_is_found_and_what_was_is_not_forgotten(
        self, repo: Repo, tmp_path: Path, rng: random.Random
    ) -> None:
        first, second = classic(rng), classic(rng)
        repo.commit({"a": first})
        url, kept = f"file://{repo.path}", tmp_path / "kept"
        assert tokens(history(url, "--keep", kept)[1]) == {first}
        repo.commit({"a": second}, "again", "--amend")
        code, report = history(url, "--keep", kept)
        assert (code, tokens(report), report["target"]["path"]) == (1, {first, second}, url)

    def test_what_can_not_be_fetched_is_not_scanned(self, repo: Repo, tmp_path: Path, rng: random.Random) -> None:
        repo.commit({"a": classic(rng)})
        url, kept = f"file://{repo.path}", tmp_path / "kept"
        history(url, "--keep", kept)
        repo.path.rename(tmp_path / "gone")
        code, report = history(url, "--keep", kept)
        assert (code, report["findings"], len(report["coverage"]["skipped"])) == (3, [], 1)

    def test_another_folder_is_a_usage_error(self, repo: Repo) -> None:
        repo.commit({"a": "1"})
        done = patscan("history", f"file://{repo.path}", "--keep", repo.path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"patscan: --keep: {repo.path} isn't empty")


class TestRefused:
    @pytest.mark.parametrize(
        "form", ["ext::sh -c 'touch {0}'", "ext::{0}", "-oProxyCommand=touch {0}:x", "ssh://-oProxyCommand=touch {0}/x"]
    )
    def test_what_would_start_a_program(self, form: str, tmp_path: Path) -> None:
        mark = tmp_path / "mark"
        done = patscan("history", "--", form.format("mark"), cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert not mark.exists()

    @pytest.mark.parametrize("option", ["-utouch mark", "--upload-pack=touch mark", "--upload-pack=touch mark;:x"])
    def test_what_looks_like_an_option(self, option: str, tmp_path: Path, repo: Repo) -> None:
        repo.commit({"a": "1"})
        assert patscan("history", option, f"file://{repo.path}", cwd=tmp_path).returncode == 2
        assert patscan("history", "--", option, cwd=tmp_path).returncode in {2, 3}
        assert not (tmp_path / "mark").exists()

    def test_a_helper_that_the_users_own_settings_lead_to(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mark = tmp_path / "mark"
        for number, (key, value) in enumerate([(f"url.ext::touch {mark} .insteadOf", "https://"), ("protocol.ext.allow", "always")]):
            monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
            monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
        monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
        assert patscan("history", "https://git.example/x").returncode == 3
        assert not mark.exists()


class TestNoAnswer:
    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        done = patscan("history", f"http://{USER}:{QUOTED}@127.0.0.1:{port}/x")
        assert done.returncode == 3
        assert f"http://127.0.0.1:{port}/x" in done.stdout
        assert "Failed to connect" in done.stdout
        assert not any(secret in done.stdout + done.stderr for secret in SECRETS)

    def test_a_password_is_wanted(self, tmp_path: Path) -> None:
        with guarded(tmp_path) as server:
            for userinfo in ("", f"{USER}@", f"{USER}:wr0ng@"):
                code, report = history(f"http://{userinfo}{server.host}/x")
                (skip,) = report["coverage"]["skipped"]
                assert (code, skip["where"]) == (3, f"http://{server.host}/x")
                assert skip["reason"].startswith("the server wants a user and a password")
                assert not any(secret in json.dumps(report) for secret in (*SECRETS, "wr0ng"))


class TestInterrupted:
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    @pytest.mark.parametrize("scheme", ["http", "git"])
    def test_while_the_server_says_nothing(self, number: signal.Signals, code: int, scheme: str, scratch: Path) -> None:
        with silent() as (host, came), started(f"{scheme}://{USER}:{QUOTED}@{host}/x") as process:
            assert came.wait(20)
            children = family(process.pid)
            assert len(children) > 1
            assert list(scratch.iterdir())
            for pid in children - {process.pid}:
                assert not any(secret in command(pid) for secret in SECRETS)
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
        assert process.returncode == code
        assert not any(secret in out + err for secret in SECRETS)
        assert not list(scratch.iterdir())
        until_gone(children)

    def test_twice(self, tmp_path: Path, scratch: Path) -> None:
        with silent() as (host, came), started(f"http://{host}/x") as process:
            assert came.wait(20)
            children = family(process.pid)
            for _ in range(2):
                process.send_signal(signal.SIGINT)
                time.sleep(0.01)
            process.communicate(timeout=20)
        assert process.returncode == 130
        assert not list(scratch.iterdir())
        until_gone(children)


def test_the_password_reaches_the_server_and_nothing_else(
    repo: Repo, tmp_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git writes down each command line it is started with, and each it starts (git-config(1), trace2.eventTarget)."""
    token = classic(rng)
    repo.commit({"a": token})
    trace, settings = tmp_path / "told", tmp_path / "settings"
    settings.write_text(f"[trace2]\n\teventTarget = {trace}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    with guarded(tmp_path) as server:
        url = f"http://{server.host}/repo/.git"
        reports = [f"--report={name}={tmp_path / name}" for name in ("json", "sarif", "text")]
        done = patscan(*patscan_command(url.replace("://", f"://{USER}:{QUOTED}@"))[3:], *reports)
    assert (done.returncode, server.right in server.met) == (1, True)
    commands = trace.read_text()
    assert "remote-http" in commands
    assert "PATSCAN_PASSWORD" in commands
    written = done.stdout + done.stderr + commands + "".join((tmp_path / name).read_text() for name in ("json", "sarif", "text"))
    assert not any(secret in written for secret in SECRETS)
    assert url in written


def patscan_command(url: str) -> list[str]:
    return [sys.executable, "-m", "patscan", "history", url]


@contextlib.contextmanager
def started(url: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        patscan_command(url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def family(pid: int) -> set[int]:
    """A process and all it has started, where /proc tells."""
    pids, waiting = set(), [pid]
    while waiting:
        pid = waiting.pop()
        pids.add(pid)
        with contextlib.suppress(OSError):
            waiting += [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
    return pids


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return ""


def until_gone(children: set[int]) -> None:
    """Raises if one of them is still at work after two seconds."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and any(map(command, children)):
        time.sleep(0.02)
    assert not [command(pid) for pid in children if command(pid)]
