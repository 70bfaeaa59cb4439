"""``patscan inspect``, as a person pipes something into it."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from typing import Any

import pytest

from tests import tokens


def inspect(text: bytes | str, *flags: str) -> subprocess.CompletedProcess[str]:
    data = text.encode() if isinstance(text, str) else text
    process = subprocess.run([sys.executable, "-m", "patscan", "inspect", *flags], input=data, capture_output=True, check=False)
    return subprocess.CompletedProcess(process.args, process.returncode, process.stdout.decode(), process.stderr.decode())


@pytest.fixture
def texts(rng: random.Random) -> dict[str, str]:
    return {
        "classic": tokens.classic(rng),
        "routable": tokens.routable(rng, payload="o:1\nu:16"),
        "runner": tokens.routable(rng, "glrt-", "g:8\no:1\nt:2"),
        "expired": tokens.jwt(rng, {"sub": "gid://gitlab/Ci::Build/4711", "iss": "git.corp.example", "exp": 1_700_000_000, "p": "7"}),
        "live": tokens.jwt(rng, {"sub": "gid://gitlab/Ci::Build/4712", "iss": "git.corp.example", "exp": 4_000_000_000}),
    }


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("classic", ["GitLab personal access token", "none in this form", "its user"]),
        ("routable", ["checksum right", "organization 1, user 42", "certain", "by its length field", "(user 42, organization 1)"]),
        ("runner", ["group 8", "group runner", "the operator of the runner"]),
        ("expired", ["inactive: it expired at 2023-11-14", "job 4711", "project 7", "at git.corp.example"]),
        ("live", ["expires 2096-10-02", "those who may cancel its job"]),
    ],
)
def test_what_is_said_of_each(name: str, lines: list[str], texts: dict[str, str]) -> None:
    process = inspect(f"some text {texts[name]} and more\n")
    assert process.returncode == 1
    assert process.stderr == ""
    words = " ".join(process.stdout.split())
    for text in lines:
        assert text in words
    assert "Nothing was sent anywhere." in words
    assert texts[name] not in process.stdout
    assert texts[name].split("-")[1][:12] not in process.stdout


def test_a_cut_and_a_broken_one(texts: dict[str, str]) -> None:
    cut = inspect(texts["routable"].partition(".")[0] + "\n").stdout
    assert "cut off: the tail with the checksum is missing" in cut
    assert "unverifiable: a part of it is missing" in " ".join(cut.split())
    last = texts["routable"][-1]
    broken = inspect(texts["routable"][:-1] + ("a" if last != "a" else "b"))
    assert "wrong: GitLab didn't create it" in broken.stdout
    assert broken.returncode == 0


def test_an_encoded_one_and_several_places(texts: dict[str, str]) -> None:
    hidden = base64.b64encode(f"x={texts['classic']}".encode()).decode()
    process = inspect(f"{hidden}\n{texts['classic']}\n")
    assert "2 places" in process.stdout
    assert hidden[4:20] not in process.stdout


@pytest.mark.parametrize("text", ["", "no token here\n", b"\xff\xfe\x00\x01" * 100, b"\0" * 1000])
def test_nothing_is_nothing(text: bytes | str) -> None:
    process = inspect(text)
    assert (process.returncode, process.stdout) == (0, "0 tokens. Nothing was sent anywhere.\n")


def test_json_is_a_report_that_reads_back(texts: dict[str, str]) -> None:
    process = inspect("\n".join(texts.values()), "--format", "json")
    document: dict[str, Any] = json.loads(process.stdout)
    assert document["schema"] == "patscan-report/1"
    states = {finding["verdict"]["state"] for finding in document["findings"]}
    assert states == {"inactive", "unchecked"}
    assert not any(text in process.stdout for text in texts.values())
    command = [sys.executable, "-m", "patscan", "report", "-", "--format", "json"]
    again = subprocess.run(command, input=process.stdout.encode(), capture_output=True, check=False)
    assert json.loads(again.stdout)["findings"] == document["findings"]


def test_no_flag_shows_a_token_and_none_is_taken_as_an_argument(texts: dict[str, str]) -> None:
    for flags in (["--show-secrets"], [texts["classic"]]):
        process = inspect("", *flags)
        assert process.returncode == 2
        assert texts["classic"] not in process.stderr + process.stdout


def test_no_network_module_is_imported(texts: dict[str, str]) -> None:
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "patscan", "inspect"], input=texts["live"].encode(), capture_output=True, check=False
    )
    imported = {line.rpartition("|")[2].strip() for line in process.stderr.decode().splitlines()}
    assert "patscan.gitlab.advice" in imported
    assert not imported & {"urllib3", "ssl", "_ssl", "socket", "_socket", "http.client", "patscan.gitlab.client"}
