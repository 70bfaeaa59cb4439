"""The configuration and the baseline of a command, and the notes about them in a report."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from patscan import config, rulebook, textfile
from patscan.cli.environment import environment
from patscan.counts import counted
from patscan.errors import ConfigError, UsageError
from patscan.model import Note, Report, Rule, Target
from patscan.run import Options
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from patscan.baseline import Baseline


class Settings(NamedTuple):
    """The settings of a scan. Flags override the configuration file."""

    config: config.Config
    min_confidence: str
    baseline: Baseline | None
    fail_on_expired: bool
    unstaged: tuple[Path, ...] = ()
    """Files whose content on the disk differs from the index. The index counts."""

    def options(self, target: Target) -> Options:
        """The options for a scan of `target`."""
        from patscan.run import Options

        salt = self.baseline.salt if self.baseline else b""
        paths, reason = tuple(self.config.get("ignore-paths")), self.config.get("require-ignore-reason")
        # Paths in a history and in git's index are relative to the repository already.
        root = str(self.config.root or Path().absolute()) if target.type == "files" else ""
        if not (paths or reason or self.baseline):
            return Options(self.min_confidence, root=root)
        from patscan.triage import Policy

        accepted = self.baseline.accepted(today()) if self.baseline else {}
        return Options(self.min_confidence, policy=Policy(paths, root, "", accepted, salt, reason), root=root)

    def rules(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """The rules that the configuration selects, with its severities and prefixes. Raises `ConfigError` for an unknown id."""
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
            raise ConfigError(f"{self.config.file}: rules: every rule is off. Leave at least one on.")
        kept = [rule._replace(severity=severity.get(rule.id, rule.severity)) for rule in kept]
        return rulebook.with_prefixes(kept, self.config.get("pat-prefix"), self.config.get("instance-prefix"))

    def annotated(self, report: Report) -> Report:
        """`report` with the notes and violations of configuration and baseline."""
        expired = tuple(self._expired())
        notes = (*report.coverage.notes, *self._notes(report), *expired)
        violations = (*report.violations, *(f"{note.where}: {note.reason}" for note in expired if self.fail_on_expired))
        return report._replace(coverage=report.coverage._replace(notes=notes), violations=violations)

    def _notes(self, report: Report) -> Iterator[Note]:
        yield from self.configuration_notes()
        accepted = sum(finding.reason == "baseline" for finding in report.ignored)
        if self.baseline and accepted:
            yield Note(str(self.baseline.file), f"this baseline accepts {counted(accepted, 'token')} of this scan.", "policy")
        if report.findings:
            yield from (note for file in self.unstaged if (note := self._unstaged(file, report)))

    def configuration_notes(self) -> Iterator[Note]:
        """A note with the keys that the configuration file sets, if there is a file."""
        if self.config.file and (keys := list(self.config.effects())):
            yield Note(str(self.config.file), f"this configuration sets: {', '.join(keys)}.", "policy" if self.config.hides else "")

    def _unstaged(self, file: Path, report: Report) -> Note | None:
        """A note if staging `file` would change the result."""
        import shlex

        advice = f"git add {shlex.quote(os.path.relpath(file))}"
        if self.config.root is None or file != self.config.root / self.config.get("baseline"):
            return Note(
                str(file), f"the staged version counts, and differs from the file on the disk. To use the file: {advice}", "unstaged"
            )
        from patscan import baseline as baselines

        try:
            on_disk = baselines.read(file, self.config.root)
        except ConfigError:
            return None
        accepted = on_disk.accepted(today())
        number = sum(finding.secret.keyed(on_disk.salt) in accepted for finding in report.findings)
        return (
            Note(str(file), f"it accepts {counted(number, 'token')} of this scan, but isn't staged: {advice}", "unstaged")
            if number
            else None
        )

    def _expired(self) -> Iterator[Note]:
        if self.baseline and any(entry.expires for entry in self.baseline.entries):
            from patscan.baseline import has_expired

            now = today()
            for where, entry in self.baseline.numbered():
                if has_expired(entry, now):
                    yield Note(where, f"this entry for a token in {entry.path} expired after {entry.expires} and accepts it no longer.")


def below(path: str, options: Options) -> Options:
    """`options` for a submodule: ignore patterns see its files with `path` in front."""
    return options._replace(policy=options.policy and options.policy._replace(inside=path))


def load(chosen: argparse.Namespace, place: Path | None, read: textfile.Read = textfile.on_disk) -> Settings:
    """The settings for `place`, by flags and configuration. `read` reads the repository's own files.

    Raises `ConfigError` and `UsageError`.
    """
    loaded = configuration(chosen, place, read)
    baseline = None
    file = baseline_file(chosen, loaded)
    if not chosen.no_baseline and file:
        inside = None if chosen.baseline or chosen.config else loaded.root
        named = chosen.baseline or "baseline" in loaded.values
        text = textfile.read(file) if chosen.baseline else read(file, inside)
        if text is None and named and not os.path.lexists(file):
            text = textfile.read(file, inside)  # raises the error for a missing file
        if text is not None:
            from patscan import baseline as baselines

            baseline = baselines.parsed(file, text)
    confidence = getattr(chosen, "min_confidence", None) or loaded.get("min-confidence")
    return Settings(loaded, confidence, baseline, chosen.fail_on_expired or loaded.get("fail-on-expired"))


def load_staged(chosen: argparse.Namespace, place: Path | None) -> Settings:
    """The same as `load`, but from the files in the index."""
    staged = Staged()
    return load(chosen, place, staged)._replace(unstaged=tuple(staged.differing))


def configuration(chosen: argparse.Namespace, place: Path | None, read: textfile.Read = textfile.on_disk) -> config.Config:
    """The configuration for `place`. Raises as `load` does."""
    for name in ("config", "baseline"):
        if getattr(chosen, name) and getattr(chosen, f"no_{name}"):
            raise UsageError(f"--{name} and --no-{name} don't go together.")
    return config.load(place, chosen.config, not chosen.no_config, read)


def baseline_file(chosen: argparse.Namespace, loaded: config.Config) -> Path | None:
    """The path of the baseline, which needn't exist; ``None`` without a flag and a root folder."""
    if chosen.baseline:
        return Path(chosen.baseline)
    return loaded.root / loaded.get("baseline") if loaded.root else None


class Staged:
    """Reads a repository's own files from the index. A file that isn't on the disk counts as absent."""

    def __init__(self) -> None:
        self.differing: list[Path] = []
        """Files whose content on the disk differs from the index."""

    def __call__(self, file: Path, inside: Path | None) -> str | None:
        """See `patscan.textfile.Read`."""
        on_disk = textfile.on_disk(file, inside)
        # Most pyproject.toml files don't mention patscan, which saves a call of git. A link's target is another file.
        if on_disk is None or file.is_symlink() or (file.name == "pyproject.toml" and "patscan" not in on_disk):
            return on_disk
        from patscan.git.staged import staged

        data = staged(file, environment(), textfile.LARGEST + 1)
        text = None if data is None else textfile.decoded(file, data)
        if text != on_disk:
            self.differing.append(file)
        return text


def today() -> date:
    """Today in UTC, so that an entry expires everywhere at once."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date()
