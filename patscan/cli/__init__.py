"""argv, environment and terminal in, exit code out. The only place that prints or looks at the environment."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

from patscan import HOME, __version__
from patscan.errors import ExitCode, PatscanError

_COLLECTED = 50_000
"""New values after which garbage is collected."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (`patscan.errors.ExitCode`). Expected errors become one sentence on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Imports create many values and no garbage. With the usual threshold, collections take a tenth of a hook's time.
    gc.set_threshold(_COLLECTED)
    if sys.stderr is None:
        # The caller closed it. Without a stream, ``print`` would write errors to standard output.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    if arguments == ["--version"]:  # without signals and a parser, because hooks call it
        return _code(arguments)
    from patscan.cli import signals

    with signals.listening():
        code = _code(arguments)
    if signals.code() is not None:
        # The interpreter's own exit would wait for threads, and those for processes that a signal ended in the middle of an answer.
        _flush()
        os._exit(code)
    return code


def _flush() -> None:
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.flush()


def _code(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except PatscanError as error:
        _say(str(error))
        return error.code
    except KeyboardInterrupt:
        import signal

        from patscan.cli import signals

        # A second Ctrl-C would otherwise end the interpreter while it leaves, with another exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("patscan: interrupted.", file=sys.stderr)
        return signals.code() or ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader closed the pipe. The interpreter would report an error when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.CLEAN
    except Exception as error:  # noqa: BLE001 - python would exit with 1, which means that tokens were found
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            _say(f"standard output or the temporary folder can't be written to: {error.strerror}.")
            return ExitCode.ERROR
        import traceback

        _say(f"an unexpected error, which is a bug in patscan. Please report it at {HOME}:\n{traceback.format_exc()}")
        return ExitCode.ERROR


def _say(sentence: str) -> None:
    """One sentence on standard error, with any token in it masked."""
    from patscan.formats.redaction import unshaped

    print(f"patscan: {unshaped(sentence)}", file=sys.stderr)


def _run(arguments: Sequence[str]) -> int:
    if arguments == ["--version"]:
        print(f"patscan {__version__}", flush=True)
        return ExitCode.CLEAN
    from patscan.cli.parser import parse

    chosen = parse(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code: int = chosen.command(chosen)
    if sys.stdout is not None:
        sys.stdout.flush()
    return code
