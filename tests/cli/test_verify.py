"""``patscan verify``: the tokens of a saved, masked report are read again where they stand, and nowhere else."""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from patscan.cli import asking, signals
from patscan.errors import ExitCode
from tests import tokens
from tests.cli.test_asking import CLEAN
from tests.formats import reports
from tests.gitlab.loopback import GitLab
from tests.repo import IDENTITY, Repo

PAT = "personal-access-token"


def patscan(*args: object, cwd: Path | None = None, stdin: str = "", **environment: object) -> subprocess.CompletedProcess[str]:
    """A process without any approval of this machine's."""
    own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), **{name: str(value) for name, value in environment.items()}}
    command = [sys.executable, "-m", "patscan", *map(str, args)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=own, cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@pytest.fixture
def value(gitlab: GitLab, rng: random.Random) -> str:
    token = tokens.classic(rng)
    gitlab.add(PAT, token)
    return token


def saved(path: Path, *command: object, cwd: Path | None = None, stdin: str = "") -> Path:
    """The masked JSON report of a command."""
    done = patscan(*command, "--format", "json", cwd=cwd, stdin=stdin)
    assert done.returncode in {1, 3}, done.stderr
    path.write_text(done.stdout)
    return path


def verdicts(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    return [(one["verdict"]["state"], one["verdict"]["reason"]) for one in json.loads(done.stdout)["findings"]]


def verified(report: Path, gitlab: GitLab, *flags: object, cwd: Path | None = None) -> list[tuple[str, str]]:
    return verdicts(patscan("verify", report, "--gitlab-url", gitlab.url, "--format", "json", *flags, cwd=cwd))


def placed(name: str, repo: Repo, value: str) -> None:
    """The token in a sort of place."""
    files: dict[str, dict[str, bytes | str]] = {
        "blob": {"a.env": f"TOKEN={value}\n"},
        "base64": {"a.txt": base64.b64encode(f"x TOKEN={value}\n".encode())},
        "hex": {"a.txt": f"x={value.encode().hex()}"},
        "utf-16": {"a.txt": f"TOKEN={value}".encode("utf-16")},
        "path": {f"a/n-{value}.txt": "x"},
        "path and content": {f"n-{value}.txt": f"TOKEN={value}\n"},
        "strange path": {"caf\udce9": f"TOKEN={value}\n"},
    }
    if name in files:
        repo.commit({os.fsencode(path): content for path, content in files[name].items()})  # type: ignore[misc]
    elif name == "gone":
        repo.commit({"a.env": f"TOKEN={value}\n"})
        repo.commit({"a.env": "x"})
    elif name == "message":
        repo.commit({"a": "x"}, f"with {value}")
    elif name == "tag":
        repo.commit({"a": "x"})
        repo.git("tag", "-a", "v1", "-m", f"with {value}")
    elif name == "ref":
        repo.commit({"a": "x"})
        repo.git("branch", f"b-{value}")
    elif name == "index":
        repo.write("a.env", value)
        repo.git("add", "a.env")
    else:
        repo.commit({"a": "x"})
        os.symlink(value, repo.path / "link")
        repo.commit()


HISTORY = ["blob", "base64", "hex", "utf-16", "path", "strange path", "gone", "message", "tag", "ref", "index", "symlink"]
TREE = ["blob", "base64", "hex", "utf-16", "path", "path and content", "strange path", "symlink"]


@pytest.mark.parametrize(("command", "name"), [("history", name) for name in HISTORY] + [("scan", name) for name in TREE], ids=str)
def test_a_token_is_read_again_in_every_sort_of_place(
    command: str, name: str, repo: Repo, gitlab: GitLab, value: str, tmp_path: Path
) -> None:
    placed(name, repo, value)
    report = saved(tmp_path / "r.json", command, repo.path)
    assert value not in report.read_text()
    assert verified(report, gitlab) == [("active", "")]
    # Where it has moved to, and with a ref more, which moves the names of the others.
    repo.git("branch", "aa") if name != "index" else None
    repo.path.rename(tmp_path / "moved")
    (reason,) = verified(report, gitlab)
    assert reason[0] == "unchecked"
    assert "--repository" in reason[1]
    assert verified(report, gitlab, "--repository", tmp_path / "moved") == [("active", "")]


def test_a_report_of_the_current_folder_says_how_to_name_it_from_elsewhere(repo: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    repo.commit({"a.env": f"TOKEN={value}\n"})
    report = saved(tmp_path / "r.json", "history", ".", cwd=repo.path)
    (reason,) = verified(report, gitlab, cwd=tmp_path)
    assert reason == ("unchecked", ".: not a git repository. Name the scanned one: --repository PATH.")


def test_a_submodules_token_is_read_in_the_submodule(repo: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    inner = Repo(tmp_path / "inner")
    inner.commit({"a.env": f"TOKEN={value}\n"}, f"and {value}")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "sub")
    repo.commit()
    report = saved(tmp_path / "r.json", "history", "--submodules", repo.path)
    place = json.loads(report.read_text())["findings"][0]["occurrences"][0]["address"]
    assert place["repository"] == "sub"
    assert verified(report, gitlab) == [("active", "")]


def test_relative_paths_are_those_of_the_scan(repo: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    repo.commit({"sub/a.env": f"TOKEN={value}\n", "b": "x"})
    for number, paths in enumerate((["."], ["sub"], ["sub/a.env"], ["b", "sub/a.env"], [repo.path / "sub"])):
        report = saved(tmp_path / f"{number}.json", "scan", *paths, cwd=repo.path)
        assert verified(report, gitlab, cwd=repo.path) == [("active", "")], paths
    assert verified(tmp_path / "0.json", gitlab, "--repository", repo.path) == [("active", "")]


def test_each_token_is_asked_about_once(repo: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    for number in range(20):
        repo.commit({f"{number % 3}.env": f"{number} TOKEN={value}\n"}, value)
    report = saved(tmp_path / "r.json", "history", repo.path)
    assert verified(report, gitlab) == [("active", "")]
    assert [request.path for request in gitlab.requests].count("/api/v4/personal_access_tokens/self") == 1


def test_what_is_not_kept_says_so_in_the_report(gitlab: GitLab, value: str, repo: Repo, tmp_path: Path) -> None:
    stream = saved(tmp_path / "s.json", "scan", "-", stdin=f"TOKEN={value}")
    (tmp_path / "m").write_text(f"with {value}")
    message = saved(tmp_path / "m.json", "message", tmp_path / "m", cwd=repo.path)
    repo.commit({"a": f"TOKEN={value}\n"})
    url = saved(tmp_path / "u.json", "history", f"file://{repo.path}")
    for report, words in ((stream, "standard input isn't kept"), (message, "wasn't committed yet"), (url, "mirror")):
        (entry,) = json.loads(report.read_text())["findings"]
        assert words in entry["occurrences"][0]["address"]["unreadable"]
        ((state, reason),) = verified(report, gitlab)
        assert state == "unchecked"
        assert words in reason
    assert not gitlab.requests
    assert verified(url, gitlab, "--repository", repo.path) == [("active", "")]


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def changed(folder: Path) -> None:
    (folder / "a.env").write_text("TOKEN=something else that is long enough\n")


def removed(folder: Path) -> None:
    (folder / "a.env").unlink()


def linked(folder: Path) -> None:
    (folder / "a.env").rename(folder.parent / "outside")
    (folder / "a.env").symlink_to(folder.parent / "outside")


def linked_folder(folder: Path) -> None:
    folder.rename(folder.with_name("outside"))
    folder.mkdir()


def piped(folder: Path) -> None:
    (folder / "a.env").unlink()
    os.mkfifo(folder / "a.env")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (moved, "doesn't exist here"),
        (changed, "has changed since"),
        (removed, "any more"),
        (linked, "has changed since"),
        (linked_folder, "any more"),
        (piped, "not a regular file"),
    ],
)
def test_what_is_gone_is_unchecked_with_the_reason(
    change: Callable[[Path], None], words: str, gitlab: GitLab, value: str, rng: random.Random, tmp_path: Path
) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.env").write_text(f"TOKEN={value}\n")
    other = tokens.classic(rng)
    gitlab.add(PAT, other)
    (tmp_path / "b.env").write_text(f"TOKEN={other}\n")
    report = saved(tmp_path / "r.json", "scan", "d", cwd=tmp_path)
    both = saved(tmp_path / "both.json", "scan", "d", "b.env", cwd=tmp_path)
    change(folder)
    done = patscan("verify", report, "--gitlab-url", gitlab.url, "--format", "json", cwd=tmp_path)
    ((state, reason),) = verdicts(done)
    assert (state, done.returncode) == ("unchecked", 1)
    assert words in reason
    assert not gitlab.requests
    flags = ("--gitlab-url", gitlab.url, "--fail-on", "active")
    assert patscan("verify", report, *flags, cwd=tmp_path).returncode == 3
    assert patscan("verify", report, *flags, "--allow-incomplete", cwd=tmp_path).returncode == 0
    assert sorted(state for state, _ in verified(both, gitlab, cwd=tmp_path)) == ["active", "unchecked"]


def test_an_object_that_is_gone(repo: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    repo.commit({"a.env": f"TOKEN={value}\n"})
    report = saved(tmp_path / "r.json", "history", repo.path)
    shutil.rmtree(repo.path)
    Repo(repo.path).commit({"b": "x"})
    ((state, reason),) = verified(report, gitlab)
    assert (state, reason.startswith("object ")) == ("unchecked", True)


ABROAD: dict[str, dict[str, object]] = {
    "up": {"path": "../outside.env"},
    "absolute": {"path": "OUTSIDE"},
    "url": {"path": "https://gitlab.example.com/a"},
    "device": {"path": "/dev/zero"},
    "through a link": {"path": "d/link/outside.env"},
    "a revision": {"type": "blob", "blob": "HEAD:a.env", "name": "HEAD:a.env"},
    "an option": {"type": "blob", "name": "--batch-all-objects"},
    "two lines": {"type": "blob", "name": "HEAD:a.env\nHEAD:a.env"},
    "no text": {"path": "a\0b"},
    "an unknown submodule": {"type": "blob", "submodule": "../../.."},
    "far": {"start": (1 << 63) - 2, "end": (1 << 63) - 1},
    "all": {"start": 0, "end": (1 << 63) - 1},
    "backwards": {"start": 50, "end": 4},
    "an unknown layer": {"layers": [{"name": "rot13", "parameter": 0}]},
    "an odd layer": {"layers": [{"name": "utf-16", "parameter": 1 << 40}, {"name": "base64", "parameter": 1 << 40}]},
}


@pytest.mark.parametrize("case", ABROAD, ids=str)
def test_an_address_leads_nowhere_else(case: str, repo: Repo, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    (tmp_path / "outside.env").write_text(f"TOKEN={value}\n")
    repo.commit({"d/a.env": f"TOKEN={value}\n"})
    os.symlink(tmp_path, repo.path / "d" / "link")
    report = saved(tmp_path / "r.json", "scan", ".", cwd=repo.path)
    document = json.loads(report.read_text())
    (place,) = document["findings"][0]["occurrences"]
    assert (place["address"]["store"], place["address"]["name"]) == ("file", "d/a.env")
    for key, changed in ABROAD[case].items():
        word = str(tmp_path / "outside.env") if changed == "OUTSIDE" else changed
        (place["address"] if key in place["address"] else place)[key] = word
        if key == "path":
            place["address"]["name"] = word
    report.write_text(json.dumps(document))
    ((state, reason),) = verified(report, gitlab, cwd=repo.path)
    assert state == "unchecked"
    assert reason.endswith(".")
    assert not gitlab.requests


def edited(report: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(report.read_text())
    change(document)
    report.write_text(json.dumps(document))
    return report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document["findings"][0].update(fingerprint="0" * 32), "has changed since"),
        (lambda document: document["findings"][0].update({"token": "glpat-…(25)"}), "has changed since"),
        (lambda document: document["findings"][0].update({"token": "…(0)"}), "has changed since"),
        (lambda document: document["findings"][0]["occurrences"][0].update(address=None), "older patscan"),
        (lambda document: document["findings"][0]["occurrences"][0].pop("address"), "older patscan"),
        (lambda document: [rule.update(kind="ci-job-token") for rule in document["tool"]["rules"]], "has the prefix of"),
    ],
)
def test_a_report_that_lies_or_is_old(change: Any, words: str, gitlab: GitLab, value: str, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"TOKEN={value}\n")
    report = edited(saved(tmp_path / "r.json", "scan", "a.env", cwd=tmp_path), change)
    ((state, reason),) = verified(report, gitlab, cwd=tmp_path)
    assert state == "unchecked"
    assert words in reason
    assert not gitlab.requests


def test_a_report_alone_declares_no_token_expired(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    claims: dict[str, object] = {"sub": "gid://gitlab/Ci::Build/4711", "iss": "127.0.0.1", "exp": 4_000_000_000}
    (tmp_path / "a.env").write_text(f"TOKEN={tokens.jwt(rng, claims)}\n")

    def lie(document: dict[str, Any]) -> None:
        (evidence,) = [one for one in document["findings"][0]["evidence"] if one["type"] == "jwt"]
        evidence["expires"] = "2020-01-01T00:00:00+00:00"

    report = edited(saved(tmp_path / "r.json", "scan", "a.env", cwd=tmp_path), lie)
    ((state, _),) = verified(report, gitlab, cwd=tmp_path)
    assert state == "not-found"
    assert gitlab.requests


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"schema": "patscan-report/2"}', "patscan-report/2"),
        ("{}", "not a JSON report"),
        ("", "empty"),
    ],
)
def test_what_is_no_report_is_a_sentence(text: str, words: str) -> None:
    done = patscan("verify", "-", stdin=text)
    assert (done.returncode, words in done.stderr, done.stdout) == (2, True, "")
    assert patscan("verify", "absent.json").returncode == 2


def test_nothing_approved_is_a_sentence_that_names_hosts(repo: Repo, value: str, tmp_path: Path, gitlab: GitLab) -> None:
    repo.git("remote", "add", "origin", "git@gitlab.remote.example:a/b.git")
    repo.commit({"a.env": f"curl https://gitlab.beside.example/api?private_token={value}\n"})
    repo.commit(
        {".patscan.toml": 'hosts = ["gitlab.config.example"]\ngitlab-urls = ["' + gitlab.url + '", "https://gitlab.urls.example"]\n'}
    )
    for command in ("history", "scan"):
        done = patscan(command, repo.path, "--verify", "--format", "json")
        ((state, reason),) = verdicts(done)
        assert (state, done.returncode, "--gitlab-url" in reason) == ("unchecked", 1, True)
        assert "gitlab.beside.example" in reason
        assert ("gitlab.remote.example" in reason) == (command == "history")
        assert patscan(command, repo.path, "--verify", "--fail-on", "active").returncode == 3
    report = saved(tmp_path / "r.json", "history", repo.path)
    ((state, reason),) = verdicts(patscan("verify", report, "--format", "json", cwd=repo.path))
    assert state == "unchecked"
    assert "gitlab.config.example" not in reason
    assert not gitlab.requests


class TestStates:
    """``--only`` and ``--fail-on``."""

    @pytest.fixture
    def report(self, gitlab: GitLab, value: str, rng: random.Random, tmp_path: Path) -> Path:
        """A live token, a revoked one, one that isn't GitLab's, one that can't be asked about."""
        revoked, unknown, feed = tokens.classic(rng), tokens.classic(rng), tokens.classic(rng, "glft-")
        gitlab.add(PAT, revoked, revoked=True)
        (tmp_path / "a.env").write_text("".join(f"A={one}\n" for one in (revoked, unknown, value, feed)))
        return saved(tmp_path / "r.json", "scan", "a.env", cwd=tmp_path)

    @pytest.mark.parametrize(
        ("flags", "code", "shown"),
        [
            ((), 1, ["active", "inactive", "not-found", "unverifiable"]),
            (("--only", "active"), 1, ["active"]),
            (("--only", "active-blocked"), 0, []),
            (("--only", "inactive", "--only", "not-found"), 1, ["inactive", "not-found"]),
            (("--fail-on", "active"), 1, ["active", "inactive", "not-found", "unverifiable"]),
            (("--fail-on", "active-blocked"), 0, ["active", "inactive", "not-found", "unverifiable"]),
            (("--only", "inactive", "--fail-on", "active"), 0, ["inactive"]),
            (("--fail-on", "active", "--max-requests", "1"), 3, None),
            (("--fail-on", "active", "--max-requests", "1", "--allow-incomplete"), 0, None),
            (("--only", "active-blocked", "--max-requests", "1"), 3, None),
            (("--fail-on", "active", "--exit-zero"), 0, None),
        ],
        ids=str,
    )
    def test_exit_codes(
        self, flags: tuple[str, ...], code: int, shown: list[str] | None, report: Path, gitlab: GitLab, tmp_path: Path
    ) -> None:
        common = ("--gitlab-url", gitlab.url, "--format", "json", *flags)
        if "--max-requests" in flags:
            gitlab.tokens.clear()
        for command in (("verify", report), ("scan", "a.env", "--verify")):
            done = patscan(*command, *common, cwd=tmp_path)
            assert done.returncode == code, done.stderr
            document = json.loads(done.stdout)
            states = sorted(one["verdict"]["state"] for one in document["findings"])
            hidden = [one["verdict"]["state"] for one in document["ignored"] if one["reason"] == "verdict"]
            assert len(states) + len(hidden) == 4
            assert shown is None or states == shown
            counted = [note for note in document["coverage"]["notes"] if note["where"] == "unverifiable"]
            assert bool(counted) == ("--only" in flags or "--fail-on" in flags)
            again = tmp_path / "again.json"
            again.write_text(done.stdout)
            assert patscan("report", again, *(["--allow-incomplete"] if "--allow-incomplete" in flags else [])).returncode == code

    def test_live_ones_come_first(self, report: Path, gitlab: GitLab, tmp_path: Path) -> None:
        done = patscan("verify", report, "--gitlab-url", gitlab.url, cwd=tmp_path)
        first, second, *_ = done.stdout.splitlines()
        assert "LIVE" in first
        assert second.strip().startswith("a.env:3:3 ")
        words = " ".join(done.stdout.split())
        assert "GitLab LIVE: api, owner anna, expires " in words
        assert "severity low: it no longer works" in words

    def test_both_severities_are_kept(self, report: Path, gitlab: GitLab, tmp_path: Path) -> None:
        done = patscan("verify", report, "--gitlab-url", gitlab.url, "--format", "json", cwd=tmp_path)
        (dead,) = [one for one in json.loads(done.stdout)["findings"] if one["verdict"]["state"] == "inactive"]
        assert (dead["severity"], dead["rule_severity"], dead["verdict"]["severity"]) == ("low", "critical", "low")

    def test_they_need_an_answer(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("x")
        for flag in ("--only", "--fail-on"):
            done = patscan("scan", "a", flag, "active", cwd=tmp_path)
            assert (done.returncode, done.stderr) == (2, f"patscan: {flag} needs --verify.\n")


NETWORK = {"urllib3", "ssl", "socket", "http.client", "patscan.gitlab.client"}


def imported(*args: object, cwd: Path) -> set[str]:
    own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), "PATSCAN_HEAD": "HEAD"}
    command = [sys.executable, "-X", "importtime", "-m", "patscan", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=own, cwd=cwd, stdin=subprocess.DEVNULL)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_without_verify_no_network_module_is_imported(repo: Repo, value: str, tmp_path: Path) -> None:
    repo.commit({"a.env": f"TOKEN={value}\n"})
    report = saved(tmp_path / "r.json", "history", repo.path)
    commands: list[tuple[object, ...]] = [
        *(("scan", "a.env"), ("history", "--jobs", "1", "--no-cache"), ("hook",), ("report", report), ("verify", "--help")),
        *(
            ("ci",),
            ("inspect",),
            ("message", "a.env"),
            ("push", "--jobs", "1"),
            ("plan", report, "--out", tmp_path / "plan"),
            ("config", "a.env"),
        ),
        *(("rules", "list"), ("baseline", "--help"), ("install-hooks", "--help"), ("revoke", "--help"), ("rotate", "--help")),
    ]
    for command in commands:
        modules = imported(*command, cwd=repo.path)
        assert "patscan.cli.parser" in modules
        assert not modules & NETWORK, command
    assert imported("verify", report, "--gitlab-url", "http://127.0.0.1:1", cwd=repo.path) >= {"urllib3", "patscan.gitlab.client"}


def test_it_starts_quickly(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("nothing here\n")
    report = tmp_path / "r.json"
    report.write_text(patscan("scan", "a.env", "--format", "json", cwd=tmp_path).stdout)
    taken = []
    for _ in range(5):
        before = os.times()
        done = patscan("verify", report, "--gitlab-url", "http://127.0.0.1:1", cwd=tmp_path)
        after = os.times()
        assert done.returncode == 0
        # Processor time: the machine may be busy with other tests.
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(taken) < 0.3


def test_no_address_holds_a_token(repo: Repo, value: str, rng: random.Random, tmp_path: Path) -> None:
    other = tokens.classic(rng)
    repo.commit({f"{other}/{value.encode().hex()}.env": f"TOKEN={value}\n"})
    repo.git("branch", f"b-{other}")
    for command in ("history", "scan"):
        report = saved(tmp_path / "r.json", command, repo.path)
        text = report.read_text()
        assert '"address"' in text
        for token in (value, other, value[6:], other[6:], value.encode().hex()):
            assert token not in text


def test_inspect_shows_only_what_is_wanted(gitlab: GitLab, value: str, rng: random.Random) -> None:
    revoked = tokens.classic(rng)
    gitlab.add(PAT, revoked, revoked=True)
    done = patscan("inspect", "--verify", "--gitlab-url", gitlab.url, "--only", "inactive", stdin=f"{value}\n{revoked}\n")
    assert (done.returncode, done.stdout.count("GitLab personal access token")) == (1, 1)
    assert "line 2, column 1" in done.stdout
    assert "1 token." in done.stdout


def test_a_link_that_was_named_is_read_as_one(gitlab: GitLab, value: str, tmp_path: Path) -> None:
    os.symlink(value, tmp_path / "link")
    report = saved(tmp_path / "r.json", "scan", "link", cwd=tmp_path)
    assert verified(report, gitlab, cwd=tmp_path) == [("active", "")]


def test_after_ctrl_c_nothing_is_asked(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "code", lambda: ExitCode.INTERRUPTED)
    (entry,) = asking.verified(argparse.Namespace(verify=True), reports.report(reports.finding(value))).findings
    assert (entry.verdict.state, entry.verdict.reason) == ("unchecked", "the scan was interrupted before it was asked.")
