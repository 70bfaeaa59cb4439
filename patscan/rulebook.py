"""``rules/*.toml`` -> `Rule`s, or a sentence that names file, rule and field."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from patscan.demands import Demands, Example
from patscan.errors import RuleError
from patscan.model import SEVERITIES, Rule

BODIES = ("friendly", "hex", "base36", "routable", "jwt", "drawn", "opaque", "typed")
"""The generators of the part after a token's prefix. `patscan.detect.judge` knows each."""

_PAT = "glpat-"
_TEXTS = ("id", "kind", "name", "severity", "description", "remedy", "pattern", "body", "prefix")
_LISTS = ("references", "anchors", "contexts", "counter_examples", "near", "allow_list")
_DESCRIPTION = "A secret that a rule of this project finds. A thief can use it like its owner."
_REMEDY = "Revoke it where it was created, create another, and look for what was done with the old one."
_OPTIONAL = {
    **dict.fromkeys(("kind", "name", "body", "prefix", "alphabet"), ""),
    **dict.fromkeys(("lookback", "length", "min_entropy"), 0),
    **{field: [] for field in _LISTS},
    "description": _DESCRIPTION,
    "remedy": _REMEDY,
}
_FIELDS = {*_TEXTS, *_OPTIONAL, "examples"}
_LONGEST = 4096
"""Characters of a secret that a rule may demand."""
_CLASS = r"(?:[^\[\]^\\]|\\[^dDsSwW\w])+"
_ID = r"[a-z0-9]+(-[a-z0-9]+)*"


def load(extra: Iterable[Path] = (), check_all: bool = False) -> tuple[Rule, ...]:
    """The rules that `read` returns. Raises `RuleError` with all problems."""
    rules, problems = read(extra, check_all)
    if problems:
        raise RuleError("\n         ".join(problems))
    return rules


def read(extra: Iterable[Path] = (), check_all: bool = False) -> tuple[tuple[Rule, ...], list[str]]:
    """The shipped rules, then those of the folders in `extra`, in file and table order; and a sentence for each problem.

    A problem is a file that can't be read, a field with a wrong value, or an id that is used twice. The patterns of shipped rules
    are compiled only with `check_all`: CI checks them, and a hook must start fast.
    """
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for folder in (shipped(), *extra):
        for file in _files(folder, problems):
            for rule in _read(file, check_all or folder != shipped(), problems):
                if rule.id in rules:
                    problems.append(f"{file}: the rule id {rule.id!r} is used twice. Give one of them another id.")
                rules[rule.id] = rule if folder != shipped() else rule._replace(demands=None)
    return tuple(rules.values()), problems


def with_prefixes(rules: Iterable[Rule], pat_prefix: str = "", instance_prefix: str = "") -> tuple[Rule, ...]:
    """`rules` for an instance that sets its own prefixes (application_setting.rb, prefix_helper.rb). Ids stay the same.

    An access token may begin with `pat_prefix` or with GitLab's prefix: tokens from before the change stay valid. `instance_prefix`
    and a hyphen may stand before each of GitLab's prefixes.
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
    """The folder of the shipped rules: inside the wheel, or beside the package in a checkout."""
    inside = Path(__file__).parent / "_rules"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "rules"


def _files(folder: Path, problems: list[str]) -> list[Path]:
    files = sorted(folder.glob("*.toml"))
    if not files:
        problems.append(f"{folder}: has no rule file. --rules takes a folder with *.toml files.")
    return files


def _read(file: Path, check_patterns: bool, problems: list[str]) -> Iterator[Rule]:
    """The valid rules of one file. Problems of the others are appended to `problems`."""
    try:
        tables = _tables(file)
    except RuleError as error:
        problems.append(str(error))
        return
    for number, values in enumerate(tables, 1):
        table = _Table(f"{file}: rule {values.get('id', number)!r}", values, problems)
        before = len(problems)
        rule = _rule(table, check_patterns)
        if len(problems) == before:
            yield rule


def _tables(file: Path) -> list[dict[str, Any]]:
    """The ``[[rule]]`` tables of a file; one without a remedy gets that of its kind in ``[remedies]``. Raises `RuleError`."""
    import tomllib

    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise RuleError(f"{file}: can't be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleError(f"{file}: not a TOML file: {error}.") from error
    except (ValueError, RecursionError):
        raise RuleError(f"{file}: a number is too long, or brackets are nested too deeply.") from None
    tables, remedies = content.get("rule"), content.get("remedies", {})
    if content.keys() - {"rule", "remedies"} or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RuleError(f"{file}: a rule file holds [[rule]] tables, a [remedies] table if rules share remedies, and nothing else.")
    if not isinstance(remedies, dict) or (remedies.keys() - {table.get("kind") for table in tables if isinstance(table.get("kind"), str)}):
        raise RuleError(f"{file}: each key in [remedies] must be the kind of a rule in this file.")
    shared = ({"remedy": remedies[kind]} if isinstance(kind := table.get("kind"), str) and kind in remedies else {} for table in tables)
    return [remedy | table for remedy, table in zip(shared, tables, strict=True)]


def _rule(table: _Table, check_patterns: bool) -> Rule:
    table.check_names()
    texts = {field: table.text(field) for field in _TEXTS}
    table.check_choice("severity", SEVERITIES)
    table.check_choice("body", BODIES)
    alphabet, length = table.alphabet(), table.length()
    texts["body"] = texts["body"] or ("drawn" if alphabet else "opaque")
    if texts["body"] == "drawn" and not alphabet:
        table.problem("the body 'drawn' needs an alphabet.")
    texts["kind"], texts["name"] = (texts[field] or texts["id"] for field in ("kind", "name"))
    if texts["id"] and not re.fullmatch(_ID, texts["id"]):
        table.problem("the id must be made of lowercase letters, digits and single hyphens.")
    if texts["pattern"] and check_patterns:
        table.check_pattern(texts["pattern"])
    return Rule(
        **texts,
        anchors=table.anchors(texts["prefix"]),
        lookback=table.lookback(),
        references=table.texts("references"),
        examples=table.examples(),
        counter_examples=tuple(text.replace("~", "") for text in table.texts("counter_examples")),
        contexts=table.texts("contexts"),
        demands=Demands(
            alphabet,
            length,
            table.min_entropy(alphabet, length, texts["prefix"]),
            tuple(word.lower() for word in table.texts("near")),
            table.allow_list(),
        ),
    )


class _Table:
    """One ``[[rule]]``. Each method returns a field's value, or notes a problem and returns an empty value."""

    def __init__(self, where: str, values: dict[str, Any], problems: list[str]) -> None:
        # Configuration keys have hyphens, so a rule's fields may have them as well.
        self._where, self._problems = where, problems
        self._values = {**_OPTIONAL, **{field.replace("-", "_"): value for field, value in values.items()}}

    def problem(self, sentence: str) -> None:
        self._problems.append(f"{self._where}: {sentence}")

    def check_names(self) -> None:
        for field in sorted(self._values.keys() - _FIELDS):
            self.problem(f"unknown field {field!r}.")

    def text(self, field: str) -> str:
        value = self._values.get(field)
        if isinstance(value, str) and (value or field in _OPTIONAL):
            return value
        self.problem(f"{field} must be a text that isn't empty.")
        return ""

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._values.get(field)
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self.problem(f"{field} must be a list of texts.")
        return ()

    def alphabet(self) -> str:
        """The alphabet's characters. The field has the syntax of a character class without its brackets."""
        written = self.text("alphabet")
        if not written:
            return ""
        if written.isascii() and re.fullmatch(_CLASS, written):
            try:
                return "".join(re.findall(f"[{written}]", "".join(map(chr, range(33, 127)))))
            except re.error:
                pass
        self.problem("alphabet must be a character class without its brackets, such as A-Za-z0-9_.")
        return ""

    def length(self) -> tuple[int, int]:
        value = self._values["length"]
        least, most = value if isinstance(value, list) and len(value) == 2 else (value, value)
        if value == 0 or (_is_number(least) and _is_number(most) and 1 <= least <= most <= _LONGEST):
            return least, most
        self.problem(f"length must be a number of characters after the prefix, or two: [20, 40]; at most {_LONGEST}.")
        return 0, 0

    def min_entropy(self, alphabet: str, length: tuple[int, int], prefix: str) -> float:
        """The least entropy. A secret of n characters from an alphabet of k has log2(min(n, k)) bits at most."""
        value = self._values["min_entropy"]
        if not _is_number(value, float) or not 0 <= value <= 8:
            self.problem("min_entropy must be a number of bits per character, 0 to 8.")
            return 0.0
        sorts = len({*alphabet, *prefix}) if alphabet else 256
        most = math.log2(min(sorts, length[1] + len(prefix)) if length[1] else sorts)
        if value > most:
            self.problem(f"min_entropy is {value:g}, but no secret of this length and alphabet has more than {most:.2f}.")
        return float(value)

    def allow_list(self) -> tuple[str, ...]:
        patterns = self.texts("allow_list")
        for pattern in patterns:
            try:
                re.compile(pattern.encode())
            except re.error as error:
                self.problem(f"allow_list: {pattern!r} is no regular expression: {error}.")
        return patterns

    def check_choice(self, field: str, choices: Sequence[str]) -> None:
        value = self._values.get(field)
        if isinstance(value, str) and value and value not in choices:
            self.problem(f"{field} is {value!r}; it must be one of {', '.join(choices)}.")

    def check_pattern(self, pattern: str) -> None:
        try:
            groups = re.compile(pattern.encode("ascii")).groupindex
        except UnicodeEncodeError:
            self.problem("pattern must be ASCII; write other bytes as \\xNN.")
        except re.error as error:
            self.problem(f"pattern is no regular expression: {error}.")
        else:
            if set(groups) != {"secret"}:
                self.problem("pattern needs exactly one named group, (?P<secret>...), around the whole token.")

    def anchors(self, prefix: str) -> tuple[str, ...]:
        anchors = self.texts("anchors") or ((prefix,) if prefix else ())
        if not anchors and self._values["contexts"]:
            return ()
        if not anchors or not all(len(anchor) >= 4 and anchor.isascii() for anchor in anchors):
            self.problem(
                "needs a prefix or anchors (or contexts), each of at least four ASCII characters. "
                "The pattern is tried only where one stands. "
                "Without, it would be tried at every byte of a history."
            )
        return anchors

    def lookback(self) -> int:
        value = self._values["lookback"]
        if isinstance(value, int) and 0 <= value <= 1024:
            return value
        self.problem("lookback must be a number of characters, 0 to 1024.")
        return 0

    def examples(self) -> tuple[Example, ...]:
        value = self._values.get("examples")
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            return tuple(self._example(item) for item in value)
        self.problem("examples must be a list of {text, secret} tables, at least one.")
        return ()

    def _example(self, item: dict[str, Any]) -> Example:
        if set(item) != {"text", "secret"} or not all(isinstance(part, str) and part for part in item.values()):
            self.problem("each example must have a text and a secret.")
            return Example("", "")
        # Rule files have a ~ after each token's prefix, so that no scanner reports them as a leak.
        text, secret = (item[field].replace("~", "") for field in ("text", "secret"))
        if secret not in text:
            self.problem("an example's text must contain its secret.")
        return Example(text, secret)


def _is_number(value: object, *more: type) -> bool:
    return isinstance(value, (int, *more)) and not isinstance(value, bool)
