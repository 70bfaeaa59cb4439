"""The rules as they were read the last time: the same ones, until a rule file changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from patscan import rulebook
from patscan.cli import cache
from patscan.errors import RuleError

RULE = """
[[rule]]
id = "own"
kind = "own"
name = "{name}"
severity = "high"
description = "d"
remedy = "r"
references = []
prefix = "ownpfx-"
pattern = "(?P<secret>ownpfx-[a-z]{{20}})"
body = "opaque"
examples = [{{text = "ownpfx-~abcdefghijklmnopqrst", secret = "ownpfx-~abcdefghijklmnopqrst"}}]
"""


def kept(folder: Path) -> Path:
    return folder / "rules"


def test_they_are_the_rules_without_their_examples(no_foreign_cache: Path) -> None:
    plain = tuple(rule._replace(examples=(), counter_examples=()) for rule in rulebook.load())
    assert cache.rules([]) == plain
    assert kept(no_foreign_cache).is_file()
    assert cache.rules([]) == plain


def test_nothing_kept_looks_like_a_token(no_foreign_cache: Path) -> None:
    cache.rules([])
    content = kept(no_foreign_cache).read_bytes()
    for rule in rulebook.load():
        assert not any(example.secret.encode() in content for example in rule.examples)
    assert not re.search(rb"glpat-[A-Za-z0-9_-]{20}", content)


@pytest.mark.parametrize("content", [b"", b"garbage", b"N", b"(\x02\x00\x00\x00NN", b"i\x00"])
def test_what_is_broken_is_read_again(no_foreign_cache: Path, content: bytes) -> None:
    rules = cache.rules([])
    kept(no_foreign_cache).write_bytes(content)
    assert cache.rules([]) == rules
    assert kept(no_foreign_cache).read_bytes() != content


def test_where_nothing_can_be_kept_they_are_read(no_foreign_cache: Path) -> None:
    no_foreign_cache.parent.mkdir(exist_ok=True)
    no_foreign_cache.write_text("a file in the folder's place")
    assert cache.rules([]) == cache.rules([]) != ()


def test_a_changed_rule_is_seen(tmp_path: Path) -> None:
    for name in ("first", "second one"):
        (tmp_path / "own.toml").write_text(RULE.format(name=name))
        for _ in range(2):
            assert cache.rules([tmp_path])[-1].name == name
    (tmp_path / "own.toml").unlink()
    with pytest.raises(RuleError):
        cache.rules([tmp_path])
    with pytest.raises(RuleError):
        cache.rules([tmp_path / "none"])
