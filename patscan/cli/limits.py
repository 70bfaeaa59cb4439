"""The limits for archives: defaults, then the configuration, then flags."""

from __future__ import annotations

import argparse
import re

from patscan.archives.limits import Limits
from patscan.config import Config
from patscan.errors import ConfigError

NAMES = {field.replace("_", "-"): field for field in Limits._fields}
"""Each limit by its name in flags and configuration."""
_UNITS = {unit: 1 << 10 * power for power, unit in enumerate(("", "K", "M", "G", "T"))}


def add_flag(command: argparse.ArgumentParser) -> None:
    """The flag of every command that scans."""
    text = f"a limit for opening archives: {', '.join(NAMES)} (repeatable; 2G is 2 GiB)"
    command.add_argument("--archive-limit", action="append", type=_limit, default=[], metavar="NAME=N", help=text)


def limits(chosen: argparse.Namespace, config: Config) -> Limits:
    """The limits in force. Raises `ConfigError` if a repository's own file lowers one below its default."""
    wanted = Limits()._asdict()
    for name, field in NAMES.items():
        value = config.get(f"archives.{name}")
        if value < wanted[field] and not chosen.config:
            reason = f"a repository's own file can't go below {wanted[field]}; --archive-limit and a file named with --config can"
            raise ConfigError(f"{config.file}: archives.{name}: {reason}.")
        wanted[field] = value
    return Limits(**wanted | dict(getattr(chosen, "archive_limit", ())))


def _limit(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    match = re.fullmatch(r"([0-9]{1,15})([KMGT]?)", number)
    if name not in NAMES or not match or not int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=N with a number above 0 and one of the names {', '.join(NAMES)}")
    return NAMES[name], int(match[1]) * _UNITS[match[2]]
