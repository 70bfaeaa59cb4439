"""``patscan rotate`` as a process: the new token is in its file, or was never made, or the log says what may have been made."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import tokens
from tests.cli.killing import Runner
from tests.cli.test_asking import CLEAN
from tests.cli.test_revoke import PAT, Leak
from tests.gitlab.faults import Fault
from tests.gitlab.loopback import GitLab, Token
from tests.repo import IDENTITY

ROTATE = "/api/v4/personal_access_tokens/self/rotate"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as running:
        yield running


@pytest.fixture
def leak(gitlab: GitLab, rng: random.Random, tmp_path: Path) -> Leak:
    return Leak(gitlab, rng, tmp_path, tokens.classic(rng))


def successors(leak: Leak) -> list[Token]:
    return [token for token in leak.gitlab.tokens.values() if token.family == leak.token.id]


def rotations(gitlab: GitLab) -> list[str]:
    return [request.path for request in gitlab.requests if request.path.endswith("/rotate")]


def test_the_new_token_is_in_the_file_and_nowhere_else(leak: Leak) -> None:
    done = leak.run("rotate", "--yes", "--token-file", "new")
    assert done.returncode == 0, done.stdout + done.stderr
    (new,) = successors(leak)
    file = leak.folder / "new"
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (f"{new.value}\n", 0o600)
    assert (leak.token.revoked, new.expires) == (True, TODAY + timedelta(days=90))
    assert new.value not in done.stdout + done.stderr + json.dumps(leak.log)
    assert sorted(path.name for path in (leak.state / "patscan").iterdir()) == ["audit.jsonl"]
    asked, answered = leak.log
    assert (asked["event"], asked["token_id"], answered["new_id"]) == ("asked", leak.token.id, new.id)
    assert str(leak.token.id) in asked["if_unanswered"]


def test_a_revoked_token_never_sees_a_rotate_path(leak: Leak) -> None:
    assert leak.run("rotate", "--yes", "--token-file", "new").returncode == 0
    done = leak.run("rotate", "--yes", "--token-file", "newer")
    assert (done.returncode, "inactive: revoked" in done.stdout) == (1, True)
    assert rotations(leak.gitlab) == [ROTATE]
    assert not (leak.folder / "newer").exists()
    assert not successors(leak)[0].revoked


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_the_terminal_is_asked(leak: Leak, answer: str, code: int) -> None:
    exit_code, shown = leak.on_terminal("rotate", answer, "--token-file", "new")
    assert (exit_code, (leak.folder / "new").exists()) == (code, code == 0), shown
    assert f"The new token goes to new and ends on {TODAY + timedelta(days=90)}" in shown
    if code:
        assert leak.untouched


def test_a_token_that_dies_while_the_question_stands_is_not_sent(leak: Leak) -> None:
    """The second look is what counts."""
    leak.gitlab.faults.append(Fault("wrong_json", 1, "associations", more={"body": b'{"groups":[],"projects":[]}'}))
    looks = Fault("status", 1, "self", more={"code": 401, "body": json.dumps(REVOKED).encode()})
    leak.gitlab.faults.append(Fault("wrong_json", 1, "user", more={"body": b'{"id": 1}'}))
    leak.gitlab.faults.append(Once(leak, looks))
    done = leak.run("rotate", "--yes", "--token-file", "new")
    assert (done.returncode, rotations(leak.gitlab)) == (1, []), done.stdout
    assert not (leak.folder / "new").exists()


REVOKED = {"error": "invalid_token", "error_description": "Token was revoked. You have to re-authorize from the user."}


class Once(Fault):
    """A fault that comes with the second look only."""

    def __init__(self, leak: Leak, fault: Fault) -> None:
        super().__init__(fault.what, 1, "self", more=fault.more)
        self._leak = leak

    @property
    def path(self) -> str:
        looks = [one for one in self._leak.gitlab.requests if one.path.endswith("/self")]
        return "self" if len(looks) > 1 else "nowhere"

    @path.setter
    def path(self, _: str) -> None:
        """Fixed."""


@pytest.mark.parametrize("what", ["file", "folder", "link", "link to nowhere", "absent folder", "no right", "-"])
def test_a_file_that_can_not_be_made(what: str, leak: Leak) -> None:
    file = leak.folder / "new"
    if what == "file":
        file.write_text("precious")
    elif what == "folder":
        file.mkdir()
    elif what.startswith("link"):
        file.symlink_to(leak.folder / ("a.env" if what == "link" else "nowhere"))
    elif what == "absent folder":
        file = leak.folder / "absent" / "new"
    elif what == "no right":
        file = Path("/proc/new")
    else:
        file = Path("-")
    done = leak.run("rotate", "--yes", "--token-file", file)
    assert (done.returncode, "--token-file" in done.stderr) == (2, True), done.stderr
    assert not leak.gitlab.requests
    assert what != "file" or file.read_text() == "precious"
    assert not (leak.folder / "nowhere").exists()
    assert "rotated" not in " ".join(path.name for path in (leak.state / "patscan").glob("*"))


def test_a_full_disk_is_noticed_before_anything_is_sent(leak: Leak) -> None:
    """A limit of bytes for each file stands for the disk: the log's lines fit, room for a token doesn't."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(leak.state)}
    own["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "patscan", *map(str, leak.arguments("rotate", "--yes", "--token-file", "new"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=own, cwd=leak.folder, preexec_fn=limited)
    assert (done.returncode, "can't be written to" in done.stderr) == (2, True), done.stdout + done.stderr
    assert leak.untouched
    assert not (leak.folder / "new").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--expires", str(TODAY)), "from tomorrow"),
        (("--expires", str(TODAY + timedelta(days=365))), "from tomorrow"),
        (("--expires", "soon"), "is not a date"),
        (("--fingerprint", "0" * 32), "no such finding"),
        (("--audit-log", "."), "--audit-log"),
    ],
    ids=str,
)
def test_flags_that_are_of_no_use(flags: tuple[str, ...], words: str, leak: Leak) -> None:
    done = leak.run("rotate", "--yes", "--token-file", "new", *flags)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert not leak.gitlab.requests


def test_one_token_at_a_time(leak: Leak) -> None:
    leak.gitlab.add(PAT, "x")
    other = next(one for one in leak.fingerprints if one != leak.fingerprint)
    done = leak.run("rotate", "--yes", "--token-file", "new", "--fingerprint", other)
    assert (done.returncode, "rotate one token at a time" in done.stderr) == (2, True)


def test_without_a_terminal_nothing_is_done(leak: Leak) -> None:
    assert leak.run("rotate", "--token-file", "new").returncode == 2
    assert not leak.gitlab.requests
    done = leak.run("rotate", "--token-file", "new", "--dry-run")
    assert (done.returncode, leak.untouched, leak.state.exists(), (leak.folder / "new").exists()) == (1, True, False, False)


def test_the_end_is_ones_own_choice(leak: Leak) -> None:
    end = TODAY + timedelta(days=3)
    assert leak.run("rotate", "--yes", "--token-file", "new", "--expires", end).returncode == 0
    assert successors(leak)[0].expires == end


def test_a_kill_at_every_step_loses_no_token_in_silence(leak: Leak) -> None:
    own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(leak.state)}
    file = leak.folder / "new"
    arguments = leak.arguments("rotate", "--yes", "--token-file", file, "--quiet")
    kept = unmade = unanswered = 0
    with Runner(own, leak.folder) as runner:
        step = runner.run(0, *arguments).steps.index("before write")
        while True:
            _renew(leak, file)
            step += 1
            end = runner.run(step, *arguments)
            if not end.killed:
                break
            where = end.steps[-1]
            _settle(leak.gitlab, where)
            made = successors(leak)
            events = [line["event"] for line in leak.log]
            assert len(rotations(leak.gitlab)) <= 1
            if not made:
                unmade += 1
                assert not leak.token.revoked
            elif _holds(file, made[0]):
                kept += 1
            else:
                unanswered += 1
                assert events == ["asked"], where
                assert leak.log[0]["token_id"] == leak.token.id
                assert f"id {leak.token.id}, " in leak.log[0]["if_unanswered"]
                assert "administrator" in leak.log[0]["if_unanswered"]
            assert "answered" not in events or _holds(file, made[0])
            if made:
                # Who tries again revokes nothing that is in use.
                runner.run(0, *leak.arguments("rotate", "--yes", "--token-file", leak.folder / "again"))
                assert [act for act, _ in leak.gitlab.acts] == ["rotate"], where
    assert min(kept, unmade, unanswered) > 0
    assert kept + unmade + unanswered >= 20


def _holds(file: Path, token: Token) -> bool:
    return file.exists() and file.read_text().strip() == token.value and stat.S_IMODE(file.stat().st_mode) == 0o600


def test_everything_is_ready_and_synced_before_the_request(leak: Leak) -> None:
    own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(leak.state)}
    with Runner(own, leak.folder) as runner:
        steps = runner.run(0, *leak.arguments("rotate", "--yes", "--token-file", "new", "--quiet")).steps
    calls = " ".join(step.removeprefix("after ") for step in steps if step.startswith("after "))
    places = "(open write fsync open fsync ){2}"
    # The report's places are opened, GitLab is asked, and then it is asked once more.
    asked, look, kept, answered = "write fsync ", "(open )*((connect )?send begin )+", "write fsync ftruncate fsync ", "write fsync "
    assert re.search(f"{places}{look}{asked}(connect )?(send )+begin {kept}{answered}", calls), calls


def _settle(gitlab: GitLab, where: str) -> None:
    """Let the server finish what it was asked before the client was gone."""
    time.sleep(0.2 if where.endswith(("send", "begin")) else 0)
    while gitlab.busy:
        time.sleep(0.01)


def _renew(leak: Leak, file: Path) -> None:
    """The same leaked token, alive, and nothing of the last run."""
    for token in successors(leak):
        del leak.gitlab.tokens[token.value]
    leak.token.revoked = False
    leak.gitlab.requests.clear()
    leak.gitlab.acts.clear()
    for path in (file, leak.folder / "again", *(leak.state / "patscan").glob("*")):
        if os.path.lexists(path):
            path.unlink()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_until_the_token_is_kept(number: int, leak: Leak) -> None:
    leak.gitlab.faults.append(Fault("slowly", 1, "/rotate"))
    own = {**CLEAN, **IDENTITY, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(leak.state)}
    command = [sys.executable, "-m", "patscan", *map(str, leak.arguments("rotate", "--yes", "--token-file", "new"))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own, cwd=leak.folder)
    while not rotations(leak.gitlab):
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert (leak.folder / "new").read_text().strip() == successors(leak)[0].value
    assert [line["event"] for line in leak.log] == ["asked", "answered"]
