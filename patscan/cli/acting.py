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
from patscan.cli.verify import again
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
    command.add_argument("--repository", type=Path, metavar="PATH", help="where the repository or the folder lies that was scanned")
    command.add_argument("--with-token-file", type=Path, metavar="FILE", help="act with this token where a token can't act on itself")
    command.add_argument(
        "--at", metavar="PATH", help="where GitLab's API keeps the token, for --with-token-file: projects/42/deploy_tokens/7"
    )
    command.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    command.add_argument("--yes", action="store_true", help="don't ask on the terminal")
    command.add_argument(
        "--audit-log", type=Path, metavar="FILE", help="append what is done (default: $XDG_STATE_HOME/patscan/audit.jsonl)"
    )
    asking.add_approval(command)
    command.add_argument("--quiet", action="store_true", help="no progress")
    command.add_argument("--no-color", action="store_true", help="no colours; the variable NO_COLOR says the same")


def check(chosen: argparse.Namespace) -> None:
    """Raises `UsageError` for flags that don't go together, and where nobody could be asked."""
    if chosen.at and not chosen.with_token_file:
        raise UsageError("--at goes with --with-token-file only.")
    read = {os.path.realpath(file) for file in (*chosen.inputs, chosen.with_token_file, chosen.admin_token_file) if file}
    if chosen.audit_log and os.path.realpath(chosen.audit_log) in read:
        raise UsageError(f"--audit-log: {chosen.audit_log} is what is to be read. Give the log a file of its own.")
    if not chosen.yes and not chosen.dry_run and not _has_terminal():
        raise UsageError(
            "there is no terminal to ask on, so nothing was done. --yes does it without a question, --dry-run says what it is."
        )


def actor(chosen: argparse.Namespace, report: Report) -> Actor:
    """Who acts. Raises `ConfigError` and `UsageError`."""
    from patscan.gitlab.acting import Actor

    approved, client, options = asking.prepared(chosen, asking.proposed(report))
    other = asking.token_in(chosen.with_token_file, "--with-token-file") if chosen.with_token_file else None
    return Actor(approved, client, options, other, _row(chosen.at, report.findings), _user())


def asked(chosen: argparse.Namespace, report: Report, actor: Actor) -> tuple[Finding, ...]:
    """The findings of `report`, each token once, with what GitLab says of them now: what the report says counts for nothing.

    Raises `UsageError` if the administrator's token is of no use.
    """
    from patscan.model import Verdict

    findings = {finding.fingerprint: finding for finding in again(report, chosen.repository).findings}
    # What made a token unreadable stands in its verdict.
    fresh = tuple(finding._replace(verdict=Verdict()) if len(finding.secret) else finding for finding in findings.values())
    inquiry = asking.Asking(actor.approved, actor.client, actor.options)
    outcome = asking.answered(inquiry, fresh, not chosen.quiet)
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
    """What `deed` would do, in lines for a person: which token, whose, which request to which host."""
    verdict = deed.finding.verdict
    lines = [f"{named(deed.finding)} ({deed.finding.rule.name})", f"  {life(verdict)}"]
    if not owner(verdict):
        lines.append(f"  GitLab doesn't say whose it is. Who can end it: {whom(deed.finding)}.")
    lines.append(f"  {deed.way.line} at {deed.instance.url}, {deed.way.by}")
    if deed.row:
        doubt = "" if deed.row.same else ": GitLab doesn't say whether that is this token. Compare its name and date with the page's"
        made = f", created {deed.row.created}" if deed.row.created else ""
        lines.append(f"  --at names {deed.row.name!r}{made}{doubt}")
    if deed.way.effect:
        lines.append(f"  Note: {deed.way.effect}.")
    return lines


def tell(lines: Iterable[str], error: bool = False) -> None:
    """Write lines that may hold what a server or a repository wrote."""
    for line in lines:
        print(unshaped(printable(line)), file=sys.stderr if error else sys.stdout, flush=True)


def alarm(chosen: argparse.Namespace, line: str) -> None:
    """Write a line in red, where there are colours."""
    text = unshaped(printable(line))
    color = sys.stdout.isatty() and not chosen.no_color and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    print(_RED.format(text) if color else text, flush=True)


def consents(chosen: argparse.Namespace, question: str) -> bool:
    """Whether a person at the terminal says yes, or ``--yes`` did."""
    if chosen.yes:
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _has_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _row(at: str | None, findings: Iterable[Finding]) -> str:
    """The path of ``--at``, which fits the one token there is. Raises `UsageError`."""
    from patscan.gitlab.ways import ROWS

    if at is None:
        return ""
    kinds = {finding.rule.kind: finding.fingerprint for finding in findings}
    path = at.strip("/").removeprefix("api/v4/")
    if len({finding.fingerprint for finding in findings}) != 1 or len(kinds) != 1:
        raise UsageError("--at names one token's place, so choose one token with --fingerprint.")
    (kind,) = kinds
    if kind not in ROWS or not re.fullmatch(ROWS[kind], path, re.ASCII):
        shape = ROWS.get(kind, "").replace(r"\d+", "ID").replace("(?:projects|groups)", "projects").replace("|", " or ")
        raise UsageError(f"--at {at}: GitLab keeps no {kind} there. {f'Write {shape}.' if shape else 'This kind has no such place.'}")
    return path


def _state_folder() -> Path:
    folder = os.environ.get("XDG_STATE_HOME") or ""
    # The XDG specification: what isn't absolute is to be ignored.
    return (Path(folder) if os.path.isabs(folder) else Path.home() / ".local" / "state") / "patscan"


def _user() -> str:
    """Who runs patscan, by the system's own list of users where it has one."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME") or (str(os.getuid()) if hasattr(os, "getuid") else "unknown")
