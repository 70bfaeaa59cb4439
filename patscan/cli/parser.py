"""The commands, and the flags that several of them share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from patscan.cli import limits
from patscan.errors import UsageError
from patscan.formats import FORMATS
from patscan.model import CONFIDENCES

COMMANDS = {
    "scan": "look at files, folders or standard input",
    "history": "look at every object in a repository, reachable or not",
    "ci": "look at what a CI job's event introduces, and fetch missing commits",
    "hook": "look at what is about to be committed",
    "push": "look at what is about to be pushed",
    "message": "look at the message of a commit",
    "inspect": "explain the tokens on standard input, and what to do about them",
    "verify": "ask GitLab about the tokens of a saved JSON report",
    "revoke": "revoke tokens of a saved JSON report at GitLab, and prove that they are dead",
    "rotate": "replace a leaked token at GitLab, and write the new one to a file",
    "plan": "plan what to do about the tokens of a saved JSON report, and how to remove them from history",
    "install-hooks": "write git hooks that run hook, message and push",
    "report": "write a saved JSON report in another format",
    "baseline": "accept tokens that needn't be reported again",
    "config": "show the settings for a path, and their sources",
    "rules": "list, show and check the rules",
}
"""Each command is a module here. Its function ``flags`` adds the flags and sets the function that runs the command."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The flags, and the command's function as ``command``. Raises ``SystemExit`` with code 2 on a usage error, as argparse does."""
    first = next((argument for argument in arguments if not argument.startswith("-")), "")
    listed = arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS
    return build([first], listed).parse_args(arguments)


class Parser(argparse.ArgumentParser):
    """argparse with help as wide as the terminal, and with errors that suggest names and mask tokens."""

    def error(self, message: str) -> NoReturn:
        """Exit as argparse does; tokens in the message are masked."""
        from patscan.formats.redaction import unshaped

        super().error(unshaped(message))

    def format_help(self) -> str:
        """As argparse does, as wide as the terminal."""
        self.formatter_class = _fitting
        return super().format_help()

    def format_usage(self) -> str:
        """As argparse does, as wide as the terminal."""
        self.formatter_class = _fitting
        return super().format_usage()

    def parse_known_args(self, *args: Any, **kwargs: Any) -> tuple[Any, list[str]]:
        """Parse as argparse does. An unknown flag is an error here, where the command's flags are known."""
        namespace, unknown = super().parse_known_args(*args, **kwargs)
        flags = [argument.partition("=")[0] for argument in unknown if argument.startswith("-")]
        if flags:
            self.error(" ".join(f"there is no flag {flag}.{_suggestion(flag, self._option_string_actions)}" for flag in flags))
        return namespace, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = ", ".join(map(str, action.choices))
            raise argparse.ArgumentError(action, f"there is no {value!r}.{_suggestion(value, action.choices)} Choose from: {choices}.")


def _suggestion(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1)
    return f" Did you mean {near[0]}?" if near else ""


def build(wanted: Collection[str] = COMMANDS, listed: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of the `listed` commands. Only the modules of `wanted` ones are imported, because each takes time, as each parser does."""
    parser = Parser(
        prog="patscan",
        description="Find leaked GitLab tokens in files and in the whole history of a git repository.",
        epilog="Exit codes: 0 no token found, 1 token found, 2 usage or rule error, 3 not everything could be looked at, "
        "130 interrupted, 143 terminated.",
        allow_abbrev=False,
        formatter_class=_wide,
    )
    parser.add_argument("--version", action="store_true", help="show the version; with --verbose, also the engines in use")
    parser.add_argument("--verbose", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(command=_version(parser))
    # Without this name, argparse takes 2 ms to derive one from a usage line.
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog="patscan")
    for name in listed:
        command = add_command(commands, name, COMMANDS[name])
        if name in wanted:
            import_module(f"patscan.cli.{name.replace('-', '_')}").flags(command)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for this class


def add_command(commands: Commands[Any], name: str, text: str) -> argparse.ArgumentParser:
    """Add a command or a verb. `text` describes it in a half-sentence."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False, formatter_class=_wide
    )
    return command


def _wide(prog: str) -> argparse.HelpFormatter:
    """A formatter of fixed width. argparse creates one for each flag, and measuring the terminal takes 2 ms."""
    return argparse.HelpFormatter(prog, width=110)


def _fitting(prog: str) -> argparse.HelpFormatter:
    from shutil import get_terminal_size

    return argparse.HelpFormatter(prog, width=min(max(get_terminal_size().columns, 40), 120) - 2)


def add_rules(command: argparse.ArgumentParser) -> None:
    """The flag of every command that needs rules."""
    command.add_argument("--rules", action="append", type=Path, default=[], metavar="DIR", help="a folder of your own rules (repeatable)")


def add_common(command: argparse.ArgumentParser, form: str = "text") -> None:
    """Add the flags of every command that scans; `form` is the default format."""
    add_rules(command)
    command.add_argument(
        "--min-confidence",
        choices=CONFIDENCES,
        metavar="WORD",
        help=f"the least confidence to report: {', '.join(CONFIDENCES)} (default: medium)",
    )
    add_policy(command)
    limits.add_flag(command)
    command.add_argument("--jobs", type=_positive, default=None, metavar="N", help="processes to use (default: one per processor)")
    add_output(command, form)


def add_output(command: argparse.ArgumentParser, form: str = "text", secrets: bool = True) -> None:
    """Add the flags of every command that reports; `secrets`: also ``--show-secrets``."""
    formats = f"the format for standard output: {', '.join(FORMATS)} (default: {form})"
    command.add_argument("--format", choices=list(FORMATS), default=form, metavar="NAME", help=formats)
    command.add_argument(
        "--report", action="append", type=_report, default=[], metavar="NAME=PATH", help="also write a format to a file (repeatable)"
    )
    command.add_argument("--all", action="store_true", help="text: list every place of a token, not only the first")
    command.add_argument(
        "--category", metavar="NAME", help="sarif: the name of the run (default: patscan/ and what was scanned; empty: none)"
    )
    command.set_defaults(show_secrets=False)
    if secrets:
        _add_show_secrets(command)
    command.add_argument("--quiet", action="store_true", help="no progress and no text report, only the exit code and --report")
    command.add_argument("--no-color", action="store_true", help="no colours, like the variable NO_COLOR")
    command.add_argument("--exit-zero", action="store_true", help="exit 0 even if tokens were found")
    command.add_argument("--allow-incomplete", action="store_true", help="exit 0 even if not everything could be looked at")


def _add_show_secrets(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--show-secrets",
        action="store_true",
        help="show whole tokens: in text, brief, json, jsonl and csv, and in gitlab, so that GitLab may revoke them",
    )


def add_policy(command: argparse.ArgumentParser) -> None:
    """Add the flags for the configuration and the baseline."""
    command.add_argument("--config", type=Path, metavar="FILE", help="use this configuration instead of the repository's")
    command.add_argument("--no-config", action="store_true", help="ignore the repository's configuration")
    command.add_argument("--baseline", type=Path, metavar="FILE", help="use this baseline instead of the repository's")
    command.add_argument("--no-baseline", action="store_true", help="ignore the baseline: report accepted tokens as well")
    command.add_argument("--fail-on-expired", action="store_true", help="exit 2 if an entry of the baseline has expired")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1024")
    return int(text)


def _report(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if path == "-":
        raise argparse.ArgumentTypeError(f"{text!r} isn't a file; --format {name} writes to standard output")
    if not equals or name not in FORMATS or not path:
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=PATH with one of the names {', '.join(FORMATS)}")
    return name, Path(path)


def _version(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    def run(chosen: argparse.Namespace) -> int:
        if not chosen.version:
            parser.print_help()
            raise UsageError("no command was given. Choose one of those listed here.")
        from patscan.cli import about

        return about.version(chosen)

    return run
