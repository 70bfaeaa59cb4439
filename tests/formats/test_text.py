"""The report for people, as they see it."""

from __future__ import annotations

import random
import re
from textwrap import dedent
from typing import Any

import pytest

from patscan.formats.words import standing
from patscan.kind import Kind
from patscan.model import Check, Commit, Coverage, Evidence, Exposure, Note, Position, Report, Sighting, Skip, Target, Verdict
from tests.formats.reports import COMMIT, PLAIN, REVEAL, RULE, finding, occurrence, report, secret, short, written
from tests.tokens import classic, routable


@pytest.fixture
def token(rng: random.Random) -> str:
    return classic(rng)


def last(made: Report) -> str:
    return written("text", made).splitlines()[-1]


def title(token: str, **changes: Any) -> str:
    return written("text", report(finding(token, occurrence(token, **changes)))).splitlines()[1].strip().partition("  ")[0]


def test_a_finding(token: str) -> None:
    assert written("text", report(finding(token))) == dedent(f"""\
        glpat-…(26) {short(token)}  certain
            config/app.yml:12:10  GitLab personal access token
            why    checksum right; organization 1, user 42
            since  2024-05-01 in 1a2b3c4d5e by Jane Roe <jane@example.com>

              11 | deploy:
            > 12 |   token: glpat-…(26)
                 |          ^^^^^^^^^^^
              13 |   url: https://gitlab.example.com

            → Revoke it now. Then read its last use and the audit events, and create a new token with fewer
              scopes and an early expiry date.
              https://docs.gitlab.com/security/tokens/

        Looked at 203,352 commits, 262,343 blobs, 8.3 GB.
        1 token found.
        """)


def test_a_file_without_history(token: str) -> None:
    place = occurrence(token, type="file", commit=None, author=None, date=None, blob=None, frame=())
    made = finding(
        token, place, confidence="high", evidence=(), exposure=Exposure(), rule=RULE._replace(remedy="Revoke it.", references=())
    )
    assert written("text", report(made, target=Target("files", "."), coverage=Coverage(0, 1, 999))) == dedent(f"""\
        glpat-…(26) {short(token)}  high
            config/app.yml:12:10  GitLab personal access token
            → Revoke it.

        Looked at 1 file, 999 bytes.
        1 token found.
        """)


def test_colours_are_only_added(token: str) -> None:
    made = report(finding(token), coverage=Coverage(skipped=(Skip("x", "y"),)))
    colored = written("text", made, PLAIN._replace(color=True))
    assert colored.startswith(
        f"\x1b[31mglpat-…(26) {short(token)}\x1b[0m  \x1b[1;31mcertain\x1b[0m\n    \x1b[1mconfig/app.yml:12:10\x1b[0m  GitLab personal"
    )
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == written("text", made)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "config/app.yml:12:10"),
        ({"type": "file", "path": "a b.txt"}, "a b.txt:12:10"),
        ({"type": "stdin", "path": "-"}, "<stdin>:12:10"),
        ({"path": None}, "blob 9f8e7d6c5b:12:10"),
        ({"type": "commit-message", "path": None}, "commit 1a2b3c4d5e message:12:10"),
        ({"type": "author", "path": None}, "commit 1a2b3c4d5e author line:12:10"),
        ({"type": "tag-message", "path": None}, "tag 1a2b3c4d5e message:12:10"),
        ({"type": "ref-name", "path": "refs/heads/x"}, "refs/heads/x"),
        ({"path": "a\n\x1b[31m\u202eb\udcff"}, "a\\n\\x1b[31m\\u202eb\\xff:12:10"),
    ],
)
def test_every_place_has_a_name(changes: dict[str, Any], expected: str, token: str) -> None:
    assert title(token, **changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"path": None}, "content that no commit refers to"),
        ({"type": "index", "blob": None}, "staged, never committed"),
        ({"type": "symlink", "blob": None}, "symlink target"),
        ({"type": "note", "blob": None}, "in a git note"),
        ({"type": "ref-name", "path": "refs/heads/x", "blob": None}, "ref name"),
        ({"encodings": ("base64",)}, "encoded as base64"),
    ],
)
def test_what_is_odd_about_a_place_is_said(changes: dict[str, Any], expected: str, token: str) -> None:
    assert f"\n    where  {expected}\n" in written("text", report(finding(token, occurrence(token, **changes))))


def test_ref_name_has_no_frame(token: str) -> None:
    assert " | " not in written("text", report(finding(token, occurrence(token, type="ref-name", path="refs/heads/x"))))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence("checksum", {"ok": True}), "checksum right"),
        (Evidence("checksum", {"ok": False}), "checksum wrong"),
        (Evidence("routing", {"organization": 1, "runner_type": 3}), "organization 1, runner type 3"),
        (Evidence("prefix", {"text": "ACME-"}), "prefix: ACME-"),
        (Evidence("edge", {"text": "cut at the exact length; more follows"}), "cut at the exact length; more follows"),
        (Evidence("jwt", {"issuer": "gitlab.com", "job": 7}), "jwt: issuer gitlab.com, job 7"),
        (Evidence("jwt", {}), "jwt"),
    ],
)
def test_evidence_in_words(evidence: Evidence, expected: str, token: str) -> None:
    assert f"\n    why    {expected}\n" in written("text", report(finding(token, evidence=(evidence,), confidence="medium")))


def test_exposure_in_words(token: str) -> None:
    tips = tuple(f"refs/heads/{name}" for name in "abcde")
    text = written("text", report(finding(token, exposure=Exposure(None, None, False, tips, False, True))), PLAIN._replace(width=200))
    assert text.startswith(f"glpat-…(26) {short(token)}  certain, pushed, not at HEAD\n")
    assert "\n    where  on branch a and 4 more\n" in text


def test_verdict_in_words(token: str) -> None:
    assert "\n    GitLab LIVE: it says so\n" in written("text", report(finding(token, verdict=Verdict("active", "it says so"))))


def test_other_places_are_counted(token: str) -> None:
    others = [occurrence(token, path=f"{i}.yml") for i in range(5)]
    text = written("text", report(finding(token, occurrence(token, type="commit-message", path=None, blob=None), *others)))
    assert text.splitlines()[1].startswith("    0.yml:12:10  ")
    assert (
        dedent("""\
        |    also   commit 1a2b3c4d5e message:12:10
        |           1.yml:12:10
        |           2.yml:12:10
        |           and 2 more places (--all shows them)
        """).replace("|", "")
        in text
    )


def test_newest_version_of_a_file_stands_for_it(token: str) -> None:
    versions = [
        occurrence(token, blob=f"{day}" * 40, date=f"2024-05-0{day}T00:00:00{zone}", position=Position(day, 1, day, 27))
        for day, zone in ((1, "+00:00"), (3, "+00:00"), (2, "+00:00"))
    ]
    text = written("text", report(finding(token, *versions)))
    assert text.splitlines()[1].startswith("    config/app.yml:3:1  ")
    assert "where  in 3 versions of this file\n" in text
    assert "also" not in text


def test_dates_are_compared_as_instants(token: str) -> None:
    early, late = (
        occurrence(token, blob=blob * 40, date=date)
        for blob, date in (("a", "2024-05-02T01:00:00+09:00"), ("b", "2024-05-01T20:00:00+00:00"))
    )
    early = early._replace(match=early.match._replace(position=Position(1, 1, 1, 27)))
    assert "\n    config/app.yml:12:10  " in written("text", report(finding(token, early, late)))


def test_remedy_is_told_once(rng: random.Random) -> None:
    text = written("text", report(finding(routable(rng)), finding(routable(rng))))
    assert text.count("Revoke it now.") == 1


def test_revealed(token: str) -> None:
    made = report(finding(token, occurrence(token, frame=(f"a: {token}",), frame_line=12, position=Position(12, 4, 12, 30))))
    text = written("text", made, REVEAL)
    assert text.splitlines()[0] == f"{token} {short(token)}  certain"
    assert f"    > 12 | a: {token}\n         |    {'^' * 26}\n" in text


def test_revealed_title_over_a_masked_frame(token: str) -> None:
    text = written("text", report(finding(token)), REVEAL)
    assert text.count(token) == 1
    assert f"         |          {'^' * len(str(secret(token)))}\n" in text


@pytest.mark.parametrize("width", [0, 40, 72, 120])
def test_width_is_kept_but_for_the_title(width: int, token: str) -> None:
    made = report(finding(token), coverage=Coverage(skipped=(Skip("some/where", "a reason " * 30),)))
    lines = written("text", made, PLAIN._replace(width=width)).splitlines()[1:-1]
    wrapped = [line for line in lines if not re.search("https:|Looked|INCOMPLETE", line)]
    assert max(map(len, wrapped)) <= max(width, 40)


@pytest.mark.parametrize(
    ("target", "size", "expected"),
    [
        ("history", 0, "Looked at 1 commit, 2,000 blobs, 0 bytes."),
        ("history", 1, "Looked at 1 commit, 2,000 blobs, 1 byte."),
        ("push", 1, "Looked at 1 commit, 2,000 blobs, 1 byte."),
        ("message", 1, "Looked at the message, 1 byte."),
        ("files", 1_000, "Looked at 2,000 files, 1.0 kB."),
        ("files", 34_560_000, "Looked at 2,000 files, 34.6 MB."),
        ("stdin", 8_260_000_000_000, "Looked at standard input, 8.3 TB."),
        ("stdin", 5_000_000_000_000_000, "Looked at standard input, 5,000.0 TB."),
    ],
)
def test_amounts(target: str, size: int, expected: str) -> None:
    made = report(target=Target(target, "."), coverage=Coverage(1, 2000, size))
    assert written("text", made) == f"{expected}\nNo token found.\n"


def test_skips_are_listed_and_nothing_is_called_clean() -> None:
    skips = tuple(Skip(f"file{i}", "can't be read: Permission denied.") for i in range(12))
    text = written("text", report(coverage=Coverage(skipped=skips)))
    assert "INCOMPLETE: 12 things could not be looked at:\n  file0: can't be read: Permission denied.\n" in text
    assert "  file9: can't be read: Permission denied.\n  and 2 more\n" in text
    assert text.endswith("\nNo token found in what could be looked at.\n")


def test_notes_are_listed() -> None:
    text = written("text", report(coverage=Coverage(notes=(Note("a.zip", "an archive."),))))
    assert "\n1 note:\n  a.zip: an archive.\nNo token found.\n" in text
    assert "INCOMPLETE" not in text


def test_ignored_are_counted_only(token: str) -> None:
    ignored = tuple(finding(token, reason=reason) for reason in ("checksum", "placeholder", "length", "placeholder"))
    text = written("text", report(ignored=ignored))
    assert "\nIgnored: 2 placeholder, 1 checksum, 1 length. The JSON report lists them.\nNo token found.\n" in text
    assert "app.yml" not in text


def test_the_last_line(token: str) -> None:
    skipped = Coverage(skipped=(Skip("a", "b"),))
    leak = finding(token)
    assert last(report()) == "No token found."
    assert last(report(leak)) == "1 token found."
    assert last(report(leak, leak)) == "2 tokens found."
    assert last(report(coverage=skipped)) == "No token found in what could be looked at."
    assert last(report(leak, coverage=skipped)) == "1 token found in what could be looked at."
    assert last(report(interrupted=True)) == "Interrupted. No token found so far."
    assert last(report(leak, interrupted=True, coverage=skipped)) == "Interrupted. 1 token found so far."


def test_origin_without_anything(token: str) -> None:
    bare = occurrence(token)._replace(sighting=Sighting(Kind.BLOB))
    assert written("text", report(finding(token, bare))).splitlines()[1].startswith("    blob :12:10  ")
    assert COMMIT[:10] in written("text", report(finding(token, bare)))


LIVE = Verdict("active", "", {"scopes": ("api",), "owner": {"username": "anna"}, "expires": "2027-01-31T00:00:00Z"})


def test_live_ones_come_first_and_say_whose_they_are(rng: random.Random) -> None:
    dead, live = classic(rng), classic(rng)
    checks = (Check("used-since-leak", "critical", "Used after it was exposed.", "https://docs.gitlab.com/"),)
    verdict = LIVE._replace(lifecycle=checks, severity="critical", severity_reasons=("it may do anything",))
    text = written("text", report(finding(dead, verdict=Verdict("inactive", "revoked")), finding(live, verdict=verdict)))
    assert text.startswith(f"glpat-…(26) {short(live)}  LIVE  certain\n")
    assert "\n    GitLab LIVE: api, owner anna, expires 2027-01-31\n" in text
    assert "           severity critical: it may do anything\n           Used after it was exposed.\n" in text
    assert "\n    GitLab inactive: revoked\n" in text
    assert "\n    GitLab 1 active, 1 inactive\n" in text
    assert f"\n    first  revoke what is live: {short(live)}\n" in text


def test_every_place_is_shown_if_asked(token: str) -> None:
    made = report(finding(token, *(occurrence(token, path=f"{i}.yml") for i in range(9))))
    text = written("text", made, PLAIN._replace(every=True))
    assert [f"{i}.yml:12:10" in text for i in range(9)] == [True] * 9
    assert "more place" not in text


@pytest.mark.parametrize(
    ("exposure", "words"),
    [
        (Exposure(at_head=True, tips=("refs/heads/main",)), "at HEAD"),
        (Exposure(at_head=False, tips=("refs/heads/topic/x",)), "on branch topic/x"),
        (Exposure(at_head=False, tips=("refs/remotes/origin/x", "refs/tags/v1")), "on remote branch origin/x"),
        (Exposure(at_head=False, tips=("refs/tags/v1", "refs/tags/v2")), "in tag v1 and 1 more"),
        (Exposure(at_head=False, tips=("refs/stash",), reachable=False, kept_by="stash"), "in a stash"),
        (Exposure(at_head=False, reachable=False, kept_by="reflog"), "in a reflog only"),
        (Exposure(at_head=False, reachable=False, kept_by="no ref"), "in a dangling commit"),
        (Exposure(at_head=False, reachable=True, kept_by="ref", tips=()), "in history only"),
        (Exposure(kept_by="index"), "staged, never committed"),
        (Exposure(), ""),
    ],
)
def test_where_a_token_is_in_words(exposure: Exposure, words: str, token: str) -> None:
    assert standing(finding(token, exposure=exposure)) == words


@pytest.mark.parametrize(("number", "confidence", "listed"), [(11, "high", False), (11, "medium", True), (10, "high", True)])
def test_the_odds_of_many_sure_tokens_are_left_out(number: int, confidence: str, listed: bool, rng: random.Random) -> None:
    evidence = (Evidence("likelihood", {"text": "a million to one", "bits": 20}), Evidence("likelihood", {"text": "an odd letter"}))
    text = written("text", report(*(finding(classic(rng), confidence=confidence, evidence=evidence) for _ in range(number))))
    assert text.count("an odd letter") == number
    assert text.count("a million to one") == number * listed


def test_sixty_seven_tokens_fit_and_the_summary_is_on_the_last_screen(rng: random.Random) -> None:
    tips = [("refs/heads/main",), ("refs/heads/topic/x",), ()]
    made = []
    for number in range(67):
        token = (classic, routable)[number % 2](rng)
        exposure = Exposure(Commit(COMMIT, f"Jane {number % 5} <jane@example.com>", "2024-05-01T00:00:00+00:00"), None, number % 3 == 0)
        exposure = exposure._replace(tips=tips[number % 3], reachable=True, pushed=number % 4 == 0, kept_by="ref")
        path = f"services/module{number % 9}/config/deploy_{number}.yml"
        made.append(finding(token, occurrence(token, path=path, at_head=number % 3 == 0), exposure=exposure))
    lines = written("text", report(*made), PLAIN._replace(width=80)).splitlines()
    assert len(lines) < 420
    assert max(map(len, lines)) <= 80
    assert sum(bool(re.match(r"glpat-…\(\d+\) #[0-9a-f]{8}  certain", line)) for line in lines) == 67
    last = "\n".join(lines[-24:])
    where = "23 at HEAD, 22 on other branches, 22 in history only"
    for words in ("67 certain", where, "17 pushed", "Jane 0 <jane", "first  revoke what is pushed: #"):
        assert words in last, words
