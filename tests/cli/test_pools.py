"""Workers inherit what the first process compiled and imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")

_FACTS = """
import os, sys
from patscan import look, rulebook
from patscan.cli import pools
from patscan.git import packs
from patscan.run import Options

def threads():
    return len(os.listdir("/proc/self/task"))

def prepare():
    packs.prepare()
    print(threads())

def inherited():
    return id(look._looker), "numpy" in sys.modules, threads()

with pools.processes(rulebook.load(), Options(), jobs=2, prepare=prepare) as pool:
    print(pool.submit(inherited).result() == (id(look._looker), True, 1))
"""


def test_rules_are_compiled_once_and_no_other_thread_runs_at_the_fork() -> None:
    """While the rules are compiled there are two threads: numpy's library for linear algebra starts none."""
    done = subprocess.run([sys.executable, "-c", _FACTS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "True"]
