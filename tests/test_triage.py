"""Paths and comments, place by place, on made findings; whole commands are in tests/cli/test_triage.py."""

from __future__ import annotations

import time

import pytest

from patscan.errors import ConfigError
from patscan.kind import Kind
from patscan.model import Address, Finding, Ignore, Match, Occurrence, Position, Rule, Sighting
from patscan.secret import Secret
from patscan.triage import Policy, Triage, excluded

PLACE = Position(1, 1, 1, 5)
SECRET = Secret(b"x" * 26)
RULE = Rule("r", "k", "n", "high", "", "", (), "", (), "", 0, "friendly", (), ())


def at(path: str | None, date: str = "", blob: str = "b", head: bool | None = None, kind: str = "blob", start: int = 0) -> Occurrence:
    sighting = Sighting(Kind(kind), path, "c", "a", date or None, blob)
    address = Address(blob, start, start + 5)
    return Occurrence(Match(RULE, SECRET, SECRET.fingerprint, address, PLACE, (), 1), sighting, at_head=head)


def apart(rules: tuple[Rule, ...], policy: Policy, places: list[Occurrence], comments: list[Occurrence]) -> dict[str, list[Occurrence]]:
    marked = [one._replace(match=one.match._replace(ignore=Ignore(1, "why"))) if one in comments else one for one in places]
    finding = Finding(rules[0], SECRET, SECRET.fingerprint, "high", "", (), tuple(marked))
    parts = Triage(policy).split(finding)
    return {part.reason: [one._replace(match=one.match._replace(ignore=None)) for one in part.occurrences] for part in parts}


class TestPaths:
    @pytest.mark.parametrize("path", ["src/a", "xdocs/a", "a/docs2", "docs", "keep/docs/b"])
    def test_what_is_not_meant_stays(self, path: str) -> None:
        assert not excluded(["docs/", "!keep/docs/b"])(path)

    @pytest.mark.parametrize("path", ["docs/a", "x/docs/y/z", "a.md", "x/b.md"])
    def test_patterns_are_gits(self, path: str) -> None:
        assert excluded(["docs/", "*.md"])(path)

    def test_never_the_folders_above_the_repository(self, rules: tuple[Rule, ...]) -> None:
        place = at("/home/worktrees/repo/a", kind="file")
        assert apart(rules, Policy(("worktrees/", "repo", "/home"), "/home/worktrees/repo"), [place], []) == {"": [place]}
        assert apart(rules, Policy(("a",), "/home/worktrees/repo"), [place], []) == {"path": [place]}
        outside = at("/home/a", kind="file")
        assert apart(rules, Policy(("*",), "/home/worktrees"), [outside], []) == {"": [outside]}

    def test_what_has_no_path_of_a_file_stays(self, rules: tuple[Rule, ...]) -> None:
        places = [at(None), at("refs/heads/x", kind="ref-name"), at(None, kind="commit-message")]
        assert apart(rules, Policy(("*",)), places, []) == {"": places}

    def test_one_place_that_counts_is_enough(self, rules: tuple[Rule, ...]) -> None:
        places = [at("docs/a"), at("src/b")]
        assert apart(rules, Policy(("docs/",)), places, []) == {"path": places[:1], "": places[1:]}

    @pytest.mark.parametrize("pattern", ["*a*b*c*d", "**/a/**/b/**/c/**", "a/" + "*a" * 20])
    def test_a_pattern_that_would_take_for_ever_is_refused(self, pattern: str) -> None:
        with pytest.raises(ConfigError, match="too many stars"):
            excluded([pattern])

    def test_a_nul_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="NUL"):
            excluded(["a", "\0"])

    @pytest.mark.parametrize("pattern", ["*a*a*b", "**/a/**/a/**/b", "*a*a*a/*a*a*b"])
    def test_the_worst_that_is_taken_takes_no_time(self, pattern: str) -> None:
        match, begun = excluded([pattern]), time.monotonic()
        assert not match("a" * 255 + "/" + "a" * 255)
        assert not match("a/" * 500 + "c")
        assert time.monotonic() - begun < 10


class TestComments:
    def test_an_old_comment_hides_no_current_place(self, rules: tuple[Rule, ...]) -> None:
        old, new = at("a", "2026-01-01T00:00:00+00:00", "1"), at("a", "2026-02-01T00:00:00+00:00", "2")
        assert apart(rules, Policy(), [old, new], [old]) == {"": [old, new]}

    def test_head_decides_before_the_date(self, rules: tuple[Rule, ...]) -> None:
        at_head, later = at("a", "2026-01-01T00:00:00+00:00", "1", head=True), at("a", "2026-02-01T00:00:00+00:00", "2", head=False)
        assert apart(rules, Policy(), [at_head, later], [later]) == {"": [at_head, later]}
        assert apart(rules, Policy(), [at_head, later], [at_head]) == {"inline comment": [at_head, later]}

    def test_the_newest_comment_counts_for_all_versions(self, rules: tuple[Rule, ...]) -> None:
        old, new = at("a", "2026-01-01T00:00:00+00:00", "1"), at("a", "2026-02-01T00:00:00+00:00", "2")
        assert apart(rules, Policy(), [old, new], [new]) == {"inline comment": [old, new]}

    def test_another_file_is_another_matter(self, rules: tuple[Rule, ...]) -> None:
        places = [at("a"), at("b")]
        assert apart(rules, Policy(), places, [places[0]]) == {"inline comment": [places[0]], "": [places[1]]}

    def test_a_second_place_in_the_same_version_stays(self, rules: tuple[Rule, ...]) -> None:
        first, second = at("a", start=0), at("a", start=50)
        assert apart(rules, Policy(), [first, second], [first]) == {"inline comment": [first], "": [second]}

    @pytest.mark.parametrize("kind", ["commit-message", "author", "tag-message", "ref-name", "path", "symlink"])
    def test_a_message_cannot_ignore_its_own_token(self, rules: tuple[Rule, ...], kind: str) -> None:
        place = at(None, kind=kind)
        assert apart(rules, Policy(), [place], [place]) == {"": [place]}

    def test_a_required_reason(self, rules: tuple[Rule, ...]) -> None:
        place = at("a")
        triage = Triage(Policy(require_reason=True))

        def part(reason: str) -> Finding:
            commented = place._replace(match=place.match._replace(ignore=Ignore(7, reason)))
            (only,) = triage.split(Finding(rules[0], SECRET, SECRET.fingerprint, "high", "", (), (commented,)))
            return only

        assert (part("").reason, triage.unreasoned) == ("", {"a:7"})
        assert (part("why").reason, part("why").justification) == ("inline comment", "why")


def test_a_baseline_knows_a_token_by_nothing_but_its_fingerprint(rules: tuple[Rule, ...]) -> None:
    place = at("a")
    assert apart(rules, Policy(accepted={SECRET.fingerprint: ""}), [place], []) == {"baseline": [place]}
    assert apart(rules, Policy(accepted={SECRET.fingerprint[:31]: ""}), [place], []) == {"": [place]}
