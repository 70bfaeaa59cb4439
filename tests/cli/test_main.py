"""The command line as a user meets it: whole processes, real files, exact exit codes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from patscan import __version__
from patscan.errors import ExitCode
from tests.repo import Repo
from tests.tokens import classic, routable


def patscan(*args: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "patscan", *map(str, args)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        check=False,
    )
    err = done.stderr.decode()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), err)


@pytest.fixture
def leak(tmp_path: Path, rng: random.Random) -> tuple[Path, str]:
    token = classic(rng)
    file = tmp_path / "leak.env"
    file.write_text(f"# é\nTOKEN={token}\n", encoding="utf-8")
    return file, token


class TestBadInput:
    """A sentence, the right exit code, never a traceback, never "clean"."""

    @pytest.mark.parametrize(
        "args",
        [
            ["--nonsense"],
            ["scan", "--format", "yaml"],
            ["scan", "--jobs", "0"],
            ["scan", "--report", "json"],
            ["nonsense"],
            ["rules"],
            ["scan", "-", "x"],
            ["scan", "--report", "json=-"],
        ],
    )
    def test_a_wrong_flag_is_a_usage_error(self, args: list[str]) -> None:
        done = patscan(*args)
        assert done.returncode == 2
        assert "patscan" in done.stderr

    def test_no_command_is_a_usage_error_that_shows_the_commands(self) -> None:
        done = patscan()
        assert done.returncode == 2
        assert "history" in done.stdout

    @pytest.mark.parametrize("command", ["scan", "history"])
    def test_a_path_that_is_not_there_is_not_clean(self, tmp_path: Path, command: str) -> None:
        done = patscan(command, tmp_path / "nowhere")
        assert done.returncode == 3
        assert "nowhere" in done.stdout
        assert "no such" in done.stdout

    def test_a_path_that_is_not_there_hides_no_other(self, tmp_path: Path, leak: tuple[Path, str]) -> None:
        done = patscan("scan", tmp_path / "nowhere", leak[0])
        assert done.returncode == 1
        assert "nowhere: no such file" in done.stdout

    def test_a_scan_of_nothing_is_not_clean(self, tmp_path: Path) -> None:
        Repo(tmp_path / "empty")
        for command in (["history", tmp_path / "empty"], ["scan", tmp_path / "empty"]):
            done = patscan(*command)
            assert done.returncode == 3
            assert "nothing to look at" in " ".join(done.stdout.split())

    def test_a_closed_standard_output_is_said(self, leak: tuple[Path, str]) -> None:
        command = f"{sys.executable} -m patscan scan {leak[0]} >&-"
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, cwd=Path(__file__).parents[2])
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
        assert b"standard output is closed" in done.stderr

    @pytest.mark.parametrize(
        ("command", "code", "message"),
        [
            ("scan {} 2>&-", 1, b""),
            ("scan {} --nonsense 2>&-", 2, b""),
            ("scan - <&-", 3, b""),
            ("report - <&-", 2, b"standard input is closed"),
            ("rules list >/dev/full", 2, b"can't be written to"),
            ("--version >/dev/full", 2, b"can't be written to"),
        ],
    )
    def test_streams_that_are_closed_or_full(self, leak: tuple[Path, str], command: str, code: int, message: bytes) -> None:
        line = f"{sys.executable} -m patscan {command.format(leak[0])}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=False, cwd=Path(__file__).parents[2])
        assert (done.returncode, b"Traceback" in done.stderr) == (code, False)
        assert message in done.stderr
        assert b"usage:" not in done.stdout

    def test_a_folder_without_a_repository_is_not_clean(self, tmp_path: Path) -> None:
        done = patscan("history", tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
        assert done.returncode == 3
        assert "not a git repository" in done.stdout
        assert "No token found." not in done.stdout

    def test_a_json_consumer_gets_json_all_the_same(self, tmp_path: Path) -> None:
        done = patscan("history", tmp_path, "--format", "json")
        report = json.loads(done.stdout)
        assert (done.returncode, report["coverage"]["complete"], len(report["coverage"]["skipped"])) == (3, False, 1)

    def test_without_git_there_is_a_sentence(self, tmp_path: Path) -> None:
        done = patscan("history", tmp_path, PATH="")
        assert done.returncode == 2
        assert "git was not found" in done.stderr

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[[rule]]\nid = 3\n", "id must be a text"),
            ("[[rule]\n", "not a TOML file"),
            ("x = 1\n", "[[rule]] tables"),
            ("\xff", "not a TOML file"),
            ("x = " + "9" * 5000, "too long"),
            ("x = " + "[" * 5000, "nested too deeply"),
        ],
    )
    def test_a_broken_rule_file_is_named(self, tmp_path: Path, leak: tuple[Path, str], text: str, message: str) -> None:
        own = tmp_path / "own"
        own.mkdir()
        (own / "mine.toml").write_bytes(text.encode("latin-1"))
        done = patscan("scan", leak[0], "--rules", own)
        assert done.returncode == 2
        assert "mine.toml" in done.stderr
        assert message in done.stderr

    def test_an_empty_rule_folder_is_an_error(self, tmp_path: Path) -> None:
        assert patscan("rules", "list", "--rules", tmp_path).returncode == 2

    @pytest.mark.parametrize("where", ["folder", "folder/none/x.json"])
    def test_a_report_that_cannot_be_written_is_said_before_the_work(self, tmp_path: Path, leak: tuple[Path, str], where: str) -> None:
        (tmp_path / "folder").mkdir()
        done = patscan("scan", leak[0], "--report", f"json={tmp_path / where}")
        assert done.returncode == 2
        assert "--report" in done.stderr

    def test_a_full_disk_is_said_and_the_text_still_written(self, leak: tuple[Path, str]) -> None:
        done = patscan("scan", leak[0], "--report", "json=/dev/full")
        assert done.returncode == 2
        assert "/dev/full can't be written" in done.stderr
        assert "1 token found" in done.stdout

    def test_a_closed_reader_changes_no_exit_code(self, leak: tuple[Path, str]) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "patscan", "scan", str(leak[0])]
        with os.fdopen(writer, "wb") as closed:
            done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, check=False, cwd=Path(__file__).parents[2])
        assert (done.returncode, done.stderr) == (ExitCode.FOUND, b"")

    @pytest.mark.skipif(sys.platform != "linux", reason="a file that not even root can read")
    def test_an_unreadable_file_is_a_skip(self) -> None:
        done = patscan("scan", "/proc/self/mem")
        assert done.returncode == 3
        assert "/proc/self/mem: can't be read: Input/output error." in done.stdout


class TestExitCodes:
    def test_a_missing_object_is_incomplete(self, repo: Repo) -> None:
        repo.commit({"a": "1", "b": "2"})
        blob = repo.line("rev-parse", "HEAD:a")
        (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        done = patscan("history", repo.path)
        assert done.returncode == 3
        assert "1 object is missing" in " ".join(done.stdout.split())

    def test_a_dash_is_no_revision(self, repo: Repo) -> None:
        repo.commit({"a": "1"})
        assert patscan("history", repo.path, "--rev=--").returncode == 2

    def test_nothing_found_is_zero(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("hello")
        done = patscan("scan", tmp_path)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "No token found.")

    def test_found_is_one_and_the_flags_bend_it(self, leak: tuple[Path, str]) -> None:
        assert patscan("scan", leak[0]).returncode == 1
        assert patscan("scan", leak[0], "--exit-zero").returncode == 0
        assert patscan("scan", leak[0], "--min-confidence", "certain").returncode == 0

    def test_incomplete_is_three_and_the_flag_bends_it(self, tmp_path: Path) -> None:
        Repo(tmp_path / "full").commit({"a": "1"})
        Repo(tmp_path / "full").commit({"a": "2"})
        subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{tmp_path / 'full'}", str(tmp_path / "cut")], check=True)
        done = patscan("history", tmp_path / "cut")
        assert done.returncode == 3
        assert "shallow" in done.stdout
        assert "No token found.\n" not in done.stdout
        assert patscan("history", tmp_path / "cut", "--allow-incomplete").returncode == 0


class TestOutput:
    def test_the_token_is_nowhere(self, tmp_path: Path, leak: tuple[Path, str]) -> None:
        file, token = leak
        for name in ("text", "json", "sarif"):
            done = patscan("scan", file, "--format", name, "--report", f"{name}={tmp_path / 'report'}")
            for text in (done.stdout, done.stderr, (tmp_path / "report").read_text()):
                assert token not in text
                assert token[6:14] not in text
                assert "glpat-…(26)" in text.encode().decode("unicode_escape" if "\\u2026" in text else "utf-8") or text == done.stderr

    def test_unless_the_user_asks(self, leak: tuple[Path, str]) -> None:
        assert leak[1] in patscan("scan", leak[0], "--show-secrets").stdout
        assert json.loads(patscan("scan", leak[0], "--format", "json", "--show-secrets").stdout)["findings"][0]["token"] == leak[1]

    def test_positions_count_characters(self, leak: tuple[Path, str]) -> None:
        (finding,) = json.loads(patscan("scan", leak[0], "--format", "json").stdout)["findings"]
        (place,) = finding["occurrences"]
        assert [place[key] for key in ("line", "column", "end_line", "end_column", "start", "end")] == [2, 7, 2, 33, 11, 37]

    def test_a_report_file_is_its_owners(self, tmp_path: Path, leak: tuple[Path, str]) -> None:
        patscan("scan", leak[0], "--report", f"json={tmp_path / 'r.json'}")
        assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o600

    def test_quiet_says_nothing(self, leak: tuple[Path, str]) -> None:
        done = patscan("scan", leak[0], "--quiet")
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")

    def test_an_ascii_terminal_gets_escapes_not_a_crash(self, leak: tuple[Path, str]) -> None:
        assert patscan("scan", leak[0], PYTHONIOENCODING="ascii").returncode == 1

    def test_no_colour_where_there_is_no_terminal(self, leak: tuple[Path, str]) -> None:
        assert "\x1b" not in patscan("scan", leak[0]).stdout


class TestScan:
    def test_git_says_which_files(self, repo: Repo, rng: random.Random) -> None:
        tokens = {name: classic(rng) for name in ("tracked", "untracked", "ignored")}
        repo.write(".gitignore", "ignored\n")
        for name, token in tokens.items():
            repo.write(name, token)
        repo.git("add", "tracked", ".gitignore")
        for flags, expected in (([], {"tracked", "untracked"}), (["--no-ignore"], set(tokens))):
            report = json.loads(patscan("scan", repo.path, "--format", "json", *flags).stdout)
            assert {Path(finding["occurrences"][0]["path"]).name for finding in report["findings"]} == expected

    def test_a_link_is_read_and_never_followed(self, tmp_path: Path, rng: random.Random) -> None:
        outside, inside = tmp_path / "outside", tmp_path / "inside"
        outside.mkdir()
        inside.mkdir()
        (outside / "secret").write_text(classic(rng))
        token = classic(rng)
        (inside / "file").symlink_to(outside / "secret")
        (inside / "folder").symlink_to(outside)
        (inside / "dead").symlink_to(token)
        (finding,) = json.loads(patscan("scan", inside, "--format", "json", "--show-secrets").stdout)["findings"]
        assert finding["token"] == token
        assert finding["occurrences"][0]["type"] == "symlink"

    def test_hostile_names(self, tmp_path: Path, rng: random.Random) -> None:
        names = [b"a\nb", b"\x1b[31m", b"\xff\xfe", b" ", "\u202egpj".encode(), b"-rf"]
        for name in names:
            Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_text(classic(rng))
        done = patscan("scan", tmp_path)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert "\u202e" not in done.stdout
        assert len(json.loads(patscan("scan", tmp_path, "--format", "json").stdout)["findings"]) == len(names)

    def test_standard_input(self, rng: random.Random) -> None:
        token = routable(rng)
        done = patscan("scan", "-", "--format", "json", "--show-secrets", stdin=f"x\n  {token}".encode())
        (finding,) = json.loads(done.stdout)["findings"]
        place = finding["occurrences"][0]
        assert (finding["token"], finding["confidence"], place["line"], place["column"]) == (token, "certain", 2, 3)

    def test_a_large_file_is_looked_at_whole(self, tmp_path: Path, rng: random.Random) -> None:
        tokens = [classic(rng) for _ in range(3)]
        file = tmp_path / "large"
        with file.open("wb") as stream:
            for token in tokens:
                stream.seek(66 << 20, os.SEEK_CUR)
                stream.write(f"\n{token}\n".encode())
        report = json.loads(patscan("scan", file, "--format", "json", "--show-secrets").stdout)
        assert {finding["token"] for finding in report["findings"]} == set(tokens)
        for finding in report["findings"]:
            (place,) = finding["occurrences"]
            with file.open("rb") as stream:
                stream.seek(place["start"])
                assert stream.read(place["end"] - place["start"]).decode() == finding["token"]
            assert (place["line"], place["column"]) == (2 * tokens.index(finding["token"]) + 2, 1)

    def test_a_repository_inside_is_looked_into(self, repo: Repo, rng: random.Random) -> None:
        token = classic(rng)
        Repo(repo.path / "inner").commit({"a": token})
        (finding,) = json.loads(patscan("scan", repo.path, "--format", "json").stdout)["findings"]
        assert finding["occurrences"][0]["path"] == str(repo.path / "inner" / "a")

    def test_a_named_pipe_is_read_and_a_named_link_is_said(self, tmp_path: Path, leak: tuple[Path, str]) -> None:
        command = f"{sys.executable} -m patscan scan <(cat {leak[0]})"
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, cwd=Path(__file__).parents[2])
        assert done.returncode == 1
        (tmp_path / "link").symlink_to(leak[0])
        assert "a link: its own text" in " ".join(patscan("scan", tmp_path / "link").stdout.split())
        assert patscan("scan", "/dev/zero").returncode == 3

    def test_a_token_in_a_name_or_an_argument_is_masked(self, tmp_path: Path, rng: random.Random) -> None:
        token = classic(rng)
        (tmp_path / f"{token}.txt").write_text(classic(rng))
        commands = (
            (["scan", tmp_path], ExitCode.FOUND),
            (["scan", f"/nope/{token}"], ExitCode.INCOMPLETE),
            (["scan", f"--{token}"], ExitCode.ERROR),
            (["history", tmp_path, f"--rev={token}"], ExitCode.INCOMPLETE),
        )
        for args, code in commands:
            for name in ("text", "json", "sarif"):
                done = patscan(*args, "--format", name)
                assert done.returncode == code, args
                assert token not in done.stdout + done.stderr
                assert token[6:] not in done.stdout + done.stderr


class TestStart:
    def test_the_version_is_one_line(self) -> None:
        assert patscan("--version").stdout == f"patscan {__version__}\n"
        assert "hyperscan" in patscan("--version", "--verbose").stdout

    def test_a_clean_file_imports_nothing_heavy(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("x")
        command = [sys.executable, "-X", "importtime", "-m", "patscan", "scan", str(tmp_path / "a")]
        done = subprocess.run(command, capture_output=True, cwd=Path(__file__).parents[2], check=True)
        imported = {line.rsplit(b"|", 1)[1].strip().decode() for line in done.stderr.splitlines() if b"|" in line}
        heavy = {
            "numpy",
            "git",
            "dulwich",
            "pygments",
            "rich",
            "sarif_om",
            "attr",
            "regex",
            "concurrent.futures",
            "multiprocessing",
            "socket",
            "pathspec",
            "patscan.triage",
            "patscan.baseline",
        }
        assert not imported & heavy
        assert "hyperscan" in imported
