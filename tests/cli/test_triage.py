"""What needn't be reported again, as a user meets it: whole processes in real repositories."""

from __future__ import annotations

import json
import os
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_main import patscan
from tests.repo import Repo
from tests.tokens import classic


def report(*args: str | Path, code: int | None = None, cwd: Path | None = None) -> dict[str, Any]:
    done = patscan(*args, "--format", "json", "--show-secrets", cwd=cwd)
    assert code is None or done.returncode == code, done.stderr
    return dict(json.loads(done.stdout))


def tokens(document: dict[str, Any]) -> set[str]:
    return {finding["token"] for finding in document["findings"]}


def reasons(document: dict[str, Any]) -> dict[str, str]:
    return {finding["token"]: finding["reason"] for finding in document["ignored"]}


def notes(document: dict[str, Any]) -> str:
    return "\n".join(f"{note['where']}: {note['reason']}" for note in document["coverage"]["notes"])


class TestComments:
    def test_places_are_judged_one_by_one(self, repo: Repo, rng: random.Random) -> None:
        both, hidden = classic(rng), classic(rng)
        repo.commit({"a": f"{both}  # ggignore\n", "b": f"{both}\n", "c": f"# patscan:ignore gitlab-pat -- an old one\n{hidden}\n"})
        for command in ("scan", "history"):
            document = report(command, repo.path, code=1)
            assert tokens(document) == {both}
            assert [Path(place["path"]).name for place in document["findings"][0]["occurrences"]] == ["b"]
            assert {(Path(one["occurrences"][0]["path"]).name, one["reason"], one["justification"]) for one in document["ignored"]} == {
                ("a", "inline comment", ""),
                ("c", "inline comment", "an old one"),
            }

    def test_in_a_history_what_stands_at_head_decides(self, repo: Repo, rng: random.Random) -> None:
        commented, bared = classic(rng), classic(rng)
        repo.commit({"a": commented, "b": f"{bared} # gitleaks:allow\n"})
        repo.commit({"a": f"{commented} # gitleaks:allow\n", "b": bared})
        document = report("history", repo.path, code=1)
        assert (tokens(document), reasons(document)) == ({bared}, {commented: "inline comment"})
        assert len(document["findings"][0]["occurrences"]) == 2

    def test_a_required_reason_that_is_missing_ends_with_a_sentence(self, repo: Repo, rng: random.Random) -> None:
        token, other = classic(rng), classic(rng)
        repo.commit({".patscan.toml": "require-ignore-reason = true", "a": f"\n{token} # ggignore\n{other} # ggignore: revoked\n"})
        done = patscan("scan", "a", "--format", "json", "--show-secrets", cwd=repo.path)
        document = json.loads(done.stdout)
        assert (done.returncode, tokens(document), reasons(document), document["exit_code"]) == (2, {token}, {other: "inline comment"}, 2)
        assert "a:2: an ignore comment without a reason" in done.stderr
        assert "a:2: an ignore comment without the required reason" in notes(document)


class TestPaths:
    def test_relative_to_the_repository_wherever_it_is_named_from(self, tmp_path: Path, rng: random.Random) -> None:
        repo = Repo(tmp_path / "docs" / "repo")
        hidden, reported = classic(rng), classic(rng)
        repo.commit({".patscan.toml": 'ignore-paths = ["docs/"]', "docs/a": hidden, "src/b": reported})
        for args, cwd in (
            ((".",), repo.path),
            ((repo.path,), tmp_path),
            (("../docs", "."), repo.path / "src"),
            ((".",), repo.path / "docs"),
        ):
            document = report("scan", *args, cwd=cwd)
            assert tokens(document) <= {reported}
            assert reasons(document) == {hidden: "path"}
            assert ".patscan.toml: this configuration sets: ignore-paths = [docs/]." in notes(document)
        assert reasons(report("history", repo.path)) == {hidden: "path"}
        assert tokens(report("history", repo.path, "--no-config")) == {hidden, reported}
        (tmp_path / "own.toml").write_text('ignore-paths = ["src"]')
        assert tokens(report("scan", repo.path, "--config", tmp_path / "own.toml")) == {hidden}

    def test_a_submodules_paths_begin_with_its_folder(self, repo: Repo, tmp_path: Path, rng: random.Random) -> None:
        hidden, reported = classic(rng), classic(rng)
        Repo(tmp_path / "inner").commit({"docs/a": hidden, "sub/b": reported})
        repo.commit({".patscan.toml": 'ignore-paths = ["/sub/docs/", "/docs", "sub/sub/c"]'})
        repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "inner"), "sub")
        repo.commit()
        document = report("history", repo.path, "--submodules", code=1)
        assert (tokens(document), reasons(document)) == ({reported}, {hidden: "path"})


class TestConfiguration:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("ignore-path = []", "Did you mean 'ignore-paths'?"),
            ("[rules]\noff = ['gitlab-pta']", "Did you mean 'gitlab-pat'?"),
            ("[severity]\ngitlab-pta = 'low'", "Did you mean 'gitlab-pat'?"),
            ("ignore-paths = ['a*b*c*d*e']", "too many stars"),
            ("ignore-paths = ['a[z-a]', '\\\\']", "ignore-paths"),
            ("baseline = '../b'", "lies outside"),
            ("baseline = '/etc/passwd'", "lies outside"),
            ("baseline = 'nowhere'", "nowhere: can't be read"),
        ],
    )
    def test_what_is_wrong_is_a_sentence(self, repo: Repo, rng: random.Random, text: str, message: str) -> None:
        repo.commit({".patscan.toml": text, "a": classic(rng)})
        done = patscan("scan", repo.path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert message in done.stderr
        assert patscan("config", repo.path).returncode == 2
        assert patscan("scan", repo.path, "--no-config").returncode == 1

    def test_without_a_rule_nothing_is_clean(self, repo: Repo) -> None:
        listed = patscan("rules", "list").stdout.splitlines()
        repo.commit({".patscan.toml": f"rules.off = {[line.split()[0] for line in listed]}"})
        done = patscan("scan", repo.path)
        assert done.returncode == 2
        assert "every rule is off" in done.stderr

    def test_rules_severities_prefixes_and_confidence(self, repo: Repo, rng: random.Random) -> None:
        pat, deploy = classic(rng, "ACME-acme_"), classic(rng, "gldt-")
        repo.commit({"a": f"{pat}\n{deploy}\n"})
        repo.write(
            "pyproject.toml", '[tool.patscan]\npat-prefix = "acme_"\ninstance-prefix = "ACME"\n[tool.patscan.severity]\ngitlab-pat = "low"'
        )
        document = report("scan", repo.path)
        assert {(one["token"], one["rule"], one["severity"]) for one in document["findings"]} == {
            (pat, "gitlab-pat", "low"),
            (deploy, "gitlab-deploy-token", "high"),
        }
        ids = [rule["id"] for rule in document["tool"]["rules"]]
        assert len(set(ids)) == len(ids)
        repo.write(".patscan.toml", 'min-confidence = "certain"\nrules.only = ["gitlab-deploy-token"]')
        assert reasons(report("scan", repo.path, code=0)) == {deploy: "confidence"}
        assert tokens(report("scan", repo.path, "--min-confidence", "low")) == {deploy}

    def test_config_shows_each_key_and_where_it_is_from(self, repo: Repo) -> None:
        repo.commit({".patscan.toml": 'min-confidence = "high"\nignore-paths = ["a", "b"]'})
        done = patscan("config", repo.path, "--fail-on-expired", "--no-baseline")
        rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
        assert rows["file"] == [str(repo.path / ".patscan.toml")]
        assert rows["min-confidence"] == ["high", "file"]
        assert rows["ignore-paths"] == ["a,", "b", "file"]
        assert rows["fail-on-expired"] == ["true", "flag"]
        assert rows["baseline"] == ["none", "flag"]
        assert rows["pat-prefix"] == ["none", "default"]
        assert patscan("config", repo.path / "nowhere").returncode == 2

    def test_a_token_in_a_configuration_is_masked(self, repo: Repo, rng: random.Random) -> None:
        token = classic(rng)
        repo.commit({".patscan.toml": f'hosts = ["{token}"]\nignore-paths = ["{token}"]\nbaseline = "{token}"\n', "a": "text"})
        for command in (["baseline", "write"], ["config"], ["baseline", "check"], ["baseline", "prune"]):
            done = patscan(*command, repo.path)
            assert (done.returncode, token[6:14] in done.stdout + done.stderr) == (0, False), command

    def test_what_else_config_refuses(self) -> None:
        assert patscan("config", "--config", "x", "--no-config").returncode == 2


class TestBaseline:
    @pytest.fixture
    def accepted(self, repo: Repo, rng: random.Random) -> tuple[Repo, str]:
        token = classic(rng)
        repo.commit({"a": f"x\n{token}\n"})
        assert patscan("baseline", "write", repo.path, "--reason", "revoked in March").returncode == 0
        return repo, token

    def test_what_is_accepted_is_listed_and_nothing_else_is_hidden(self, accepted: tuple[Repo, str], rng: random.Random) -> None:
        repo, token = accepted
        document = report("scan", repo.path, code=0)
        assert reasons(document) == {token: "baseline"}
        assert document["ignored"][0]["justification"] == "revoked in March"
        assert ".patscan-baseline: this baseline accepts 1 token" in notes(document)
        other = classic(rng)
        repo.commit({"a": f"x\n{other}\n"})
        repo.commit({"a": f"x\n{token} {other}\n"})
        for command in ("scan", "history"):
            document = report(command, repo.path, code=1)
            assert (tokens(document), reasons(document)) == ({other}, {token: "baseline"})
        assert tokens(report("scan", repo.path, "--no-baseline")) == {token, other}

    def test_it_survives_a_move_a_rename_and_a_rewritten_history(self, accepted: tuple[Repo, str]) -> None:
        repo, token = accepted
        (repo.path / "a").unlink()
        repo.commit({"b/c": f"\n\n\n  '{token}'"}, "moved", "--amend")
        assert report("history", repo.path, code=0)["findings"] == []
        assert patscan("baseline", "check", repo.path).stdout == "1 entry, 0 to prune.\n"

    def test_no_secret_in_it_and_nothing_that_churns(self, accepted: tuple[Repo, str], rng: random.Random) -> None:
        repo, token = accepted
        file = repo.path / ".patscan-baseline"
        before, stamp = file.read_text(), file.stat()
        assert token[6:14] not in before
        assert [line.split(" ", 1)[1] for line in before.splitlines()[2:]] == ["personal-access-token - a revoked in March"]
        assert "nothing changed" in patscan("baseline", "write", repo.path, "--reason", "another").stdout
        assert file.stat() == stamp
        repo.write("new", classic(rng))
        patscan("baseline", "write", cwd=repo.path)
        after = file.read_text().splitlines()
        assert set(before.splitlines()) < set(after)
        assert after[2:] == sorted(after[2:])
        assert file.stat().st_mode & 0o777 == 0o644

    def test_names_that_hold_a_token_or_a_line_feed(self, repo: Repo, rng: random.Random) -> None:
        token, other = classic(rng), classic(rng)
        for name in (token, f"{other}\n<<<<<<< \x1b[31m x", b"\xff"):
            repo.write(name, token if name == token else classic(rng))
        assert patscan("baseline", "write", repo.path).returncode == 0
        text = (repo.path / ".patscan-baseline").read_text()
        assert not any(secret[6:14] in text for secret in (token, other))
        assert text.count("\n") == 6  # the name of the second file is a token of its own
        assert report("scan", repo.path, code=0)["findings"] == []

    def test_history_only_if_it_is_asked_for(self, repo: Repo, rng: random.Random) -> None:
        old = classic(rng)
        repo.commit({"a": old})
        repo.commit({"a": "gone"})
        patscan("baseline", "write", repo.path)
        assert tokens(report("history", repo.path, code=1)) == {old}
        patscan("baseline", "write", repo.path, "--history")
        assert tokens(report("history", repo.path, code=0)) == set()
        assert patscan("baseline", "check", repo.path).returncode == 0

    def test_expired_unused_and_double_entries(self, accepted: tuple[Repo, str]) -> None:
        repo, token = accepted
        file = repo.path / ".patscan-baseline"
        head, line = file.read_text().splitlines()[:2], file.read_text().splitlines()[2]
        yesterday, tomorrow = ((datetime.now(UTC) + timedelta(days)).date().isoformat() for days in (-1, 1))
        unused = "0" * 32 + line[32:]
        file.write_text("\n".join([*head, unused, line.replace(" - ", f" {yesterday} "), line, ""]))
        done = patscan("baseline", "check", repo.path)
        assert done.returncode == 1
        assert [text.split(": ")[0].rsplit(":", 1)[1] for text in done.stdout.splitlines()[:-1]] == ["3", "4", "5"]
        for word in ("unused", "expired", "duplicates an earlier entry"):
            assert word in done.stdout
        assert "1 removed" not in patscan("baseline", "prune", repo.path).stdout
        assert file.read_text().splitlines() == head
        file.write_text("\n".join([*head, line.replace(" - ", f" {yesterday} "), ""]))
        document = report("scan", repo.path, code=1)
        assert f"{file}:3: this entry for a token in a expired" in notes(document)
        assert patscan("scan", repo.path, "--fail-on-expired").returncode == 2
        assert "1 renewed" in patscan("baseline", "write", repo.path, "--expires", tomorrow).stdout
        assert file.read_text().splitlines()[2] == line.replace(" - ", f" {tomorrow} ")
        assert reasons(report("scan", repo.path, code=0)) == {token: "baseline"}

    def test_what_could_not_be_looked_at_keeps_its_entries(self, accepted: tuple[Repo, str], tmp_path: Path) -> None:
        repo, _ = accepted
        repo.commit({"a": "gone"})
        subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{repo.path}", tmp_path / "shallow"], check=True)
        before = (tmp_path / "shallow" / ".patscan-baseline").read_bytes()
        assert patscan("baseline", "prune", tmp_path / "shallow").returncode == 3
        assert patscan("baseline", "check", tmp_path / "shallow").returncode == 3
        assert (tmp_path / "shallow" / ".patscan-baseline").read_bytes() == before

    def test_a_broken_one_is_a_sentence_and_stays(self, accepted: tuple[Repo, str]) -> None:
        repo, _ = accepted
        file = repo.path / ".patscan-baseline"
        file.write_text(file.read_text()[:-5])
        before = file.read_bytes()
        for command in (["scan"], ["baseline", "write"], ["baseline", "check"], ["baseline", "prune"], ["history"]):
            done = patscan(*command, repo.path)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1)
            assert f"{file}:3: the last line is cut off" in done.stderr
        assert file.read_bytes() == before

    def test_a_link_out_of_the_repository_is_never_written_through(self, repo: Repo, tmp_path: Path, rng: random.Random) -> None:
        repo.write("a", classic(rng))
        os.symlink(tmp_path / "outside", repo.path / ".patscan-baseline")
        done = patscan("baseline", "write", repo.path)
        assert (done.returncode, (tmp_path / "outside").exists()) == (2, False)
        assert "lies outside" in done.stderr

    def test_a_named_one_for_a_bare_repository(self, repo: Repo, tmp_path: Path, rng: random.Random) -> None:
        token = classic(rng)
        repo.commit({"a": token})
        bare, file = tmp_path / "bare", tmp_path / "accepted"
        repo.git("clone", "-q", "--bare", ".", str(bare))
        assert patscan("baseline", "write", bare).returncode == 2
        assert patscan("baseline", "write", bare, "--baseline", file).returncode == 0
        assert reasons(report("history", bare, "--baseline", file, code=0)) == {token: "baseline"}
        assert reasons(report("history", f"file://{bare}", "--baseline", file, code=0)) == {token: "baseline"}

    @pytest.mark.parametrize(
        "flags", [["--reason", "a\nb"], ["--reason", ""], ["--expires", "soon"], ["--no-baseline"], ["--nonsense"], ["--config", "nowhere"]]
    )
    def test_wrong_flags(self, repo: Repo, flags: list[str]) -> None:
        done = patscan("baseline", "write", repo.path, *flags)
        assert done.returncode == 2
        assert not (repo.path / ".patscan-baseline").exists()

    def test_a_place_that_is_not_there_gets_no_baseline(self, tmp_path: Path) -> None:
        done = patscan("baseline", "write", tmp_path / "nowhere")
        assert (done.returncode, list(tmp_path.iterdir())) == (2, [])

    def test_without_one_there_is_nothing_to_check(self, repo: Repo) -> None:
        assert "there is no baseline" in patscan("baseline", "check", repo.path).stderr
