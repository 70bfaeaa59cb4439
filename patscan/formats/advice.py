"""What to do about one token: how to remove it if only this clone has it, else its rule's remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patscan.formats.places import SHORT
from patscan.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from patscan.model import Commit, Exposure, Finding

_COPIED = "revoke it if this folder was ever copied"
_PRUNE = "`git prune` removes it"
_OTHERS = "Every other unreachable object goes, too; what was packed goes with `git gc --prune=now`."
_NAMED = 5
"""Tags named in commands."""

NO_TRACE = "no trace of a push in this clone; if it was pushed by URL or the folder was copied, revoke it"
UNKNOWN = "perhaps pushed"


NEVER_COMMITTED = frozenset(("index", "nothing"))
"""Values of `Exposure.kept_by` for a token that is in no commit."""


def remedy(finding: Finding) -> str:
    """How to remove a token that only this clone has; for any other, its rule's remedy."""
    return local_removal(finding) or finding.rule.remedy


def local_removal(finding: Finding) -> str:
    """How to remove a token that only this clone has and no branch or tag reaches; empty for any other."""
    exposure = finding.exposure
    submodule = finding.occurrences[0].sighting.submodule
    own = _removal(exposure) if exposure.pushed is False or (exposure.pushed is None and exposure.kept_by in NEVER_COMMITTED) else ""
    return f"In {submodule}: {own}" if submodule and own else own


def _removal(exposure: Exposure) -> str:
    pushed = "Revoke it if it was pushed by URL or the folder was copied."
    if exposure.kept_by == "nothing":
        return f"Never committed; only in this clone's unreferenced objects: {_PRUNE}; {_COPIED}. {_OTHERS}"
    if exposure.kept_by == "index":
        return f"Staged, never committed: take it out of the file and `git add` that; then {_PRUNE}; {_COPIED}. {_OTHERS}"
    if exposure.kept_by == "no ref":
        return f"Committed, but no ref reaches it any more: {_PRUNE}. {_OTHERS} {pushed}"
    if exposure.kept_by in {"stash", "reflog"} and exposure.reflogs:
        where = "Only the stash has it" if exposure.kept_by == "stash" else "Amended away or reset, but reflogs reach it"
        commands = ", then ".join(f"`{command}`" for command in (*_forgetting(exposure.reflogs), "git prune"))
        return f"{where}: {commands} removes it. {_OTHERS} {pushed}"
    return ""


def _forgetting(reflogs: Sequence[str]) -> Iterator[str]:
    """The commands that delete these entries of stash and reflogs, and no others."""
    yield from (f"git stash drop {name}" for name in reflogs if name.startswith("stash@"))
    if logs := [_quoted(name) for name in reflogs if not name.startswith("stash@")]:
        yield f"git reflog expire --expire-unreachable=now {' '.join(logs)}"


def undoing(finding: Finding, head: str | None) -> str:
    """The commands that remove a token from what is about to be pushed; `head` is the commit at HEAD."""
    return ", then ".join(_commands(finding, head))


def _commands(finding: Finding, head: str | None) -> Iterator[str]:
    exposure, sightings = finding.exposure, [occurrence.sighting for occurrence in finding.occurrences]
    tips, kinds = exposure.tips or (), {sighting.kind for sighting in sightings}
    first = exposure.first_seen
    only = {tip.split("/")[1] for tip in tips if tip.startswith("refs/")} if tips else set()
    if first and kinds - {"ref-name", "tag-message", "note"} and only != {"tags"}:
        yield _rewriting(first, exposure, head)
    if "note" in kinds:
        yield "git notes edit"
    if any(sighting.kind is Kind.REF_NAME and not (sighting.path or "").startswith("refs/tags/") for sighting in sightings):
        yield "git branch -m OLD NEW"
    tags = [tip.removeprefix("refs/tags/") for tip in tips if tip.startswith("refs/tags/")]
    if tags or any(sighting.kind is Kind.REF_NAME and (sighting.path or "").startswith("refs/tags/") for sighting in sightings):
        yield f"git tag -d {' '.join(map(_quoted, tags[:_NAMED])) or 'NAME'}"


def _rewriting(first: Commit, exposure: Exposure, head: str | None) -> str:
    if first.id == head:
        return "git commit --amend"
    merges = " --rebase-merges" if first.parents and len(first.parents) > 1 else ""
    base = "--root" if first.parents == () else f"{first.id[:SHORT]}^"
    branches = [tip.removeprefix("refs/heads/") for tip in exposure.tips or () if tip.startswith("refs/heads/")]
    branch = f" {_quoted(branches[0])}" if branches and exposure.at_head is False else ""
    return f"git rebase -i{merges} {base}{branch}"


def _quoted(name: str) -> str:
    """A ref's name quoted for a shell: git allows quotes, dollars and semicolons in it."""
    from shlex import quote

    return quote(name)
