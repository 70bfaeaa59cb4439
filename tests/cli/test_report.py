"""``patscan report``: a saved report in every format, with the exit code of its scan."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from patscan.formats import FORMATS
from tests.cli.test_main import patscan
from tests.formats.parsing import parsed
from tests.repo import Repo
from tests.tokens import classic


@pytest.fixture
def leak(tmp_path: Path, rng: random.Random) -> Path:
    file = tmp_path / "leak.env"
    file.write_text(f"TOKEN={classic(rng)}\n")
    return file


@pytest.fixture
def saved(tmp_path: Path, leak: Path) -> Path:
    path = tmp_path / "saved.json"
    patscan("scan", leak, "--report", f"json={path}")
    return path


def test_every_format_is_what_the_scan_would_have_written(repo: Repo, tmp_path: Path, rng: random.Random) -> None:
    repo.commit({"a b/é.py": f"x = '{classic(rng)}'\n", "b": classic(rng)}, "Add\n\nmore")
    repo.commit({"b": "gone"})
    wanted = [flag for name in FORMATS for flag in ("--report", f"{name}={tmp_path / name}")]
    assert patscan("history", repo.path, *wanted).returncode == 1
    for name in FORMATS:
        done = patscan("report", tmp_path / "json", "--format", name)
        assert (done.returncode, done.stdout) == (1, (tmp_path / name).read_text("utf-8")), name
        parsed(name, done.stdout)


def test_a_demand_that_was_not_met(repo: Repo, tmp_path: Path, rng: random.Random) -> None:
    repo.commit({".patscan.toml": "require-ignore-reason = true\n", "a": f"{classic(rng)} # patscan:ignore\n"})
    wanted = [flag for name in FORMATS for flag in ("--report", f"{name}={tmp_path / name}")]
    assert patscan("history", repo.path, *wanted).returncode == 2
    for name in FORMATS:
        done = patscan("report", tmp_path / "json", "--format", name)
        assert (done.returncode, done.stdout) == (2, (tmp_path / name).read_text("utf-8")), name
        assert "violated a demand" in done.stderr


def test_standard_input_and_files(saved: Path, tmp_path: Path) -> None:
    done = patscan("report", "-", "--format", "json", "--report", f"csv={tmp_path / 'x.csv'}", stdin=saved.read_bytes())
    assert (done.returncode, done.stdout) == (1, saved.read_text())
    assert (tmp_path / "x.csv").read_text().startswith('"row",')


def test_the_exit_code_is_the_scans_and_the_flags_bend_it(saved: Path, tmp_path: Path, leak: Path) -> None:
    assert patscan("report", saved).returncode == 1
    assert patscan("report", saved, "--exit-zero").returncode == 0
    leak.write_text("clean")
    assert patscan("scan", leak, "--report", f"json={saved}").returncode == 0
    assert patscan("report", saved).returncode == 0
    assert patscan("scan", tmp_path / "nowhere", "--report", f"json={saved}").returncode == 3
    assert patscan("report", saved).returncode == 3
    assert patscan("report", saved, "--allow-incomplete").returncode == 0
    saved.write_text(json.dumps(json.loads(saved.read_text()) | {"interrupted": True}))
    assert patscan("report", saved).returncode == 130


@pytest.mark.parametrize("name", ["missing.json", "folder", "text.json"])
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.json").write_text("hello")
    done = patscan("report", tmp_path / name)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert name in done.stderr


def test_a_report_is_not_written_over_the_one_that_is_read(saved: Path) -> None:
    before = saved.read_bytes()
    done = patscan("report", saved, "--report", f"json={saved}")
    assert done.returncode == 2
    assert "is an input file" in done.stderr
    assert saved.read_bytes() == before


def test_no_token_without_being_asked(tmp_path: Path, leak: Path) -> None:
    token = leak.read_text().strip().partition("=")[2]
    saved = tmp_path / "whole.json"
    patscan("scan", leak, "--show-secrets", "--report", f"json={saved}")
    for name in FORMATS:
        done = patscan("report", saved, "--format", name)
        assert token[6:14] not in done.stdout + done.stderr
    assert token in patscan("report", saved, "--show-secrets").stdout


@pytest.mark.parametrize("field", ["id", "kind", "name", "description", "remedy", "references"])
def test_nothing_of_a_rule_steers_the_terminal(saved: Path, field: str) -> None:
    document = json.loads(saved.read_text())
    evil = "\x1b]0;owned\x07"
    (place,) = document["findings"]
    rule = next(rule for rule in document["tool"]["rules"] if rule["id"] == place["rule"])
    rule[field] = [evil] if field == "references" else evil
    place["rule"] = rule["id"]
    saved.write_text(json.dumps(document))
    for name in FORMATS:
        done = patscan("report", saved, "--format", name)
        assert done.returncode == 1, done.stderr
        assert "\x1b" not in done.stdout + done.stderr, name
