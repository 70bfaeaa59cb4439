"""The shell commands that remove tokens that no branch or tag reaches, without rewriting history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shlex import quote

from patscan.model import Finding
from patscan.plan.rewrite import Rewrite

_DROP = """\
drop() {
  entry=$(git stash list --format='%gd %H' | sed -n "s/ $1\\$//p")
  test -z "$entry" || git stash drop --quiet "$entry"
}"""
"""Drops an entry of the stash by its commit, because its number may have changed."""


def script(works: Iterable[Rewrite], findings: Iterable[Finding]) -> str:
    """The commands for `findings` in these repositories, for a shell with ``set -e``."""
    listed = list(findings)
    blocks = (_commands(work, [one for one in listed if _is_in(one, work)]) for work in works)
    return "\n\n".join("\n".join(block) for block in blocks)


def _commands(work: Rewrite, findings: Iterable[Finding]) -> Iterator[str]:
    listed = list(findings)
    yield f"cd {quote(str(work.top))}"
    if entries := list(_stashed(work, {one.match.address.name for finding in listed for one in finding.occurrences})):
        yield _DROP
        yield from (f"drop {entry}" for entry in entries)
    names = {name for finding in listed for name in finding.exposure.reflogs or () if not name.startswith(("stash@", "-"))}
    # A name with "…" contains a masked token.
    if logs := sorted(name for name in names if "…" not in name):
        yield f"git reflog expire --expire-unreachable=now {' '.join(map(quote, logs))}"
    yield "git -c gc.bigPackThreshold=0 gc --quiet --prune=now"


def _stashed(work: Rewrite, objects: set[str]) -> Iterator[str]:
    """The commits in the stash that reach one of `objects`, if no ref does. The report is untrusted, so git is asked."""
    for entry in work.repository.git("stash", "list", "--format=%H").decode().split():
        reached = work.repository.git("rev-list", "--objects", "--no-object-names", entry, "--not", "--branches", "--tags", "--remotes")
        if objects.intersection(reached.decode().split()):
            yield entry


def _is_in(finding: Finding, work: Rewrite) -> bool:
    return any(one.sighting.submodule == work.submodule for one in finding.occurrences)
