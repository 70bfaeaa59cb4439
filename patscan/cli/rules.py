"""``patscan rules list | show | check``: lists, shows and checks rules."""

from __future__ import annotations

import argparse
import re

from patscan import rulebook
from patscan.cli.parser import add_command, add_rules
from patscan.counts import counted
from patscan.errors import ExitCode, RuleError, UsageError
from patscan.model import Rule


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan rules`` takes."""
    verbs = command.add_subparsers(title="verbs", metavar="VERB", required=True, prog="patscan rules")
    texts = {"list": "list all rules", "show": "show one rule", "check": "compile every rule and run its examples"}
    for run in (list_, show, check):
        name = run.__name__.rstrip("_")
        verb = add_command(verbs, name, texts[name])
        if run is show:
            verb.add_argument("id", metavar="ID", help="a rule's id, as listed by `patscan rules list`")
        add_rules(verb)
        verb.set_defaults(command=run)


def list_(chosen: argparse.Namespace) -> int:
    """Print each rule's id, severity and name."""
    rules = rulebook.load(chosen.rules)
    width = max(len(rule.id) for rule in rules)
    for rule in rules:
        print(f"{rule.id:{width}}  {rule.severity:8}  {rule.name}")
    return ExitCode.CLEAN


def show(chosen: argparse.Namespace) -> int:
    """Print one rule. Examples have a ``~`` after the prefix, as in rule files."""
    rules = {rule.id: rule for rule in rulebook.load(chosen.rules)}
    if chosen.id not in rules:
        from difflib import get_close_matches

        near = get_close_matches(chosen.id, rules, 1)
        raise UsageError(f"no rule {chosen.id!r}.{f' Did you mean {near[0]!r}?' if near else ''} `patscan rules list` lists all.")
    rule = rules[chosen.id]
    # A short prefix may begin a longer one. It comes first, as in rule files.
    prefixes = re.compile("|".join(re.escape(prefix) for prefix in sorted({one.prefix for one in rules.values()} - {""}, key=len)))
    fields = ("id", "kind", "name", "severity", "description", "remedy", "prefix", "pattern", "lookback", "body")
    for field in fields:
        print(f"{field:12} {getattr(rule, field)}")
    print(f"{'anchors':12} {', '.join(rule.anchors)}")
    for field, value in _demands(rule).items():
        print(f"{field:12} {value}")
    for reference in rule.references:
        print(f"{'reference':12} {reference}")
    for example in rule.examples:
        print(f"{'example':12} {_marked(example.text, '' if rule.prefix else example.secret, prefixes)!r}")
    for text in rule.counter_examples:
        print(f"{'not':12} {_marked(text, '', prefixes)!r}")
    return ExitCode.CLEAN


def _demands(rule: Rule) -> dict[str, object]:
    """What one of the user's own rules demands besides its pattern."""
    if rule.demands is None:
        return {}
    least, most = rule.demands.length
    demands = rule.demands._asdict() | {"length": f"{least} to {most}" if least < most else most}
    return {field: ", ".join(value) if isinstance(value, tuple) else value for field, value in demands.items() if value}


def check(chosen: argparse.Namespace) -> int:
    """Check every rule against its examples and the clock. Raises `RuleError` with all problems."""
    from patscan import rulecheck

    rules, problems = rulebook.read(chosen.rules, check_all=True)
    seconds: dict[str, float] = {}
    problems += rulecheck.problems(rules, seconds)
    if problems:
        raise RuleError("\n         ".join(problems))
    examples = sum(len(rule.examples) + len(rule.counter_examples) for rule in rules)
    print(f"{counted(len(rules), 'rule')} passed, with {counted(examples, 'example')} and counter-examples.")
    slowest = max(seconds, key=lambda rule: seconds[rule])
    print(f"The slowest on a hostile line of 1 MiB is {slowest}: {seconds[slowest]:.2f} s of {rulecheck.PATIENCE:.0f}.")
    return ExitCode.CLEAN


def _marked(text: str, secret: str, prefixes: re.Pattern[str]) -> str:
    """`text` with a ``~`` after each prefix, or inside a `secret` without one, so that no scanner reports it."""
    marked = text.replace(secret, f"{secret[:4]}~{secret[4:]}") if secret else text
    return prefixes.sub(r"\g<0>~", marked)
