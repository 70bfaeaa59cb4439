"""``rules/*.toml`` -> `Rule`s, or a sentence that names file, rule and field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from patscan.errors import RuleError
from patscan.model import SEVERITIES, Example, Rule

BODIES = ("friendly", "hex", "base36", "routable", "jwt", "opaque")
"""Who draws the part of a token after its prefix; `patscan.detect.judge` knows each."""

_PAT = "glpat-"
_TEXTS = ("id", "kind", "name", "severity", "description", "remedy", "pattern", "body")
_OPTIONAL = {"prefix": "", "lookback": 0, "anchors": [], "counter_examples": []}
_FIELDS = {*_TEXTS, *_OPTIONAL, "references", "examples"}
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def load(extra: Iterable[Path] = (), check_all: bool = False) -> tuple[Rule, ...]:
    """The shipped rules, then those of the folders in `extra`, in file and table order.

    The patterns of the shipped ones are checked if `check_all` says so; the hook needn't compile again what CI has.
    Raises `RuleError` for a file that can't be read, a field that doesn't hold what it must, or an id used twice.
    """
    rules: dict[str, Rule] = {}
    for folder in (shipped(), *extra):
        for rule in _folder(folder):
            if rule.id in rules:
                raise RuleError(f"{folder}: the rule id {rule.id!r} is used twice. Give one of them another id.")
            if check_all or folder != shipped():
                _check_pattern(f"{folder}: rule {rule.id!r}", rule.pattern)
            rules[rule.id] = rule
    return tuple(rules.values())


def with_prefixes(rules: Iterable[Rule], pat_prefix: str = "", instance_prefix: str = "") -> tuple[Rule, ...]:
    """`rules` for an instance that sets its own prefixes (application_setting.rb, prefix_helper.rb), under the ids they have.

    Access tokens are known by `pat_prefix` and, as before, by GitLab's own: tokens from before the change stay valid. `instance_prefix`
    and a hyphen may stand before every prefix of GitLab's.
    """
    rules = tuple(rules)
    if pat_prefix and pat_prefix != _PAT:
        rules += tuple(_renamed(rule, pat_prefix) for rule in rules if rule.prefix == _PAT)
    if instance_prefix:
        rules = tuple(rule._replace(instance=f"{instance_prefix}-") if _is_prefixed(rule, pat_prefix) else rule for rule in rules)
    return rules


def _is_prefixed(rule: Rule, pat_prefix: str) -> bool:
    return rule.prefix.startswith("gl") or (rule.prefix != "" and rule.prefix == pat_prefix)


def _renamed(rule: Rule, prefix: str) -> Rule:
    anchors = tuple(prefix if anchor == _PAT else anchor for anchor in rule.anchors)
    return rule._replace(prefix=prefix, anchors=anchors, pattern=rule.pattern.replace(_PAT, re.escape(prefix)))


def shipped() -> Path:
    """Where the shipped rules lie: inside the wheel, or beside the package in a checkout."""
    inside = Path(__file__).parent / "_rules"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "rules"


def _folder(folder: Path) -> list[Rule]:
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise RuleError(f"{folder}: no rule file there. --rules takes a folder that holds *.toml files.")
    return [rule for file in files for rule in read(file)]


def read(file: Path) -> list[Rule]:
    """The rules of one file. Raises `RuleError` as `load` does."""
    import tomllib

    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise RuleError(f"{file}: can't be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(f"{file}: not a TOML file: {error}.") from error
    except (ValueError, RecursionError):
        raise RuleError(f"{file}: holds a number that is too long, or too many brackets inside each other.") from None
    found = tables.get("rule")
    if set(tables) != {"rule"} or not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise RuleError(f"{file}: a rule file holds [[rule]] tables and nothing else.")
    return [_rule(f"{file}: rule {table.get('id', number)!r}", table) for number, table in enumerate(found, 1)]


def _rule(where: str, table: dict[str, Any]) -> Rule:
    for field in table.keys() - _FIELDS:
        raise RuleError(f"{where}: unknown field {field!r}.")
    table = {**_OPTIONAL, **table}
    texts = {field: _text(where, table, field) for field in (*_TEXTS, "prefix")}
    _check_choice(where, "severity", texts["severity"], SEVERITIES)
    _check_choice(where, "body", texts["body"], BODIES)
    if not _ID.fullmatch(texts["id"]):
        raise RuleError(f"{where}: the id holds lowercase letters, digits and single hyphens.")
    anchors = _texts(where, table, "anchors") or ((texts["prefix"],) if texts["prefix"] else ())
    if not anchors or not all(len(anchor) >= 4 and anchor.isascii() for anchor in anchors):
        raise RuleError(f"{where}: needs a prefix or anchors, each of at least four ASCII characters.")
    if not isinstance(table["lookback"], int) or not 0 <= table["lookback"] <= 1024:
        raise RuleError(f"{where}: lookback is a number of characters, 0 to 1024.")
    return Rule(
        **texts,
        anchors=anchors,
        lookback=table["lookback"],
        references=_texts(where, table, "references"),
        examples=_examples(where, table.get("examples")),
        counter_examples=tuple(text.replace("~", "") for text in _texts(where, table, "counter_examples")),
    )


def _text(where: str, table: dict[str, Any], field: str) -> str:
    value = table.get(field)
    if not isinstance(value, str) or not (value or field in _OPTIONAL):
        raise RuleError(f"{where}: {field} must be a text that isn't empty.")
    return value


def _texts(where: str, table: dict[str, Any], field: str) -> tuple[str, ...]:
    value = table.get(field)
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise RuleError(f"{where}: {field} must be a list of texts.")
    return tuple(value)


def _check_choice(where: str, field: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise RuleError(f"{where}: {field} is {value!r}; it must be one of {', '.join(choices)}.")


def _check_pattern(where: str, pattern: str) -> None:
    try:
        groups = re.compile(pattern.encode("ascii")).groupindex
    except UnicodeEncodeError:
        raise RuleError(f"{where}: pattern must be ASCII; write other bytes as \\xNN.") from None
    except re.error as error:
        raise RuleError(f"{where}: pattern is no regular expression: {error}.") from error
    if set(groups) != {"secret"}:
        raise RuleError(f"{where}: pattern needs exactly one named group, (?P<secret>...), around the whole token.")


def _examples(where: str, value: object) -> tuple[Example, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise RuleError(f"{where}: examples must be a list of {{text, secret}} tables, at least one.")
    return tuple(_example(where, item) for item in value)


def _example(where: str, item: dict[str, Any]) -> Example:
    if set(item) != {"text", "secret"} or not all(isinstance(part, str) and part for part in item.values()):
        raise RuleError(f"{where}: an example holds text and secret, both texts.")
    # A token-shaped string is written with a ~ after its prefix, so that no scanner takes the rule file for a leak.
    text, secret = (item[field].replace("~", "") for field in ("text", "secret"))
    if secret not in text:
        raise RuleError(f"{where}: the secret of an example must stand in its text.")
    return Example(text, secret)
