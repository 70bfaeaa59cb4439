"""Turn a `Decision` into commits: try its bases in order, and fetch what is missing, until one is available."""

from __future__ import annotations

from contextlib import suppress

from patscan.ci.decision import FIRST_PARENT, ID, Base, Decision, short
from patscan.errors import TargetError, UsageError
from patscan.git.borrowed import Borrowed
from patscan.git.child import GitError
from patscan.git.lineage import fork_point, is_on_branch
from patscan.git.range import Range, before_merge, boundary, deepened, fetched, filled, first_parent, has_merges, reaches, tip
from patscan.git.repository import Repository
from patscan.tuples import NamedTuple

_SHORT = 8


class _Compared(NamedTuple):
    base: str = ""
    words: str = ""
    gap: str = ""
    is_empty: bool = False
    older: tuple[str, ...] = ()


def resolve(decision: Decision, checkout: Repository, borrowed: Borrowed) -> Range:
    """Find head and base, and fetch what is missing between them.

    Raises `TargetError` if there is no head, and `UsageError` if another commit is checked out.
    """
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
        gap=f"{gap} Set {decision.remedy}, so that the runner fetches the whole history." if gap else "",
        nothing=f"{compared.words} already has all of its commits." if compared.is_empty and decision.may_be_empty else "",
        notes=tuple(notes),
        edge=frozenset(excluded) | (borrowed.edge() if gap or not base else frozenset()),
    )


def nothing(decision: Decision, checkout: Repository, _: Borrowed) -> Range:
    """The empty range of an event that deletes a ref."""
    why = "the event deletes a ref, so nothing is new."
    return Range("", "", (), _sentence(decision, checkout.head() or "", _Compared()), "", why, (), frozenset())


def _head(decision: Decision, checkout: Repository, borrowed: Borrowed) -> str:
    here = checkout.head()
    if decision.checked_out and here != decision.head:
        if not here:
            raise TargetError(f"{checkout.path}: nothing is checked out: HEAD points to no commit. Set GIT_STRATEGY: fetch.")
        raise UsageError(
            f"the variables name commit {decision.head[:_SHORT]}, but {here[:_SHORT]} is checked out. "
            "They contradict each other. Check out the job's commit, or set PATSCAN_HEAD and PATSCAN_BASE."
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
    raise TargetError(f"{checkout.path}: {name} points to no commit here. Check it out, or set PATSCAN_HEAD to the id of a commit.")


def _commit_at(checkout: Repository, *names: str) -> str:
    """The commit that the first resolvable of these names points to in the checkout; empty if none resolves."""
    for name in names:
        with suppress(GitError):
            return checkout.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
    return ""


def _compared(decision: Decision, checkout: Repository, borrowed: Borrowed, head: str, notes: list[str]) -> _Compared:
    """The first available base that lacks commits of the head; else the last one that lacks none; else an empty one."""
    empty = _Compared()
    for base in decision.bases:
        try:
            commit = _base(base, decision, checkout, borrowed, head, notes)
        except GitError as error:
            notes.append(f"{base.words}{_id(base)} isn't available, so the next base is used: {error}")
            continue
        if not commit:
            continue
        if base.on and not _is_on(base, commit, checkout, borrowed, notes):
            notes.append(f"{base.words}{_id(base)} isn't on {short(base.on)}, so the next base is used.")
            continue
        older = _older(base, borrowed, head)
        gap = deepened(borrowed, head, (commit, *older), bool(older) or not base.branch)
        if base.branch and (earlier := before_merge(borrowed, commit, head)) != commit:
            commit, gap = earlier, gap or deepened(borrowed, head, (earlier,))
        if not reaches(borrowed, commit, head):
            return _with_default(_Compared(commit, base.words, gap, older=older), decision, borrowed, head, notes)
        empty = _Compared(commit, base.words, gap, is_empty=True)
        notes.append(f"{base.words}{_id(base)} already has all commits of the head.")
    return empty if empty.base else _Compared(gap=deepened(borrowed, head))


def _is_on(base: Base, commit: str, checkout: Repository, borrowed: Borrowed, notes: list[str]) -> bool:
    """Whether the server's branch has `commit`. Taken for granted, with a note, where the server doesn't tell."""
    known = _tracked(base.on, checkout)
    if known and reaches(borrowed, known, commit):
        return True
    try:
        answer, reason = is_on_branch(borrowed, base.on, commit), "the server doesn't send commits without files."
    except GitError as error:
        answer, reason = None, str(error)
    if answer is None:
        notes.append(f"{base.words}{_id(base)} is taken as it is, because patscan can't see whether {short(base.on)} has it: {reason}")
    return answer is not False


def _with_default(compared: _Compared, decision: Decision, borrowed: Borrowed, head: str, notes: list[str]) -> _Compared:
    """`compared`, without commits of the default branch that a push merges or is rebased onto: they were scanned there."""
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
        notes.append(f"commits merged from {default.words} count as new, because that branch isn't available: {problem}")
        return compared
    if reaches(borrowed, newest, head):  # merged meanwhile: scan the push all the same
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
        notes.append(f"{short(base.name)} can't be fetched, so the checkout's copy is used: {error}")
        return known


def _older(base: Base, borrowed: Borrowed, head: str) -> tuple[str, ...]:
    """The available ones of the older commits of `base`, or where the head forked off a branch. They limit what must be fetched."""
    names = [fork_point(borrowed, base.name, head)] if base.branch and not base.older and borrowed.edge() else base.older
    available = []
    for name in filter(None, names):
        if name == head:  # the branch has it already
            continue
        with suppress(GitError):
            available.append(fetched(borrowed, name, ()))
    return tuple(available)


def _tracked(ref: str, checkout: Repository) -> str:
    """The commit of a server's branch in the checkout; empty if the checkout doesn't have the branch."""
    return _commit_at(checkout, f"refs/remotes/origin/{short(ref)}", ref)


def _tag(decision: Decision, checkout: Repository, borrowed: Borrowed, head: str) -> tuple[str, str]:
    """The annotated tag on the head, if the event is for one, or why it isn't available. A checkout may have only its commit."""
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
            return "", f"the tag {short(decision.ref)} points to another commit than the job's."
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
