"""Opening a repository: what is refused, with which sentence, and that nothing a repository brings along ever runs."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from patscan import scan
from patscan.cli import pools
from patscan.errors import ExitCode, PatscanError, TargetError
from patscan.git import child
from patscan.git.repository import open_repository
from patscan.model import Report, Rule
from patscan.run import Options
from patscan.sources.history import History
from tests.git.crafted import BLOB, Crafted, copy, delta, object_id
from tests.repo import Repo
from tests.tokens import classic


def refusal(path: Path, environment: Mapping[str, str]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        open_repository(path, environment)
    assert caught.value.code == ExitCode.INCOMPLETE
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value).removeprefix(str(path))
    return caught.value


def test_a_plain_folder_is_no_repository(tmp_path: Path, environment: Mapping[str, str]) -> None:
    assert str(refusal(tmp_path, environment)) == f"{tmp_path}: not a git repository. For a plain folder use: patscan scan"


def test_a_missing_folder_is_reported(tmp_path: Path, environment: Mapping[str, str]) -> None:
    assert str(refusal(tmp_path / "gone", environment)) == f"{tmp_path / 'gone'}: no such folder."


def test_a_file_is_reported(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "file").write_text("x")
    assert str(refusal(tmp_path / "file", environment)) == f"{tmp_path / 'file'}: not a folder."


def test_another_users_repository_is_refused_with_advice(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "b"})
    if os.geteuid() == 0:
        os.chown(repo.path, 12345, 12345)
        os.chown(repo.path / ".git", 12345, 12345)
    else:
        environment = {**environment, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    message = str(refusal(repo.path, environment))
    assert "another user owns it" in message
    assert "safe.directory" in message


def test_a_broken_configuration_is_refused_in_git_s_words(repo: Repo, environment: Mapping[str, str]) -> None:
    (repo.path / ".git/config").write_text("[core\n")
    assert "bad config line 1" in str(refusal(repo.path, environment))


def test_a_working_tree_that_is_not_there_is_refused_in_git_s_words(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.git("config", "core.worktree", "/not/there")
    assert "'/not'" in str(refusal(repo.path, environment))


def test_a_format_that_git_does_not_know_is_refused(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.somethingNew", "true")
    assert "somethingnew" in str(refusal(repo.path, environment))


@pytest.mark.parametrize("path", ["", "/nowhere", "/nowhere:/nor/there"])
def test_without_git_there_is_one_sentence(path: str, repo: Repo, environment: Mapping[str, str]) -> None:
    with pytest.raises(PatscanError) as caught:
        open_repository(repo.path, {**environment, "PATH": path})
    assert str(caught.value) == "git was not found. Install git, or put it on the PATH."
    assert caught.value.code == ExitCode.ERROR


@pytest.mark.parametrize("relative", ["", ".", "bin"])
def test_a_git_in_the_scanned_repository_is_never_the_one_that_runs(
    relative: str, repo: Repo, tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative folder on the PATH is looked up where the child stands: inside the repository."""
    mark = trap(repo.path / relative / "git", tmp_path / "mark")
    monkeypatch.chdir(repo.path)
    source = History(open_repository(repo.path, {**environment, "PATH": f"{relative}:{environment['PATH']}"}))
    list(source.shards())
    source.target()
    assert not mark.exists()


def test_no_commits_yet_is_a_repository(repo: Repo, environment: Mapping[str, str]) -> None:
    repository = open_repository(repo.path, environment)
    assert (repository.bare, repository.shallow, repository.id_size, repository.head()) == (False, False, 20, None)


def test_the_parts_of_a_repository_are_found(repo: Repo, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"folder/a": "b"})
    for path in (repo.path, repo.path / "folder", repo.path / ".git"):
        repository = open_repository(path, environment)
        assert repository.git_dir.resolve() == repo.path / ".git"
        assert repository.objects == repo.path / ".git/objects"
        assert repository.head() == commit


def test_a_bare_repository_is_opened(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    commit = repo.commit({"a": "b"})
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare"))
    repository = open_repository(tmp_path / "bare", environment)
    assert (repository.bare, repository.objects, repository.head()) == (True, tmp_path / "bare/objects", commit)


def test_a_worktree_is_opened(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "b"})
    repo.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    repository = open_repository(tmp_path / "tree", environment)
    assert repository.git_dir == repo.path / ".git/worktrees/tree"
    assert repository.objects == repo.path / ".git/objects"


def test_sha256_is_recognised(tmp_path: Path, environment: Mapping[str, str]) -> None:
    assert open_repository(Repo(tmp_path / "r", "--object-format=sha256").path, environment).id_size == 32


ODD_NAMES = [b"line\nfeed", b"ends in one\n", b"not utf-8 \xff\xfe", b" blanks ", b"-dash", b"tab\tand\rreturn", "\u2028\x85".encode()]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
@pytest.mark.parametrize("borrowed", [False, True])
def test_odd_paths_are_paths(
    name: bytes, borrowed: bool, tmp_path: Path, environment: Mapping[str, str], rng: random.Random, rules: tuple[Rule, ...]
) -> None:
    repo = Repo(tmp_path / os.fsdecode(name))
    token = classic(rng)
    repo.commit({"a": token})
    path = repo.path
    if borrowed:
        if b"\n" in name:
            pytest.skip("git quotes such a line, and what it quotes is a Skip")
        path = Repo(tmp_path / "borrower").path
        (path / ".git/objects/info/alternates").write_bytes(os.fsencode(repo.path / ".git/objects") + b"\n")
    report = whole_scan(path, environment, rules)
    assert [finding.secret.reveal().decode() for finding in report.findings] == [token]
    assert report.coverage.complete


def test_a_borrowed_folder_that_is_not_there_is_reported(repo: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> None:
    repo.commit({"a": "b"})
    (repo.path / ".git/objects/info/alternates").write_text("/not/there\n# nor is this\n")
    report = whole_scan(repo.path, environment, rules)
    assert [skip.where for skip in report.coverage.skipped] == ["/not/there"]


def test_cyclic_alternates_end(repo: Repo, tmp_path: Path, environment: Mapping[str, str]) -> None:
    other = Repo(tmp_path / "other")
    for one, two in ((repo, other), (other, repo)):
        (one.path / ".git/objects/info/alternates").write_text(f"{two.path}/.git/objects\n")
    folders = list(open_repository(repo.path, environment).object_folders())
    assert folders == [repo.path / ".git/objects", other.path / ".git/objects"]


@pytest.mark.parametrize("broken", ["loop", "file"])
def test_a_pack_folder_that_can_not_be_listed_is_reported(
    broken: str, repo: Repo, environment: Mapping[str, str], rules: tuple[Rule, ...]
) -> None:
    repo.commit({"a": "b"})
    folder = repo.path / ".git/objects/ab"
    if broken == "loop":
        folder.symlink_to(folder)
    else:
        folder.write_text("a file in the place of a folder holds no objects")
    report = whole_scan(repo.path, environment, rules)
    assert [skip.where for skip in report.coverage.skipped] == ([str(folder)] if broken == "loop" else [])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:secret@git.example/x", "https://git.example/x"),
        ("https://ada:se@cr@et@git.example/x@y", "https://git.example/x@y"),
        ("HTTPS://secret@git.example/x", "HTTPS://git.example/x"),
        ("git+ssh://ada:secret@git.example/x", "git+ssh://git.example/x"),
        ("https://git.example/x", "https://git.example/x"),
        ("git@git.example:x", "git@git.example:x"),
        ("ada:secret@git.example:x/y", "git.example:x/y"),
        ("ada:se@cr@et@git.example:x/y", "git.example:x/y"),
        ("ada:secret@git.example/x", "git.example/x"),
        ("git.example:x/y@z", "git.example:x/y@z"),
        ("/a/folder", "/a/folder"),
    ],
)
def test_user_and_password_are_not_shown(url: str, shown: str, repo: Repo, environment: Mapping[str, str]) -> None:
    repo.git("remote", "add", "origin", url)
    assert open_repository(repo.path, environment).remote() == shown


CONFIGURATIONS = [
    b'[remote "origin"]\n\tfetch = +a:b\n',
    b'[remote "origin"]\n\turl\n',
    b"[remote]\n\turl = x\n",
    b'[remote "\xff"]\n\turl = \xff\n',
    b'[include]\n\tpath = /not/there\n[includeIf "gitdir:**"]\n\tpath = /nor/this\n',
    b'[includeIf "onbranch:x"]\n\tpath = y\n',
    b'[remote "a"]\n\turl = x\n[remote "b"]\n\turl = y\n',
]


@pytest.mark.parametrize("lines", CONFIGURATIONS, ids=range(len(CONFIGURATIONS)))
def test_an_unreadable_remote_is_none(lines: bytes, repo: Repo, environment: Mapping[str, str]) -> None:
    repo.commit({"a": "b"})
    with (repo.path / ".git/config").open("ab") as file:
        file.write(b"[core]\n" + lines)
    assert open_repository(repo.path, environment).remote() is None


def test_of_several_urls_the_first_is_the_one_that_git_fetches_from(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.git("remote", "add", "origin", "https://one.example/x")
    repo.git("remote", "set-url", "--add", "origin", "https://two.example/x")
    repo.git("remote", "add", "a.b", "https://three.example/x")
    assert open_repository(repo.path, environment).remote() == "https://one.example/x"
    assert repo.git("ls-remote", "--get-url").decode().strip() == "https://one.example/x"


def test_a_remote_that_an_include_names_is_shown(repo: Repo, environment: Mapping[str, str]) -> None:
    (repo.path / "more").write_text('[remote "origin"]\n\turl = https://git.example/x\n')
    repo.git("config", "includeIf.gitdir:**.path", str(repo.path / "more"))
    assert open_repository(repo.path, environment).remote() == "https://git.example/x"


def test_the_only_remote_is_shown_if_none_is_called_origin(repo: Repo, environment: Mapping[str, str]) -> None:
    repo.git("remote", "add", "upstream", "https://git.example/x")
    assert open_repository(repo.path, environment).remote() == "https://git.example/x"


def trap(path: Path, mark: Path) -> Path:
    """A program that leaves `mark` when it runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho \"$0 $*\" >>'{mark}'\nexit 1\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return mark


OPTIONS = (
    "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.gitProxy", "core.alternateRefsCommand",
    "diff.external", "diff.x.textconv", "diff.x.command", "filter.x.clean", "filter.x.smudge", "filter.x.process", "merge.x.driver",
    "gpg.program", "gpg.openpgp.program", "gpg.ssh.program", "gpg.x509.program", "gpg.ssh.defaultKeyCommand", "credential.helper",
    "uploadpack.packObjectsHook", "sequence.editor", "interactive.diffFilter", "remote.origin.uploadpack", "remote.origin.vcs",
    "protocol.x.helper", "tar.x.command", "man.x.cmd", "browser.x.cmd", "pager.rev-list", "pager.cat-file", "pager.config",
    "submodule.x.update", "hook.x.command", "trailer.x.command", "lsrefs.x",
)  # fmt: skip
CHILDREN = (
    "rev-parse",
    "rev-list",
    "cat-file",
    "diff-tree",
    "for-each-ref",
    "ls-files",
    "config",
    "show-index",
    "remote",
    "fetch",
    "version",
)
HOOKS = ("post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout", "pre-auto-gc", "post-rewrite", "pre-commit")


@pytest.fixture
def armed(repo: Repo, tmp_path: Path, rng: random.Random) -> tuple[Repo, Path, str]:
    """A repository whose configuration names a program wherever git knows one, with gaps that a promisor would fill; its mark; a token."""
    token = classic(rng)
    repo.commit({"a": "first", ".gitattributes": "* diff=x filter=x merge=x\n"})
    repo.git("tag", "-a", "-m", "a tag", "v1")
    signed = b"tree %b\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
    signed += b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n%b\n"
    tree = repo.git("rev-parse", "HEAD^{tree}").strip()
    repo.git(
        "update-ref", "refs/heads/signed", repo.line("hash-object", "-w", "-t", "commit", "--stdin", stdin=signed % (tree, token.encode()))
    )
    repo.commit({"a": token, "staged": "x"})
    program, mark = tmp_path / "program", tmp_path / "mark"
    trap(program, mark)
    for hook in HOOKS:
        trap(repo.path / ".git/hooks" / hook, mark)
    for name in ("git", "git-cat-file", "git-remote-x", "less", "ssh", "gpg", "sh"):
        trap(repo.path / name, mark)
    lines = [f"[include]\n\tpath = {tmp_path / 'more'}"]
    for option in OPTIONS:
        section, _, rest = option.partition(".")
        middle, _, key = rest.rpartition(".")
        value = f"!{program}" if section in ("submodule", "credential") else str(program)
        lines.append(f'[{section} "{middle}"]\n\t{key} = {value}' if middle else f"[{section}]\n\t{key} = {value}")
    lines += [f'[alias]\n\t{name} = "!{program} {name}"' for name in CHILDREN]
    lines.append(f"[log]\n\tshowSignature = true\n[core]\n\thooksPath = {repo.path}/.git/hooks\n\tfsmonitorHookVersion = 2")
    lines.append(f'[remote "origin"]\n\turl = ext::{program} %S\n\tpromisor = true\n\tpartialclonefilter = blob:none')
    lines.append('[protocol]\n\tallow = always\n[protocol "ext"]\n\tallow = always\n[extensions]\n\tpartialClone = origin')
    (tmp_path / "more").write_text("\n".join(lines[1:]) + "\n")
    with (repo.path / ".git/config").open("a") as config:
        config.write("\n".join(lines) + "\n")
    repo_version = (repo.path / ".git/config").read_text().replace("repositoryformatversion = 0", "repositoryformatversion = 1")
    (repo.path / ".git/config").write_text(repo_version)
    pack = Crafted()
    pack.named(b"never made", object_id(BLOB, b"not here"), delta(8, 3, copy(0, 3)))
    pack.write(repo.path).with_suffix(".promisor").touch()
    (repo.path / ".git/objects/info/alternates").write_text(f"{tmp_path}/alternate/.git/objects\n")
    Repo(tmp_path / "alternate").commit({"a": "there"})
    (repo.path / ".git/refs/heads/gone").write_text("12" * 20 + "\n")
    mark.unlink(missing_ok=True)
    return repo, mark, token


@pytest.mark.parametrize(
    "command",
    [("cat-file", "-p", "34" * 20), ("status",), ("log", "-1", "-p"), ("update-ref", "refs/x", "HEAD"), ("fetch", "origin")],
    ids=lambda command: command[0],
)
def test_the_traps_are_set(command: tuple[str, ...], armed: tuple[Repo, Path, str]) -> None:
    """Plain git steps on them: otherwise the next test would prove nothing."""
    repo, mark, _ = armed
    # git may or may not notice that a program failed.
    with suppress(AssertionError):
        repo.git(*command)
    assert mark.exists(), command


def test_nothing_of_a_hostile_repository_runs(
    armed: tuple[Repo, Path, str], environment: Mapping[str, str], rules: tuple[Rule, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, mark, token = armed
    monkeypatch.chdir(repo.path)
    report = whole_scan(repo.path, {**environment, "PATH": f":.:{environment['PATH']}"}, rules)
    assert not mark.exists(), mark.read_text()
    assert [finding.secret.reveal().decode() for finding in report.findings] == [token]
    assert not report.coverage.complete


def test_nothing_that_is_missing_is_fetched(armed: tuple[Repo, Path, str], environment: Mapping[str, str]) -> None:
    repo, mark, _ = armed
    for args in (("cat-file", "-p", "34" * 20), ("rev-list", "--objects", "refs/heads/gone"), ("fetch", "origin")):
        with pytest.raises(child.GitError):
            open_repository(repo.path, environment).git(*args)
    assert not mark.exists(), mark.read_text()


def whole_scan(path: Path, environment: Mapping[str, str], rules: tuple[Rule, ...]) -> Report:
    source = History(open_repository(path, environment))
    return scan.scan(source, rules, pools.serial, lambda looked: None, Options())
