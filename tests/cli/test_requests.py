"""What leaves this machine, as a proxy and two GitLabs see it: one is approved, the other is only named by what a stranger can write."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from patscan.formats import FORMATS
from tests import tokens
from tests.cli.test_verify import patscan, saved
from tests.gitlab.faults import Fault
from tests.gitlab.loopback import GitLab
from tests.gitlab.proxy import Proxy
from tests.repo import Repo

PAT = "personal-access-token"
COMMANDS = ("scan", "history", "ci", "verify")


class World(NamedTuple):
    """A repository with tokens of several kinds, the two GitLabs, and the proxy in front of everything."""

    repo: Repo
    approved: GitLab
    other: GitLab
    proxy: Proxy
    tokens: list[str]
    report: Path
    base: str


@pytest.fixture
def world(repo: Repo, rng: random.Random, tmp_path: Path) -> Iterator[World]:
    with GitLab() as approved, GitLab() as other, Proxy() as proxy:
        claims: dict[str, object] = {"sub": "gid://gitlab/Ci::Build/1", "iss": other.url, "exp": 4_000_000_000}
        values = [
            tokens.classic(rng),
            tokens.classic(rng),
            tokens.classic(rng, "gldt-"),
            tokens.classic(rng, "glptt-"),
            tokens.jwt(rng, claims),
        ]
        values += [tokens.classic(rng, "glft-"), tokens.classic(rng, "gloas-"), tokens.classic(rng, "glrt-")]
        for gitlab in (approved, other):
            gitlab.add(PAT, values[0], gitlab.user(values[0]), name=f"called {values[0]}", scopes=("api", values[0]))
        base = repo.commit({"README": "x"})
        lines = [f"curl {other.url}/api?private_token={value}\nplain: {value}\n" for value in values]
        repo.commit(
            {"a.env": "".join(lines), ".patscan.toml": f'hosts = ["{urlsplit(other.url).netloc}"]\ngitlab-urls = ["{other.url}"]\n'}
        )
        repo.git("remote", "add", "origin", f"{other.url}/group/project.git")
        report = saved(tmp_path / "r.json", "history", repo.path)
        yield World(repo, approved, other, proxy, values, report, base)


def run(world: World, command: str, *flags: object, **environment: str) -> str:
    """Everything that a command shows, in all formats."""
    files = {name: world.report.with_name(f"out.{name}") for name in FORMATS}
    wanted = [f"--report={name}={path}" for name, path in files.items()]
    place = [world.report] if command == "verify" else []
    own = {"http_proxy": world.proxy.url, "PATSCAN_BASE": world.base, "PATSCAN_HEAD": "HEAD"} | environment
    done = patscan(command, *place, *wanted, *flags, cwd=world.repo.path, **own)
    assert done.returncode == 1, done.stderr
    written = "".join(path.read_text("utf-8") for path in files.values())
    return done.stdout + done.stderr + written


def recorded(world: World) -> list[tuple[str, str]]:
    """Method and URL of each request; the proxy saw every one."""
    assert len(world.proxy.lines) == len(world.approved.requests) + len(world.other.requests)
    return [(method, url) for method, _, url in (line.partition(" ") for line in world.proxy.lines)]


def shows_no_token(world: World, text: str) -> None:
    for value in world.tokens:
        assert value not in text
        assert value.partition("-")[2][:20] not in text


@pytest.mark.parametrize("command", COMMANDS[:3])
def test_nothing_is_sent_without_verify(command: str, world: World) -> None:
    shows_no_token(world, run(world, command, PATSCAN_GITLAB_URL=world.approved.url))
    assert not recorded(world)


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_sent_where_nothing_is_approved(command: str, world: World) -> None:
    flags = () if command == "verify" else ("--verify",)
    text = run(world, command, *flags)
    assert "Seen beside it: 127.0.0.1" in text
    shows_no_token(world, text)
    assert not recorded(world)


@pytest.mark.parametrize("command", COMMANDS)
def test_only_the_approved_host_is_asked_and_only_by_reading(command: str, world: World) -> None:
    flags = () if command == "verify" else ("--verify",)
    text = run(world, command, *flags, "--gitlab-url", world.approved.url)
    assert "asking marks the tokens as used" in text
    assert '"state": "active"' in text
    shows_no_token(world, text)
    requests = recorded(world)
    assert len(requests) >= 5
    assert not world.other.requests
    for method, url in requests:
        assert method in {"GET", "HEAD"}
        assert url.startswith(f"{world.approved.url}/api/v4/")
        shows_no_token(world, url)
    asked = [header for head in world.proxy.heads for header in head.splitlines() if world.tokens[0] in header]
    assert sum(url.endswith("/personal_access_tokens/self") for _, url in requests) == 2  # two tokens of this kind, each once
    assert {header.partition(":")[0] for header in asked} <= {
        "PRIVATE-TOKEN",
        "Private-Token",
        "JOB-TOKEN",
        "Authorization",
        "Deploy-Token",
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_no_redirect_is_followed(command: str, world: World) -> None:
    flags = () if command == "verify" else ("--verify",)
    world.approved.faults.append(Fault("redirect", more={"to": f"{world.other.url}/api/v4/personal_access_tokens/self"}))
    text = run(world, command, *flags, "--gitlab-url", world.approved.url)
    assert "no redirect is followed" in text
    shows_no_token(world, text)
    assert recorded(world)
    assert not world.other.requests


@pytest.mark.parametrize("command", COMMANDS)
def test_writing_is_asked_for(command: str, world: World, rng: random.Random) -> None:
    flags = () if command == "verify" else ("--verify",)
    run(world, command, *flags, "--gitlab-url", world.approved.url, "--allow-writes")
    root = tokens.classic(rng)
    world.approved.add(PAT, root, world.approved.user("root", admin=True))
    text = run(world, command, *flags, "--gitlab-url", world.approved.url, PATSCAN_ADMIN_TOKEN=root)
    shows_no_token(world._replace(tokens=[*world.tokens, root]), text)
    assert "POST" in {method for method, _ in recorded(world)}
    assert all(root not in url for _, url in recorded(world))
    assert not world.other.requests


def test_no_token_is_in_a_file_name(world: World) -> None:
    run(world, "verify", "--gitlab-url", world.approved.url)
    names = [name for _, folders, files in os.walk(world.report.parent) for name in (*folders, *files)]
    assert "out.json" in names
    shows_no_token(world, "\n".join(names))
