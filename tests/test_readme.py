"""What the README names exists, and what exists is named in it."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from patscan import HOME, config, rulebook
from patscan.cli.parser import COMMANDS as COMMANDS_OF_THE_PARSER
from patscan.cli.parser import build, parse
from patscan.detect.ignores import DIRECTIVES
from patscan.errors import ExitCode
from patscan.formats import FORMATS
from patscan.model import CONFIDENCES, STATES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCS = (ROOT / "docs" / "formats.md").read_text("utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


NEEDED = {"revoke": ["--active"], "rotate": ["--fingerprint", "3b", "--token-file", "new"]}
"""What these commands can't do without, where the README names them with their report alone."""


def commands() -> list[list[str]]:
    lines = [line for _, block in BLOCKS for line in re.split(r"\n|&&", block)] + re.findall(r"`([^`\n]+)`", README + COMMANDS)
    lines = [line.strip().removeprefix("- ") for line in lines]
    named = [
        line
        for line in lines
        if re.match(
            r"(\S*/)?patscan (scan|history|ci|hook|push|message|inspect|verify|revoke|rotate|plan|install-hooks"
            r"|report|config|(rules|baseline) \w+)",
            line,
        )
    ]
    words = [shlex.split(re.sub(r"\[[^]]*\]|>.*", "", line))[1:] for line in named]
    return [command + NEEDED.get(command[0], []) if command[2:] == [] else command for command in words]


def parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [parser, *(inner for group in groups for sub in group.choices.values() for inner in parsers(sub))]


def flags() -> set[str]:
    return {
        flag for parser in parsers(build()) for action in parser._actions for flag in action.option_strings if flag not in {"-h", "--help"}
    }


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_parses(command: list[str]) -> None:
    assert parse(["DIR" if word == "ID" else word for word in command]).command


def test_every_flag_is_in_the_table_and_every_named_flag_exists() -> None:
    named = set(re.findall(r"(?<![\w=-])--[a-z][a-z-]+", COMMANDS.split("## Flags")[1]))
    assert flags() == named
    ours = README.split("## How it compares")[0] + README.split("## Rules")[1] + COMMANDS
    assert set(re.findall(r"(?<![\w=-])--[a-z][a-z-]+", ours)) - {"--editable"} <= flags()


def test_the_readme_is_for_a_reader_in_a_hurry() -> None:
    assert len(README.splitlines()) <= 150


def test_no_page_names_a_command_that_does_not_exist() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"`(?:\S+/)?patscan ([a-z][a-z-]+)\b", page.read_text("utf-8")))
        assert named <= set(COMMANDS_OF_THE_PARSER), page.name


def test_every_command_is_in_the_table() -> None:
    table = README.split("## Commands")[1].split("\n[")[0]
    for command in COMMANDS_OF_THE_PARSER:
        assert re.search(rf"[`,]\s?`?(?:patscan )?{command}\b", table), command


def test_the_example_configuration_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", (ROOT / "docs" / "configuration.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / config.NAME).write_text(example, "utf-8")
    loaded = config.load(tmp_path)
    assert loaded.values
    assert set(loaded.get("severity")) <= {rule.id for rule in rulebook.load()}


def test_every_ignore_comment_is_listed() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8").split("## Ignore comments")[1].split("## ")[0]
    assert re.findall(r"^- `([^`]+)`", text, re.MULTILINE) == list(DIRECTIVES)


def test_every_exit_code_is_in_the_table() -> None:
    table = README.split("## Exit codes")[1].split("##")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == sorted(ExitCode)


def test_every_format_and_every_confidence_is_named() -> None:
    listed = re.search(r"Formats: ([^(]*)\(", README)
    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == list(FORMATS)
    table = COMMANDS.split("## How sure it is")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(reversed(CONFIDENCES))


def test_every_format_is_explained_and_its_jobs_parse() -> None:
    assert re.findall(r"^\| `(\w+)` \|", DOCS.split("\n## ")[0], re.MULTILINE) == list(FORMATS)
    jobs = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)]
    assert [list(job) for job in jobs] == [["patscan"], ["jobs"]]
    lines = re.findall(r"- (?:run: )?(patscan .*)", DOCS)
    assert len(lines) == 2
    for line in lines:
        assert parse(shlex.split(line)[1:]).command


def test_every_hook_named_is_shipped_and_every_rule_named_exists() -> None:
    shipped = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert set(re.findall(r"- id: (\S+)", README)) <= set(shipped)
    for hook in shipped.values():
        files = ["FILE"] if hook.get("pass_filenames", True) else []
        assert parse([*shlex.split(hook["entry"])[1:], *hook.get("args", []), *files]).command
        assert hook["language"] == "python"
    ids = {rule.id for rule in rulebook.load()}
    assert set(re.findall(r"rules show (gitlab[\w-]+)", README)) <= ids


def test_the_page_of_hooks_names_what_there_is() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text("utf-8")
    shipped = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert re.findall(r"- id: (\S+)", page) == list(shipped)
    named = re.findall(r"patscan (?:hook|push|message|install-hooks)\b[^'`\n]*", page)
    assert len(named) > 8
    for command in named:
        assert parse(shlex.split(command)[1:]).command


def test_links_lead_somewhere_and_home_is_home() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"
    assert HOME in README
    assert HOME in (ROOT / "pyproject.toml").read_text("utf-8")


def test_every_commit_that_is_pinned_is_one_of_ours_and_has_the_hooks() -> None:
    pages = [README, DOCS, (ROOT / "docs" / "hooks.md").read_text("utf-8")]
    pinned = [commit for page in pages for commit in re.findall(r"(?:^ +rev: |patscan@)([^\s`]+)", page, re.MULTILINE)]
    assert len(pinned) == 6  # two hooks, three jobs, one installation
    assert not re.findall(r"^ *- (?:run: )?pip install patscan", "".join(pages), re.MULTILINE)
    (commit,) = set(pinned)
    assert re.fullmatch(r"[0-9a-f]{40}", commit)
    git = ("git", "-C", str(ROOT))
    if subprocess.run((*git, "cat-file", "-e", f"{commit}^{{commit}}"), capture_output=True, check=False).returncode:
        pytest.skip("a shallow checkout, or none")
    assert subprocess.run((*git, "merge-base", "--is-ancestor", commit, "HEAD"), check=False).returncode == 0
    hooks = yaml.safe_load(subprocess.run((*git, "show", f"{commit}:.pre-commit-hooks.yaml"), capture_output=True, check=True).stdout)
    assert {hook["id"] for hook in hooks} >= set(re.findall(r"- id: (\S+)", "".join(pages)))


def test_the_page_of_asking_names_what_there_is() -> None:
    page = (ROOT / "docs" / "verify.md").read_text("utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        assert parse(shlex.split(line.partition(" > ")[0])[1:]).command
    states = page.split("## States")[1].split("##")[0]
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", states, re.MULTILINE)) == sorted(STATES)
    assert set(re.findall(r"(?<![\w=-])--[a-z][a-z-]+", page)) <= flags()


def test_the_page_of_revoking_names_what_there_is() -> None:
    page = (ROOT / "docs" / "revoke.md").read_text("utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        assert parse(shlex.split(line)[1:]).command
    assert set(re.findall(r"(?<![\w=-])--[a-z][a-z-]+", page)) <= flags()
    kinds = re.findall(r"^\| `([\w-]+)` \|", page.split("## Ways")[1].split("\n## ")[0], re.MULTILINE)
    assert sorted(kinds) == sorted({rule.kind for rule in rulebook.load()})
