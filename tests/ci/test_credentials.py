"""What a checkout configures counts for the fetch of `patscan ci` where runners keep their credentials, and nowhere else."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from patscan.git.honoured import honoured
from patscan.git.repository import open_repository
from tests.ci.world import Ran, World, checkout, ci, request, tokens_of, world
from tests.cli.hooked import patscan
from tests.git.servers import PASSWORD, USER, guarded
from tests.repo import Repo

QUOTED = "s3cr3t%2Fp%40ss%3Aw%25rd"
HEADER = "Authorization: Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("world"), leaky=True)


def shallow(made: World, tmp_path: Path, url: str = "") -> Repo:
    repo = Repo(checkout(tmp_path / "checkout", made.url, made.commits["t12"], 2))
    if url:
        repo.git("config", "remote.origin.url", url)
    return repo


def fetched(made: World, repo: Repo) -> Ran:
    """A run that has to fetch, and could."""
    ran = ci(repo.path, request(made), "--format", "json", "--show-secrets")
    assert ran.report()["coverage"]["complete"], ran.report()["coverage"]
    assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})
    return ran


def by_header(repo: Repo, host: str) -> None:
    repo.git("config", f"http.http://{host}/.extraHeader", HEADER)


def by_include(repo: Repo, host: str) -> None:
    """As newer versions of actions/checkout do: in a file outside of the checkout."""
    file = repo.path.parent / "credentials.config"
    file.write_text(f'[http "http://{host}/"]\n\textraheader = "{HEADER}"\n')
    repo.git("config", f"includeIf.gitdir:{repo.path}/.git.path", str(file))


def by_helper(repo: Repo, host: str) -> None:
    file = repo.path.parent / "answer"
    file.write_text(f"username={USER}\npassword={PASSWORD}\n")
    repo.git("config", f"credential.http://{host}.helper", f"!f() {{ cat '{file}'; }}; f")


def by_helper_with_the_jobs_token(repo: Repo, host: str) -> None:
    """As GitLab's runner does: the user's name beside a helper that knows the password alone."""
    repo.git("config", f"credential.http://{host}.username", USER)
    repo.git("config", f"credential.http://{host}.helper", '!f() { test "$1" = get && echo "password=$CI_JOB_TOKEN"; }; f')


def by_url(repo: Repo, host: str) -> None:
    repo.git("config", "remote.origin.url", f"http://{USER}:{QUOTED}@{host}/server/.git")


@pytest.mark.parametrize("way", [by_header, by_include, by_helper, by_helper_with_the_jobs_token, by_url])
def test_credentials_of_the_checkout_reach_its_server(
    made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[[Repo, str], None]
) -> None:
    monkeypatch.setattr("tests.ci.world.CI_VARIABLES", ("GITHUB", "GITLAB"))
    monkeypatch.setenv("CI_JOB_TOKEN", PASSWORD)
    log = tmp_path / "trace"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global"))
    (tmp_path / "global").write_text(f"[trace2]\n\teventTarget = {log}\n")
    with guarded(made.server.path.parent) as server:
        repo = shallow(made, tmp_path, f"http://{server.host}/server/.git")
        way(repo, server.host)
        ran = fetched(made, repo)
        assert server.right in server.met
    shown = json.dumps(ran) + "".join(line for line in log.read_text().splitlines() if '"argv"' in line and "run_command" not in line)
    assert not any(secret in shown for secret in (PASSWORD, QUOTED, HEADER.split()[-1]))


def test_without_them_it_is_a_sentence(made: World, tmp_path: Path) -> None:
    with guarded(made.server.path.parent) as server:
        repo = shallow(made, tmp_path, f"http://{server.host}/server/.git")
        report = ci(repo.path, request(made), "--format", "json").report()
    assert not report["coverage"]["complete"]
    assert "wants a user and a password" in json.dumps(report)


def test_ssh_as_the_checkout_wants_it(made: World, tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    repo = shallow(made, tmp_path, f"ssh://git.example{made.server.path}")
    repo.git("config", "core.sshCommand", str(ssh))
    fetched(made, repo)


def test_a_path_of_the_checkout(made: World, tmp_path: Path) -> None:
    fetched(made, shallow(made, tmp_path, os.path.relpath(made.server.path, tmp_path / "checkout")))


OFF = {
    "core.hooksPath": "{folder}",
    "core.fsmonitor": "{mark}",
    "core.gitProxy": "{mark}",
    "core.askPass": "{mark}",
    "core.alternateRefsCommand": "{mark}",
    "remote.origin.uploadpack": "{mark}",
    "remote.origin.vcs": "ext",
    "filter.x.smudge": "{mark}",
    "uploadpack.packObjectsHook": "{mark}",
    "protocol.ext.allow": "always",
    "fetch.recurseSubmodules": "true",
    "url.ext::{mark} .insteadOf": "file://",
}


def test_nothing_else_of_it_counts(made: World, tmp_path: Path) -> None:
    mark = tmp_path / "marker"
    mark.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    mark.chmod(0o755)
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (tmp_path / hook).symlink_to(mark)
    repo = shallow(made, tmp_path)
    for key, value in OFF.items():
        repo.git("config", key.format(mark=mark), value.format(mark=mark, folder=tmp_path))
    repo.write(".git/info/attributes", "* filter=x\n")
    fetched(made, repo)
    assert not (tmp_path / "ran").exists()


def test_what_is_honoured_is_a_list(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    on = ("http.extraHeader", "http.https://a.example/.sslCAInfo", "http.sslCert", "http.sslKey", "credential.helper", "core.sshCommand")
    off = (*(key.format(mark="x") for key in OFF), "http.proxy", "http.sslVerify", "http.https://a.example/.cookieFile", "user.name")
    for key in (*on, *off):
        repo.git("config", key, "value")
    repo.git("config", "remote.origin.url", "https://user:password@a.example/x")
    known = honoured(open_repository(repo.path, environment))
    assert {key for key, _ in known.pairs} == {key.lower() for key in on}
    assert known.remote
    assert known.remote.url == "https://a.example/x"


@pytest.mark.parametrize("command", [("history", "."), ("scan", "."), ("push",), ("hook",)])
def test_no_other_command_honours_them(made: World, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Not even where objects are missing that git would fetch by itself."""
    mark = tmp_path / "ran"
    repo = Repo(checkout(tmp_path / "checkout", made.url, made.commits["t12"], 2, "", "--filter=blob:none"))
    repo.git("config", "remote.origin.url", "ssh://git.example/x")
    repo.git("config", "core.sshCommand", f"touch {mark};")
    repo.git("config", "credential.helper", f"!touch {mark};")
    patscan(repo.path, *command)
    assert not mark.exists()


@pytest.mark.parametrize("filtered", ["--filter=blob:none", "--filter=tree:0"])
@pytest.mark.parametrize("depth", [1, 0])
def test_a_partial_checkout_gets_the_objects_of_the_range(made: World, tmp_path: Path, filtered: str, depth: int) -> None:
    place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], depth, "", filtered)
    fetched(made, Repo(place))
