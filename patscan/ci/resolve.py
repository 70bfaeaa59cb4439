"""What was decided, made of commits that are here: each base in its turn, fetched if need be, until one can be had."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from patscan.ci.decision import FIRST_PARENT, ID, Base, Decision, short
from patscan.errors import TargetError, UsageError
from patscan.git.borrowed import Borrowed
from patscan.git.child import GitError
from patscan.git.range import Range, before_merge, boundary, deepened, fetched, filled, first_parent, has_merges, reaches, tip
from patscan.git.repository import Repository

_SHORT = 8


class _Compared(NamedTuple):
    base: str = ""
    words: str = ""
    gap: str = ""
    is_empty: bool = False
    older: tuple[str, ...] = ()


def resolve(decision: Decision, checkout: Repository, borrowed: Borrowed) -> Range:
    """Find head and base, and fetch what is missing between them. Raises `TargetError` without a head, `UsageError` if it is another."""
    notes = list(decision.warnings)
    head = _head(decision, checkout, borrowed)
    compared = _compared(decision, checkout, borrowed, head, notes)
    base, gap = compared.base, compared.gap
    bases = (base, *compared.older) if base else ()
    excluded = tuple(dict.fromkeys([*bases, *boundary(borrowed, head, bases)])) if base else ()
    if checkout.is_partial():
        gap = gap or filled(borrowed, head, *(f"^{name}" for name in excluded))
    tag, trouble = _tag(decision, checkout, borrowed, head)
    gap = gap or trouble
    return Range(
        head=tag or head,
        base=base,
        excluded=excluded,
        reason=_sentence(decision, head, compared),
        gap=f"{gap} Set {decision.remedy}, so that the runner checks out all of it." if gap else "",
        nothing=f"{compared.words} has all of it already." if compared.is_empty and decision.may_be_empty else "",
        notes=tuple(notes),
        edge=frozenset(excluded) | (borrowed.edge() if gap or not base else frozenset()),
    )


def nothing(decision: Decision, checkout: Repository, _: Borrowed) -> Range:
    """What an event brings that takes a ref away."""
    why = "the event takes a ref away, so nothing is new."
    return Range("", "", (), _sentence(decision, checkout.head() or "", _Compared()), "", why, (), frozenset())


def _head(decision: Decision, checkout: Repository, borrowed: Borrowed) -> str:
    here = checkout.head()
    if decision.checked_out and here != decision.head:
        if not here:
            raise TargetError(f"{checkout.path}: nothing is checked out: HEAD leads to no commit. Set GIT_STRATEGY: fetch.")
        raise UsageError(
            f"the variables name commit {decision.head[:_SHORT]}, but {here[:_SHORT]} is checked out. "
            "They contradict each other: check out what the job is for, or set PATSCAN_HEAD and PATSCAN_BASE."
        )
    if not ID.fullmatch(decision.head):
        return _named(decision.head, checkout)
    try:
        return fetched(borrowed, decision.head, decision.sources)
    except GitError as error:
        reason = f"this commit isn't here and can't be fetched: {error} Set {decision.remedy}, or check it out."
        raise TargetError(f"{decision.head}: {reason}") from error


def _named(name: str, checkout: Repository) -> str:
    if commit := _commit_at(checkout, name, f"refs/remotes/origin/{name}"):
        return commit
    raise TargetError(f"{checkout.path}: {name} leads to no commit here. Check it out, or set PATSCAN_HEAD to the id of a commit.")


def _commit_at(checkout: Repository, *names: str) -> str:
    """The commit that the first of these names leads to in the checkout; empty if none does."""
    for name in names:
        with suppress(GitError):
            return checkout.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
    return ""


def _compared(decision: Decision, checkout: Repository, borrowed: Borrowed, head: str, notes: list[str]) -> _Compared:
    """The first base that the head brings something to; the last one that has it all already; else none."""
    empty = _Compared()
    for base in decision.bases:
        try:
            commit = _base(base, decision, checkout, borrowed, head, notes)
        except GitError as error:
            notes.append(f"{base.words}{_id(base)} can't be had: {error} So the next best base is taken.")
            continue
        if not commit:
            continue
        if base.on and not _is_on(base.on, commit, checkout, borrowed):
            notes.append(f"{base.words}{_id(base)} isn't on {short(base.on)}, so the next best base is taken.")
            continue
        older = _older(base, borrowed)
        gap = deepened(borrowed, head, (commit, *older), not base.branch)
        if base.branch and (earlier := before_merge(borrowed, commit, head)) != commit:
            commit, gap = earlier, gap or deepened(borrowed, head, (earlier,))
        if not reaches(borrowed, commit, head):
            return _with_default(_Compared(commit, base.words, gap, older=older), decision, borrowed, head, notes)
        empty = _Compared(commit, base.words, gap, is_empty=True)
        notes.append(f"{base.words}{_id(base)} has all of the head already.")
    return empty if empty.base else _Compared(gap=deepened(borrowed, head))


def _is_on(ref: str, commit: str, checkout: Repository, borrowed: Borrowed) -> bool:
    """Whether a branch of the server has `commit`; so it is taken for granted where that would need more history than the range."""
    known = _tracked(ref, checkout)
    if borrowed.edge() or (known and reaches(borrowed, known, commit)):
        return True
    with suppress(GitError):
        known = borrowed.commit(tip(borrowed, ref))
    return not known or reaches(borrowed, known, commit)


def _with_default(compared: _Compared, decision: Decision, borrowed: Borrowed, head: str, notes: list[str]) -> _Compared:
    """The same without what a push merges in from the default branch, or was rebased onto: that was looked at there."""
    default = decision.bases[-1]
    pushed = decision.may_be_empty and default.branch and compared.words != default.words
    if not pushed or not (has_merges(borrowed, head, compared.base) or not reaches(borrowed, head, compared.base)):
        return compared
    try:
        newest = borrowed.commit(tip(borrowed, default.name))
        problem = deepened(borrowed, head, (compared.base, *compared.older, newest))
    except GitError as error:
        problem = str(error)
    if problem:
        notes.append(f"what was merged in from {default.words} counts as new, for that branch can't be had: {problem}")
        return compared
    if reaches(borrowed, newest, head):  # by a merge meanwhile, which is no reason to look at nothing
        return compared
    return compared._replace(older=(*compared.older, newest))


def _base(base: Base, decision: Decision, checkout: Repository, borrowed: Borrowed, head: str, notes: list[str]) -> str:
    """The commit of one base; empty if it doesn't apply. Raises `GitError`."""
    if base.name == FIRST_PARENT:
        parent = first_parent(borrowed, head, base.second_parent)
        return fetched(borrowed, parent, ()) if parent else ""
    if ID.fullmatch(base.name):
        branches = [other.name for other in decision.bases if other.branch]
        return fetched(borrowed, base.name, branches)
    try:
        return borrowed.commit(tip(borrowed, base.name))
    except GitError as error:
        if not (known := _tracked(base.name, checkout)):
            raise
        notes.append(f"the server can't be asked for {short(base.name)}: {error} What the checkout knows of it counts.")
        return known


def _older(base: Base, borrowed: Borrowed) -> tuple[str, ...]:
    """Those of the older commits of `base` that can be had: without them more has to be fetched."""
    had = []
    for name in base.older:
        with suppress(GitError):
            had.append(fetched(borrowed, name, ()))
    return tuple(had)


def _tracked(ref: str, checkout: Repository) -> str:
    """The commit at what the checkout has of a server's branch; empty if it has nothing of it."""
    return _commit_at(checkout, f"refs/remotes/origin/{short(ref)}", ref)


def _tag(decision: Decision, checkout: Repository, borrowed: Borrowed, head: str) -> tuple[str, str]:
    """The annotated tag on the head, if the event is about one, and why it can't be had. Checkouts may have only its commit."""
    if not decision.ref.startswith("refs/tags/"):
        return "", ""
    try:
        tag = checkout.git("rev-parse", "--verify", "--quiet", "--end-of-options", decision.ref).decode().strip()
    except GitError:
        tag = ""
    try:
        if not tag or borrowed.git("cat-file", "-t", tag).strip() != "tag":
            tag = tip(borrowed, decision.ref)
        if borrowed.commit(tag) != head:
            return "", f"the tag {short(decision.ref)} leads to another commit than the one that the job is for."
    except GitError as error:
        return "", f"the tag {short(decision.ref)} itself isn't here and can't be fetched: {error}"
    return tag, ""


def _id(base: Base) -> str:
    return f" {base.name[:_SHORT]}" if ID.fullmatch(base.name) else ""


def _sentence(decision: Decision, head: str, compared: _Compared) -> str:
    intro = f"{decision.platform}, {decision.event}: {decision.reason}"
    if not compared.base:
        everything = "" if decision.reason.startswith("everything") else "; no base is known, so everything that it reaches is looked at"
        return f"{intro}{everything} ({head[:_SHORT]})."
    return f"{intro} ({compared.base[:_SHORT]}..{head[:_SHORT]}; the base is {compared.words})."
