"""``patscan config``: the settings for a path and their sources."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from patscan import config
from patscan.cli import policy
from patscan.cli.parser import add_policy, add_rules
from patscan.errors import ExitCode, UsageError
from patscan.model import CONFIDENCES


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan config`` takes."""
    command.add_argument(
        "path", nargs="?", type=Path, default=Path(), metavar="PATH", help="the path to show the settings for (default: .)"
    )
    command.add_argument("--min-confidence", choices=CONFIDENCES, metavar="WORD", help="as in the commands that scan")
    add_rules(command)
    add_policy(command)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Print each key, its value, and its source: default, file or flag."""
    from patscan import rulebook
    from patscan.formats.places import printable
    from patscan.formats.redaction import unshaped
    from patscan.triage import excluded

    if not os.path.exists(chosen.path):
        raise UsageError(f"{chosen.path}: no such file or folder.")
    settings = policy.load(chosen, chosen.path)
    settings.rules(rulebook.load(chosen.rules))
    # Reports wrong patterns. A scan reads the patterns only if it finds something.
    excluded(settings.config.get("ignore-paths"))
    print(printable(unshaped(f"{'file':23} {settings.config.file or 'none'}")))
    print(printable(unshaped(f"{'root':23} {settings.config.root or 'none'}")))
    for key in config.KEYS:
        value, source = _value(chosen, settings, key)
        print(printable(unshaped(f"{key:23} {value!s:30} {source}")))
    return ExitCode.CLEAN


def _value(chosen: argparse.Namespace, settings: policy.Settings, key: str) -> tuple[object, str]:
    if key == "baseline" and chosen.no_baseline:
        return "none", "flag"
    flag = getattr(chosen, key.replace("-", "_"), None)
    value = flag or settings.config.get(key)
    source = "flag" if flag else "file" if key in settings.config.values else "default"
    if isinstance(value, bool):
        return str(value).lower(), source
    if isinstance(value, dict):
        value = [f"{name} = {word}" for name, word in value.items()]
    return (", ".join(value) if isinstance(value, list) else value) or "none", source
