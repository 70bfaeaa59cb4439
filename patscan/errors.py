"""Expected errors: one family, caught in `patscan.cli`. Each message is a sentence for the user."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes. A test compares them with the table in the README."""

    CLEAN = 0
    """Everything was looked at, and nothing was found."""
    FOUND = 1
    """At least one finding."""
    ERROR = 2
    """A usage, configuration or rule error. The result isn't valid."""
    INCOMPLETE = 3
    """Nothing was found, but not everything could be looked at."""
    INTERRUPTED = 130
    """Ctrl-C. The findings so far were written."""
    TERMINATED = 143
    """SIGTERM or a closed terminal. The findings so far were written."""


class PatscanError(Exception):
    """A sentence: what is wrong, with which file or flag, and what to do."""

    code = ExitCode.ERROR


class RuleError(PatscanError):
    """A rule file can't be used; the sentence names file, rule and field."""


class ConfigError(PatscanError):
    """A configuration or a baseline can't be used, or a requirement in it isn't met. The sentence names file and key or line."""


class UsageError(PatscanError):
    """A flag or an argument can't be used."""


class OutputError(PatscanError):
    """A report can't be written to its file."""


class ReportError(PatscanError):
    """A saved report can't be used; the sentence names file and field."""


class AuditError(PatscanError):
    """The audit log can't be written, so nothing was sent."""


class KeepingError(PatscanError):
    """The file for a new token can't be prepared, so nothing was sent."""


class TargetError(PatscanError):
    """The target doesn't exist or can't be opened, so nothing was looked at."""

    code = ExitCode.INCOMPLETE
