"""The commands, and the flags that several of them share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from patscan.cli import limits
from patscan.errors import UsageError
from patscan.formats import FORMATS
from patscan.model import CONFIDENCES

COMMANDS = {
    "scan": "look at files, folders or standard input",
    "history": "look at every object a repository holds, reachable or not",
    "ci": "look at what a CI job's event brings, and fetch what is missing for that",
    "hook": "look at what is about to be committed",
    "push": "look at what is about to be pushed",
    "message": "look at the message of a commit",
    "inspect": "say what the tokens on standard input are, and what to do about them",
    "verify": "ask GitLab about the tokens of a saved JSON report",
    "revoke": "end tokens of a saved JSON report at GitLab, and prove that they are dead",
    "rotate": "put a new token for a leaked one into a file",
    "plan": "write what to do about the tokens of a saved JSON report, and how to remove them from history",
    "install-hooks": "write git hooks that run hook, message and push by themselves",
    "report": "turn a saved JSON report into any format",
    "baseline": "accept tokens that needn't be reported again",
    "config": "show what holds for a place, and from where",
    "rules": "list, show and check the rules",
}
"""Each command is a module here of its name, with a function ``flags`` that adds its flags and says which function runs it."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The chosen command as ``command`` and its flags. Raises ``SystemExit`` with code 2 on a usage error, as argparse does."""
    first = next((argument for argument in arguments if not argument.startswith("-")), "")
    return build([first]).parse_args(arguments)


class Parser(argparse.ArgumentParser):
    """argparse, with help as wide as the terminal, with errors that name what was meant, and without a token in them."""

    def error(self, message: str) -> NoReturn:
        """As argparse does, without the token."""
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
        """As argparse does, but an unknown flag is refused here, by the parser that knows those of its command."""
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


def build(wanted: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser of all commands; of those that aren't `wanted` it knows only the name, for a command's module costs time to import."""
    parser = Parser(
        prog="patscan",
        description="Find leaked GitLab tokens in files and in the whole history of a git repository.",
        epilog="Exit codes: 0 nothing found, 1 found, 2 usage or rule error, 3 not everything could be looked at, "
        "130 interrupted, 143 told to end.",
        allow_abbrev=False,
        formatter_class=_wide,
    )
    parser.add_argument("--version", action="store_true", help="show the version; with --verbose, which fast paths are at work")
    parser.add_argument("--verbose", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(command=_version(parser))
    # Without a name of ours, argparse formats a usage line to find one, which costs 2 ms.
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog="patscan")
    for name, text in COMMANDS.items():
        command = add_command(commands, name, text)
        if name in wanted:
            import_module(f"patscan.cli.{name.replace('-', '_')}").flags(command)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def add_command(commands: Commands[Any], name: str, text: str) -> argparse.ArgumentParser:
    """One more command, or a verb of one; `text` is half a sentence."""
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False, formatter_class=_wide
    )
    return made


def _wide(prog: str) -> argparse.HelpFormatter:
    """A formatter that doesn't ask how wide the terminal is: argparse makes one for every flag, and asking costs 2 ms."""
    return argparse.HelpFormatter(prog, width=110)


def _fitting(prog: str) -> argparse.HelpFormatter:
    from shutil import get_terminal_size

    return argparse.HelpFormatter(prog, width=min(max(get_terminal_size().columns, 40), 120) - 2)


def add_rules(command: argparse.ArgumentParser) -> None:
    """The flag of every command that needs rules."""
    command.add_argument("--rules", action="append", type=Path, default=[], metavar="DIR", help="a folder of your own rules (repeatable)")


def add_common(command: argparse.ArgumentParser, form: str = "text") -> None:
    """The flags of every command that scans; `form` is the format it writes unless it is told otherwise."""
    add_rules(command)
    command.add_argument(
        "--min-confidence", choices=CONFIDENCES, metavar="WORD", help=f"what counts as found: {', '.join(CONFIDENCES)} (default: medium)"
    )
    add_policy(command)
    limits.add_flag(command)
    command.add_argument("--jobs", type=_positive, default=None, metavar="N", help="processes to use (default: one a processor)")
    add_output(command, form)


def add_output(command: argparse.ArgumentParser, form: str = "text", secrets: bool = True) -> None:
    """The flags of every command that reports; without `secrets`, of one that never shows a token."""
    formats = f"what to write to standard output: {', '.join(FORMATS)} (default: {form})"
    command.add_argument("--format", choices=list(FORMATS), default=form, metavar="NAME", help=formats)
    command.add_argument(
        "--report", action="append", type=_report, default=[], metavar="NAME=PATH", help="write a format to a file, too (repeatable)"
    )
    command.add_argument("--all", action="store_true", help="text: every place of a token, not only the first")
    command.add_argument(
        "--category", metavar="NAME", help="sarif: what the run is called (default: patscan/ and what was scanned; empty: nothing)"
    )
    command.set_defaults(show_secrets=False)
    if secrets:
        _add_show_secrets(command)
    command.add_argument("--quiet", action="store_true", help="no progress and no text report; the exit code and --report speak")
    command.add_argument("--no-color", action="store_true", help="no colours; the variable NO_COLOR says the same")
    command.add_argument("--exit-zero", action="store_true", help="exit 0 although something was found")
    command.add_argument("--allow-incomplete", action="store_true", help="exit 0 although not everything could be looked at")


def _add_show_secrets(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--show-secrets",
        action="store_true",
        help="show the tokens themselves: in text, brief, json, jsonl and csv, and to GitLab, which then may revoke them",
    )


def add_policy(command: argparse.ArgumentParser) -> None:
    """The flags that say which configuration and which baseline hold."""
    command.add_argument("--config", type=Path, metavar="FILE", help="this configuration instead of the repository's own")
    command.add_argument("--no-config", action="store_true", help="no configuration: what a repository says of itself doesn't count")
    command.add_argument("--baseline", type=Path, metavar="FILE", help="this baseline instead of the repository's own")
    command.add_argument("--no-baseline", action="store_true", help="no baseline: accepted tokens are reported, too")
    command.add_argument("--fail-on-expired", action="store_true", help="exit 2 if the baseline holds an entry that has expired")


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1024")
    return int(text)


def _report(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if path == "-":
        raise argparse.ArgumentTypeError(f"{text!r} isn't a file; --format {name} writes to standard output")
    if not equals or name not in FORMATS or not path:
        raise argparse.ArgumentTypeError(f"{text!r} isn't NAME=PATH with one of the names {', '.join(FORMATS)}")
    return name, Path(path)


def _version(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], int]:
    def run(chosen: argparse.Namespace) -> int:
        if not chosen.version:
            parser.print_help()
            raise UsageError("no command was given; see above.")
        from patscan.cli import about

        return about.version(chosen)

    return run
