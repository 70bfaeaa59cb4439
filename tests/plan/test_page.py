"""What docs/leaked.md names exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from patscan.cli.parser import parse
from patscan.gitlab.scopes import SCOPES

PAGE = (Path(__file__).parents[2] / "docs" / "leaked.md").read_text("utf-8")


def test_every_command_parses() -> None:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    commands = [line.partition(" > ")[0].rpartition("| ")[2].strip() for block in blocks for line in block.splitlines()]
    commands = [command for command in commands if command.startswith("patscan ")]
    assert len(commands) == 6
    for command in commands:
        assert parse(shlex.split(command)[1:]).command


def test_every_scope_is_explained() -> None:
    table = PAGE.split("| scope |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:]))) == sorted(SCOPES)


def test_every_file_of_a_plan_is_explained() -> None:
    table = PAGE.split("| file |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `([\w.-]+)`", table, re.MULTILINE)) == [
        *(".gitignore", "blobs.txt", "callbacks.py", "commit-maps.txt", "plan.md", "remove.sh", "replacements.txt", "verify.sh")
    ]
