"""The shell commands that rewrite a repository's history, and what prevents them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from patscan.errors import UsageError
from patscan.formats.places import printable
from patscan.git.child import GitError
from patscan.git.remotes import remotes
from patscan.git.repository import Repository
from patscan.tuples import NamedTuple

INSTALL = "pipx install git-filter-repo"
_FETCHED = "refs/remotes/origin/"
_PUSHED = "'refs/heads/*:refs/heads/*' 'refs/tags/*:refs/tags/*'"
_CALLBACKS = (
    ("blob", "callbacks.blob(blob)"),
    ("filename", "return callbacks.text(filename)"),
    ("refname", "return callbacks.text(refname)"),
    ("name", "return callbacks.text(name)"),
    ("email", "return callbacks.text(email)"),
)
_NOTES = """\
git for-each-ref --format='%(refname)' refs/notes | while read -r ref; do
  tail -n +2 "$(git rev-parse --git-dir)/filter-repo/commit-map" |
    git -c user.name=patscan -c user.email=patscan notes --ref="$ref" copy --force --stdin
  git -c user.name=patscan -c user.email=patscan notes --ref="$ref" prune
done"""
"""Copies notes to the rewritten commits. git demands a user name for the commit of notes."""
_KEEPING = "refs/fetched/%(refname:lstrip=2) %(objectname)%0adelete %(refname)"


class Rewrite(NamedTuple):
    """A repository whose history is rewritten."""

    repository: Repository
    top: Path
    """The working tree's root, or the folder of a bare repository."""
    submodule: str | None = None
    """Its path in its superproject; ``None`` if it isn't a submodule."""


def opened(repository: Repository, submodule: str | None = None) -> Rewrite:
    """`repository` with its root. Raises `UsageError` if there is no folder to run commands in."""
    where = submodule or repository.path
    try:
        top = repository.git_dir if repository.bare else Path(_line(repository, "rev-parse", "--show-toplevel"))
    except GitError:
        raise UsageError(f"{where}: has no working tree here. Check it out first.") from None
    if str(top) != printable(str(top)):
        raise UsageError(f"{where}: its path has characters that can't be printed. Move it first.")
    return Rewrite(repository, top, submodule)


def check(work: Rewrite) -> None:
    """Raises `UsageError` if a rewrite would fail or lose changes."""
    repository, where = work.repository, work.submodule or work.repository.path
    if repository.shallow or repository.is_partial():
        raise UsageError(f"{where}: a shallow or partial clone can't be rewritten. Name a complete clone: --repository PATH.")
    if not repository.bare and repository.git_dir != repository.common_dir:
        raise UsageError(f"{where}: is a linked working tree. Name the main one with --repository PATH.")
    if not repository.bare and _is_dirty(repository):
        raise UsageError(
            f"{where}: changes that aren't committed would be lost by the rewrite. Commit or stash them (a stash is rewritten, too)."
        )


def script(works: Sequence[Rewrite], folder: Path, with_blobs: bool) -> str:
    """The commands for a shell with ``set -e``. `works` must begin with submodules. `folder` has the files that the commands read."""
    missing = f"echo 'git filter-repo is missing. Get it with: {INSTALL}' >&2"
    first = [f"git filter-repo --version >/dev/null || {{ {missing}; exit 1; }}", *map(_guard, works)]
    first += [line for work in works for line in _worktrees(work)]
    blocks = (commands(work, folder, with_blobs, work.submodule is None and len(works) > 1) for work in works)
    return "\n\n".join("\n".join(block) for block in (first, *blocks))


def commands(work: Rewrite, folder: Path, with_blobs: bool, with_submodules: bool) -> Iterator[str]:
    """The commands for one repository, one per line."""
    repository, file = work.repository, folder / "replacements.txt"
    python = f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={quote(str(folder))}"
    yield f"cd {quote(str(work.top))}"
    refs = [ref.name for ref in repository.refs()]
    if any(name.startswith(_FETCHED) for name in refs):
        # filter-repo deletes these refs, and with them commits that were fetched but not merged.
        yield f"git for-each-ref --format='create {_KEEPING}' refs/remotes/origin | git update-ref --no-deref --stdin"
    yield " \\\n  ".join(
        [
            f"{python} git filter-repo --force",
            "--prune-empty never --prune-degenerate never --preserve-commit-encoding",
            f"--replace-text {quote(str(file))} --replace-message {quote(str(file))}",
            *([f"--strip-blobs-with-ids {quote(str(folder / 'blobs.txt'))}"] if with_blobs else []),
            *(f"--{name}-callback 'import callbacks; {body}'" for name, body in _CALLBACKS),
            *(["--commit-callback 'import callbacks; callbacks.submodules(commit)'"] if with_submodules else []),
        ]
    )
    clean = "import sys, callbacks; callbacks.clean(sys.argv[1])"
    yield f"{python} python3 -c '{clean}' \"$(git rev-parse --absolute-git-dir)\""
    if not repository.bare:
        yield "git reset --quiet --hard"
    if any(name.startswith("refs/notes/") for name in refs):
        yield _NOTES
    yield "git -c gc.bigPackThreshold=0 gc --quiet --prune=now"
    yield "git fsck --full --no-dangling"


def pushes(works: Sequence[Rewrite], remote: str | None) -> Iterator[str]:
    """The commands that push the rewritten branches and tags to all remotes of `works`; `remote` is the one that the report names."""
    for work in works:
        named = [remote] if remote and work.submodule is None else []
        folder = "" if len(works) == 1 else f"-C {quote(str(work.top))} "
        for url in dict.fromkeys([*named, *remotes(work.repository).values()]) or ["URL"]:
            yield f"git {folder}push --force {quote(url)} {_PUSHED}"


def obstacles(work: Rewrite) -> Iterator[str]:
    """Sentences about what keeps unreachable objects, and about refs that point to no commit."""
    own, *borrowed = work.repository.object_folders()
    for folder in borrowed:
        yield f"{folder} lends objects to this repository and isn't cleaned with it. Make a plan for it as well."
    for pack in sorted((own / "pack").glob("*.keep")):
        yield f"{pack} protects a pack from being cleaned. Delete that file first."
    listed = _line(work.repository, "for-each-ref", "--format=%(objecttype) %(*objecttype) %(refname)").split("\n")
    for kind, peeled, name in (line.split(" ", 2) for line in listed if line):
        # A tag of a tag is rewritten.
        if (peeled or kind) not in {"commit", "tag"}:
            yield f"{name} points to no commit, so the rewrite keeps it. If it contains a token, delete it with git update-ref -d."


def _guard(work: Rewrite) -> str:
    """A command that stops the script if the rewrite would lose changes."""
    if work.repository.bare:
        return f"cd {quote(str(work.top))}"
    changed = f"git -C {quote(str(work.top))} status --porcelain --untracked-files=no"
    return f"test -z \"$({changed})\" || {{ echo 'commit or stash your changes first' >&2; exit 1; }}"


def _worktrees(work: Rewrite) -> Iterator[str]:
    """Commands that remove linked working trees, whose index and HEAD keep old objects. A detached HEAD gets a branch."""
    listed = _line(work.repository, "worktree", "list", "--porcelain").split("\n\n")[1:]
    entries = [dict(line.partition(" ")[::2] for line in entry.strip("\n").split("\n")) for entry in listed if entry.strip("\n")]
    git = f"git -C {quote(str(work.top))}"
    yield from (f"{git} branch worktree-{number} {entry['HEAD']}" for number, entry in enumerate(entries, 1) if "detached" in entry)
    if entries:
        yield f"{git} worktree prune"
    yield from (f"{git} worktree remove {quote(entry['worktree'])}" for entry in entries if "prunable" not in entry)


def _is_dirty(repository: Repository) -> bool:
    """Whether tracked files or the index differ from HEAD. Contents aren't compared, because that runs filters of the repository."""
    if repository.head() is None:
        return bool(repository.git("ls-files", "-z"))
    staged = repository.git("diff-index", "--cached", "--raw", "-z", "--ignore-submodules=dirty", "HEAD", "--")
    return bool(staged or repository.git("diff-files", "--raw", "-z", "--ignore-submodules=dirty", "--"))


def _line(repository: Repository, *command: str) -> str:
    return repository.git(*command).decode("utf-8", "surrogateescape").removesuffix("\n")
