"""``--verify`` at the level of the command, against the loopback GitLab: what is asked, of whom, and what is shown."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import tokens
from tests.gitlab import certificates
from tests.gitlab.loopback import GitLab
from tests.gitlab.proxy import Proxy

PAT = "personal-access-token"
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if "proxy" not in name.lower() and not name.startswith(("CI", "GITLAB", "PATSCAN", "XDG_CONFIG"))
}


def inspect(text: str, *flags: object, **environment: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "patscan", "inspect", *map(str, flags)]
    own = CLEAN | {"HOME": "/nonexistent"} | {name: str(value) for name, value in environment.items()}
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=own)


@pytest.fixture
def value(rng: random.Random) -> str:
    return tokens.classic(rng)


def states(process: subprocess.CompletedProcess[str]) -> list[str]:
    return [finding["verdict"]["state"] for finding in json.loads(process.stdout)["findings"]]


@pytest.mark.parametrize("by", ["flag", "variable", "file", "CI"])
def test_an_instance_is_approved_in_four_ways(by: str, value: str, tmp_path: Path) -> None:
    with GitLab() as gitlab:
        gitlab.add(PAT, value)
        flags: list[object] = ["--verify", "--format", "json"]
        own: dict[str, object] = {"XDG_CONFIG_HOME": tmp_path}
        if by == "flag":
            flags += ["--gitlab-url", gitlab.url]
        elif by == "variable":
            own["PATSCAN_GITLAB_URL"] = gitlab.url
        elif by == "file":
            (tmp_path / "patscan").mkdir()
            (tmp_path / "patscan" / "config.toml").write_text(f'gitlab-urls = ["{gitlab.url}"]\n')
        else:
            own |= {"CI_SERVER_URL": gitlab.url, "GITLAB_CI": "true"}
        process = inspect(value, *flags, **own)
        assert states(process) == ["active"]
        assert process.stderr.count("asking marks the tokens as used") == 1


def test_nothing_else_approves_one(value: str, tmp_path: Path) -> None:
    with GitLab() as gitlab, Proxy() as proxy:
        (tmp_path / ".patscan.toml").write_text('hosts = ["127.0.0.1"]\n')
        job = tokens.jwt(random.Random(1), {"sub": "gid://gitlab/Ci::Build/1", "iss": "127.0.0.1", "exp": 4_000_000_000})
        text = f"{gitlab.url}/api?private_token={value} {job}"
        command = [sys.executable, "-m", "patscan", "inspect", "--verify", "--format", "json"]
        own = CLEAN | {"CI_SERVER_URL": gitlab.url, "http_proxy": proxy.url, "HOME": str(tmp_path)}
        process = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=own, cwd=tmp_path)
        assert states(process) == ["unchecked", "unchecked"]
        assert "--gitlab-url" in process.stdout
        assert not gitlab.requests
        assert not proxy.lines


def test_without_the_flag_nothing_is_sent(value: str) -> None:
    with GitLab() as gitlab, Proxy() as proxy:
        own = {"PATSCAN_GITLAB_URL": gitlab.url, "http_proxy": proxy.url}
        assert states(inspect(value, "--format", "json", **own)) == ["unchecked"]
        assert not gitlab.requests
        assert not proxy.lines
        process = inspect(value, "--gitlab-url", gitlab.url)
        assert (process.returncode, process.stderr) == (2, "patscan: --gitlab-url needs --verify.\n")


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "sarif", "gitlab", "csv", "markdown", "junit", "codequality", "github", "brief"])
def test_no_format_shows_the_token_that_gitlab_echoes(form: str, value: str, rng: random.Random) -> None:
    with GitLab() as gitlab:
        root = tokens.classic(rng)
        gitlab.add(PAT, root, gitlab.user("root", admin=True))
        gitlab.add(PAT, value, gitlab.user(value), name=f"it is {value}", scopes=("api", value))
        for administrator in ({}, {"PATSCAN_ADMIN_TOKEN": root}):
            process = inspect(value, "--verify", "--gitlab-url", gitlab.url, "--format", form, **administrator)
            assert process.returncode == 1, process.stderr
            assert value not in process.stdout + process.stderr
            assert value[6:] not in process.stdout + process.stderr
            assert root not in process.stdout + process.stderr


def test_text_tells_what_matters(value: str) -> None:
    with GitLab() as gitlab:
        token = gitlab.add(PAT, value, expires=None)
        group = {"id": 1, "name": "acme", "web_url": "https://gitlab.example.com/groups/acme", "access_levels": 50}
        gitlab.memberships[token.user.id] = ([group], [])
        words = " ".join(inspect(value, "--verify", "--gitlab-url", gitlab.url).stdout.split())
    for text in ("LIVE, active", "owner anna", "acme (owner)", "severity critical; api: reads and changes", "It never expires"):
        assert text in words
    assert "Nothing was sent" not in words


def test_tls_with_an_authority_of_ones_own(value: str, tmp_path: Path) -> None:
    with GitLab(tls="good") as gitlab:
        flags = ("--verify", "--format", "json", "--gitlab-url", gitlab.url)
        assert states(inspect(value, *flags, "--ca-bundle", certificates.bundle(tmp_path))) == ["not-found"]
        assert states(inspect(value, *flags)) == ["error"]


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (("--gitlab-url", "http://gitlab.example.com"), "--insecure-http"),
        (("--gitlab-url", "https://me:hidden@gitlab.example.com"), "Leave them out"),
        (("--gitlab-url", "http://127.0.0.1:1", "--ca-bundle", "absent.pem"), "absent.pem"),
        (("--gitlab-url", "http://127.0.0.1:1", "--admin-token-file", "absent"), "absent"),
        (("--timeout", "0"), "not a number of seconds"),
        (("--max-requests", "-1"), "not a number from 1"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(flags: tuple[str, ...], text: str, value: str) -> None:
    process = inspect(value, "--verify", *flags)
    assert process.returncode == 2
    assert text in process.stderr
    assert "hidden" not in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("content", ["", "a b", "x" * 5000, "ä"])
def test_an_administrators_file_holds_one_token(content: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "t").write_text(content)
    process = inspect(value, "--verify", "--gitlab-url", "http://127.0.0.1:1", "--admin-token-file", tmp_path / "t")
    assert (process.returncode, "one token and nothing else" in process.stderr) == (2, True)


def test_an_administrators_token_that_isnt_one_is_in_the_report(value: str, tmp_path: Path, rng: random.Random) -> None:
    with GitLab() as gitlab:
        (tmp_path / "t").write_text(tokens.classic(rng) + "\n")
        flags = ("--verify", "--gitlab-url", gitlab.url, "--admin-token-file", tmp_path / "t", "--format", "json")
        document: dict[str, Any] = json.loads(inspect(value, *flags).stdout)
        assert "can't be used" in document["coverage"]["skipped"][0]["reason"]
        assert not document["coverage"]["complete"]
        assert document["findings"][0]["verdict"]["state"] == "not-found"


def test_thresholds_are_ones_own(value: str, tmp_path: Path) -> None:
    (tmp_path / "patscan").mkdir()
    file = tmp_path / "patscan" / "config.toml"
    with GitLab() as gitlab:
        gitlab.add(PAT, value, scopes=("read_user",))
        flags = ("--verify", "--gitlab-url", gitlab.url, "--format", "json")
        for days, expected in ((30, True), (90, False)):
            file.write_text(f"[lifecycle]\nlongest-days = {days}\n")
            (findings,) = json.loads(inspect(value, *flags, XDG_CONFIG_HOME=tmp_path).stdout)["findings"]
            assert ("long-life" in {check["check"] for check in findings["verdict"]["lifecycle"]}) == expected
        for text, message in (
            ("longest-days = 1", "Did you mean"),
            ("[lifecycle]\nlongest-days = true", "a number of days"),
            ("lifecycle = 1", "table"),
        ):
            file.write_text(text)
            process = inspect(value, *flags, XDG_CONFIG_HOME=tmp_path)
            assert (process.returncode, message in process.stderr) == (2, True), process.stderr


def test_ctrl_c_writes_what_was_answered(rng: random.Random, tmp_path: Path) -> None:
    text = "\n".join(tokens.classic(rng) for _ in range(300))
    with GitLab(latency=0.1) as gitlab:
        report = tmp_path / "r.json"
        command = [
            sys.executable,
            "-m",
            "patscan",
            "inspect",
            "--verify",
            "--gitlab-url",
            gitlab.url,
            "--quiet",
            "--report",
            f"json={report}",
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN) as process:
            assert process.stdin
            process.stdin.write(text.encode())
            process.stdin.close()
            while len(gitlab.requests) < 60:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
        findings = json.loads(report.read_text())["findings"]
        answered = [one["verdict"]["state"] for one in findings]
        assert 10 < answered.count("not-found") < 300
        assert answered.count("not-found") + answered.count("unchecked") == 300
