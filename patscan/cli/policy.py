"""Which configuration and which baseline hold for a command, and what a report says of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from patscan import config, rulebook, textfile
from patscan.cli.environment import environment
from patscan.errors import ConfigError, UsageError
from patscan.model import Note, Report, Rule, Target
from patscan.run import Options

if TYPE_CHECKING:
    from datetime import date

    from patscan.baseline import Baseline


class Holding(NamedTuple):
    """What holds; flags have won over the file."""

    config: config.Config
    min_confidence: str
    baseline: Baseline | None
    fail_on_expired: bool
    unstaged: tuple[Path, ...] = ()
    """Files that say something else on the disk than in the index, which is what holds."""

    def options(self, target: Target) -> Options:
        """For a scan of `target`."""
        from patscan.run import Options

        salt = self.baseline.salt if self.baseline else b""
        paths, reason = tuple(self.config.get("ignore-paths")), self.config.get("require-ignore-reason")
        if not (paths or reason or self.baseline):
            return Options(self.min_confidence)
        from patscan.triage import Policy

        # In a history every path is relative to the repository already, and so is what git says of its index.
        root = str(self.config.root or Path().absolute()) if target.type == "files" else ""
        accepted = self.baseline.accepted(today()) if self.baseline else {}
        return Options(self.min_confidence, policy=Policy(paths, root, "", accepted, salt, reason))

    def rules(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """`rules` as the configuration wants them. Raises `ConfigError` for an id that no rule has."""
        if not self.config.values:
            return tuple(rules)
        off, only, severity = (self.config.get(key) for key in ("rules.off", "rules.only", "severity"))
        known = {rule.id: rule for rule in rules}
        for key, ids in (("rules.off", off), ("rules.only", only), ("severity", severity)):
            for name in ids:
                if name not in known:
                    raise ConfigError(f"{self.config.file}: {key}: no rule {name!r}.{config.nearest(name, known)}")
        kept = [rule for rule in rules if rule.id not in off and (not only or rule.id in only)]
        if not kept:
            raise ConfigError(f"{self.config.file}: rules: every rule is off, so nothing would be looked for.")
        kept = [rule._replace(severity=severity.get(rule.id, rule.severity)) for rule in kept]
        return rulebook.with_prefixes(kept, self.config.get("pat-prefix"), self.config.get("instance-prefix"))

    def said(self, report: Report) -> Report:
        """`report` with what it owes to configuration and baseline."""
        expired = tuple(self._expired())
        notes = (*report.coverage.notes, *self._notes(report), *expired)
        violations = (*report.violations, *(f"{note.where}: {note.reason}" for note in expired if self.fail_on_expired))
        return report._replace(coverage=report.coverage._replace(notes=notes), violations=violations)

    def _notes(self, report: Report) -> Iterator[Note]:
        yield from self.configured()
        accepted = sum(finding.reason == "baseline" for finding in report.ignored)
        if self.baseline and accepted:
            yield Note(str(self.baseline.file), f"this baseline accepts {accepted:,} of the tokens that were found.", "policy")
        if report.findings:
            yield from (note for file in self.unstaged if (note := self._unstaged(file, report)))

    def configured(self) -> Iterator[Note]:
        """What the configuration's file sets, if there is one."""
        if self.config.file and (keys := list(self.config.effects())):
            yield Note(str(self.config.file), f"this configuration holds: {', '.join(keys)}.", "policy" if self.config.hides else "")

    def _unstaged(self, file: Path, report: Report) -> Note | None:
        """Whether it would help to stage `file`."""
        import shlex

        advice = f"git add {shlex.quote(os.path.relpath(file))}"
        if self.config.root is None or file != self.config.root / self.config.get("baseline"):
            return Note(
                str(file), f"what is staged of it holds, which is something else. If you mean what is on the disk: {advice}", "unstaged"
            )
        from patscan import baseline as baselines

        try:
            on_disk = baselines.read(file, self.config.root)
        except ConfigError:
            return None
        accepted = on_disk.accepted(today())
        number = sum(finding.secret.keyed(on_disk.salt) in accepted for finding in report.findings)
        return Note(str(file), f"it accepts {number:,} of these tokens, but that isn't staged: {advice}", "unstaged") if number else None

    def _expired(self) -> Iterator[Note]:
        if self.baseline and any(entry.expires for entry in self.baseline.entries):
            from patscan.baseline import has_expired

            now = today()
            for where, entry in self.baseline.numbered():
                if has_expired(entry, now):
                    yield Note(where, f"this entry for a token in {entry.path} expired after {entry.expires}: it hides nothing any more.")


def below(path: str, options: Options) -> Options:
    """`options` for a submodule at `path`: there the paths that patterns are for begin with it."""
    return options._replace(policy=options.policy and options.policy._replace(inside=path))


def holding(chosen: argparse.Namespace, place: Path | None, read: textfile.Read = textfile.on_disk) -> Holding:
    """What holds for `place`, as flags and configuration say; `read` gives what a repository's own files hold.

    Raises `ConfigError` and `UsageError`.
    """
    found = configuration(chosen, place, read)
    baseline = None
    file = baseline_file(chosen, found)
    if not chosen.no_baseline and file:
        inside = None if chosen.baseline or chosen.config else found.root
        named = chosen.baseline or "baseline" in found.values
        text = textfile.read(file) if chosen.baseline else read(file, inside)
        if text is None and named and not os.path.lexists(file):
            text = textfile.read(file, inside)  # which says that it isn't there
        if text is not None:
            from patscan import baseline as baselines

            baseline = baselines.parsed(file, text)
    confidence = getattr(chosen, "min_confidence", None) or found.get("min-confidence")
    return Holding(found, confidence, baseline, chosen.fail_on_expired or found.get("fail-on-expired"))


def as_staged(chosen: argparse.Namespace, place: Path | None) -> Holding:
    """As `holding`, by what is about to be committed."""
    staged = Staged()
    return holding(chosen, place, staged)._replace(unstaged=tuple(staged.differing))


def configuration(chosen: argparse.Namespace, place: Path | None, read: textfile.Read = textfile.on_disk) -> config.Config:
    """The configuration for `place`. Raises as `holding` does."""
    for name in ("config", "baseline"):
        if getattr(chosen, name) and getattr(chosen, f"no_{name}"):
            raise UsageError(f"--{name} and --no-{name} don't go together.")
    return config.load(place, chosen.config, not chosen.no_config, read)


def baseline_file(chosen: argparse.Namespace, found: config.Config) -> Path | None:
    """Where the baseline lies or would lie; ``None`` where there is no folder for one."""
    if chosen.baseline:
        return Path(chosen.baseline)
    return found.root / found.get("baseline") if found.root else None


class Staged:
    """Reads a repository's own files as they are about to be committed; one that isn't on the disk counts as absent."""

    def __init__(self) -> None:
        self.differing: list[Path] = []
        """Files that say something else on the disk."""

    def __call__(self, file: Path, inside: Path | None) -> str | None:
        """See `patscan.textfile.Read`."""
        on_disk = textfile.on_disk(file, inside)
        # Nearly every pyproject.toml is about something else, and git takes its time. What a link leads to is another file.
        if on_disk is None or file.is_symlink() or (file.name == "pyproject.toml" and "patscan" not in on_disk):
            return on_disk
        from patscan.git.staged import staged

        data = staged(file, environment(), textfile.LARGEST + 1)
        text = None if data is None else textfile.decoded(file, data)
        if text != on_disk:
            self.differing.append(file)
        return text


def today() -> date:
    """The day by which entries expire, everywhere the same."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date()
