"""Is every token-shaped string of a repository in the report? Compared with a plain search through everything git holds.

    python benchmarks/completeness.py REPO...

For each repository: every distinct string that a wide regular expression finds in ``git cat-file --batch-all-objects --batch``
must be reported, or be listed under ``ignored`` with a reason. Exit code 1 if one is not.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

PREFIXES = "pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|oas|wt|rct|iamac|iamat|iamrt"
SHAPE = re.compile(rf"(?:gl(?:{PREFIXES})-|GR1348941)[A-Za-z0-9_-]{{20,}}(?:\.[A-Za-z0-9_-]+)*".encode())
CHUNK = 64 << 20
OVERLAP = 1 << 16


def brute_force(repository: Path) -> set[str]:
    """Every token-shaped string in any object."""
    found: set[bytes] = set()
    command = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch", "--unordered"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as git:
        assert git.stdout is not None
        tail = b""
        while data := git.stdout.read(CHUNK):
            found.update(SHAPE.findall(tail + data))
            tail = data[-OVERLAP:]
    return {token.decode() for token in found}


def reported(repository: Path) -> tuple[dict[str, str], dict[str, int]]:
    """What patscan says: confidence or reason by token, and its coverage."""
    command = [sys.executable, "-m", "patscan", "history", str(repository), "--format", "json", "--show-secrets"]
    report = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    tokens = {entry["token"]: entry["confidence"] for entry in report["findings"]}
    tokens |= {entry["token"]: f"ignored: {entry['reason']}" for entry in report["ignored"]}
    return tokens, report["coverage"]


def is_told(shape: str, tokens: dict[str, str]) -> bool:
    """Whole; or cut where a word or a domain follows (a routable token: anywhere, for it knows its length); or within a longer one."""
    for token in tokens:
        _, found, rest = shape.partition(token)
        if shape in token or (found and (rest[:1] in {"", "_", "-", "."} or "." in token)):
            return True
    return False


def main(repositories: list[str]) -> int:
    missed = 0
    for repository in map(Path, repositories):
        tokens, coverage = reported(repository)
        shapes = brute_force(repository)
        lost = sorted(shape for shape in shapes if not is_told(shape, tokens))
        missed += len(lost)
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(Counter(tokens.values()).items()))
        print(f"{repository}: {coverage['blobs']:,} blobs; {len(shapes)} token-shaped strings, {len(lost)} not told; reported: {kinds}")
        for shape in lost:
            print(f"  not told: {shape[:12]}…({len(shape)})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
