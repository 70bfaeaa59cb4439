"""What ``revoke`` and ``rotate`` share: their flags, who acts, the question on the terminal, the audit log."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from patscan.cli import asking
from patscan.cli.verify import reread
from patscan.errors import UsageError
from patscan.formats.places import printable
from patscan.formats.redaction import unshaped
from patscan.formats.verdicts import life, owner
from patscan.formats.words import named
from patscan.gitlab.advice import whom

if TYPE_CHECKING:
    from patscan.audit import AuditLog
    from patscan.gitlab.acting import Actor, Deed
    from patscan.model import Finding, Report

_RED = "\x1b[31m{}\x1b[0m"


def add_acting(command: argparse.ArgumentParser) -> None:
    """The flags of a command that changes something at GitLab."""
    command.add_argument("inputs", nargs=1, type=Path, metavar="REPORT", help="a JSON report that patscan wrote, or - for standard input")
    command.add_argument("--repository", type=Path, metavar="PATH", help="the scanned repository or folder")
    command.add_argument(
        "--with-token-file", type=Path, metavar="FILE", help="act with the token in this file where a token can't act on itself"
    )
    command.add_argument(
        "--at", metavar="PATH", help="the token's path in GitLab's API, for --with-token-file: projects/42/deploy_tokens/7"
    )
    command.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    command.add_argument("--yes", action="store_true", help="don't ask on the terminal")
    command.add_argument(
        "--audit-log", type=Path, metavar="FILE", help="append each action to this file (default: $XDG_STATE_HOME/patscan/audit.jsonl)"
    )
    asking.add_approval(command)
    command.add_argument("--quiet", action="store_true", help="no progress")
    command.add_argument("--no-color", action="store_true", help="no colours, like the variable NO_COLOR")


def check(chosen: argparse.Namespace) -> None:
    """Raises `UsageError` for flags that exclude each other, and if a question is due without a terminal."""
    if chosen.at and not chosen.with_token_file:
        raise UsageError("--at needs --with-token-file.")
    read = {os.path.realpath(file) for file in (*chosen.inputs, chosen.with_token_file, chosen.admin_token_file) if file}
    if chosen.audit_log and os.path.realpath(chosen.audit_log) in read:
        raise UsageError(f"--audit-log: {chosen.audit_log} is an input file. Name another file for the log.")
    if not chosen.yes and not chosen.dry_run and not _has_terminal():
        raise UsageError(
            "there is no terminal for the question, so nothing was done. Use --yes to skip the question, or --dry-run to see the plan."
        )


def actor(chosen: argparse.Namespace, report: Report) -> Actor:
    """The instances, the client and the tokens that act. Raises `ConfigError` and `UsageError`."""
    from patscan.gitlab.acting import Actor

    approved, client, options = asking.prepare(chosen, asking.proposed(report))
    other = asking.token_in(chosen.with_token_file, "--with-token-file") if chosen.with_token_file else None
    return Actor(approved, client, options, other, _row_path(chosen.at, report.findings), _user())


def current_findings(chosen: argparse.Namespace, report: Report, actor: Actor) -> tuple[Finding, ...]:
    """The findings of `report`, each token once, with GitLab's present verdicts. Verdicts in the report are ignored.

    Raises `UsageError` if the administrator's token can't be used.
    """
    from patscan.model import Verdict

    findings = {finding.fingerprint: finding for finding in reread(report, chosen.repository).findings}
    # The verdict of an unreadable token says why it can't be read.
    fresh = tuple(finding._replace(verdict=Verdict()) if len(finding.secret) else finding for finding in findings.values())
    inquiry = asking.Asking(actor.approved, actor.client, actor.options)
    outcome = asking.ask(inquiry, fresh, not chosen.quiet)
    if outcome.interrupted:
        raise KeyboardInterrupt
    for skip in outcome.skipped:
        raise UsageError(f"{skip.where}: {skip.reason} Nothing was done.")
    return outcome.findings


def log(chosen: argparse.Namespace) -> AuditLog:
    """The audit log, opened. Raises `AuditError`."""
    from patscan.audit import AuditLog

    return AuditLog(chosen.audit_log or _state_folder() / "audit.jsonl")


def plan(deed: Deed) -> list[str]:
    """Lines that describe `deed`: which token, its owner, which request to which host."""
    verdict = deed.finding.verdict
    lines = [f"{named(deed.finding)} ({deed.finding.rule.name})", f"  {life(verdict)}"]
    if not owner(verdict):
        lines.append(f"  GitLab doesn't name its owner. It can be revoked by {whom(deed.finding)}.")
    lines.append(f"  {deed.way.line} at {deed.instance.url}, {deed.way.by}")
    if deed.row:
        doubt = "" if deed.row.same else ": GitLab doesn't say whether that is this token. Compare name and date with GitLab's page"
        created = f", created {deed.row.created}" if deed.row.created else ""
        lines.append(f"  --at names {deed.row.name!r}{created}{doubt}")
    if deed.way.effect:
        lines.append(f"  Note: {deed.way.effect}.")
    return lines


def write_lines(lines: Iterable[str], error: bool = False) -> None:
    """Print lines, with text from servers and repositories made harmless."""
    for line in lines:
        print(unshaped(printable(line)), file=sys.stderr if error else sys.stdout, flush=True)


def alarm(chosen: argparse.Namespace, line: str) -> None:
    """Print a line, in red if the terminal has colours."""
    text = unshaped(printable(line))
    color = sys.stdout.isatty() and not chosen.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    print(_RED.format(text) if color else text, flush=True)


def consents(chosen: argparse.Namespace, question: str) -> bool:
    """Whether ``--yes`` is given, or the user answers yes."""
    if chosen.yes:
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _has_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _row_path(at: str | None, findings: Iterable[Finding]) -> str:
    """The path of ``--at``. Raises `UsageError` unless it fits the kind of the one chosen token."""
    from patscan.gitlab.ways import ROWS

    if at is None:
        return ""
    kinds = {finding.rule.kind: finding.fingerprint for finding in findings}
    path = at.strip("/").removeprefix("api/v4/")
    if len({finding.fingerprint for finding in findings}) != 1 or len(kinds) != 1:
        raise UsageError("--at is the path of one token. Choose one token with --fingerprint.")
    (kind,) = kinds
    if kind not in ROWS or not re.fullmatch(ROWS[kind], path, re.ASCII):
        shape = ROWS.get(kind, "").replace(r"\d+", "ID").replace("(?:projects|groups)", "projects").replace("|", " or ")
        raise UsageError(f"--at {at}: not the path of a {kind}. {f'Write {shape}.' if shape else 'This kind has no path.'}")
    return path


def _state_folder() -> Path:
    folder = os.environ.get("XDG_STATE_HOME") or ""
    # XDG Base Directory Specification: a path that isn't absolute is ignored.
    return (Path(folder) if os.path.isabs(folder) else Path.home() / ".local" / "state") / "patscan"


def _user() -> str:
    """The name of the user who runs patscan."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME") or (str(os.getuid()) if hasattr(os, "getuid") else "unknown")
