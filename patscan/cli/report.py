"""``patscan report``: writes a saved JSON report in another format."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from patscan.cli import output
from patscan.cli.parser import add_output
from patscan.errors import ExitCode, ReportError
from patscan.model import Report

_NONE = ("",)
"""Matches no verdict, so that no finding makes the exit code 1."""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan report`` takes."""
    command.add_argument("inputs", nargs=1, type=Path, metavar="FILE", help="a JSON report that patscan wrote, or - for standard input")
    add_output(command)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Write a saved report again. The exit code is that of its scan, unless flags change it."""
    output.check(chosen)
    report = saved(chosen.inputs[0])
    if report.findings and report.exit_code in (ExitCode.CLEAN, ExitCode.INCOMPLETE):
        # Flags of the scan decided that its findings don't fail.
        chosen.exit_zero, chosen.fail_on = report.exit_code == ExitCode.CLEAN, _NONE if report.exit_code else None
    return deliver(report, chosen)


def saved(path: Path) -> Report:
    """The report in a file, or on standard input. Raises `ReportError`."""
    from patscan.formats.saved import read

    if path == Path("-") and sys.stdin is None:
        raise ReportError("standard input is closed. Name a JSON report.")
    data, name = (sys.stdin.buffer.read(), "standard input") if path == Path("-") else (_content(path), str(path))
    return read(data, name)


def deliver(report: Report, chosen: argparse.Namespace) -> int:
    """Write a saved report, and return the exit code. Raises `ReportError` afterwards if the report has violations."""
    code = output.deliver(report, chosen)
    if code == ExitCode.ERROR:
        raise ReportError(f"{chosen.inputs[0]}: {' '.join(report.violations)}")
    return code


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path}: {(error.strerror or str(error)).lower()}. Name a JSON report, or - for standard input.") from error
