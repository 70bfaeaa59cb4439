"""The component and the snippets of docs/ci.md do what they say: their own script lines run here, against clones of a local server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from patscan import __version__
from patscan.cli.parser import parse
from patscan.formats.markdown import MARKER
from tests.ci.world import CI_VARIABLES, ROOT, World, checkout, github, gitlab, pull_request, pushed, request, world
from tests.gitlab.loopback import GitLab

PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
TEMPLATE = (ROOT / "templates" / "patscan.yml").read_text("utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("world"), leaky=True)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("clean"), leaky=False)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the PATH with this very patscan."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "patscan").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m patscan "$@"\n')
    (folder / "patscan").chmod(0o755)
    return folder


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def block(title: str, kind: str) -> str:
    match = re.search(rf"^```{kind}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)
    assert match
    return match[1]


def component(**inputs: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs' specification, and the job that they make."""
    head, body = TEMPLATE.split("\n---\n")
    spec = yaml.safe_load(head)["spec"]["inputs"]
    values = {name: one["default"] for name, one in spec.items()} | inputs
    assert set(inputs) <= set(spec)
    job = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda match: values[match[1]], body)
    assert "[[" not in job
    return spec, yaml.safe_load(job)["patscan"]


def run(folder: Path, tools: Path, lines: list[str], variables: Mapping[str, str], shell: str = "sh") -> tuple[int, str]:
    """The lines of a job in one shell that ends with the first that fails, as runners have it; nothing is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(CI_VARIABLES)}
    env = {**kept, "PYTHONPATH": str(ROOT), "PATH": f"{tools}:{os.environ['PATH']}", **variables}
    commands = [line for line in lines if "pip install" not in line]
    assert any("patscan ci" in line for line in commands)
    done = subprocess.run([shell, "-e", "-c", "\n".join(commands)], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("confidence", ["medium", "certain"])
def test_the_component_writes_its_reports(made: World, tools: Path, tmp_path: Path, confidence: str) -> None:
    _, job = component(confidence=confidence)
    place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 20)
    code, text = run(place, tools, job["script"], request(made))
    assert code == (1 if confidence == "medium" else 0), text  # the world's tokens are of high confidence
    for name in (*job["artifacts"]["reports"].values(), *job["artifacts"]["paths"]):
        assert (place / name).stat().st_size, name
    assert (place / "patscan.md").read_text().startswith(f"{MARKER}\n")
    assert text.startswith("\x1b[0Ksection_start:")
    assert "section_end:" in text[-60:]


@pytest.mark.parametrize(("state", "code"), [("", 1), ("not-found", 1), ("active", 0)])
def test_the_component_asks_the_instance_and_fails_on_a_state(made: World, tools: Path, tmp_path: Path, state: str, code: int) -> None:
    _, job = component(verify="yes", **{"fail-on": state})
    place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 20)
    with GitLab() as server:
        got = run(place, tools, job["script"], {**request(made), "CI_SERVER_URL": server.url})
        assert got[0] == code, got
        assert server.requests


def test_the_component_asks_nobody_unless_it_is_told(made: World, tools: Path, tmp_path: Path) -> None:
    _, job = component()
    place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 20)
    with GitLab() as server:
        run(place, tools, job["script"], {**request(made), "CI_SERVER_URL": server.url})
        assert not server.requests


def test_the_component_is_what_the_catalog_and_the_page_want() -> None:
    spec, job = component()
    assert all(one["description"] and "default" in one for one in spec.values())
    assert spec["version"]["default"] == __version__
    assert re.findall(r"^\| `([\w-]+)` \| (`?.*?`?) \|", section("GitLab: the component"), re.MULTILINE)[0][0] == "stage"
    assert re.findall(r"^\| `([\w-]+)` \|", section("GitLab: the component"), re.MULTILINE) == list(spec)
    (include,) = yaml.safe_load(block("GitLab: the component", "yaml"))["include"]
    assert include["component"].endswith(f"/patscan/patscan/patscan@v{__version__}")
    assert set(include["inputs"]) <= set(spec)
    assert f'"patscan=={__version__}"' in job["before_script"][2]


def test_gitlab_without_the_component(made: World, clean: World, tools: Path, tmp_path: Path) -> None:
    job = yaml.safe_load(block("GitLab: without the component", "yaml"))["patscan"]
    for name, one, code in (("leaky", made, 1), ("clean", clean, 0)):
        place = checkout(tmp_path / name, one.url, one.commits["t12"], 20)
        got = run(place, tools, job["script"], gitlab(one, "t12", CI_COMMIT_BRANCH="topic"))
        assert got[0] == code, got
        assert all((place / report).stat().st_size for report in job["artifacts"]["reports"].values())


def steps() -> list[str]:
    workflow = yaml.safe_load(block("GitHub", "yaml"))
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["patscan"]["permissions"] == {"contents": "read"}
    return [step["run"] for step in workflow["jobs"]["patscan"]["steps"] if "run" in step]


def test_github_annotates_and_adds_to_the_summary(made: World, tools: Path, tmp_path: Path) -> None:
    place = checkout(tmp_path / "checkout", made.url, made.commits["merge"], 1)
    summary = tmp_path / "summary.md"
    summary.write_text("# An earlier line\n")
    variables = github(made, tmp_path, "pull_request", "merge", "refs/pull/7/merge", pull_request(made))
    code, text = run(place, tools, steps(), variables | {"GITHUB_STEP_SUMMARY": str(summary)})
    assert code == 1, text
    lines = text.splitlines()
    assert lines[0].startswith("patscan: GitHub Actions, pull_request: what the pull request #7 introduces")
    assert "::error " in text
    assert summary.read_text().startswith(f"# An earlier line\n{MARKER}\n")
    assert (place / "patscan.sarif").stat().st_size


def test_a_summary_that_can_not_be_written_is_a_sentence(clean: World, tools: Path, tmp_path: Path) -> None:
    place = checkout(tmp_path / "checkout", clean.url, clean.commits["t12"], 1)
    variables = github(clean, tmp_path, "push", "t12", "refs/heads/topic", pushed(clean, "t3", "t12"))
    code, text = run(place, tools, steps(), variables | {"GITHUB_STEP_SUMMARY": "/nowhere/summary.md"})
    assert (code, "GITHUB_STEP_SUMMARY: /nowhere/summary.md can't be written to" in text) == (2, True)


def test_actions_are_pinned() -> None:
    used = re.findall(r"uses: (\S+)(.*)", PAGE)
    assert len(used) == 3
    for action, comment in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v[\d.]+", comment)


@pytest.mark.skipif(not shutil.which("zizmor"), reason="zizmor isn't installed")
def test_the_workflow_is_clean_under_zizmor(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "patscan.yml").write_text(block("GitHub", "yaml"))
    done = subprocess.run(
        ["zizmor", "--offline", "--persona", "auditor", ".github"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "No findings to report" in done.stdout) == (0, True), done.stdout


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"CHANGE_TARGET": "main"}, 1),
        ({"GIT_PREVIOUS_SUCCESSFUL_COMMIT": "t3"}, 1),
        ({"GIT_PREVIOUS_SUCCESSFUL_COMMIT": "t6"}, 0),
        ({}, 1),
    ],
)
def test_jenkins(made: World, tools: Path, tmp_path: Path, variables: Mapping[str, str], code: int) -> None:
    lines = [
        line.strip() for script in re.findall(r"sh '''\n(.*?)'''", block("Jenkins", "groovy"), re.DOTALL) for line in script.splitlines()
    ]
    place = checkout(tmp_path / "checkout", made.url, made.commits["t12"])
    got = run(place, tools, lines, {name: made.commits.get(value, value) for name, value in variables.items()})
    assert got[0] == code, got
    assert (place / "patscan.xml").stat().st_size


@pytest.mark.parametrize(
    ("event", "variables", "code"),
    [
        ("pull_request", {"CI_COMMIT_TARGET_BRANCH": "main"}, 1),
        ("push", {"CI_PREV_COMMIT_SHA": "t3"}, 1),
        ("push", {"CI_PREV_COMMIT_SHA": "t6"}, 0),
        ("push", {}, 1),
        ("cron", {}, 1),
    ],
)
def test_woodpecker(made: World, tools: Path, tmp_path: Path, event: str, variables: Mapping[str, str], code: int) -> None:
    (step,) = yaml.safe_load(block("Woodpecker", "yaml"))["steps"]
    place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 1)
    values = {name: made.commits.get(value, value) for name, value in variables.items()}
    got = run(place, tools, step["commands"], {"CI_PIPELINE_EVENT": event, "CI_COMMIT_SHA": made.commits["t12"], **values})
    assert got[0] == code, got


def test_anywhere(made: World, tools: Path, tmp_path: Path) -> None:
    place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 1)
    for line in block("Anywhere", "sh").splitlines():
        code, text = run(place, tools, [line], {})
        assert code == 1, text


def test_every_command_of_the_page_parses() -> None:
    commands = re.findall(r"\bpatscan (ci[^`\n#]*)", "\n".join(re.findall(r"^```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)))
    assert len(commands) >= 6
    for command in commands:
        assert parse(command.strip(" \"'").split()).command
