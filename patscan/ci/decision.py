"""The commit that a CI job scans, and the bases to compare it with."""

from __future__ import annotations

import re
from collections.abc import Mapping

from patscan.errors import UsageError
from patscan.tuples import NamedTuple

ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"(?!.*(?:\.\.|@\{|//|\.lock(?:/|$)|/\.))[^-./\x00-\x20\x7f~^:?*\[\\][^\x00-\x20\x7f~^:?*\[\\]*(?<![/.])")
"""The names that git-check-ref-format(1) allows after ``refs/heads/``."""
FIRST_PARENT = "^1"
DEFAULT_BRANCH = "HEAD"
"""The server's default branch, if its name isn't known."""


class Base(NamedTuple):
    """A commit with which the head can be compared. It and its ancestors aren't new."""

    name: str
    """A commit's id, a full ref name of the server, `DEFAULT_BRANCH`, or `FIRST_PARENT` of the merge commit at the head."""
    words: str
    """Its description for readers: a variable or a branch."""
    branch: bool = False
    """Whether it is a branch. The branch may contain the head by now; then its state before that counts."""
    on: str = ""
    """The full name of the branch that must contain the commit, which guards against a forged variable."""
    older: tuple[str, ...] = ()
    """Ids of its ancestors where the head forked off. With them, less of its history must be fetched."""
    second_parent: str = ""
    """For `FIRST_PARENT`: the second parent that the merge commit must have, if known."""


class Decision(NamedTuple):
    """What to scan, and why."""

    platform: str
    event: str
    head: str
    """A commit's id, or a revision in the checkout."""
    bases: tuple[Base, ...]
    """The first available base counts. Without one, everything that the head reaches is scanned."""
    reason: str
    remedy: str
    """The setting that gives the checkout its full history."""
    ref: str = ""
    """The full name of the head's ref. The name is scanned too."""
    sources: tuple[str, ...] = ()
    """Full names of server refs that reach the head, for servers that don't send commits by id."""
    checked_out: bool = False
    """Whether the head must be the commit that is checked out."""
    may_be_empty: bool = False
    """Whether an empty range is expected: a new branch may have no commits beside the default branch's."""
    deleted: bool = False
    """Whether the event deletes a ref."""
    warnings: tuple[str, ...] = ()


def commit_id(values: Mapping[str, str], name: str) -> str:
    """The commit in a variable; empty if it is unset, empty or all zeros. Raises `UsageError` for anything else."""
    value = values.get(name, "")
    if not value.strip("0"):
        return ""
    if not ID.fullmatch(value):
        raise UsageError(f"{name} isn't a commit's id: {shown(value)}. Leave the variable as the CI server set it.")
    return value


def needed(values: Mapping[str, str], name: str) -> str:
    """The commit in a required variable. Raises `UsageError`."""
    if value := commit_id(values, name):
        return value
    raise UsageError(f"{name} is not set. It must hold the commit of the job. Or set PATSCAN_HEAD and PATSCAN_BASE.")


def branch(values: Mapping[str, str], name: str, kind: str = "refs/heads/") -> str:
    """The full name of the branch in a variable; empty if it is unset or empty. Raises `UsageError` for an invalid name."""
    value = values.get(name, "")
    if not value:
        return ""
    if not _REF.fullmatch(value):
        raise UsageError(f"{name} isn't the name of a branch or a tag: {shown(value)}.")
    return kind + value


def on_branch(ref: str, words: str) -> tuple[Base, ...]:
    """The server's branch `ref` as a base; empty if `ref` is empty."""
    return (Base(ref, f"{words} {short(ref)}", branch=True),) if ref else ()


def short(ref: str) -> str:
    """The short name of a branch or a tag."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def shown(value: str) -> str:
    """`value`, quoted and shortened, for a message."""
    return repr(value if len(value) <= 60 else f"{value[:60]}…")
