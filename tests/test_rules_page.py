"""docs/rules.md and the rulebook say the same, and its example holds when it is copied."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from patscan import rulebook
from patscan.detect.likelihood import NEVER_DRAWN
from patscan.errors import RuleError
from patscan.model import SEVERITIES
from tests.cli.test_main import patscan

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")
_blocks = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rows(title: str) -> dict[str, str]:
    part = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", part, re.MULTILINE))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The page's example, copied."""
    folder = tmp_path / "own-rules"
    folder.mkdir()
    (example,) = _blocks
    (folder / "deploy-bot.toml").write_text(example, "utf-8")
    return folder


def test_every_field_and_every_body_is_explained() -> None:
    assert set(rows("Fields")) == rulebook._FIELDS
    assert {field for field, text in rows("Fields").items() if not text.endswith("| an error")} == set(rulebook._OPTIONAL)
    assert set(rows("Bodies")) == set(rulebook.BODIES)
    assert all(f"`{severity}`" in rows("Fields")["severity"] for severity in SEVERITIES)
    assert set(re.findall(r"`(\w)`", rows("Bodies")["friendly"].split("draws no")[1])) == {chr(byte) for byte in NEVER_DRAWN}


def test_the_example_passes_the_check_and_finds_its_token(own: Path, tmp_path: Path) -> None:
    done = patscan("rules", "check", "--rules", own)
    assert (done.returncode, done.stderr) == (0, "")
    (rule,) = tomllib.loads((own / "deploy-bot.toml").read_text())["rule"]
    (tmp_path / "a.env").write_text(rule["examples"][0]["text"].replace("~", ""))
    assert patscan("scan", tmp_path / "a.env").returncode == 0
    done = patscan("scan", tmp_path / "a.env", "--rules", own)
    assert done.returncode == 1
    assert rule["name"] in done.stdout


def test_prefixes_of_examples_in_the_documentation_stand_in_no_shipped_example() -> None:
    prefixes = {
        prefix for page in ROOT.glob("*.md") for prefix in re.findall(r'^pat-prefix = "([^"]+)"', page.read_text("utf-8"), re.MULTILINE)
    }
    (rule,) = tomllib.loads(_blocks[0])["rule"]
    for prefix in {rule["prefix"], *prefixes}:
        for shipped in rulebook.load():
            assert not any(prefix in text for text in (*(example.text for example in shipped.examples), *shipped.counter_examples)), prefix


def test_rules_of_one_kind_share_a_remedy(own: Path) -> None:
    file = own / "deploy-bot.toml"
    text = re.sub("^remedy = .*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
    second = text.replace('id = "deploy-bot-token"', 'id = "deploy-bot-old"\nremedy = "Delete it."').replace("dplbot-", "dpbold-")
    file.write_text(f'[remedies]\ndeploy-bot-token = "Reset it."\n{text}{second}', "utf-8")
    shared, single = (rule for rule in rulebook.load([own]) if rule.kind == "deploy-bot-token")
    assert (shared.remedy, single.remedy) == ("Reset it.", "Delete it.")


def test_a_shared_remedy_belongs_to_a_kind_of_the_file(own: Path) -> None:
    (own / "deploy-bot.toml").write_text(f'[remedies]\nother = "Reset it."\n{_blocks[0]}', "utf-8")
    with pytest.raises(RuleError, match=r"deploy-bot\.toml: each key in \[remedies\] must be the kind of a rule"):
        rulebook.load([own])


def test_no_shipped_remedy_is_written_twice() -> None:
    for file in rulebook.shipped().glob("*.toml"):
        remedies = [rule["remedy"] for rule in tomllib.loads(file.read_text("utf-8"))["rule"] if "remedy" in rule]
        assert len(remedies) == len(set(remedies)), file.name
    assert rulebook._REMEDY not in {rule.remedy for rule in rulebook.load()}


def test_all_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[rule]]\nid = "Bad Id"\nseverity = "awful"\npattern = "("\ncolour = "red"\n[[rule]]\nid = "two"\n')
    (tmp_path / "b.toml").write_text("x = 1\n")
    (tmp_path / "c.toml").write_text("[[rule")
    done = patscan("rules", "check", "--rules", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    for sentence in (
        "a.toml: rule 'Bad Id': unknown field 'colour'",
        "a.toml: rule 'Bad Id': the id must be made of lowercase letters",
        "a.toml: rule 'Bad Id': severity is 'awful'",
        "a.toml: rule 'Bad Id': pattern is no regular expression",
        "a.toml: rule 'Bad Id': examples must be",
        "a.toml: rule 'two': severity must be",
        "a.toml: rule 'two': needs a prefix or anchors",
        "Without, it would be tried at every byte",
        "b.toml: a rule file holds [[rule]] tables",
        "c.toml: not a TOML file",
    ):
        assert sentence in done.stderr
