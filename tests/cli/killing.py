"""Runs patscan in a process that is killed at its n-th step: before or after each call that others can see the effect of.

As a program it reads a line of JSON for each run (the step or 0, and the arguments) and writes how the run ended, and after how many steps.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

STEPS = (
    *((os, name) for name in ("open", "write", "fsync", "ftruncate", "unlink", "mkdir")),
    (http.client.HTTPConnection, "connect"),
    (http.client.HTTPConnection, "send"),
    (http.client.HTTPResponse, "begin"),
)


class End(NamedTuple):
    killed: bool
    code: int
    steps: list[str]
    """The calls, each before and after it, as far as the run came."""


class Runner:
    """A process that has imported patscan once, and forks for each run."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        command = [sys.executable, "-m", "tests.cli.killing"]
        self._trace = folder / "trace"
        self._process = subprocess.Popen(
            [*command, str(self._trace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(environment), cwd=folder
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate(timeout=10)

    def run(self, step: int, *arguments: object) -> End:
        """Kill at `step`, or never if it is 0."""
        assert self._process.stdin
        assert self._process.stdout
        self._trace.write_text("")
        self._process.stdin.write(json.dumps([step, *map(str, arguments)]) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return End(os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status), self._trace.read_text().splitlines())


def _counted(trace: int, last: int) -> Callable[[str], None]:
    taken = [0]
    append = os.write

    def step(name: str) -> None:
        taken[0] += 1
        append(trace, f"{name}\n".encode())
        if taken[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def _watched(call: Callable[..., Any], name: str, step: Callable[[str], None]) -> Callable[..., Any]:
    def watched(*arguments: Any, **more: Any) -> Any:
        step(f"before {name}")
        result = call(*arguments, **more)
        step(f"after {name}")
        return result

    return watched


def _run(trace: str, last: int, arguments: list[str]) -> int:
    from patscan.cli import main

    step = _counted(os.open(trace, os.O_WRONLY | os.O_APPEND), last)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    for owner, name in STEPS:
        setattr(owner, name, _watched(getattr(owner, name), name, step))
    return main(arguments)


def _serve(trace: str) -> None:
    import urllib3  # noqa: F401 - once, not in each run

    import patscan.cli.rotate
    import patscan.gitlab.rotate  # noqa: F401

    for line in sys.stdin:
        last, *arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_run(trace, last, arguments))
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
