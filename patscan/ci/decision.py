"""What a CI environment says: which commit to look at, and compared with what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from patscan.errors import UsageError

ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"(?!.*(?:\.\.|@\{|//|\.lock(?:/|$)|/\.))[^-./\x00-\x20\x7f~^:?*\[\\][^\x00-\x20\x7f~^:?*\[\\]*(?<![/.])")
"""The names that git-check-ref-format(1) allows, for what stands below ``refs/heads/``."""
FIRST_PARENT = "^1"
DEFAULT_BRANCH = "HEAD"
"""The default branch of a server, where its name isn't known."""


class Base(NamedTuple):
    """A commit that the range begins after."""

    name: str
    """A commit's id, a full ref name of the server, `DEFAULT_BRANCH`, or `FIRST_PARENT` of the merge commit at the head."""
    words: str
    """What it is, for people: a variable or a branch."""
    branch: bool = False
    """Whether it moves on: its tip may have the head by now, and what counts is what it had before."""
    on: str = ""
    """The full name of the branch that has it, unless somebody forged the variable."""
    older: tuple[str, ...] = ()
    """Ids of commits that are known to be in it, where the head forked off: with them nothing else of it need be fetched."""
    second_parent: str = ""
    """The second parent that the merge commit must have, if that is known; for `FIRST_PARENT`."""


class Decision(NamedTuple):
    """What is looked at, and why."""

    platform: str
    event: str
    head: str
    """The id of a commit, or a revision of the checkout."""
    bases: tuple[Base, ...]
    """The first that can be had counts. With none, or none to be had, everything that the head reaches is looked at."""
    reason: str
    remedy: str
    """What to set where the checkout lacks history, and the server doesn't give it."""
    ref: str = ""
    """The full name of the ref that the head belongs to; its name is looked at, too."""
    sources: tuple[str, ...] = ()
    """Full ref names of the server that lead to the head, for servers that give no commit by its id."""
    checked_out: bool = False
    """Whether the head has to be the commit that is checked out."""
    may_be_empty: bool = False
    """Whether the default branch may have all of it already: a new branch without commits of its own is no mistake."""
    deleted: bool = False
    """The event takes a ref away and brings nothing."""
    warnings: tuple[str, ...] = ()


def commit_id(values: Mapping[str, str], name: str) -> str:
    """The commit in a variable; empty if it is unset, empty or all zeros. Raises `UsageError` for anything else."""
    value = values.get(name, "")
    if not value.strip("0"):
        return ""
    if not ID.fullmatch(value):
        raise UsageError(f"{name} is no commit's id: {shown(value)}. The environment isn't what the CI server set.")
    return value


def needed(values: Mapping[str, str], name: str) -> str:
    """The commit in a variable that must hold one. Raises `UsageError`."""
    if value := commit_id(values, name):
        return value
    raise UsageError(f"{name} is not set. It must hold the commit that the job is for; PATSCAN_HEAD and PATSCAN_BASE overrule it.")


def branch(values: Mapping[str, str], name: str, kind: str = "refs/heads/") -> str:
    """The full ref name of the branch in a variable; empty if it is unset or empty. Raises `UsageError` for what is no name."""
    value = values.get(name, "")
    if not value:
        return ""
    if not _REF.fullmatch(value):
        raise UsageError(f"{name} is no name of a branch or tag: {shown(value)}.")
    return kind + value


def on_branch(ref: str, words: str) -> tuple[Base, ...]:
    """The branch `ref` of the server as a base; none without a name."""
    return (Base(ref, f"{words} {short(ref)}", branch=True),) if ref else ()


def short(ref: str) -> str:
    """A branch's name as people write it."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def shown(value: str) -> str:
    """`value` for a sentence, shortened."""
    return repr(value if len(value) <= 60 else f"{value[:60]}…")
