"""``--fingerprint``: a short id stands for one token, or for none."""

from __future__ import annotations

import argparse

import pytest

from patscan.cli.selecting import add_fingerprint, selected
from patscan.errors import UsageError
from patscan.model import Coverage, Finding, Report, Target
from tests.formats import reports

FINGERPRINTS = ("3bbc9c12" + "0" * 24, "3bbc9c12" + "1" * 24, "3bb0" + "0" * 28, "a" * 32)


def finding(fingerprint: str, reason: str = "") -> Finding:
    return Finding(reports.RULE, reports.secret("glpat-x"), fingerprint, "high", reason, (), ())


def report(*fingerprints: str, ignored: str = "") -> Report:
    hidden = (finding(ignored, "baseline"),) if ignored else ()
    return Report(Target("files", "."), (reports.RULE,), Coverage(), tuple(map(finding, fingerprints)), hidden)


def parsed(*arguments: str) -> list[str]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_fingerprint(parser)
    return list(parser.parse_args(arguments).fingerprint)


@pytest.mark.parametrize(
    ("beginnings", "words"),
    [
        (["3bb"], "3 tokens begin with it: 3bb00000, 3bbc9c12000000000000000000000000, 3bbc9c12111111111111111111111111."),
        (["3bbc9c12"], "2 tokens"),
        (["a", "b"], "--fingerprint b: the report has no such finding"),
        (["f"], "the report ignores this token (baseline)"),
        (["a" * 33], "no such finding"),
    ],
    ids=str,
)
def test_what_stands_for_none_or_several_is_refused(beginnings: list[str], words: str) -> None:
    with pytest.raises(UsageError) as error:
        selected(report(*FINGERPRINTS, ignored="f" * 32), beginnings)
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["", "#", "glpat", "3bbc 9c12", "0x3b"])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentError, match="not a fingerprint"):
        parsed("--fingerprint", text)


def test_a_short_id_that_stands_for_one_is_enough() -> None:
    chosen = selected(report(*FINGERPRINTS), parsed("--fingerprint", "#AAAA", "--fingerprint", "3bbc9c121", "--fingerprint", "a"))
    assert [finding.fingerprint for finding in chosen.findings] == [FINGERPRINTS[1], FINGERPRINTS[3]]


def test_the_same_token_twice_is_one() -> None:
    assert len(selected(report("a" * 32, "a" * 32), ["a"]).findings) == 2


def test_a_reports_fingerprints_dont_steer_the_terminal() -> None:
    with pytest.raises(UsageError) as error:
        selected(report("3b\x1b[31m", "3b" * 16), ["3b"])
    assert "\x1b" not in str(error.value)
