"""Reports to where they were asked for, and the exit code that follows from one."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from pathlib import Path

from patscan import formats
from patscan.errors import ExitCode, OutputError
from patscan.model import Report

_DEVICES = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""Folders whose links lead to what this process was given."""


def check(chosen: argparse.Namespace) -> None:
    """Raises `OutputError` before any work is done for a report path that can't be written, or would be written over what is read."""
    read = {os.path.realpath(path) for path in getattr(chosen, "inputs", ())}
    taken: set[str] = set()
    for _, path in chosen.report:
        if problem := _problem(path, read, taken):
            raise OutputError(f"--report: {problem}")
        taken.add(os.path.abspath(path))


def _problem(path: Path, read: set[str], taken: set[str]) -> str:
    folder = path.absolute().parent
    if path.is_dir():
        return f"{path} is a folder. Give it the name of a file."
    if not folder.is_dir():
        return f"the folder {folder} doesn't exist."
    if _is_stream(path):
        return ""
    if os.path.abspath(path) in taken:
        return f"{path} is named twice. Give each report a file of its own."
    if os.path.realpath(path) in read:
        return f"{path} is what is to be read. Give the report a file of its own."
    if not os.access(folder, os.W_OK) or (path.is_file() and not os.access(path, os.W_OK)):
        return f"{path} can't be written to."
    return ""


def deliver(report: Report, chosen: argparse.Namespace) -> int:
    """Write every report; returns the exit code. Raises `OutputError` after trying all of them."""
    code = exit_code(report, chosen)
    report = report._replace(exit_code=int(code))
    style = formats.Style(color=False, reveal=chosen.show_secrets, width=100, when=_when())
    failed = [error for name, path in chosen.report if (error := _to_path(report, name, path, style))]
    failed += [error for path in getattr(chosen, "summaries", ()) if (error := _appended(report, path, style))]
    if not (chosen.quiet and chosen.format in ("text", "brief")):
        if sys.stdout is None:
            raise OutputError(" ".join([*failed, "standard output is closed. Use --quiet, and --report NAME=PATH for a file."]))
        try:
            formats.write(chosen.format, report, sys.stdout, _for_terminal(style, chosen))
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
    if report.violations:
        return ExitCode.ERROR
    if report.findings and not chosen.exit_zero:
        return ExitCode.FOUND
    if report.coverage.complete or chosen.allow_incomplete:
        return ExitCode.CLEAN
    return ExitCode.INCOMPLETE


def _to_path(report: Report, name: str, path: Path, style: formats.Style) -> str:
    """Write one format to `path`; returns what went wrong."""
    try:
        if _is_stream(path):
            _to_stream(report, name, path, style)
        else:
            _to_file(report, name, path, style)
    except OSError as error:
        return f"--report: {path} can't be written: {error.strerror}."
    return ""


def _appended(report: Report, path: Path, style: formats.Style) -> str:
    """Add the Markdown report to a file that other steps of a job write to, too; returns what went wrong."""
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            formats.write("markdown", report, stream, style)
    except OSError as error:
        return f"GITHUB_STEP_SUMMARY: {path} can't be written to: {error.strerror}."
    return ""


def _is_stream(path: Path) -> bool:
    """Whether `path` can only be written to as it is: a pipe, a device. A link anywhere else may be the scanned repository's."""
    if path.is_symlink() and path.absolute().parent in _DEVICES:
        return True
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode))


def _to_stream(report: Report, name: str, path: Path, style: formats.Style) -> None:
    # /dev/stdout that leads to a file would have a place of its own in it, and each would write over the other.
    if sys.stdout is not None and path.samefile("/dev/stdout"):
        formats.write(name, report, sys.stdout, style)
        sys.stdout.flush()
        return
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        formats.write(name, report, stream, style)


def _to_file(report: Report, name: str, path: Path, style: formats.Style) -> None:
    """Whole or not at all, readable by its owner only. A link is replaced, not followed: a checkout may hold one to anywhere."""
    import tempfile

    number, draft = tempfile.mkstemp(dir=path.absolute().parent, prefix=".patscan-")
    try:
        with open(number, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            formats.write(name, report, stream, style)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _for_terminal(style: formats.Style, chosen: argparse.Namespace) -> formats.Style:
    color = sys.stdout.isatty() and not chosen.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return style._replace(color=color, width=_width() if sys.stdout.isatty() else 100)


def _width() -> int:
    import shutil

    return min(max(shutil.get_terminal_size((100, 24)).columns, 40), 120)


def _when() -> str:
    """When this CI job began, or else what reproducible builds take for now (reproducible-builds.org); empty if nobody says."""
    if started := os.environ.get("CI_JOB_STARTED_AT"):
        return started
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch.isdecimal():
        return ""
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(int(epoch), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
