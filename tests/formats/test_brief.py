"""What a hook says: little, and all of it."""

from __future__ import annotations

import random

import pytest

from patscan.model import Coverage, Exposure, Note, Skip, Target
from tests.formats.reports import PLAIN, finding, occurrence, report, written
from tests.tokens import classic

INDEX = Target("index", ".")


def test_a_clean_commit_is_one_line() -> None:
    text = written("brief", report(target=INDEX, coverage=Coverage(blobs=3, bytes=10)))
    assert text == "patscan: no token in 3 staged files.\n"


def test_nothing_is_said_to_be_nothing() -> None:
    coverage = Coverage(notes=(Note(".", "nothing is staged."),))
    assert written("brief", report(target=INDEX, coverage=coverage)) == "patscan: nothing to look at: nothing is staged.\n"


def test_a_scan_blocks_nothing(rng: random.Random) -> None:
    text = written("brief", report(finding(classic(rng)), coverage=Coverage(blobs=1), target=Target("files", "."), exit_code=1))
    assert text.endswith("\npatscan: 1 token in 1 file.\n")
    assert "skip" not in text


def test_what_is_ignored_is_counted(rng: random.Random) -> None:
    ignored = tuple(finding(classic(rng), reason=reason) for reason in ("placeholder", "already committed", "placeholder"))
    text = written("brief", report(ignored=ignored, target=INDEX, coverage=Coverage(blobs=1)))
    assert text == "patscan: no token in 1 staged file. Ignored: 1 already committed, 2 placeholder.\n"


@pytest.mark.parametrize("number", [1, 2, 3, 4, 50])
@pytest.mark.parametrize("skips", [0, 1, 50])
@pytest.mark.parametrize("kind", ["index", "push", "message"])
def test_a_dozen_lines_at_most(rng: random.Random, number: int, skips: int, kind: str) -> None:
    findings = [finding(classic(rng), exposure=Exposure(pushed=place % 2 == 0)) for place in range(number)]
    coverage = Coverage(blobs=9, skipped=tuple(Skip(f"f{place}", "can't be read.") for place in range(skips)))
    text = written("brief", report(*findings, target=Target(kind, ".", "origin"), coverage=coverage, exit_code=1))
    assert len(text.splitlines()) <= 12
    assert ("not looked at" in text) is bool(skips)
    assert "blocked." in text
    assert text.count("…(26)") == min(number, 3)
    assert ("more (all of them" in text) is (number > 3)


def test_what_was_not_looked_at_is_named_and_counted() -> None:
    coverage = Coverage(blobs=1, skipped=tuple(Skip(f"f{place}", "can't be read.") for place in range(9)))
    text = written("brief", report(target=INDEX, coverage=coverage, exit_code=3))
    assert "f0: can't be read." in text
    assert "And 5 more." in text
    assert text.endswith("but not everything could be looked at: commit blocked.\n")
    assert "blocked" not in written("brief", report(target=INDEX, coverage=coverage, exit_code=0))


@pytest.mark.parametrize(
    ("pushed", "words"),
    [
        (True, "already pushed: revoke it: https://"),
        (False, "no trace of a push in this clone; if it was pushed by URL or the folder was copied, revoke it: https://"),
        (None, "perhaps pushed; if it was, revoke it: https://"),
    ],
)
def test_whether_to_revoke(rng: random.Random, pushed: bool | None, words: str) -> None:
    token = classic(rng)
    made = finding(token, occurrence(token, commit="1a" * 20), exposure=Exposure(pushed=pushed, tips=("refs/heads/topic",)))
    text = written("brief", report(made, target=Target("push", ".", "origin"), coverage=Coverage(blobs=1), exit_code=1))
    assert words in text
    assert "; commit 1a1a1a1a1a; on branch topic" in text


@pytest.mark.parametrize(
    ("kind", "place", "words"),
    [
        ("index", {"type": "index"}, "# patscan:ignore gitlab-pat -- REASON"),
        ("index", {"type": "symlink"}, "patscan baseline write --reason REASON, then git add .patscan-baseline"),
        ("push", {"at_head": True}, "# patscan:ignore gitlab-pat -- REASON"),
        ("push", {"at_head": False}, "patscan baseline write --history --reason REASON, then git add .patscan-baseline"),
        ("push", {"path": None}, "patscan baseline write --history --reason REASON, then git add .patscan-baseline"),
        (
            "push",
            {"type": "commit-message", "path": None},
            "patscan baseline write --history --reason REASON, then git add .patscan-baseline",
        ),
        ("message", {"type": "message"}, ""),
    ],
)
def test_what_it_suggests_counts_there(rng: random.Random, kind: str, place: dict[str, str | bool | None], words: str) -> None:
    token = classic(rng)
    made = finding(token, occurrence(token, **place))
    text = written("brief", report(made, target=Target(kind, ".", "origin"), coverage=Coverage(blobs=1), exit_code=1))
    assert [line.endswith(words) for line in text.splitlines() if line.startswith("  accept")] == [True] * bool(words)


def test_the_token_itself_is_shown_when_asked_for(rng: random.Random) -> None:
    token = classic(rng)
    made = report(finding(token), target=INDEX)
    assert token in written("brief", made, PLAIN._replace(reveal=True))
    assert token not in written("brief", made)
