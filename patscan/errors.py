"""Expected failures: one family, caught once in `patscan.cli`, each a sentence for the user."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; the README's table is tested against this."""

    CLEAN = 0
    """Everything asked for was looked at; nothing found."""
    FOUND = 1
    """At least one finding."""
    ERROR = 2
    """A usage, configuration or rule error: nothing can be said about the content."""
    INCOMPLETE = 3
    """Nothing found, but not everything could be looked at."""
    INTERRUPTED = 130
    """Ctrl-C; what was found so far was written."""
    TERMINATED = 143
    """SIGTERM or a closed terminal; what was found so far was written."""


class PatscanError(Exception):
    """A sentence: what is wrong, with which file or flag, and what to do."""

    code = ExitCode.ERROR


class RuleError(PatscanError):
    """A rule file can't be used; the sentence names file, rule and field."""


class ConfigError(PatscanError):
    """A configuration or a baseline can't be used, or what it demands isn't met; the sentence names file and key or line."""


class UsageError(PatscanError):
    """A flag or an argument can't be used."""


class OutputError(PatscanError):
    """A report can't be written where it was asked for."""


class ReportError(PatscanError):
    """A saved report can't be used; the sentence names file and field."""


class AuditError(PatscanError):
    """The audit log can't be written, so nothing was sent."""


class KeepingError(PatscanError):
    """A file for a new token can't be made ready, so nothing was sent."""


class TargetError(PatscanError):
    """What was to be scanned isn't there or can't be opened: nothing was looked at."""

    code = ExitCode.INCOMPLETE
