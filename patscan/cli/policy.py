"""Which configuration and which baseline hold for a command, and what a report says of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from patscan import config, rulebook
from patscan.errors import ConfigError, UsageError
from patscan.model import Note, Report, Rule, Target

if TYPE_CHECKING:
    from datetime import date

    from patscan import scan as engine
    from patscan.baseline import Baseline


class Holding(NamedTuple):
    """What holds; flags have won over the file."""

    config: config.Config
    min_confidence: str
    baseline: Baseline | None
    fail_on_expired: bool

    def options(self, target: Target) -> engine.Options:
        """For a scan of `target`."""
        from patscan.scan import Options

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
        violations = (*report.violations, *(f"{where}: {reason}" for where, reason in expired if self.fail_on_expired))
        return report._replace(coverage=report.coverage._replace(notes=notes), violations=violations)

    def _notes(self, report: Report) -> Iterator[Note]:
        if self.config.file and (keys := list(self.config.said())):
            yield Note(str(self.config.file), f"this configuration holds: {', '.join(keys)}.")
        accepted = sum(finding.reason == "baseline" for finding in report.ignored)
        if self.baseline and accepted:
            yield Note(str(self.baseline.file), f"this baseline accepts {accepted:,} of the tokens that were found.")

    def _expired(self) -> Iterator[Note]:
        if self.baseline and any(entry.expires for entry in self.baseline.entries):
            from patscan.baseline import has_expired

            now = today()
            for where, entry in self.baseline.numbered():
                if has_expired(entry, now):
                    yield Note(where, f"this entry for a token in {entry.path} expired after {entry.expires}: it hides nothing any more.")


def below(path: str, options: engine.Options) -> engine.Options:
    """`options` for a submodule at `path`: there the paths that patterns are for begin with it."""
    return options._replace(policy=options.policy and options.policy._replace(inside=path))


def holding(chosen: argparse.Namespace, place: Path | None) -> Holding:
    """What holds for `place`, as flags and configuration say. Raises `ConfigError` and `UsageError`."""
    found = configuration(chosen, place)
    baseline = None
    file = baseline_file(chosen, found)
    if not chosen.no_baseline and file and (os.path.lexists(file) or chosen.baseline or "baseline" in found.values):
        from patscan import baseline as baselines

        baseline = baselines.read(file, None if chosen.baseline or chosen.config else found.root)
    confidence = getattr(chosen, "min_confidence", None) or found.get("min-confidence")
    return Holding(found, confidence, baseline, chosen.fail_on_expired or found.get("fail-on-expired"))


def configuration(chosen: argparse.Namespace, place: Path | None) -> config.Config:
    """The configuration for `place`. Raises as `holding` does."""
    for name in ("config", "baseline"):
        if getattr(chosen, name) and getattr(chosen, f"no_{name}"):
            raise UsageError(f"--{name} and --no-{name} don't go together.")
    return config.load(place, chosen.config, not chosen.no_config)


def baseline_file(chosen: argparse.Namespace, found: config.Config) -> Path | None:
    """Where the baseline lies or would lie; ``None`` where there is no folder for one."""
    if chosen.baseline:
        return Path(chosen.baseline)
    return found.root / found.get("baseline") if found.root else None


def today() -> date:
    """The day by which entries expire, everywhere the same."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date()
