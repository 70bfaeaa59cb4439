"""``patscan revoke`` as a process: what it asks, what it shows, what it refuses."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tokens
from tests.cli.test_asking import CLEAN
from tests.cli.test_verify import edited, patscan, saved
from tests.gitlab.faults import Fault
from tests.gitlab.loopback import GitLab
from tests.repo import IDENTITY, Repo

PAT = "personal-access-token"


class Leak:
    """A token in a file, its saved report, and the GitLab that knows it."""

    def __init__(self, gitlab: GitLab, rng: random.Random, folder: Path, *others: str) -> None:
        self.gitlab, self.folder = gitlab, folder
        self.value = tokens.classic(rng)
        self.token = gitlab.add(PAT, self.value)
        self.state = folder / "state"
        (folder / "a.env").write_text("".join(f"A{number}={one}\n" for number, one in enumerate((self.value, *others))))
        self.report = saved(folder / "r.json", "scan", "a.env", cwd=folder)
        findings = json.loads(self.report.read_text())["findings"]
        self.fingerprints = [one["fingerprint"] for one in findings]
        self.fingerprint = next(one["fingerprint"] for one in findings if one["occurrences"][0]["line"] == 1)

    def arguments(self, command: str, *flags: object, one: bool = True) -> list[object]:
        chosen = ("--fingerprint", self.fingerprint[:8]) if one else ()
        return [command, self.report, *chosen, "--gitlab-url", self.gitlab.url, *flags]

    def run(self, command: str, *flags: object, one: bool = True, **environment: object) -> subprocess.CompletedProcess[str]:
        done = patscan(*self.arguments(command, *flags, one=one), cwd=self.folder, XDG_STATE_HOME=self.state, **environment)
        assert self.value not in done.stdout + done.stderr
        return done

    def on_terminal(self, command: str, answer: str, *flags: object) -> tuple[int, str]:
        """The exit code, and what stood on a terminal where `answer` was typed at the question."""
        main, side = pty.openpty()
        own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(self.state)}
        process = subprocess.Popen(
            [sys.executable, "-m", "patscan", *map(str, self.arguments(command, *flags))],
            stdin=side,
            stdout=side,
            stderr=side,
            env=own,
            cwd=self.folder,
        )
        os.close(side)
        shown = b""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if select.select([main], [], [], 0.1)[0]:
                try:
                    shown += os.read(main, 4096)
                except OSError:
                    break
            if b"[y/N]" in shown and answer:
                os.write(main, answer.encode())
                answer = ""
        os.close(main)
        assert self.value.encode() not in shown
        return process.wait(10), shown.decode()

    @property
    def log(self) -> list[dict[str, Any]]:
        file = self.state / "patscan" / "audit.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def untouched(self) -> bool:
        """Whether nothing but questions was sent."""
        return not self.gitlab.acts and {request.method for request in self.gitlab.requests} <= {"GET"}


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@pytest.fixture
def leak(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> Leak:
    return Leak(gitlab, rng, tmp_path, tokens.classic(rng))


def test_a_token_is_revoked_and_asked_again(leak: Leak) -> None:
    done = leak.run("revoke", "--yes")
    assert (done.returncode, leak.token.revoked) == (0, True), done.stderr
    assert f"#{leak.fingerprint[:8]}: inactive: revoked" in done.stdout
    assert "DELETE /api/v4/personal_access_tokens/self at http://127.0.0.1" in done.stderr
    assert "owner anna" in done.stderr
    assert [line["event"] for line in leak.log] == ["asked", "answered", "asked again"]
    first = leak.log[0]
    assert (first["token"], first["token_id"], first["kind"]) == ("glpat-…(26)", leak.token.id, PAT)
    assert first["who"]
    assert stat.S_IMODE((leak.state / "patscan" / "audit.jsonl").stat().st_mode) == 0o600
    assert leak.run("revoke", "--yes").returncode == 0
    assert [act for act, _ in leak.gitlab.acts] == ["revoke"]
    assert leak.value not in (leak.state / "patscan" / "audit.jsonl").read_text()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("\x04", 1), ("yeah\n", 1)])
def test_the_terminal_is_asked(leak: Leak, answer: str, code: int) -> None:
    exit_code, shown = leak.on_terminal("revoke", answer)
    assert "Revoke 1 token? [y/N]" in shown
    assert (exit_code, leak.token.revoked) == (code, code == 0), shown
    if code:
        assert leak.untouched
        assert "\x1b[31mglpat-" in shown
        assert "nothing was done" in shown
        assert not leak.log


def test_without_a_terminal_nothing_is_done(leak: Leak) -> None:
    done = leak.run("revoke")
    assert (done.returncode, done.stdout, "--yes" in done.stderr) == (2, "", True)
    assert not leak.gitlab.requests
    assert not leak.state.exists()


def test_a_dry_run_asks_and_does_nothing(leak: Leak) -> None:
    done = leak.run("revoke", "--dry-run")
    assert (done.returncode, leak.untouched) == (1, True)
    assert "DELETE /api/v4/personal_access_tokens/self" in done.stdout
    assert not leak.state.exists()
    leak.token.revoked = True
    assert leak.run("revoke", "--dry-run").returncode == 0


def test_active_asks_first_whatever_the_report_says(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    dead, unknown, live = tokens.classic(rng), tokens.classic(rng), tokens.classic(rng)
    leak = Leak(gitlab, rng, tmp_path, dead, unknown, live)
    gitlab.add(PAT, dead, revoked=True)
    second = gitlab.add(PAT, live)

    def lie(document: dict[str, Any]) -> None:
        for finding in document["findings"]:
            finding["verdict"] = {"state": "active", "reason": "", "facts": {"id": second.id}, "lifecycle": []}

    edited(leak.report, lie)
    done = leak.run("revoke", "--active", "--yes", one=False)
    assert (done.returncode, "Left alone: 1 inactive, 1 not-found." in done.stderr) == (0, True), done.stderr
    assert sorted(gitlab.acts) == [("revoke", leak.token.id), ("revoke", second.id)]
    assert len(done.stdout.splitlines()) == 2
    again = leak.run("revoke", "--active", "--yes", one=False)
    assert (again.returncode, "No token to revoke" in again.stdout) == (0, True)
    assert len(gitlab.acts) == 2


def test_exit_codes_tell_the_worst(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    trigger = tokens.hexadecimal(rng, "glptt-", 40)
    leak = Leak(gitlab, rng, tmp_path, trigger)
    done = leak.run("revoke", "--active", "--yes", one=False)
    assert done.returncode == 3
    assert "unknown" in done.stdout
    assert "Pipeline trigger tokens" in done.stdout
    leak.token.revoked = False
    gitlab.faults.append(Fault("status", method="DELETE", more={"code": 403, "body": b'{"message":"403 Forbidden"}'}))
    done = leak.run("revoke", "--active", "--yes", one=False)
    assert (done.returncode, "STILL ALIVE" in done.stdout) == (1, True)


def test_a_deploy_token_goes_by_a_maintainers_token(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    deploy, maintainer = tokens.classic(rng, "gldt-"), tokens.classic(rng)
    leak = Leak(gitlab, rng, tmp_path, deploy)
    owner = gitlab.user("mary")
    token = gitlab.add("deploy-token", deploy, owner, row="projects/42/deploy_tokens")
    gitlab.add(PAT, maintainer, owner)
    (tmp_path / "mary").write_text(f"{maintainer}\n")
    chosen = next(one for one in leak.fingerprints if one != leak.fingerprint)
    flags = ("--fingerprint", chosen, "--with-token-file", tmp_path / "mary", "--yes")
    for at, code, words in (
        (f"projects/42/deploy_tokens/{token.id + 1}", 1, "no such row"),
        ("projects/42/triggers/7", 2, "not the path of a deploy-token"),
        ("projects/42/deploy_tokens/../../7", 2, "not the path of a deploy-token"),
    ):
        done = leak.run("revoke", *flags, "--at", at, one=False)
        assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert not gitlab.acts
    done = leak.run("revoke", *flags, "--at", f"/api/v4/projects/42/deploy_tokens/{token.id}", one=False)
    assert (done.returncode, gitlab.acts) == (0, [("revoke", token.id)]), done.stdout + done.stderr
    assert maintainer not in done.stdout + done.stderr + (leak.state / "patscan" / "audit.jsonl").read_text()


def test_a_runners_reset_is_announced_and_its_new_token_not_shown(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    value = tokens.classic(rng, "glrt-")
    leak = Leak(gitlab, rng, tmp_path, value)
    runner = gitlab.add("runner-authentication-token", value)
    chosen = next(one for one in leak.fingerprints if one != leak.fingerprint)
    done = leak.run("revoke", "--fingerprint", chosen, "--yes", one=False)
    assert (done.returncode, gitlab.acts) == (0, [("reset", runner.id)])
    assert "that runner stops until it has the new token" in done.stderr
    assert "It can be revoked by the operator of the runner" in done.stderr
    assert runner.value not in done.stdout + done.stderr + json.dumps(leak.log)


def test_an_administrator_needs_no_other_way(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    feed, root = tokens.classic(rng, "glft-"), tokens.classic(rng)
    leak = Leak(gitlab, rng, tmp_path, feed)
    gitlab.add("feed-token", feed)
    admin = gitlab.add(PAT, root, gitlab.user("root", admin=True))
    (tmp_path / "root").write_text(root)
    flags = ("--active", "--yes", "--admin-token-file", tmp_path / "root")
    admin.user.admin = False
    done = leak.run("revoke", *flags, one=False)
    assert (done.returncode, "is no administrator" in done.stderr, gitlab.acts) == (2, True, [])
    admin.user.admin, leak.token.last_used = True, None
    done = leak.run("revoke", *flags, one=False)
    assert (done.returncode, len(gitlab.acts)) == (0, 2), done.stdout + done.stderr
    assert leak.token.last_used is None


def absent(leak: Leak) -> None:
    leak.report.unlink()


def elsewhere(leak: Leak) -> None:
    (leak.folder / "a.env").unlink()


def other_repository(leak: Leak) -> None:
    (leak.folder / "a.env").write_text("A0=nothing of that kind, but as long as it was before\n")


def without_addresses(leak: Leak) -> None:
    edited(leak.report, lambda document: [one["occurrences"][0].pop("address") for one in document["findings"]])


def another_fingerprint(leak: Leak) -> None:
    def swap(document: dict[str, Any]) -> None:
        first, second = document["findings"]
        first["occurrences"], second["occurrences"] = second["occurrences"], first["occurrences"]

    edited(leak.report, swap)


def another_kind(leak: Leak) -> None:
    edited(leak.report, lambda document: [rule.update(kind="ci-job-token") for rule in document["tool"]["rules"]])


def no_report(leak: Leak) -> None:
    leak.report.write_text("{}")


@pytest.mark.parametrize("command", ["revoke", "rotate"])
@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (absent, 2, "no such file"),
        (no_report, 2, "not a JSON report"),
        (elsewhere, 3, "doesn't exist here"),
        (other_repository, 3, "has changed since"),
        (without_addresses, 3, "an older patscan"),
        (another_fingerprint, 3, "has changed since"),
        (another_kind, 3, "has the prefix of"),
    ],
)
def test_a_report_that_is_of_no_use(command: str, change: Callable[[Leak], None], code: int, words: str, leak: Leak) -> None:
    change(leak)
    extra = ("--token-file", leak.folder / "new") if command == "rotate" else ()
    done = leak.run(command, "--yes", *extra)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert not leak.gitlab.requests
    assert not (leak.folder / "new").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--yes",), "one of the arguments --fingerprint --active is required"),
        (("--yes", "--active", "--fingerprint", "ab"), "not allowed with"),
        (("--yes", "--fingerprint", "0123456789abcdef"), "no such finding"),
        (("--yes", "--fingerprint", "glpat"), "not a fingerprint"),
        (("--yes", "--fingerprint", ""), "not a fingerprint"),
        (("--yes", "--active", "--at", "projects/1/triggers/2"), "--at needs --with-token-file"),
        (("--yes", "--active", "--with-token-file", "a.env", "--at", "projects/1/triggers/2"), "one token and nothing else"),
        (("--yes", "--active", "--with-token-file", "absent"), "no such file"),
        (("--yes", "--active", "--audit-log", "r.json"), "--audit-log: r.json is an input file"),
        (("--yes", "--active", "--audit-log", "."), "--audit-log: .: can't be written to"),
        (("--yes", "--active", "--audit-log", "a.env/x"), "--audit-log"),
        (("--yes", "--active", "--audit-log", "/dev/full"), "not a regular file"),
    ],
    ids=str,
)
def test_flags_that_are_of_no_use(flags: tuple[str, ...], words: str, leak: Leak) -> None:
    done = leak.run("revoke", *flags, one=False)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert not leak.gitlab.requests


def test_a_short_id_that_two_tokens_share_is_refused(leak: Leak) -> None:
    edited(leak.report, lambda document: document["findings"][1].update(fingerprint=leak.fingerprint[:8] + "f" * 24))
    done = leak.run("revoke", "--yes")
    assert (done.returncode, "2 tokens begin with it" in done.stderr) == (2, True)
    assert not leak.gitlab.requests


def test_nothing_is_sent_where_nothing_is_approved(leak: Leak) -> None:
    done = patscan("revoke", leak.report, "--active", "--yes", cwd=leak.folder, XDG_STATE_HOME=leak.state)
    assert (done.returncode, "--gitlab-url" in done.stdout) == (3, True)


def test_a_history_is_read_again_where_it_lies_now(repo: Repo, gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    value = tokens.classic(rng)
    token = gitlab.add(PAT, value)
    repo.commit({"a.env": f"TOKEN={value}\n"})
    repo.commit({"a.env": "gone\n"})
    report = saved(tmp_path / "r.json", "history", repo.path)
    repo.path.rename(tmp_path / "moved")
    flags = ("--active", "--yes", "--gitlab-url", gitlab.url)
    assert patscan("revoke", report, *flags, XDG_STATE_HOME=tmp_path).returncode == 3
    assert patscan("revoke", report, *flags, "--repository", tmp_path / "moved", XDG_STATE_HOME=tmp_path).returncode == 0
    assert token.revoked


def test_a_row_that_nobody_can_prove_needs_a_person(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    agent, helper = tokens.classic(rng, "glagent-"), tokens.classic(rng)
    leak = Leak(gitlab, rng, tmp_path, agent + tokens.friendly(rng, 30))
    owner = gitlab.user("mary")
    token = gitlab.add("agent-token", agent, owner, row="projects/42/cluster_agents/5/tokens", name="edge cluster")
    gitlab.add(PAT, helper, owner)
    (tmp_path / "mary").write_text(helper)
    leak.fingerprint = next(one for one in leak.fingerprints if one != leak.fingerprint)
    flags = ("--with-token-file", tmp_path / "mary", "--at", f"projects/42/cluster_agents/5/tokens/{token.id}")
    done = leak.run("revoke", "--yes", *flags)
    assert (done.returncode, "Without --yes you can compare" in done.stdout, gitlab.acts) == (3, True, [])
    code, shown = leak.on_terminal("revoke", "y\n", *flags)
    assert (code, gitlab.acts) == (3, [("revoke", token.id)]), shown
    assert "--at names 'edge cluster', created 20" in shown
    assert "which may be another one" in shown


def test_other_tokens_go_to_the_first_instance_alone(gitlab: GitLab, leak: Leak, rng: random.Random) -> None:
    helper = tokens.classic(rng)
    (leak.folder / "helper").write_text(helper)
    with GitLab() as first:
        flags = ("--with-token-file", leak.folder / "helper", "--yes")
        done = patscan(
            *("revoke", leak.report, "--fingerprint", leak.fingerprint, "--gitlab-url", first.url, "--gitlab-url", gitlab.url, *flags),
            XDG_STATE_HOME=leak.state,
            cwd=leak.folder,
        )
        assert (done.returncode, leak.token.revoked) == (0, True), done.stdout
        assert {request.method for request in first.requests} == {"GET"}
    assert helper not in str([request.headers for request in gitlab.requests])


def test_ctrl_c_is_heeded_between_two_tokens(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> None:
    second = tokens.classic(rng)
    leak = Leak(gitlab, rng, tmp_path, second)
    gitlab.add(PAT, second)
    gitlab.faults.append(Fault("slowly", 1, "/self", method="DELETE"))
    own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(leak.state)}
    command = [sys.executable, "-m", "patscan", *map(str, leak.arguments("revoke", "--active", "--yes", one=False))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own, cwd=tmp_path)
    while not any(request.method == "DELETE" for request in gitlab.requests):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, len(gitlab.acts)) == (130, 1), output
    assert [line["event"] for line in leak.log] == ["asked", "answered", "asked again"]
    assert "inactive: revoked" in output
    assert "STILL ALIVE: interrupted before it was revoked" in output
