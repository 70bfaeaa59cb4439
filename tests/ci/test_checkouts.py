"""Whatever a runner checked out, `patscan ci` judges what the event brings: the right tokens and the right exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.ci.world import (
    DEPTHS,
    FULL,
    GONE,
    ZEROS,
    World,
    checkout,
    ci,
    github,
    gitlab,
    pull_request,
    pushed,
    request,
    tokens_of,
    world,
)

TOPIC = {"CI_COMMIT_BRANCH": "topic"}
MAIN = {"CI_COMMIT_BRANCH": "main"}


class Event(NamedTuple):
    name: str
    commit: str
    """What is checked out."""
    variables: Callable[[World, Path], Mapping[str, str]]
    expected: tuple[str, ...]
    """The tokens that it brings."""
    before: tuple[str, ...] = ()
    """The tokens of what it brings that were there before."""


def external(made: World, _: Path) -> Mapping[str, str]:
    return gitlab(
        made,
        "t12",
        "external_pull_request_event",
        CI_EXTERNAL_PULL_REQUEST_IID="7",
        CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME="main",
        CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA="m45",
        CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME="topic",
    )


def hub(event: str, commit: str, ref: str, payload: Callable[[World], object]) -> Callable[[World, Path], Mapping[str, str]]:
    return lambda made, folder: github(made, folder, event, commit, ref, payload(made))


def group(made: World) -> object:
    return {"merge_group": {"base_sha": made.commits["m45"], "head_sha": made.commits["merge"], "base_ref": "refs/heads/main"}}


NEW, OLD = ("in",), ("old",)
EVENTS = [
    Event("gitlab merge request", "t12", lambda made, _: request(made), NEW, OLD),
    Event("gitlab merge request without base", "t12", lambda made, _: request(made, CI_MERGE_REQUEST_DIFF_BASE_SHA=""), NEW, OLD),
    Event("gitlab merge request, base gone", "t12", lambda made, _: request(made, CI_MERGE_REQUEST_DIFF_BASE_SHA=GONE), NEW, OLD),
    Event("gitlab merged result", "merge", lambda made, _: request(made, "merge", "merged_result"), NEW, OLD),
    Event("gitlab merge train", "merge", lambda made, _: request(made, "merge", "merge_train"), NEW, OLD),
    Event("gitlab child of a merge request", "t12", lambda made, _: request(made, source="parent_pipeline"), NEW, OLD),
    Event("gitlab external pull request", "t12", external, NEW, OLD),
    Event("gitlab push with the token", "t12", lambda made, _: gitlab(made, "t12", CI_COMMIT_BEFORE_SHA="t3", **TOPIC), NEW, OLD),
    Event("gitlab push after the token", "t12", lambda made, _: gitlab(made, "t12", CI_COMMIT_BEFORE_SHA="t6", **TOPIC), (), OLD),
    Event("gitlab push, before forced away", "t12", lambda made, _: gitlab(made, "t12", CI_COMMIT_BEFORE_SHA="d2", **TOPIC), NEW, OLD),
    Event("gitlab push, before gone", "t12", lambda made, _: gitlab(made, "t12", CI_COMMIT_BEFORE_SHA=GONE, **TOPIC), NEW, OLD),
    Event("gitlab new branch", "t12", lambda made, _: gitlab(made, "t12", **TOPIC), NEW, OLD),
    Event("gitlab tag", "t12", lambda made, _: gitlab(made, "t12", CI_COMMIT_TAG="v1"), ("in", "tag"), OLD),
    Event("gitlab push to main", "m45", lambda made, _: gitlab(made, "m45", CI_COMMIT_BEFORE_SHA="m41", **MAIN), ("after",)),
    Event("gitlab push to main without before", "m45", lambda made, _: gitlab(made, "m45", **MAIN), ("old", "gone", "after")),
    Event("gitlab schedule", "m45", lambda made, _: gitlab(made, "m45", "schedule", **MAIN), ("old", "gone", "after")),
    Event("gitlab manual", "t12", lambda made, _: gitlab(made, "t12", "web", **TOPIC), ("old", "gone", "in")),
    Event("gitlab api", "t3", lambda made, _: gitlab(made, "t3", "api", **TOPIC), ("old", "gone")),
    Event("github pull request", "merge", hub("pull_request", "merge", "refs/pull/7/merge", pull_request), NEW, OLD),
    Event("github pull request, no payload", "merge", hub("pull_request", "merge", "refs/pull/7/merge", lambda _: {}), NEW, OLD),
    Event("github pull request at its head", "t12", hub("pull_request", "merge", "refs/pull/7/merge", pull_request), NEW, OLD),
    Event("gitea pull request", "t12", hub("pull_request", "t12", "refs/pull/7/head", pull_request), NEW, OLD),
    Event("github pull_request_target", "m45", hub("pull_request_target", "m45", "refs/heads/main", pull_request), NEW, OLD),
    Event("github push", "t12", hub("push", "t12", "refs/heads/topic", lambda made: pushed(made, "t3", "t12")), NEW, OLD),
    Event("github forced push", "t12", hub("push", "t12", "refs/heads/topic", lambda made: pushed(made, "d2", "t12")), NEW, OLD),
    Event("github push, before gone", "t12", hub("push", "t12", "refs/heads/topic", lambda made: pushed(made, GONE, "t12")), NEW, OLD),
    Event("github new branch", "t12", hub("push", "t12", "refs/heads/topic", lambda made: pushed(made, ZEROS, "t12")), NEW, OLD),
    Event("github tag", "t12", hub("push", "t12", "refs/tags/v1", lambda made: pushed(made, ZEROS, "t12")), ("in", "tag"), OLD),
    Event("github merge group", "merge", hub("merge_group", "merge", "refs/heads/gh-readonly-queue/main/pr-7", group), NEW, OLD),
    Event("github schedule", "m45", hub("schedule", "m45", "refs/heads/main", lambda _: {}), ("old", "gone", "after")),
    Event("github workflow_dispatch", "t12", hub("workflow_dispatch", "t12", "refs/heads/topic", lambda _: {}), ("old", "gone", "in")),
    Event("variables, by id", "t12", lambda made, _: {"PATSCAN_BASE": made.commits["m40"]}, NEW, OLD),
    Event("variables, by branch", "t12", lambda made, _: {"PATSCAN_BASE": "main", "PATSCAN_HEAD": made.commits["t12"]}, NEW, OLD),
    Event("variables, head alone", "t12", lambda made, _: {"PATSCAN_HEAD": "HEAD"}, ("old", "gone", "in")),
]
DEEP = ("gitlab merge request", "gitlab merged result", "gitlab push, before gone", "gitlab schedule", "github pull request", "github tag")
"""Events that are tried at the other depths, too: a base that is an ancestor, one that isn't, none that can be had, no base, a tag."""


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("leaky"), leaky=True)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("clean"), leaky=False)


def judged(made: World, event: Event, depth: int, folder: Path) -> None:
    """Whether exactly the tokens that are tokens in this world are reported, in a complete report."""
    place = checkout(folder / "checkout", made.url, made.commits[event.commit], depth)
    ran = ci(place, event.variables(made, folder), "--format", "json", "--show-secrets")
    report = ran.report()
    tokens = {made.tokens[name] for name in event.expected if made.tokens[name].startswith("glpat-")}
    assert tokens_of(report["findings"]) == tokens, report["coverage"]
    assert {made.tokens[name] for name in event.before} == tokens_of(
        [finding for finding in report["ignored"] if finding["reason"] == "was there before"]
    )
    assert report["coverage"]["complete"], report["coverage"]
    assert report["coverage"]["commits"], report["coverage"]
    assert ran.code == bool(tokens)
    target = report["target"]
    assert (target["type"], target["path"]) == ("ci", ".")
    assert target["reason"].startswith(f"{target['platform']}, {target['event']}: ")
    assert bool(target["base"]) == ("gone" not in event.expected)


@pytest.mark.parametrize("depth", [1, FULL])
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_a_token_in_the_range_is_found_at_a_depth_of_one_and_in_full(leaky: World, event: Event, depth: int, tmp_path: Path) -> None:
    judged(leaky, event, depth, tmp_path)


@pytest.mark.parametrize("depth", sorted({*DEPTHS} - {1, FULL}))
@pytest.mark.parametrize("event", [event for event in EVENTS if event.name in DEEP], ids=lambda event: event.name)
def test_and_at_every_depth_between(leaky: World, event: Event, depth: int, tmp_path: Path) -> None:
    judged(leaky, event, depth, tmp_path)


@pytest.mark.parametrize("event", [event for event in EVENTS if event.expected == NEW], ids=lambda event: event.name)
def test_without_one_the_job_is_green(clean: World, event: Event, tmp_path: Path) -> None:
    judged(clean, event, 1, tmp_path)
