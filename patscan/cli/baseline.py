"""``patscan baseline write | check | prune``: accepted tokens, and whether they are still there."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from patscan import baseline as baselines
from patscan import textfile
from patscan.cli import policy, scanning
from patscan.cli.environment import environment
from patscan.cli.parser import add_command, add_policy, add_rules
from patscan.counts import counted
from patscan.errors import ConfigError, ExitCode, UsageError
from patscan.formats.places import SHORT, name, printable
from patscan.formats.redaction import redacted, unshaped
from patscan.formats.words import prominent
from patscan.kind import Kind
from patscan.model import Finding, Report, Target


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan baseline`` takes."""
    verbs = command.add_subparsers(title="verbs", metavar="VERB", required=True, prog="patscan baseline")
    texts = {
        "write": "accept every token that a scan finds now",
        "check": "list entries that are unused, expired or duplicates",
        "prune": "remove the entries that are unused or expired",
    }
    for run in (write, check, prune):
        verb = add_command(verbs, run.__name__, texts[run.__name__])
        verb.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="a repository or a folder (default: .)")
        if run is write:
            verb.add_argument("--history", action="store_true", help="accept the tokens in the repository's history as well")
            verb.add_argument("--reason", type=_line, default=None, metavar="TEXT", help="why the tokens are accepted")
            verb.add_argument(
                "--expires", type=_day, default=None, metavar="DATE", help="the last day on which they are accepted (2027-01-31)"
            )
        add_rules(verb)
        add_policy(verb)
        verb.set_defaults(command=run, min_confidence=None, show_secrets=False, jobs=None, quiet=True)


def _line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError("the reason must be one line of printable text")
    return text.strip()


def _day(text: str) -> date:
    try:
        return baselines.day(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write 2027-01-31") from None


def write(chosen: argparse.Namespace) -> int:
    """Accept the tokens of a scan. Existing entries are kept; ``--expires`` renews those whose token is there.

    Exit code 3 if the scan is incomplete.
    """
    settings = _settings(chosen)
    old = settings.baseline or baselines.new(_file(chosen, settings))
    reports = _reports(chosen, settings._replace(baseline=old), chosen.path, chosen.history)
    entries = {entry.fingerprint: entry for entry in reversed(old.entries)}
    added = renewed = 0
    for finding, path in (pair for report in reports for pair in _findings_with_paths(report, settings)):
        key = finding.secret.keyed(old.salt)
        known = entries.get(key)
        if known is None:
            entries[key] = _entry(key, finding, path, chosen)
            added += 1
            _print_entry("added", finding, path)
        elif chosen.expires and known.expires != chosen.expires:
            entries[key] = known._replace(expires=chosen.expires, reason=unshaped(chosen.reason or known.reason))
            renewed += 1
            _print_entry("renewed", finding, path)
    changed = baselines.write(old._replace(entries=tuple(entries.values())))
    changes = f"{added:,} added, {renewed:,} renewed, {len(old.entries) - renewed:,} kept" if changed else "nothing changed"
    print(printable(unshaped(f"{old.file}: {changes}.")))
    return _completeness(reports)


def _print_entry(word: str, finding: Finding, path: str) -> None:
    """Print an accepted token, so that the user notices one that was accepted by mistake."""
    first = finding.occurrences[0]
    place = path or name(first.sighting, SHORT)
    if first.sighting.kind is not Kind.PATH:
        place += f":{first.position.line}:{first.position.column}"
    others = len(finding.occurrences) - 1
    more = f" and {counted(others, 'more place')}" if others else ""
    print(printable(unshaped(f"{word}  {place}  {finding.rule.name}  {finding.secret}{more}")))


def check(chosen: argparse.Namespace) -> int:
    """List entries to prune. Exit code 0 if there is none, 1 if there is one, 3 if the scan is incomplete."""
    settings, baseline = _existing(chosen)
    reports = _everything(chosen, settings)
    unused, expired, double = _unused(baseline, reports), _expired(baseline), {where for where, _ in baseline.duplicates()}
    useless = 0
    for where, entry in baseline.numbered():
        remarks = [
            *(["duplicates an earlier entry"] if where in double else []),
            *([f"expired after {entry.expires}"] if entry.fingerprint in expired else []),
            *(["unused: the token is gone"] if entry.fingerprint in unused else []),
        ]
        useless += bool(remarks)
        if remarks:
            print(printable(unshaped(f"{where}: {entry.kind} in {entry.path}: {'; '.join(remarks)}.")))
    print(f"{counted(len(baseline.entries), 'entry', 'entries')}, {useless:,} to prune.")
    return ExitCode.FOUND if useless else _completeness(reports)


def prune(chosen: argparse.Namespace) -> int:
    """Remove the entries that `check` lists. If the scan is incomplete, no entry is unused, and the exit code is 3."""
    settings, baseline = _existing(chosen)
    reports = _everything(chosen, settings)
    kept = baselines.without(baseline, _unused(baseline, reports) | _expired(baseline))
    baselines.write(kept)
    left = len({entry.fingerprint for entry in kept.entries})
    print(printable(unshaped(f"{baseline.file}: {len(baseline.entries) - left:,} removed, {left:,} kept.")))
    return _completeness(reports)


def _settings(chosen: argparse.Namespace) -> policy.Settings:
    """The settings for the command's path. A named baseline needn't exist yet."""
    if chosen.no_baseline:
        raise UsageError("--no-baseline can't be used with `patscan baseline`.")
    if not os.path.exists(chosen.path):
        raise UsageError(f"{chosen.path}: no such file or folder.")
    loaded = policy.configuration(chosen, chosen.path)
    file = policy.baseline_file(chosen, loaded)
    absent = argparse.Namespace(**{**vars(chosen), "baseline": None, "no_baseline": True})
    return policy.load(chosen if file and os.path.lexists(file) else absent, chosen.path)


def _file(chosen: argparse.Namespace, settings: policy.Settings) -> Path:
    """The path of a new baseline."""
    file = policy.baseline_file(chosen, settings.config)
    if file is None:
        raise ConfigError(f"{chosen.path}: a bare repository has no place for a baseline. Name a file with --baseline.")
    if not chosen.baseline:
        textfile.check_inside(file, settings.config.root)
    return file


def _existing(chosen: argparse.Namespace) -> tuple[policy.Settings, baselines.Baseline]:
    settings = _settings(chosen)
    if settings.baseline is None:
        raise ConfigError(
            f"{policy.baseline_file(chosen, settings.config) or chosen.path}: there is no baseline. `patscan baseline write` writes one."
        )
    return settings, settings.baseline


def _everything(chosen: argparse.Namespace, settings: policy.Settings) -> list[Report]:
    """Reports of files and history: an entry is unused only if its token is in neither."""
    root = settings.config.root
    return _reports(chosen, settings, root or chosen.path, root is None or os.path.exists(root / ".git"))


def _reports(chosen: argparse.Namespace, settings: policy.Settings, place: Path, history: bool) -> list[Report]:
    reports = [] if settings.config.root is None else [_files(chosen, settings, place)]
    if history or not reports:
        reports.append(_history(chosen, settings, place))
    notes = [*settings.configuration_notes(), *(note for report in reports for note in prominent(report))]
    for note in dict.fromkeys(note for note in notes if note.kind):
        print(printable(unshaped(f"note: {note.where}: {note.reason}")), file=sys.stderr)
    for report in reports:
        for where, reason in report.coverage.skipped:
            print(printable(unshaped(f"not looked at: {where}: {reason}")), file=sys.stderr)
    return reports


def _files(chosen: argparse.Namespace, settings: policy.Settings, place: Path) -> Report:
    from patscan.cli import pools
    from patscan.sources.files import Files

    job = scanning.Job(chosen, Target("files", str(place)), settings=settings)
    with job:
        job.report = job.scan(Files([place], environment(chosen.path)), pools.serial)
    return job.report


def _history(chosen: argparse.Namespace, settings: policy.Settings, place: Path) -> Report:
    from patscan.cli import cache
    from patscan.git.repository import open_repository
    from patscan.sources.history import History

    job = scanning.Job(chosen, Target("history", str(place)), settings=settings)
    with job:
        repository = open_repository(place, environment(chosen.path))
        history = History(repository, False, cache.memory(job.rules))
        job.report = job.scan(history, scanning.pool(chosen, history.store.prepare))
    return job.report


def _entry(fingerprint: str, finding: Finding, path: str, chosen: argparse.Namespace) -> baselines.Entry:
    shown = path or finding.occurrences[0].sighting.kind
    return baselines.Entry(fingerprint, finding.rule.kind, chosen.expires, shown, unshaped(chosen.reason or ""))


def _findings_with_paths(report: Report, settings: policy.Settings) -> Iterator[tuple[Finding, str]]:
    """Each finding with the path of its first place, relative to the repository; empty for a place that is no file."""
    for finding in redacted(report).findings:
        path = finding.occurrences[0].sighting.path or ""
        if path and report.target.type == "files":
            path = os.path.relpath(path, settings.config.root)
        yield finding, path.replace(os.sep, "/")


def _unused(baseline: baselines.Baseline, reports: Sequence[Report]) -> set[str]:
    """Fingerprints of entries whose tokens are gone; empty if the scan is incomplete."""
    if _completeness(reports):
        return set()
    seen = {finding.secret.keyed(baseline.salt) for report in reports for finding in (*report.findings, *report.ignored)}
    return {entry.fingerprint for entry in baseline.entries} - seen


def _expired(baseline: baselines.Baseline) -> set[str]:
    return {entry.fingerprint for entry in baseline.entries if baselines.has_expired(entry, policy.today())}


def _completeness(reports: Sequence[Report]) -> ExitCode:
    return ExitCode.CLEAN if all(report.coverage.complete and not report.interrupted for report in reports) else ExitCode.INCOMPLETE
