"""The findings of a saved report that ``--fingerprint`` names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from patscan.errors import UsageError
from patscan.formats.places import printable
from patscan.model import Report

_SHORT = 8
"""Characters of a short id, as reports show it."""


def add_fingerprint(command: argparse._ActionsContainer, required: bool = False) -> None:
    """Add ``--fingerprint`` to a command or a group of flags. Its value is a list of beginnings, ``None`` without the flag."""
    text = "the token with this fingerprint, or a unique beginning of it (repeatable)"
    command.add_argument("--fingerprint", action="append", required=required, type=_beginning, metavar="F", help=text)


def selected(report: Report, beginnings: Sequence[str]) -> Report:
    """`report` with the findings whose fingerprints `beginnings` name, in the report's order.

    Raises `UsageError` if one of them names no finding, or several tokens.
    """
    fingerprints = {_fingerprint(report, beginning) for beginning in beginnings}
    return report._replace(findings=tuple(finding for finding in report.findings if finding.fingerprint in fingerprints))


def _fingerprint(report: Report, beginning: str) -> str:
    """The one fingerprint that starts with `beginning`."""
    fingerprints = sorted({finding.fingerprint for finding in report.findings if finding.fingerprint.startswith(beginning)})
    if len(fingerprints) == 1:
        return fingerprints[0]
    if fingerprints:
        named = printable(", ".join(_distinct(fingerprints)))
        raise UsageError(f"--fingerprint {beginning}: {len(fingerprints):,} tokens begin with it: {named}. Write more digits.")
    for finding in report.ignored:
        if finding.fingerprint.startswith(beginning):
            raise UsageError(f"--fingerprint {beginning}: the report ignores this token ({printable(finding.reason)}). Choose a finding.")
    raise UsageError(f"--fingerprint {beginning}: the report has no such finding. Copy the fingerprint from this report.")


def _distinct(fingerprints: Iterable[str]) -> Iterator[str]:
    """Short ids, or whole fingerprints where several share a short id. `fingerprints` are sorted."""
    for short, group in groupby(fingerprints, lambda fingerprint: fingerprint[:_SHORT]):
        alike = list(group)
        yield from [short] if len(alike) == 1 else alike


def _beginning(text: str) -> str:
    beginning = text.removeprefix("#").lower()
    if not beginning or not set(beginning) <= set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a fingerprint, which has hexadecimal digits only")
    return beginning
