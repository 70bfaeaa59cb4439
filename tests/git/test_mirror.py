"""Mirrors: everything the server shows, nothing left behind, nothing asked, nothing run."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from patscan.errors import ExitCode, TargetError, UsageError
from patscan.git import network
from patscan.git.address import Address, address
from patscan.git.child import GitError
from patscan.git.mirror import mirror
from tests.git.servers import PASSWORD, USER, guarded, silent
from tests.repo import Repo


def at(text: str | Path) -> Address:
    taken_apart = address(str(text))
    assert taken_apart
    return taken_apart


def refusal(remote: Address, environment: Mapping[str, str], keep: Path | None = None) -> str:
    with pytest.raises(TargetError) as caught, mirror(remote, environment, keep):
        pass
    assert caught.value.code == ExitCode.INCOMPLETE
    return str(caught.value)


def refs(path: Path) -> dict[str, str]:
    listed = Repo.line(_Bare(path), "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split() for line in listed.splitlines())


class _Bare(Repo):
    """A repository that is there already."""

    def __init__(self, path: Path) -> None:
        self.path, self._clock = path, 0


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_every_ref_and_head_come_and_nothing_stays(repo: Repo, scratch: Path, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "1"})
    for name in ("refs/merge-requests/1/head", f"refs/keep-around/{commit}", "refs/notes/x", "refs/heads/other", "refs/tags/t", "refs/odd"):
        repo.git("update-ref", name, commit)
    repo.git("symbolic-ref", "HEAD", "refs/heads/other")
    with mirror(at(f"file://{repo.path}"), environment) as path:
        there = _Bare(path)
        assert refs(path) == refs(repo.path)
        assert there.line("symbolic-ref", "HEAD") == "refs/heads/other"
        assert str(repo.path) not in (path / "config").read_text()
        assert not (path / "FETCH_HEAD").exists()
        assert [file.suffix for file in (path / "objects/pack").glob("*.pack")] == [".pack"]
    assert not list(scratch.iterdir())


def test_a_head_on_no_branch_comes_with_its_commits(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "1"})
    repo.git("checkout", "-q", "--detach")
    commit = repo.commit({"a": "2"})
    with mirror(at(f"file://{repo.path}"), environment) as path:
        assert _Bare(path).line("rev-parse", "HEAD") == commit
        assert _Bare(path).line("cat-file", "-p", "HEAD:a") == "2"


def test_ids_of_either_length(tmp_path: Path, environment: Mapping[str, str]) -> None:
    repo = Repo(tmp_path / "long", "--object-format=sha256")
    commit = repo.commit({"a": "1"})
    with mirror(at(f"file://{repo.path}"), environment) as path:
        assert refs(path) == {"refs/heads/main": commit}


def test_a_repository_without_commits_is_mirrored(repo: Repo, environment: Mapping[str, str]) -> None:
    with mirror(at(f"file://{repo.path}"), environment) as path:
        assert refs(path) == {}


def test_a_shallow_server_shows_what_it_has(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    for content in "123":
        repo.commit({"a": content})
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "cut"))
    with mirror(at(f"file://{tmp_path / 'cut'}"), environment) as path:
        assert (path / "shallow").exists()
        assert _Bare(path).line("rev-list", "--count", "main") == "2"


def test_no_setting_and_no_template_of_the_user_stands_in_the_way(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "1"})
    mark = tmp_path / "mark"
    hook = tmp_path / "template/hooks/reference-transaction"
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    settings = tmp_path / "settings"
    settings.write_text(
        f"[init]\n\ttemplateDir = {tmp_path / 'template'}\n[safe]\n\tbareRepository = explicit\n[fetch]\n\tfsckObjects = true\n"
    )
    with mirror(at(f"file://{repo.path}"), {**environment, "GIT_CONFIG_GLOBAL": str(settings)}) as path:
        assert refs(path) == refs(repo.path)
    assert not mark.exists()


def test_an_error_removes_the_mirror_too(repo: Repo, scratch: Path, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "1"})
    with pytest.raises(KeyboardInterrupt), mirror(at(f"file://{repo.path}"), environment):
        raise KeyboardInterrupt
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("keep", [False, True])
def test_what_is_no_repository_is_a_sentence(keep: bool, tmp_path: Path, scratch: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "plain").mkdir()
    message = refusal(at(f"file://{tmp_path / 'plain'}"), environment, tmp_path / "kept" if keep else None)
    assert message == f"file://{tmp_path / 'plain'}: '{tmp_path / 'plain'}' does not appear to be a git repository."
    assert not list(scratch.iterdir())
    assert not (tmp_path / "kept").exists()


class TestPassword:
    def test_it_reaches_its_server_and_no_file(self, repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
        commit = repo.commit({"a": "1"})
        store = tmp_path / "stored"
        settings = tmp_path / "settings"
        settings.write_text(f"[credential]\n\thelper = store --file={store}\n")
        text = "http://{}:{}@{}/repo/.git"
        with guarded(tmp_path) as server:
            remote = at(text.format(USER, "s3cr3t%2Fp%40ss%3Aw%25rd", server.host))
            assert remote.password == PASSWORD
            with mirror(remote, {**environment, "GIT_CONFIG_GLOBAL": str(settings)}, tmp_path / "kept") as path:
                assert refs(path) == {"refs/heads/main": commit}
        assert server.met[:2] == [None, server.right]
        assert not store.exists()
        for file in (file for file in (tmp_path / "kept").rglob("*") if file.is_file()):
            assert b"s3cr3t" not in file.read_bytes()
            assert USER.encode() not in file.read_bytes()

    def test_a_wrong_one_is_a_sentence(self, tmp_path: Path, environment: Mapping[str, str]) -> None:
        with guarded(tmp_path) as server:
            message = refusal(at(f"http://{USER}:wrong@{server.host}/x"), environment)
        assert message.startswith(f"http://{server.host}/x: the server wants a user and a password")

    @pytest.mark.parametrize("user", ["", f"{USER}@"])
    def test_git_never_prompts(self, user: str, tmp_path: Path, environment: Mapping[str, str]) -> None:
        mark, program = tmp_path / "mark", tmp_path / "ask"
        program.write_text(f"#!/bin/sh\ntouch {mark}\necho x\n")
        program.chmod(0o755)
        asking = {"GIT_ASKPASS": str(program), "SSH_ASKPASS": str(program), "GIT_TERMINAL_PROMPT": "1"}
        with guarded(tmp_path) as server:
            message = refusal(at(f"http://{user}{server.host}/x"), {**environment, **asking})
        assert "credential helpers" in message
        assert USER not in message
        assert not mark.exists()

    @pytest.mark.parametrize("user", ["", f"{USER}@"])
    def test_the_users_own_helper_answers(self, user: str, repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
        repo.commit({"a": "1"})
        answer = f"!f() {{ grep -qx 'username={USER}' || echo 'username={USER}'; echo password=pw; }}; f"
        own = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.helper", "GIT_CONFIG_VALUE_0": answer}
        with (
            guarded(tmp_path, USER, "pw") as server,
            mirror(at(f"http://{user}{server.host}/repo/.git"), {**environment, **own}) as path,
        ):
            assert len(refs(path)) == 1


class TestKeep:
    def test_the_second_time_only_news_come(self, repo: Repo, tmp_path: Path, scratch: Path, environment: Mapping[str, str]) -> None:
        first = repo.commit({"a": "1"})
        repo.git("update-ref", "refs/merge-requests/1/head", first)
        remote, kept = at(f"file://{repo.path}"), tmp_path / "in/kept"
        with mirror(remote, environment, kept) as path:
            assert path == kept
            packs = set((path / "objects/pack").iterdir())
        second = repo.commit({"a": "2"})
        repo.git("update-ref", "-d", "refs/merge-requests/1/head")
        with mirror(remote, environment, kept) as path:
            assert refs(path) == {"refs/heads/main": second}
            assert packs < set((path / "objects/pack").iterdir())
        assert not list(scratch.iterdir())

    def test_a_server_that_is_gone_is_reported(self, repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
        repo.commit({"a": "1"})
        remote = at(f"file://{repo.path}")
        with mirror(remote, environment, tmp_path / "kept"):
            pass
        repo.path.rename(tmp_path / "gone")
        with pytest.raises(TargetError), mirror(remote, environment, tmp_path / "kept"):
            pass

    @pytest.mark.parametrize("kind", ["file", "folder", "repository", "bare", "other", "program", "elsewhere", "include"])
    def test_anything_else_in_the_folder_is_refused(self, kind: str, repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
        repo.commit({"a": "1"})
        kept, remote, mark = tmp_path / "kept", at(f"file://{repo.path}"), tmp_path / "mark"
        if kind == "file":
            kept.write_text("x")
        elif kind == "folder":
            kept.mkdir()
            (kept / "x").touch()
        elif kind in {"repository", "bare"}:
            Repo(kept, *(["--bare"] if kind == "bare" else []))
        else:
            with mirror(remote, environment, kept):
                pass
        if kind == "program":
            _Bare(kept).git("config", "core.sshCommand", f"touch {mark};")
        elif kind == "elsewhere":
            (kept / "commondir").write_text("../other\n")
        elif kind == "include":
            _Bare(kept).git("config", "include.path", str(tmp_path / "more"))
        elif kind == "other":
            remote = at(f"file://{tmp_path / 'another'}")
        with pytest.raises(UsageError) as caught, mirror(remote, environment, kept):
            pass
        assert str(caught.value).startswith(f"--keep: {kept}")
        assert not mark.exists()


class TestPatience:
    def test_silence_has_a_limit(self, tmp_path: Path, environment: Mapping[str, str]) -> None:
        started = time.monotonic()
        with silent() as (host, _), pytest.raises(GitError) as caught:
            network.talk(("ls-remote", "--", f"git://{host}/x"), tmp_path, environment, patience=0.3)
        assert "no answer for 0.005 minutes" in str(caught.value)
        assert time.monotonic() - started < 5

    def test_ssh_has_no_terminal_to_ask_on(self, tmp_path: Path, environment: Mapping[str, str]) -> None:
        program = tmp_path / "ssh"
        program.write_text(
            "#!/bin/sh\n(: </dev/tty) 2>/dev/null && echo 'a terminal' >&2\necho 'Permission denied (publickey).' >&2\nexit 255\n"
        )
        program.chmod(0o755)
        with pytest.raises(TargetError) as caught, mirror(at("git@git.example:x"), {**environment, "GIT_SSH_COMMAND": str(program)}):
            pass
        assert str(caught.value) == "git@git.example:x: Permission denied (publickey)."

    def test_a_helper_that_stays_is_not_waited_for(self, tmp_path: Path, environment: Mapping[str, str]) -> None:
        """An ssh that keeps its connection for later holds git's pipes open."""
        program = tmp_path / "ssh"
        program.write_text("#!/bin/sh\nsleep 6 >/dev/null &\nexit 255\n")
        program.chmod(0o755)
        started = time.monotonic()
        with pytest.raises(GitError):
            network.talk(("ls-remote", "ssh://git.example/x"), tmp_path, {**environment, "GIT_SSH_COMMAND": str(program)})
        assert time.monotonic() - started < 5

    def test_only_gits_progress_is_shown(self, repo: Repo, environment: Mapping[str, str]) -> None:
        for number in range(2):
            repo.commit({"a": os.urandom(2000), "b": str(number)})
        steps: list[str] = []
        with mirror(at(f"file://{repo.path}"), environment, progress=steps.append):
            pass
        assert steps
        assert all(step.startswith(("Receiving objects: ", "Resolving deltas: ")) for step in steps)
