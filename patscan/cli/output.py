"""Reports to where they were asked for, and the exit code that follows from one."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from patscan import formats
from patscan.errors import ExitCode, OutputError
from patscan.model import Report


def check(chosen: argparse.Namespace) -> None:
    """Raises `OutputError` before any work is done for a report path that can't be written."""
    for _, path in chosen.report:
        folder = path.absolute().parent
        if path.is_dir():
            raise OutputError(f"--report: {path} is a folder. Give it the name of a file.")
        if not folder.is_dir():
            raise OutputError(f"--report: the folder {folder} doesn't exist.")
        if not os.access(folder, os.W_OK):
            raise OutputError(f"--report: {folder} can't be written to.")


def deliver(report: Report, chosen: argparse.Namespace) -> int:
    """Write every report; returns the exit code. Raises `OutputError` after trying all of them."""
    code = exit_code(report, chosen)
    report = report._replace(exit_code=int(code))
    failed = [error for name, path in chosen.report if (error := _to_file(report, name, path, chosen.show_secrets))]
    if not (chosen.quiet and chosen.format in ("text", "brief")):
        if sys.stdout is None:
            raise OutputError(" ".join([*failed, "standard output is closed. Use --quiet, and --report NAME=PATH for a file."]))
        try:
            formats.write(chosen.format, report, sys.stdout, _style(chosen))
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            raise OutputError(f"standard output can't be written to: {error.strerror}.") from error
    if failed:
        raise OutputError(" ".join(failed))
    return code


def exit_code(report: Report, chosen: argparse.Namespace) -> ExitCode:
    """The table of `patscan.errors.ExitCode`, as the flags bend it."""
    if report.interrupted:
        return ExitCode.INTERRUPTED
    if report.findings and not chosen.exit_zero:
        return ExitCode.FOUND
    if report.coverage.complete or chosen.allow_incomplete:
        return ExitCode.CLEAN
    return ExitCode.INCOMPLETE


def _to_file(report: Report, name: str, path: Path, reveal: bool) -> str:
    """Write one format to `path`, whole or not at all; returns what went wrong. Readable by its owner only."""
    import tempfile

    style = formats.Style(color=False, reveal=reveal, width=100)
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
                formats.write(name, report, stream, style)
            return ""
        number, draft = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        try:
            with open(number, "w", encoding="utf-8", errors="backslashreplace") as stream:
                formats.write(name, report, stream, style)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        return f"--report: {path} can't be written: {error.strerror}."
    return ""


def _style(chosen: argparse.Namespace) -> formats.Style:
    color = sys.stdout.isatty() and not chosen.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return formats.Style(color=color, reveal=chosen.show_secrets, width=_width() if sys.stdout.isatty() else 100)


def _width() -> int:
    import shutil

    return min(max(shutil.get_terminal_size((100, 24)).columns, 40), 120)
