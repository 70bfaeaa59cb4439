"""Writes reports, and derives the exit code from one."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from pathlib import Path

from patscan import formats
from patscan.cli import signals
from patscan.cli.environment import elsewhere, environment
from patscan.cli.states import OPEN, chosen_states
from patscan.errors import ExitCode, OutputError
from patscan.model import Report

_DEVICES = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""Folders whose links are this process's open files."""


def check(chosen: argparse.Namespace) -> None:
    """Raises `OutputError` for a report path that can't be written, or whose file must not be replaced."""
    read = {os.path.realpath(path) for path in getattr(chosen, "inputs", ())}
    taken: set[str] = set()
    for _, path in getattr(chosen, "report", ()):
        if problem := _problem(path, read, taken) or _owner(path):
            raise OutputError(f"--report: {problem}")
        taken.add(_place(path))


def _problem(path: Path, read: set[str], taken: set[str]) -> str:
    folder = path.absolute().parent
    if os.path.isdir(path):
        return f"{path} is a folder. Name a file."
    if not os.path.isdir(folder):
        return f"the folder {folder} doesn't exist."
    if _is_stream(path):
        return ""
    if _place(path) in taken:
        return f"{path} is named twice. Name another file for each report."
    if os.path.realpath(path) in read:
        return f"{path} is an input file. Name another file for the report."
    if not os.access(folder, os.W_OK) or (os.path.isfile(path) and not os.access(path, os.W_OK)):
        return f"{path} can't be written to."
    return ""


def _place(path: Path) -> str:
    """The path to write to. Links among the folders are followed; a link at `path` itself is replaced."""
    return os.path.join(os.path.realpath(path.absolute().parent), path.name)


def _owner(path: Path) -> str:
    """A sentence if `path` belongs to git; empty otherwise."""
    from patscan.git.child import GitError
    from patscan.git.tracked import in_git_folder, is_tracked

    if _is_stream(path):
        return ""
    place = Path(_place(path))
    if in_git_folder(place):
        return f"{path} is in git's own folder. Name a file outside of it."
    try:
        tracked = is_tracked(place, environment(), elsewhere())
    except GitError as error:
        return f"{path} exists, and git can't say whether it is tracked: {error} Name another file."
    return f"{path} is tracked by git. Name another file." if tracked else ""


def deliver(report: Report, chosen: argparse.Namespace) -> int:
    """Write all reports and return the exit code. Raises `OutputError` after all were tried."""
    code = exit_code(report, chosen)
    report = report._replace(exit_code=int(code))
    style = formats.Style(False, chosen.show_secrets, 100, _when(), chosen.all, chosen.category)
    if chosen.format == "codequality" or any(name == "codequality" for name, _ in chosen.report):
        _print_prominent(report)
    failed = [error for name, path in chosen.report if (error := _to_path(report, name, path, style))]
    failed += [error for path in getattr(chosen, "summaries", ()) if (error := _append(report, path, style))]
    if not (chosen.quiet and chosen.format in ("text", "brief")):
        if sys.stdout is None:
            raise OutputError(" ".join([*failed, "standard output is closed. Use --quiet and --report NAME=PATH."]))
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


def _print_prominent(report: Report) -> None:
    """Print to standard error the notes that a Code Quality report has no place for."""
    from patscan.formats.logs import harmless
    from patscan.formats.redaction import unshaped
    from patscan.formats.words import prominent

    for note in prominent(report):
        print(harmless(unshaped(f"patscan: {note.where}: {note.reason}")), file=sys.stderr)


def exit_code(report: Report, chosen: argparse.Namespace) -> ExitCode:
    """The exit code by `patscan.errors.ExitCode` and the flags."""
    if report.interrupted:
        # A saved report has the exit code of its scan.
        saved = ExitCode.TERMINATED if report.exit_code == ExitCode.TERMINATED else ExitCode.INTERRUPTED
        return signals.code() or saved
    if report.violations:
        return ExitCode.ERROR
    states = chosen_states(chosen)
    if any(not states or finding.verdict.state in states for finding in report.findings) and not chosen.exit_zero:
        return ExitCode.FOUND
    is_settled = not states or all(finding.verdict.state not in OPEN for finding in report.findings)
    if (is_settled and report.coverage.complete) or chosen.allow_incomplete:
        return ExitCode.CLEAN
    return ExitCode.INCOMPLETE


def _to_path(report: Report, name: str, path: Path, style: formats.Style) -> str:
    """Write one format to `path`. Returns an error as a sentence, or an empty text."""
    try:
        if _is_stream(path):
            _to_stream(report, name, path, style)
        else:
            _to_file(report, name, path, style)
    except OSError as error:
        return f"--report: {path} can't be written: {error.strerror}."
    return ""


def _append(report: Report, path: Path, style: formats.Style) -> str:
    """Append the Markdown report to a file that other steps of a job append to. Returns an error as a sentence, or an empty text."""
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            formats.write("markdown", report, stream, style)
    except OSError as error:
        return f"GITHUB_STEP_SUMMARY: {path} can't be written to: {error.strerror}."
    return ""


def _is_stream(path: Path) -> bool:
    """Whether `path` is a pipe or a device, which can't be replaced. Other links are untrusted: a scanned repository may hold them."""
    if os.path.islink(path) and path.absolute().parent in _DEVICES:
        return True
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode))


def _to_stream(report: Report, name: str, path: Path, style: formats.Style) -> None:
    # Opened again, a file behind /dev/stdout has a second position, and the two streams overwrite each other.
    if sys.stdout is not None and path.samefile("/dev/stdout"):
        formats.write(name, report, sys.stdout, style)
        sys.stdout.flush()
        return
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        formats.write(name, report, stream, style)


def _to_file(report: Report, name: str, path: Path, style: formats.Style) -> None:
    """Write the whole file or none, readable by its owner only. A link is replaced, because a checkout may link to anywhere."""
    from io import TextIOWrapper

    from patscan.whole import whole

    with whole(path) as file, TextIOWrapper(file, "utf-8", "backslashreplace", "\n") as stream:
        formats.write(name, report, stream, style)


def _for_terminal(style: formats.Style, chosen: argparse.Namespace) -> formats.Style:
    color = sys.stdout.isatty() and not chosen.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return style._replace(color=color, width=_width() if sys.stdout.isatty() else 100)


def _width() -> int:
    import shutil

    return min(max(shutil.get_terminal_size((100, 24)).columns, 40), 120)


def _when() -> str:
    """When this CI job started, else ``SOURCE_DATE_EPOCH`` (reproducible-builds.org), else empty; in ISO 8601."""
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
