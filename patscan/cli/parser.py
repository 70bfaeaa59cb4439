"""The commands and their flags."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from patscan.errors import UsageError
from patscan.formats import FORMATS
from patscan.model import CONFIDENCES


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The chosen command as ``command`` and its flags. Raises ``SystemExit`` with code 2 on a usage error, as argparse does."""
    return build().parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    """argparse, which repeats wrong arguments, one of which may be a token."""

    def error(self, message: str) -> NoReturn:
        from patscan.formats.redaction import unshaped

        super().error(unshaped(message))


def build() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="patscan",
        description="Find leaked GitLab tokens in files and in the whole history of a git repository.",
        epilog="Exit codes: 0 nothing found, 1 found, 2 usage or rule error, 3 not everything could be looked at, 130 interrupted.",
        allow_abbrev=False,
        formatter_class=_wide,
    )
    parser.add_argument("--version", action="store_true", help="show the version; with --verbose, which fast paths are at work")
    parser.add_argument("--verbose", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(command=_version(parser))
    # Without a name of ours, argparse formats a usage line to find one, which costs 2 ms.
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog="patscan")
    _scan(commands)
    _history(commands)
    _rules(commands)
    return parser


_Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _scan(commands: _Commands[_Parser]) -> None:
    command = _command(commands, "scan", "look at files, folders or standard input")
    command.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files and folders (default: .), or - for standard input")
    command.add_argument("--no-ignore", action="store_true", help="look at files that git ignores, too")
    _add_common(command)
    command.set_defaults(command=_lazily("patscan.cli.scanning", "scan"))


def _history(commands: _Commands[_Parser]) -> None:
    command = _command(commands, "history", "look at every object a repository holds, reachable or not")
    command.add_argument("repository", nargs="?", default=".", metavar="REPO", help="a repository's folder or URL (default: .)")
    command.add_argument("--keep", type=Path, metavar="DIR", help="keep a URL's mirror in this folder, and fetch into it the next time")
    command.add_argument(
        "--rev",
        action="append",
        default=[],
        metavar="RANGE",
        help="only what this range introduced, in git's syntax: A..B, --rev=--branches",
    )
    command.add_argument("--since", type=_date, metavar="DATE", help="only what was brought on this date (2026-01-31) or later")
    command.add_argument("--until", type=_date, metavar="DATE", help="only what was brought before this date or at this moment")
    command.add_argument("--author", default="", metavar="TEXT", help="only what was brought by somebody whose name or address holds this")
    command.add_argument("--no-cache", action="store_true", help="read everything, and remember nothing of it for the next time")
    _add_common(command)
    command.set_defaults(command=_lazily("patscan.cli.scanning", "history"))


def _rules(commands: _Commands[_Parser]) -> None:
    command = _command(commands, "rules", "list, show and check the rules")
    verbs = command.add_subparsers(title="verbs", metavar="VERB", required=True, prog="patscan rules")
    for name, text in (("list", "one line a rule"), ("show", "one rule, whole"), ("check", "compile every rule and run its examples")):
        verb = _command(verbs, name, text)
        if name == "show":
            verb.add_argument("id", metavar="ID", help="a rule's id, as `patscan rules list` gives it")
        _add_rules(verb)
        verb.set_defaults(command=_lazily("patscan.cli.rules", "list_" if name == "list" else name))


def _command(commands: _Commands[_Parser], name: str, text: str) -> _Parser:
    return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False, formatter_class=_wide)


def _wide(prog: str) -> argparse.HelpFormatter:
    """A formatter that doesn't ask how wide the terminal is: argparse makes one for every flag, and asking costs 2 ms."""
    return argparse.HelpFormatter(prog, width=110)


def _add_rules(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rules", action="append", type=Path, default=[], metavar="DIR", help="a folder of your own rules (repeatable)")


def _add_common(command: argparse.ArgumentParser) -> None:
    _add_rules(command)
    command.add_argument("--format", choices=list(FORMATS), default="text", help="what to write to standard output (default: text)")
    command.add_argument(
        "--report", action="append", type=_report, default=[], metavar="NAME=PATH", help="write a format to a file, too (repeatable)"
    )
    command.add_argument("--min-confidence", choices=CONFIDENCES, default="medium", help="what counts as found (default: medium)")
    command.add_argument("--show-secrets", action="store_true", help="show the tokens themselves")
    command.add_argument("--jobs", type=_positive, default=None, metavar="N", help="processes to use (default: one a processor)")
    command.add_argument("--quiet", action="store_true", help="no progress and no text report; the exit code and --report speak")
    command.add_argument("--no-color", action="store_true", help="no colours; the variable NO_COLOR says the same")
    command.add_argument("--exit-zero", action="store_true", help="exit 0 although something was found")
    command.add_argument("--allow-incomplete", action="store_true", help="exit 0 although not everything could be looked at")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1024")
    return int(text)


def _date(text: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-01-31 or 2026-01-31T12:00:00+00:00") from None


def _report(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if path == "-":
        raise argparse.ArgumentTypeError(f"{text!r} isn't a file; --format {name} writes to standard output")
    if not equals or name not in FORMATS or not path:
        raise argparse.ArgumentTypeError(f"{text!r} isn't NAME=PATH with one of the names {', '.join(FORMATS)}")
    return name, Path(path)


def _lazily(module: str, name: str) -> Callable[[argparse.Namespace], int]:
    """A command that is imported when it is run."""

    def run(chosen: argparse.Namespace) -> int:
        from importlib import import_module

        return int(getattr(import_module(module), name)(chosen))

    return run


def _version(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    def run(chosen: argparse.Namespace) -> int:
        if not chosen.version:
            parser.print_help()
            raise UsageError("no command was given; see above.")
        return int(_lazily("patscan.cli.about", "version")(chosen))

    return run


_KEPT = (
    *("HOME", "PATH", "LANG", "LC_ALL", "LC_CTYPE", "XDG_CONFIG_HOME", "TMPDIR", "TEMP", "TMP"),
    *("USERPROFILE", "SYSTEMROOT", "PATHEXT"),
)
_HERE = tuple(
    f"GIT_{name}"
    for name in ("DIR", "COMMON_DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH")
)
_NETWORK = (
    *("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "SSH_AUTH_SOCK", "GIT_PROXY_COMMAND"),
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_NO_VERIFY", "GIT_SSL_CERT", "GIT_SSL_KEY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    # What credential helpers and ssh look for: the key ring, the cache's socket, GnuPG, Kerberos, the user's name.
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "GNUPGHOME", "PASSWORD_STORE_DIR"),
    *("KRB5CCNAME", "USER", "LOGNAME", "USERNAME", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "COMSPEC"),
)
"""Not GIT_ASKPASS and SSH_ASKPASS: they ask, and patscan never does. Not GIT_TRACE…: it would show passwords."""


def environment() -> dict[str, str]:
    """What git children may see of this process's environment; ``HOME`` stays, for ``safe.directory`` lives there."""
    return _chosen({*_KEPT, *_HERE})


def elsewhere(network: bool = False) -> dict[str, str]:
    """The same for a repository that isn't the one git may have called us from; with `network` also what a fetch needs."""
    return _chosen({*_KEPT, *(_NETWORK if network else ())})


def _chosen(names: set[str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in names or name.startswith("GIT_CONFIG_")}
