"""``patscan --version``."""

from __future__ import annotations

import argparse
import platform
import sys

from patscan import HOME, __version__
from patscan.errors import ExitCode


def version(chosen: argparse.Namespace) -> int:
    """Print the version, and with ``--verbose`` the engines in use."""
    print(f"patscan {__version__}")
    if chosen.verbose:
        from patscan.detect.anchors import Anchors
        from patscan.git import entries

        print(f"python {platform.python_version()} on {sys.platform} ({platform.machine()})")
        print(f"engines {', '.join((Anchors(['glpat-']).engine, *entries.engines()))}")
        print(HOME)
    return ExitCode.CLEAN
