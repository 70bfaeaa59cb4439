"""What `patscan ci` fetches for a merge request is no more than git's own fetch of the same commits."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from patscan.ci.gitlab import decide
from patscan.ci.resolve import resolve
from patscan.cli.environment import elsewhere, of_job
from patscan.git.borrowed import Network, borrowed
from patscan.git.repository import open_repository
from tests.ci.world import checkout
from tests.repo import Repo

COMMITS = 12
DAY = 86_400


class Server(NamedTuple):
    url: str
    base: str
    head: str
    tip: str
    merge: str
    shrinking: bool
    """Whether the dates mislead. The range is complete all the same."""


@pytest.fixture(scope="module", params=["dates grow", "dates shrink"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """200 files that don't compress; a target branch that is busy before and after the merge request forks off."""
    rng = random.Random("cost")
    repo = Repo(tmp_path_factory.mktemp("cost") / "server")
    repo.commit({f"lib/{number}.bin": rng.randbytes(4000) for number in range(200)})
    for number in range(30):
        base = repo.commit({f"lib/{number}.bin": rng.randbytes(4000)})
    repo.git("checkout", "-q", "-b", "topic")
    for number in range(COMMITS):
        repo._clock -= DAY if request.param == "dates shrink" else 0
        head = repo.commit({"topic.txt": f"{number}\n"})
    repo._clock += 20 * DAY
    repo.git("checkout", "-q", "main")
    for number in range(30):
        tip = repo.commit({f"lib/{100 + number}.bin": rng.randbytes(4000)})
    repo.git("checkout", "-q", "--detach")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    merge = repo.line("rev-parse", "HEAD")
    repo.git("update-ref", "refs/merge-requests/7/merge", merge)
    return Server(f"file://{repo.path}", base, head, tip, merge, request.param == "dates shrink")


def size(folder: Path) -> int:
    """Bytes of the packs in an object folder."""
    return sum(pack.stat().st_size for pack in folder.glob("pack/*.pack"))


def by_git(place: Path, *fetches: tuple[str, ...]) -> int:
    """The bytes that plain git receives for these fetches in a checkout whose refs lead to all that it has, as runners make them."""
    git = ["git", "-C", str(place), "-c", "fetch.unpackLimit=1"]
    subprocess.run([*git, "update-ref", "refs/pipelines/1", "HEAD"], check=True)
    before = size(place / ".git" / "objects")
    for fetch in fetches:
        subprocess.run([*git, "fetch", "-q", "--no-tags", fetch[0], "origin", *fetch[1:]], check=True)
    return size(place / ".git" / "objects") - before


def by_patscan(place: Path, server: Server, merged: bool) -> int:
    """The bytes that patscan receives until the range is complete."""
    variables = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_COMMIT_SHA": server.merge if merged else server.head,
        "CI_DEFAULT_BRANCH": "main",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": server.base,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    if merged:
        variables |= {"CI_MERGE_REQUEST_EVENT_TYPE": "merged_result", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": server.head}
    with borrowed(open_repository(place, dict(os.environ)), elsewhere(), Network(of_job(), 60.0)) as repository:
        resolved = resolve(decide(variables), open_repository(place, dict(os.environ)), repository)
        listed = repository.git("rev-list", *resolved.revisions()).split()
        assert (len(listed), resolved.gap) == (COMMITS + merged, "")
        return size(repository.place / "objects")


@pytest.mark.parametrize("merged", [False, True], ids=["head", "merged result"])
@pytest.mark.parametrize("depth", [1, 2, 20, 50])
def test_no_more_bytes_than_git_itself(server: Server, tmp_path: Path, depth: int, merged: bool) -> None:
    """git is told what patscan has to find out: how many commits are missing.

    Beside the range, patscan fetches the target branch's commits without their files, which isn't counted.
    """
    commit = server.merge if merged else server.head
    ours = by_patscan(checkout(tmp_path / "ours", server.url, commit, depth), server, merged)
    enough = f"--depth={COMMITS + 1 + merged}"
    git = by_git(checkout(tmp_path / "git", server.url, commit, depth), ("--depth=1", server.base), (enough, server.head, server.base))
    assert server.shrinking or ours <= git * 1.02 + 2000


def test_a_checkout_with_only_a_head_is_not_sent_its_files_again(server: Server, tmp_path: Path) -> None:
    assert by_patscan(checkout(tmp_path / "ours", server.url, server.head, 1), server, False) < 100_000
