"""Real processes that find this environment's patscan and git-filter-repo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def command(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command, with both on its PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(list(map(str, words)), cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def planned(repository: Path, folder: Path, *flags: object) -> subprocess.CompletedProcess[str]:
    """A report of `repository`, and the plan of it in ``folder/out``."""
    report = folder / "report.json"
    done = command("patscan", "history", repository, "--no-cache", "--paths", "--submodules", "--format", "json", cwd=folder)
    assert done.returncode == 1, done.stderr
    report.write_text(done.stdout)
    return command("patscan", "plan", report, "--out", folder / "out", *flags, cwd=folder)
