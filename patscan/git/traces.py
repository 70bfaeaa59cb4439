"""Traces that a remote had a commit. A push by URL leaves no trace, so without one nothing is proved."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from patscan.git.child import GitError
from patscan.git.reflogs import Entry
from patscan.git.repository import Ref, Repository
from patscan.tuples import NamedTuple

_REMOTE = "refs/remotes/"
_SERVERS = ("refs/pipelines/", "refs/merge-requests/", "refs/keep-around/", "refs/environments/", "refs/pull/")
"""Refs that only a GitLab or GitHub server makes."""
_OWN = ("refs/heads/", "refs/tags/", "refs/notes/", "refs/stash")
"""The namespaces of local refs; fetched ones may be among them."""
JOBS = ("CI_COMMIT_SHA", "GITHUB_SHA")
"""Variables with the commit of a job in GitLab CI or GitHub Actions."""
_MOVE = re.compile(r"clone:|checkout:|reset:|branch:|.*: Fast-forward$|.*: forwarding|.*: fast-forward$")
"""Reflog messages for moves of a ref to a commit that existed before."""
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Traces(NamedTuple):
    """The commits and refs that a remote had, as far as this clone shows."""

    ids: frozenset[str]
    """Commits and annotated tags."""
    refs: frozenset[str]
    """Names of local refs that mirror a remote's refs."""
    unsure: frozenset[str]
    """Branches whose upstream isn't known here: it was deleted, never fetched, or never created."""
    cloned: bool
    """Whether reflogs show that this is a clone. Its tags may be the remote's."""


def traces(repository: Repository, refs: Sequence[Ref], reflogs: Mapping[str, Sequence[Entry]]) -> Traces:
    """The traces in a clone with these refs and reflogs. Raises `GitError`."""
    tips = {ref.name: ref for ref in refs}
    remote = frozenset(_remote(repository, tips))
    logged = (entry for name, entries in reflogs.items() if name in remote or name.startswith(_REMOTE) for entry in entries)
    ids = {commit for entry in logged for commit in (entry.old, entry.new)}
    ids.update(target for name in remote for target in (tips[name].object, tips[name].commit))
    ids.update(fetched(repository))
    local_entries = [
        entry for name, entries in reflogs.items() if name.endswith("HEAD") or name.startswith("refs/heads/") for entry in entries
    ]
    clones = [entry.new for entry in local_entries if entry.message.startswith("clone:") and not entry.old.strip("0")]
    if clones:
        new_here = {entry.new for entry in local_entries if not _MOVE.match(entry.message)}
        ids.update(clones, (ref.commit for ref in refs if ref.name.startswith("refs/tags/") and ref.commit not in new_here))
    return Traces(frozenset(ids), remote, frozenset(_unsure(repository, tips)), bool(clones))


def settings(repository: Repository) -> str:
    """The configuration and the CI variables that `traces` depends on."""
    return f"{_configured(repository)} {[repository.environment.get(name) for name in JOBS]}"


def _remote(repository: Repository, refs: Iterable[str]) -> Iterator[str]:
    """The names of refs that a fetch or a push updates to match the remote's."""
    entries = [entry.partition("\n") for entry in _configured(repository).split("\0") if entry.startswith("remote.")]
    fetches = [value for key, _, value in entries if key.endswith(".fetch")]
    kept = [target.partition("*") for _, _, target in (fetch.partition(":") for fetch in fetches) if target]
    # `git clone --bare` configures a URL and nothing to fetch (git-clone(1)).
    whole = repository.bare and bool(entries) and not fetches
    for name in refs:
        mapped = any(name.startswith(before) and (name.endswith(after) if star else name == before) for before, star, after in kept)
        fetched = mapped and (repository.bare or not name.startswith(_OWN))
        if fetched or name.startswith((_REMOTE, *_SERVERS)) or (whole and name != "refs/stash"):
            yield name


def _configured(repository: Repository) -> str:
    try:
        pattern = r"^(remote\..*\.(url|fetch)|branch\..*\.(remote|merge))$"
        return repository.git("config", "-z", "--get-regexp", pattern).decode("utf-8", "surrogateescape")
    except GitError:
        return ""  # git fails if no key matches


def fetched(repository: Repository) -> set[str]:
    """Ids that came from a remote, perhaps without a ref: from the last fetch, for a CI job, at the edge of a shallow clone."""
    jobs = (repository.environment.get(name, "") for name in JOBS)
    return {name for name in (*_last_fetched(repository), *jobs, *repository.boundary()) if _ID.fullmatch(name)}


def _last_fetched(repository: Repository) -> Iterator[str]:
    """The ids in FETCH_HEAD of all working trees, except those that were fetched from this repository."""
    folders = {repository.git_dir, repository.common_dir, *(repository.common_dir / "worktrees").glob("*")}
    for file in (folder / "FETCH_HEAD" for folder in folders):
        if file.is_symlink() or not file.is_file():
            continue
        for line in file.read_text("utf-8", "surrogateescape").splitlines():
            name, _, source = line.partition("\t")
            if not source.endswith((" of .", "\t.")):
                yield name


def _unsure(repository: Repository, refs: Container[str]) -> Iterator[str]:
    form = "--format=%(refname)%00%(upstream)%00%(upstream:remotename)%00%(upstream:remoteref)%00"
    fields = repository.git("for-each-ref", form, "refs/heads").decode("utf-8", "surrogateescape").split("\0")[:-1]
    for name, tracking, remote, branch in zip(*[iter(fields)] * 4, strict=False):
        if branch and remote not in ("", ".") and tracking not in refs:
            yield name.lstrip("\n")
