"""``plan.md``: what to do after a leak, in order. It contains no token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from patscan.counts import counted
from patscan.formats.markdown import code, prose
from patscan.formats.words import skips
from patscan.model import Report
from patscan.plan.rewrite import INSTALL
from patscan.plan.section import LONGEST, section
from patscan.tuples import NamedTuple


class Plan(NamedTuple):
    """The content of the document."""

    report: Report
    """Redacted, with the most urgent findings first."""
    file: str
    """The saved report's path."""
    folder: Path
    """Where the plan is written."""
    commands: str
    """The commands of ``remove.sh``; empty unless a history was scanned."""
    pushes: tuple[str, ...]
    """The commands that replace what the remotes have, one for each."""
    is_wide: bool
    """Whether history has to be rewritten. Otherwise only this clone has the tokens, and no branch or tag reaches them."""
    obstacles: tuple[str, ...]
    """What keeps old objects: sentences."""
    unread: tuple[str, ...]
    """Why some tokens couldn't be read again: sentences."""


def document(plan: Plan) -> str:
    """The whole text."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    findings = plan.report.findings
    yield from (f"# {counted(len(findings), 'leaked token')}: what to do, in this order", "")
    yield "A token is harmless only once it is revoked: copies stay, whatever happens to history. So revoke first."
    if gaps := len(list(skips(plan.report))):
        yield f"The report is incomplete: {counted(gaps, 'thing')} couldn't be looked at. There may be more tokens."
    if plan.unread:
        yield from ("", "These tokens, or some of their places, couldn't be read again, so the removal below may not reach them:", "")
        yield from (f"- {prose(sentence, LONGEST)}" for sentence in plan.unread)
    for number, finding in enumerate(findings, 1):
        yield from section(number, finding, plan.file, plan.report.target.head)
    yield from _PREVENT
    yield from _removal(plan)
    yield from _end(plan)


_PREVENT = (
    "",
    "## Prevent the next one",
    "",
    "- In every clone: `patscan install-hooks` stops a token before it is committed or pushed.",
    "- On the server: GitLab's secret push protection and push rules.",
    "- In `.gitlab-ci.yml`: `patscan ci` finds what got past them.",
    "- Keep tokens in CI/CD variables that are masked and protected, with few scopes and an early expiry date. A project's token does",
    "  less harm than a person's.",
)


def _removal(plan: Plan) -> Iterator[str]:
    yield from ("", "## Remove them from history", "")
    script = code(f"sh {quote(str(plan.folder / 'remove.sh'))}", LONGEST)
    if not plan.commands:
        yield "The report is of files: remove the tokens from them. If they were committed, plan from `patscan history --format json`."
        return
    if not plan.is_wide:
        yield "As far as patscan can see, only this clone has them, and no branch or tag reaches them. History needn't be rewritten."
        yield from (f"First remove a staged token from its file, and `git add` the file. Then {script} runs these commands:", "")
        yield from _shell(plan.commands)
        return
    remote = plan.report.target.remote
    yield "Do this once they are dead. Commits from the first with a token on get new ids and lose signatures. Back up, tell everyone."
    if remote:
        mirror = f"patscan history {quote(remote)} --keep mirror.git --submodules --paths --format json > mirror.json"
        yield from ("", "A server has refs that a clone lacks. Unless this plan is from a fresh mirror, make one:", "")
        yield from _shell(f"{mirror}\npatscan plan mirror.json --repository mirror.git --out mirror-plan")
    yield from ("", f"This needs `git filter-repo` 2.47 or newer: `{INSTALL}`, or your system's package `git-filter-repo`.")
    yield from (f"First: {prose(sentence, LONGEST)}" for sentence in plan.obstacles)
    yield from (f"{script} runs these commands, and stops at the first that fails:", "")
    yield from _shell(plan.commands)
    yield from ("", *_REACHED, "", "### On the server", "")
    yield "1. Stop its pipelines and everyone's work, allow force pushes to protected branches and tags for the moment, and push:"
    yield ""
    yield from _shell("\n".join(plan.pushes))
    yield from ("", *_SERVER)


_REACHED = (
    "They replace every form in which the tokens were found (`replacements.txt`) in files, in messages of commits and tags, in the names",
    "of people, refs and files; overwrite it with stars in binary and UTF-16 files; drop archives (`blobs.txt`), which no replacement",
    "reaches; rewrite stashes and notes, expire all other reflogs, remove linked working trees, and delete unreachable objects.",
    "Remote-tracking branches are kept as `refs/fetched/`. The remote `origin` is removed, so that nothing old is merged back by accident.",
)
_SERVER = (
    "2. Settings > Repository > Repository maintenance: upload the object map, `filter-repo/commit-map` in git's folder, and start the",
    "   cleanup. It removes the refs that only the server has: `refs/merge-requests/`, `refs/keep-around/`, `refs/pipelines/`,",
    "   `refs/environments/`.",
    "3. GitLab caches commits, and for secrets advises *Redact text* (a line of `replacements.txt` without its first word and",
    "   without `==>…`) and *Remove blobs* (the ids in `blobs.txt`), on the same page. An owner can do that, in a project without forks.",
    "4. Settings > General > Advanced: *Run housekeeping*; 30 minutes later *Prune unreachable objects*.",
    "5. Forks share objects with the project: clean or delete each. Do the same for each mirror, on both sides.",
    "6. Delete what was built from the old commits: job logs, artifacts, caches, packages, container images, releases, Pages, exports, LFS",
    "   objects. Wikis and snippets are separate repositories. Merge requests keep their old diffs until they are deleted.",
    "7. Everyone deletes their clones, and clones again: one push from an old clone restores the tokens. So do CI runners and deployments.",
)


def _end(plan: Plan) -> Iterator[str]:
    script = quote(str(plan.folder / "verify.sh"))
    yield from ("", "## Prove it, and delete this folder", "")
    yield from ("Exit code 0 means that GitLab says that all are dead, and that none is left. Name their GitLab:", "")
    yield from _shell(f"sh {script} --gitlab-url https://gitlab.example.com")
    yield from ("", f"Then delete {code(str(plan.folder), LONGEST)}: its `replacements.txt` contains the tokens.")


def _shell(commands: str) -> Iterator[str]:
    """A code block, with a fence that none of its lines contains."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", commands) or [""]))
    yield from (f"{fence}sh", commands, fence)
