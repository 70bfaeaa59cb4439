"""``patscan config``: what holds for a place, and from where."""

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
    command.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH", help="the place that is asked for (default: .)")
    command.add_argument("--min-confidence", choices=CONFIDENCES, metavar="WORD", help="as the commands that scan take it")
    add_rules(command)
    add_policy(command)
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Each key, its value, and whether that is the default, the file's or a flag's."""
    from patscan import rulebook
    from patscan.formats.places import printable
    from patscan.formats.redaction import unshaped
    from patscan.triage import excluded

    if not os.path.exists(chosen.path):
        raise UsageError(f"{chosen.path}: no such file or folder.")
    holds = policy.holding(chosen, chosen.path)
    holds.rules(rulebook.load(chosen.rules))
    # A scan that finds nothing never asks for the patterns, and doesn't pay for reading them.
    excluded(holds.config.get("ignore-paths"))
    print(printable(unshaped(f"{'file':23} {holds.config.file or 'none'}")))
    print(printable(unshaped(f"{'root':23} {holds.config.root or 'none'}")))
    for key in config.KEYS:
        value, source = _value(chosen, holds, key)
        print(printable(unshaped(f"{key:23} {value!s:30} {source}")))
    return ExitCode.CLEAN


def _value(chosen: argparse.Namespace, holds: policy.Holding, key: str) -> tuple[object, str]:
    if key == "baseline" and chosen.no_baseline:
        return "none", "flag"
    flag = getattr(chosen, key.replace("-", "_"), None)
    value = flag or holds.config.get(key)
    source = "flag" if flag else "file" if key in holds.config.values else "default"
    if isinstance(value, bool):
        return str(value).lower(), source
    if isinstance(value, dict):
        value = [f"{name} = {word}" for name, word in value.items()]
    return (", ".join(value) if isinstance(value, list) else value) or "none", source
