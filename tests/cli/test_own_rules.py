"""Rules of a user's own, as whole processes: what a report gives away, and what the check says."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from pathlib import Path

import pytest

from patscan.secret import Secret
from tests.cli.test_main import patscan

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
(TEN_LINES,) = re.findall(r"^```toml\n(\[\[rule\]\]\n.*?)^```", README, re.MULTILINE | re.DOTALL)
WEAK = "summer2026"
WEAK_RULE = f"""
[[rule]]
id = "acme-password"
severity = "high"
anchors = ["acme_password"]
pattern = 'acme_password=(?P<secret>[!-~]{{4,40}})'
body = "typed"
examples = [{{ text = 'acme_password={WEAK}', secret = '{WEAK}' }}]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own-rules"
    folder.mkdir()
    (folder / "acme.toml").write_text(TEN_LINES + WEAK_RULE)
    return folder


def scanned(file: Path, own: Path, *more: str, **environment: str) -> dict:
    return json.loads(patscan("scan", file, "--rules", own, "--format", "json", *more, **environment).stdout)


def test_the_rule_in_the_readme_has_ten_lines_holds_and_finds(own: Path, tmp_path: Path) -> None:
    assert len(TEN_LINES.splitlines()) == 10
    done = patscan("rules", "check", "--rules", own)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^The slowest on a hostile line of 1 MiB is [\w-]+: \d\.\d\d s of 1\.$", done.stdout, re.MULTILINE)
    (text,) = re.findall(r"text = '([^']*)'", TEN_LINES)
    (tmp_path / "a.py").write_text(text.replace("~", ""))
    assert patscan("scan", tmp_path / "a.py").returncode == 0
    (finding,) = scanned(tmp_path / "a.py", own)["findings"]
    assert finding["rule"] == "acme-api-key"
    assert patscan("rules", "show", "acme-api-key", "--rules", own).stdout.count("min_entropy") == 1


def test_no_digest_in_a_report_helps_to_guess_a_password(own: Path, tmp_path: Path) -> None:
    line = f"acme_password={WEAK}"
    (tmp_path / "a.env").write_text(f"{line}\n")
    for name in ("json", "sarif", "gitlab", "codequality", "csv", "junit", "text", "markdown", "jsonl", "brief", "github"):
        report = patscan("scan", "a.env", "--rules", own, "--format", name, cwd=tmp_path).stdout
        assert "acme-password" in report, name
        assert WEAK not in report, name
        assert Secret(WEAK.encode()).fingerprint[:8] not in report, name
        for text in (WEAK, line, f"{line}\n"):
            for digest in (hashlib.blake2b(text.encode(), digest_size=16), hashlib.sha256(text.encode()), hashlib.sha1(text.encode())):
                assert digest.hexdigest()[:8] not in report, name
    (finding,) = scanned(tmp_path / "a.env", own)["findings"]
    assert finding["occurrences"][0]["line_hash"] is None


def test_the_key_is_the_users_and_stays(own: Path, tmp_path: Path, no_foreign_cache: Path) -> None:
    (tmp_path / "a.env").write_text(f"acme_password={WEAK}\n")
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "patscan"
    prints = [scanned(tmp_path / "a.env", own)["findings"][0]["fingerprint"] for _ in range(2)]
    assert prints[0] == prints[1]
    file = config / "fingerprint.key"
    assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_size) == (0o600, 32)
    assert prints[0] == Secret(WEAK.encode(), key=Secret(file.read_bytes())).fingerprint
    assert file.read_bytes() != (config / "cache.key").read_bytes()
    other = scanned(tmp_path / "a.env", own, XDG_CONFIG_HOME=str(tmp_path / "other"))
    assert other["findings"][0]["fingerprint"] != prints[0]


def test_without_a_folder_for_the_key_the_ids_are_this_reports(own: Path, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"acme_password={WEAK}\n")
    (tmp_path / "no-folder").write_text("")
    reports = [scanned(tmp_path / "a.env", own, XDG_CONFIG_HOME=str(tmp_path / "no-folder")) for _ in range(2)]
    assert len({report["findings"][0]["fingerprint"] for report in reports}) == 2
    assert any("can't be stored" in note["reason"] for note in reports[0]["coverage"]["notes"])
    assert not any("can't be stored" in note["reason"] for note in scanned(tmp_path / "a.env", own)["coverage"]["notes"])


def test_gitlabs_tokens_and_what_has_80_bits_need_no_key(own: Path, tmp_path: Path) -> None:
    (text,) = re.findall(r"text = '([^']*)'", TEN_LINES)
    (secret,) = re.findall(r"secret = '~([^']*)'", TEN_LINES)
    (tmp_path / "a.py").write_text(text.replace("~", ""))
    (finding,) = scanned(tmp_path / "a.py", own)["findings"]
    assert finding["fingerprint"] == Secret(secret.encode()).fingerprint
    assert finding["occurrences"][0]["line_hash"]
    patscan("scan", tmp_path / "a.py")
    (tmp_path / "config").mkdir()
    patscan("scan", tmp_path / "a.py", XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert not (tmp_path / "config/patscan/fingerprint.key").exists()


def test_the_history_finds_with_an_own_rule_in_workers_and_from_the_kept_rules(own: Path, repo, environment) -> None:
    repo.commit({"a.env": f"acme_password={WEAK}\n"})
    reports = [json.loads(patscan("history", repo.path, "--rules", own, "--format", "json", "--jobs", jobs).stdout) for jobs in ("1", "2")]
    assert [[finding["rule"] for finding in report["findings"]] for report in reports] == [["acme-password"]] * 2
    assert len({finding["fingerprint"] for report in reports for finding in report["findings"]}) == 1


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "fields.toml").write_text('[[rule]]\nid = "a"\nseverity = "awful"\npattern = "x"\nexamples = []\n')
    (tmp_path / "promises.toml").write_text(WEAK_RULE.replace(f"text = 'acme_password={WEAK}'", f"text = 'x={WEAK}'"))
    short = TEN_LINES.replace("length = 32", "length = 31").replace("acme-api-key", "acme-short")
    (tmp_path / "short.toml").write_text(short)
    done = patscan("rules", "check", "--rules", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    for sentence in (
        "fields.toml: rule 'a': severity is 'awful'",
        "fields.toml: rule 'a': pattern needs exactly one named group",
        "fields.toml: rule 'a': needs a prefix or anchors",
        "acme-password: the example 'x=summer2026' has 0 matches",
        "acme-short: the example 'ACME_KEY",
        "is ignored: length (not of the length that the rule demands)",
    ):
        assert sentence in done.stderr, sentence


def test_min_confidence_low_keeps_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("TOKEN=glpat-my-personal-token-ab\n")
    (ignored,) = json.loads(patscan("scan", tmp_path / "a.env", "--format", "json").stdout)["ignored"]
    assert ignored["reason"] == "placeholder"
    report = json.loads(patscan("scan", tmp_path / "a.env", "--format", "json", "--min-confidence", "low").stdout)
    (finding,) = report["findings"]
    assert {"type": "reason", "text": "placeholder"} in finding["evidence"]
    assert "placeholder" in patscan("scan", tmp_path / "a.env", "--min-confidence", "low").stdout


def test_gitlab_is_not_asked_about_what_an_own_rule_finds(own: Path, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(f"acme_password={WEAK}\n")
    (tmp_path / "audit.json").write_text(json.dumps(scanned(tmp_path / "a.env", own)))
    done = patscan("verify", tmp_path / "audit.json", "--format", "json")
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["verdict"]["reason"] == "one of your own rules found it, so GitLab isn't asked."
