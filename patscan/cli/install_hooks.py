"""``patscan install-hooks``: writes git hooks that run an existing hook first and then this patscan."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

import patscan
from patscan.cli.environment import environment
from patscan.errors import ExitCode, OutputError, UsageError

_HOOKS = {
    "pre-commit": ("hook", "git commit --no-verify"),
    "pre-merge-commit": ("hook", "git merge --no-verify"),
    "commit-msg": ('message "$@"', "git commit --no-verify"),
    "pre-push": ('push "$@"', "git push --no-verify"),
}
"""For each hook of git (githooks(5)): patscan's command, and git's command that skips the hook."""
_MARK = "# Written by `patscan install-hooks`; `patscan install-hooks --uninstall` takes it away."
"""Marks a hook as ours. It must not change: hooks in repositories have it."""
_KEPT = ".before-patscan"
# -c saves the 2 ms that -m needs. -P keeps python from importing modules of the repository.
_SCRIPT = """#!/bin/sh
{mark}
before="$(dirname -- "$0")"/{name}{kept}
python={python}
package={package}
run='import sys; from patscan.cli import main; sys.exit(main())'
{read}
if [ -x "$before" ]; then
  {given}"$before" "$@" || exit $?
fi
if [ ! -x "$python" ] || [ ! -e "$package" ]; then
  echo "patscan: $python or $package is gone, so nothing was looked at. Run: patscan install-hooks" >&2
  echo "patscan: to skip this hook once: {without}" >&2
  remove="rm '$0'"
  [ ! -e "$before" ] || remove="mv '$before' '$0'"
  echo "patscan: to remove this hook by hand: $remove" >&2
  exit 3
fi
{given}"$python" -P -c "$run" {command}
"""


def flags(command: argparse.ArgumentParser) -> None:
    """What ``patscan install-hooks`` takes."""
    command.add_argument("--uninstall", action="store_true", help="remove the hooks, and restore the ones from before")
    command.set_defaults(command=run)


def run(chosen: argparse.Namespace) -> int:
    """Write or remove this repository's hooks."""
    folder = _folder()
    if folder.parts[-2:] == (".husky", "_") and not chosen.uninstall:
        # husky rewrites this folder, and runs the project's hooks by the names of its own.
        raise UsageError(f"{folder}: husky manages this folder. Put `patscan hook` into .husky/pre-commit; docs/hooks.md lists all hooks.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = [(_uninstall if chosen.uninstall else _install)(folder / name) for name in _HOOKS]
    except OSError as error:
        raise OutputError(f"{error.filename or folder}: can't be written: {error.strerror}.") from error
    print("\n".join(done))
    return ExitCode.CLEAN


def _folder() -> Path:
    """The folder of git's hooks: ``core.hooksPath``, or the one that all worktrees share."""
    from patscan.git.repository import open_repository

    repository = open_repository(Path(), environment())
    hooks = repository.hooks_path()
    if hooks is None:
        return repository.common_dir / "hooks"
    if not hooks:
        raise OutputError(
            "core.hooksPath is empty, so git runs no hook here. Remove it where `git config --show-origin core.hooksPath` says."
        )
    # A relative path starts where hooks run (git-config(1)).
    top = repository.git_dir if repository.bare else Path(os.fsdecode(repository.git("rev-parse", "--show-toplevel")).removesuffix("\n"))
    return top / hooks


def _install(hook: Path) -> str:
    kept = hook.with_name(hook.name + _KEPT)
    again = _is_ours(hook)
    if not again and os.path.lexists(hook) and os.path.lexists(kept):
        raise OutputError(f"{hook}: is not patscan's, and {kept.name} exists as well. Move one of them away.")
    draft = hook.with_name(f".{hook.name}.patscan")
    draft.write_text(_script(hook.name), "utf-8", newline="\n")
    draft.chmod(0o755)
    if not again and os.path.lexists(hook):
        hook.rename(kept)
    draft.replace(hook)
    return f"{hook}: {'written again' if again else 'written'}{f', runs after {kept.name}' if os.path.lexists(kept) else ''}."


def _uninstall(hook: Path) -> str:
    kept = hook.with_name(hook.name + _KEPT)
    if not _is_ours(hook):
        return f"{hook}: {'not written by patscan, left alone' if os.path.lexists(hook) else 'not there'}."
    if os.path.lexists(kept):
        kept.replace(hook)
        return f"{hook}: restored."
    hook.unlink()
    return f"{hook}: removed."


def _is_ours(hook: Path) -> bool:
    return hook.is_file() and _MARK.encode() in hook.read_bytes()


def _script(name: str) -> str:
    command, without = _HOOKS[name]
    pushes = name == "pre-push"
    return _SCRIPT.format(
        mark=_MARK,
        name=name,
        kept=_KEPT,
        python=shlex.quote(Path(sys.executable).as_posix()),
        package=shlex.quote(Path(patscan.__file__).as_posix()),
        # The earlier hook and patscan both read git's input.
        read='input="$(cat; echo .)"; input="${input%.}"' if pushes else "",
        given="printf '%s' \"$input\" | " if pushes else "",
        command=command,
        without=without,
    )
