"""Variables, checkouts, servers and event files as they shouldn't be: a sentence, exit 2 or 3, never green for nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.ci.world import FULL, GONE, ZEROS, Ran, World, checkout, ci, github, gitlab, pull_request, pushed, request, tokens_of, world
from tests.cli.hooked import patscan
from tests.git.servers import silent
from tests.repo import Repo

TOPIC = {"CI_COMMIT_BRANCH": "topic"}


def early(made: World) -> dict[str, str]:
    """A merge request in whose tree no token stands."""
    return request(made, "m2", CI_MERGE_REQUEST_DIFF_BASE_SHA="m1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("world"), leaky=True)


@pytest.fixture(scope="module")
def full(made: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("full") / "checkout", made.url, made.commits["t12"])


@pytest.fixture(scope="module")
def shallow(made: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It isn't changed by what is fetched, so all tests may share it."""
    return checkout(tmp_path_factory.mktemp("shallow") / "checkout", made.url, made.commits["t12"], 2)


def sentence(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran
    text = " ".join((ran.out + ran.err).split())
    for word in words:
        assert word in text, text


class TestVariables:
    def test_none_of_a_ci_server(self, full: Path) -> None:
        sentence(ci(full, {}), 2, "no CI server's variables", "PATSCAN_BASE")
        sentence(ci(full, {"GITLAB_CI": "", "GITHUB_ACTIONS": "false"}), 2, "no CI server's variables")

    def test_of_two_servers(self, made: World, full: Path) -> None:
        sentence(ci(full, request(made) | {"GITHUB_ACTIONS": "true"}), 2, "GITLAB_CI and GITHUB_ACTIONS are both set")

    @pytest.mark.parametrize("name", ["CI_COMMIT_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"])
    @pytest.mark.parametrize("value", ["--upload-pack=touch mark;", "-q", "main --all", "a..b", "HEAD^{/x}", "x\ny", "🦝 "])
    def test_with_options_and_what_is_no_name(self, made: World, full: Path, name: str, value: str) -> None:
        sentence(ci(full, request(made, **{name: value})), 2, name)
        assert not (full / "mark").exists()

    @pytest.mark.parametrize("name", ["PATSCAN_BASE", "PATSCAN_HEAD"])
    @pytest.mark.parametrize("value", ["", "--upload-pack=touch mark;", "--all", "main..topic", "origin/main:file"])
    def test_of_ours(self, full: Path, name: str, value: str) -> None:
        sentence(ci(full, {name: value}), 2, name)

    @pytest.mark.parametrize("missing", ["", ZEROS])
    def test_without_the_commit(self, made: World, full: Path, missing: str) -> None:
        sentence(ci(full, request(made) | {"CI_COMMIT_SHA": missing}), 2, "CI_COMMIT_SHA is not set")
        sentence(ci(full, {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_SHA": missing}), 2, "GITHUB_SHA is not set")

    def test_that_say_nothing_of_a_merge_request(self, made: World, full: Path) -> None:
        variables = gitlab(made, "t12", "merge_request_event") | {"CI_DEFAULT_BRANCH": ""}
        sentence(ci(full, variables), 2, "CI_MERGE_REQUEST_")

    @pytest.mark.parametrize("commit", ["t11", "m45"])
    def test_that_name_another_commit_than_the_one_checked_out(self, made: World, full: Path, commit: str) -> None:
        sentence(ci(full, request(made, commit)), 2, "contradict each other", made.commits["t12"][:8])

    @pytest.mark.parametrize("base", ["t12", "t13"])
    def test_that_a_merge_request_forged_so_that_nothing_is_new(self, made: World, shallow: Path, base: str) -> None:
        """The next base is used, and the report says why."""
        ran = ci(shallow, request(made, CI_MERGE_REQUEST_DIFF_BASE_SHA=base), "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})

    def test_that_a_merge_request_forged_so_that_the_token_is_before_the_base(self, made: World, full: Path) -> None:
        ran = ci(full, request(made, CI_MERGE_REQUEST_DIFF_BASE_SHA="t6"), "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})
        assert any("isn't on main" in note["reason"] for note in ran.report()["coverage"]["notes"])

    @pytest.mark.parametrize("kind", ["detached", "merged_result"])
    def test_that_a_merge_request_forged_in_a_shallow_checkout(self, made: World, tmp_path: Path, kind: str) -> None:
        """Only the target branch's commits are fetched to see that the base isn't among them."""
        commit = "t12" if kind == "detached" else "merge"
        place = checkout(tmp_path / "shallow", made.url, made.commits[commit], 2)
        forged = request(made, commit, kind, CI_MERGE_REQUEST_DIFF_BASE_SHA="t6", CI_MERGE_REQUEST_TARGET_BRANCH_SHA="t6")
        ran = ci(place, forged | {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": ""}, "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})
        assert any("isn't on main" in note["reason"] for note in ran.report()["coverage"]["notes"])

    def test_a_base_that_the_server_does_not_judge(self, made: World, tmp_path: Path) -> None:
        """It is taken as it is, and the report says so."""
        plain = tmp_path / "plain"
        subprocess.run(["git", "clone", "-q", "--bare", made.url, str(plain)], check=True)
        place = checkout(tmp_path / "shallow", f"file://{plain}", made.commits["t12"], 2, "topic")
        ran = ci(
            place, request(made, "t13", CI_MERGE_REQUEST_DIFF_BASE_SHA="t6") | {"CI_COMMIT_SHA": made.commits["t12"]}, "--format", "json"
        )
        assert any("is taken as it is" in note["reason"] for note in ran.report()["coverage"]["notes"])

    def test_that_leave_nothing_to_compare_with(self, made: World, full: Path) -> None:
        variables = request(
            made, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="topic", CI_MERGE_REQUEST_DIFF_BASE_SHA="t12", CI_DEFAULT_BRANCH="topic"
        )
        sentence(ci(full, variables), 3, "already has all commits of the head", "nothing was looked at")

    def test_a_base_that_is_the_head(self, made: World, full: Path) -> None:
        """Its commits are compared with the default branch then."""
        ran = ci(full, {"PATSCAN_BASE": made.commits["t12"]}, "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})


class TestCheckouts:
    def test_without_git(self, made: World, tmp_path: Path) -> None:
        sentence(ci(tmp_path, request(made)), 3, "not a git repository", "GIT_STRATEGY: fetch")

    def test_an_unborn_head(self, made: World, tmp_path: Path) -> None:
        Repo(tmp_path / "new")
        sentence(ci(tmp_path / "new", request(made)), 3, "HEAD points to no commit", "GIT_STRATEGY: fetch")
        sentence(ci(tmp_path / "new", {"PATSCAN_HEAD": "HEAD"}), 3, "HEAD points to no commit")

    def test_a_missing_head(self, made: World, tmp_path: Path) -> None:
        place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 1)
        (place / ".git" / "HEAD").unlink()
        sentence(ci(place, request(made)), 3, "not a git repository")

    def test_a_commit_that_does_not_exist(self, made: World, full: Path, tmp_path: Path) -> None:
        variables = github(made, tmp_path, "push", GONE, "refs/heads/topic", pushed(made, "t3", GONE))
        sentence(ci(full, variables), 3, GONE, "fetch-depth: 0")

    def test_a_branch_that_does_not_exist(self, made: World, full: Path) -> None:
        sentence(ci(full, {"PATSCAN_HEAD": "nowhere"}), 3, "nowhere points to no commit")

    def test_without_a_remote(self, made: World, tmp_path: Path) -> None:
        """What is here is looked at, but it isn't all."""
        place = checkout(tmp_path / "checkout", made.url, made.commits["m2"], 1)
        Repo(place).git("remote", "remove", "origin")
        sentence(ci(place, early(made)), 3, "no remote", "GIT_DEPTH: 0", "Looked at 1 commit")

    @pytest.mark.parametrize(
        "url", ["ext::sh -c 'touch mark'", "--upload-pack=touch mark;", "ssh://-oProxyCommand=touch mark/x", "/nowhere"]
    )
    def test_a_remote_that_is_none(self, made: World, tmp_path: Path, url: str) -> None:
        place = checkout(tmp_path / "checkout", made.url, made.commits["m2"], 1)
        Repo(place).git("config", "remote.origin.url", url)
        sentence(ci(place, early(made)), 3, "GIT_DEPTH: 0", "Looked at 1 commit")
        assert not list(tmp_path.rglob("mark"))

    def test_what_is_found_in_a_part_is_found(self, made: World, tmp_path: Path) -> None:
        """Where nothing tells what was there before, what stands at the head counts."""
        place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 1)
        Repo(place).git("config", "remote.origin.url", "/nowhere")
        ran = ci(place, request(made), "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["old"]})
        assert not ran.report()["coverage"]["complete"]

    def test_a_base_that_is_no_commit(self, made: World, full: Path) -> None:
        tree = made.server.line("rev-parse", "t12^{tree}".replace("t12", made.commits["t12"]))
        ran = ci(full, {"PATSCAN_BASE": tree}, "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})


class TestServers:
    def test_one_that_hangs(self, made: World, tmp_path: Path) -> None:
        place = checkout(tmp_path / "checkout", made.url, made.commits["m2"], 1)
        with silent() as (host, came):
            Repo(place).git("config", "remote.origin.url", f"http://{host}/x")
            ran = ci(place, early(made), "--fetch-timeout", "1")
            assert came.is_set()
        sentence(ran, 3, "time limit for fetching is over", "GIT_DEPTH: 0", "Looked at 1 commit")

    def test_one_that_is_not_needed(self, made: World, tmp_path: Path) -> None:
        place = checkout(tmp_path / "checkout", made.url, made.commits["t12"])
        Repo(place).git("config", "remote.origin.url", "http://127.0.0.1:1/x")
        ran = ci(place, request(made), "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})
        assert ran.report()["coverage"]["complete"]

    @pytest.mark.parametrize("variables", [{"CI_PIPELINE_SOURCE": "schedule"}, {"CI_COMMIT_BEFORE_SHA": GONE}, {}])
    def test_one_that_lacks_history_itself(self, made: World, tmp_path: Path, variables: dict[str, str]) -> None:
        made.server.git("clone", "-q", "--bare", "--depth=4", "--no-single-branch", made.url, str(tmp_path / "server"))
        place = checkout(tmp_path / "checkout", f"file://{tmp_path}/server", made.commits["t13"], 2)
        ran = ci(place, gitlab(made, "t13", CI_COMMIT_BRANCH="topic") | variables, "--format", "json")
        assert not ran.report()["coverage"]["complete"]
        assert ran.code

    def test_one_that_gives_no_commit_by_its_id(self, made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As servers of git's oldest protocol: the branch is deepened until it leads to the commit."""
        place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 2)
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.version")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "0")
        ran = ci(place, request(made), "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})
        assert ran.report()["target"]["base"] == made.commits["m40"]


class TestEventFiles:
    @pytest.mark.parametrize("content", [b"", b"not JSON", b"[]", b"\xff\xfe", b'{"before": ', b"[" * 100_000, b"null"])
    def test_what_is_no_event(self, made: World, full: Path, tmp_path: Path, content: bytes) -> None:
        variables = github(made, tmp_path, "push", "t12", "refs/heads/topic", {})
        (tmp_path / "event.json").write_bytes(content)
        sentence(ci(full, variables), 2, "GITHUB_EVENT_PATH")

    def test_none(self, made: World, full: Path, tmp_path: Path) -> None:
        variables = github(made, tmp_path, "push", "t12", "refs/heads/topic", {})
        for path in ("/nowhere/event.json", "", str(tmp_path), "a\0b"[:1]):
            sentence(ci(full, variables | {"GITHUB_EVENT_PATH": path}), 2, "GITHUB_EVENT_PATH")

    @pytest.mark.parametrize(
        "payload",
        [
            {"before": "--all"},
            {"before": 7},
            {"before": ZEROS, "after": "x"},
            {"before": ZEROS, "after": GONE},
            {"repository": {"default_branch": "--upload-pack=x"}},
        ],
    )
    def test_with_wrong_facts(self, made: World, full: Path, tmp_path: Path, payload: Mapping[str, object]) -> None:
        sentence(ci(full, github(made, tmp_path, "push", "t12", "refs/heads/topic", payload)), 2)

    def test_a_merge_group_of_another_commit(self, made: World, full: Path, tmp_path: Path) -> None:
        payload = {"merge_group": {"base_sha": made.commits["m45"], "head_sha": made.commits["merge"]}}
        sentence(ci(full, github(made, tmp_path, "merge_group", "t12", "refs/heads/queue", payload)), 2, "contradict each other")

    def test_pull_request_target_warns_and_needs_its_head(self, made: World, full: Path, tmp_path: Path) -> None:
        sentence(ci(full, github(made, tmp_path, "pull_request_target", "m45", "refs/heads/main", {})), 2, "pull_request.head.sha")
        ran = ci(full, github(made, tmp_path, "pull_request_target", "m45", "refs/heads/main", pull_request(made)), "--format", "text")
        sentence(ran, 1, "pull_request_target runs with the rights of the base branch")

    def test_a_deleted_ref(self, made: World, full: Path, tmp_path: Path) -> None:
        payload = {"before": made.commits["t12"], "after": ZEROS, "deleted": True}
        sentence(ci(full, github(made, tmp_path, "push", "m45", "refs/heads/x", payload), "--format", "text"), 0, "deletes a ref")


class TestNothingNew:
    def test_a_new_branch_without_commits_of_its_own(self, made: World, tmp_path: Path) -> None:
        for depth in (1, FULL):
            place = checkout(tmp_path / str(depth), made.url, made.commits["m42"], depth)
            sentence(ci(place, gitlab(made, "m42", CI_COMMIT_BRANCH="fresh")), 0, "the default branch main already has all of its commits")

    def test_a_branch_that_was_merged_meanwhile_is_compared_with_what_was_before_the_merge(self, tmp_path: Path) -> None:
        made = world(tmp_path, leaky=True)
        made.server.git("merge", "-q", "--no-ff", "-m", "merge", made.commits["t12"])
        made.server.commit({"next.txt": "next\n"})
        for depth in (1, FULL):
            place = checkout(tmp_path / str(depth), made.url, made.commits["t12"], depth)
            ran = ci(place, gitlab(made, "t12", **TOPIC), "--format", "json", "--show-secrets")
            assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})
            assert ran.report()["target"]["base"] == made.commits["m45"]

    def test_a_push_that_only_takes_commits_back(self, made: World, tmp_path: Path) -> None:
        place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 1)
        ran = ci(place, gitlab(made, "t12", CI_COMMIT_BEFORE_SHA="t13", **TOPIC), "--format", "json", "--show-secrets")
        assert (ran.code, tokens_of(ran.report()["findings"])) == (1, {made.tokens["in"]})

    def test_the_checkout_stays_as_it_was(self, made: World, tmp_path: Path) -> None:
        place = checkout(tmp_path / "checkout", made.url, made.commits["t12"], 2)
        before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        assert ci(place, request(made)).code == 1
        assert before == {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        shutil.rmtree(place)


class TestDefaultBranch:
    """What a push merges in from it, or was rebased onto, was looked at there."""

    @pytest.mark.parametrize("depth", [1, FULL])
    @pytest.mark.parametrize("way", ["merge", "rebase"])
    def test_its_old_debts_are_not_the_pushs(self, tmp_path: Path, way: str, depth: int) -> None:
        made = world(tmp_path, leaky=True)
        server = made.server
        server.git("checkout", "-q", "-b", "work", made.commits["t6"])
        before = server.commit({"work.txt": "1\n"})
        server.git(way, "-q", *(["--no-edit"] if way == "merge" else []), "main")
        after = server.commit({"work2.txt": made.tokens["later"]})
        server.git("checkout", "-q", "main")
        place = checkout(tmp_path / "checkout", made.url, after, depth)
        variables = gitlab(made, after, CI_COMMIT_BRANCH="work", CI_COMMIT_BEFORE_SHA=before)
        ran = ci(place, variables, "--format", "json", "--show-secrets")
        # A rebase makes the branch's own commits anew, and they are new.
        new = {made.tokens["later"], *([made.tokens["in"]] if way == "rebase" else [])}
        assert tokens_of(ran.report()["findings"]) == new
        assert ran.report()["coverage"]["complete"]

    def test_nor_is_a_push_hidden_that_it_has_by_now(self, tmp_path: Path) -> None:
        made = world(tmp_path, leaky=True)
        server = made.server
        server.git("checkout", "-q", "-b", "work", made.commits["t3"])
        server.git("merge", "-q", "--no-edit", made.commits["t12"], "--no-ff")
        after = server.line("rev-parse", "HEAD")
        server.git("checkout", "-q", "main")
        server.git("merge", "-q", "--no-edit", "work")
        place = checkout(tmp_path / "checkout", made.url, after, 1)
        variables = gitlab(made, after, CI_COMMIT_BRANCH="work", CI_COMMIT_BEFORE_SHA="t3")
        ran = ci(place, variables, "--format", "json", "--show-secrets")
        assert tokens_of(ran.report()["findings"]) == {made.tokens["in"]}


def test_a_saved_report_gives_the_same_formats(made: World, shallow: Path, tmp_path: Path) -> None:
    names = ("text", "markdown", "github", "brief", "sarif", "gitlab", "codequality", "junit")
    flags = [f"--report={name}={tmp_path / name}" for name in ("json", *names)]
    ran = ci(shallow, request(made), "--quiet", *flags)
    assert (ran.code, ran.out) == (1, "")
    for name in names:
        saved = patscan(tmp_path, "report", "json", "--format", name, "--no-color")
        assert saved.text == (tmp_path / name).read_text(), name
        first = saved.text.splitlines()[0]
        assert name not in {"text", "brief", "github"} or "GitLab CI, merge request: what the merge request !7 introduces" in first
