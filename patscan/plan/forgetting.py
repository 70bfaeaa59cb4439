"""The shell commands that remove what only stashes, reflogs or nothing lead to: no history has to be rewritten for that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from shlex import quote

from patscan.model import Finding
from patscan.plan.rewrite import Rewrite

_ENTRY = re.compile(r"stash@\{([0-9]+)\}")


def script(works: Iterable[Rewrite], findings: Iterable[Finding]) -> str:
    """All commands, for a shell with ``set -e``, for these `findings` in these repositories."""
    listed = list(findings)
    blocks = (_commands(work, [one for one in listed if _is_in(one, work)]) for work in works)
    return "\n\n".join("\n".join(block) for block in blocks)


def _commands(work: Rewrite, findings: Iterable[Finding]) -> Iterator[str]:
    names = {name for finding in findings for name in finding.exposure.reflogs or ()}
    yield f"cd {quote(str(work.top))}"
    # From the end, for an entry that is dropped renumbers those behind it.
    entries = sorted((int(entry[1]) for name in names if (entry := _ENTRY.fullmatch(name))), reverse=True)
    yield from (f"git stash drop --quiet 'stash@{{{number}}}'" for number in entries)
    # A name that holds a token is masked.
    logs = sorted(name for name in names if not _ENTRY.fullmatch(name) and "…" not in name and not name.startswith("-"))
    if logs:
        yield f"git reflog expire --expire-unreachable=now {' '.join(map(quote, logs))}"
    yield "git -c gc.bigPackThreshold=0 gc --quiet --prune=now"


def _is_in(finding: Finding, work: Rewrite) -> bool:
    return any(one.sighting.submodule == work.submodule for one in finding.occurrences)
