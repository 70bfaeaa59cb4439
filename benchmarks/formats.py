"""What a large report costs in each format: seconds of the processor, memory, and both beside ``json.dumps`` of the same findings.

    python benchmarks/formats.py [--findings N]

Each format is written in a process of its own, redaction included, from a report with one place a token; memory is that process's
largest, the report itself included. The goal is 20,000 findings in less than 2 s and 150 MiB, in every format. A loaded machine can double
the seconds; `tests/formats/test_speed.py` counts calls instead.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import string
import subprocess
import sys
import time

from patscan import formats, rulebook
from patscan.kind import Kind
from patscan.model import (
    Address,
    Commit,
    Coverage,
    Evidence,
    Exposure,
    Finding,
    Match,
    Occurrence,
    Position,
    Report,
    Rule,
    Sighting,
    Target,
)
from patscan.secret import Secret

LETTERS = string.ascii_letters + string.digits
PLAIN = formats.Style(color=False, reveal=False, width=100)


def finding(rule: Rule, number: int, rng: random.Random) -> Finding:
    token = Secret(f"glpat-{''.join(rng.choices(LETTERS, k=20))}".encode(), b"glpat-")
    commit = f"{rng.getrandbits(160):040x}"
    author, date = f"Engineer {number % 300} <engineer{number % 300}@example.com>", f"2024-05-{1 + number % 28:02}T12:30:00+02:00"
    blob = f"{rng.getrandbits(160):040x}"
    sighting = Sighting(Kind.BLOB, f"services/s{number % 50}/config_{number}.yml", commit, author, date, blob, "Add it")
    lines = ("deploy:", f"  token: {token}", f"  url: https://gitlab.example.com/group/project-{number}")
    match = Match(rule, token, token.fingerprint, Address(blob, 120, 146), Position(12, 10, 12, 36), lines, 11)
    place = Occurrence(match, sighting, number % 3 > 0)
    seen = Commit(commit, author, date)
    exposure = Exposure(seen, seen, number % 3 > 0, ("refs/heads/main",), True, True, "ref", ())
    evidence = (Evidence("likelihood", {"text": "drawn as a generator does"}),)
    return Finding(rule, token, token.fingerprint, "high", "", evidence, (place,), exposure)


def report(count: int) -> Report:
    rng = random.Random(1)
    rules = rulebook.load()
    rule = next(rule for rule in rules if rule.id == "gitlab-pat")
    findings = tuple(finding(rule, number, rng) for number in range(count))
    return Report(Target("history", "."), rules, Coverage(count, count, count), findings, ())


class Sink(io.TextIOBase):
    """Counts and forgets, as a file does."""

    size = 0

    def write(self, text: str) -> int:
        """Count `text`."""
        self.size += len(text)
        return len(text)


def measure(name: str, count: int) -> None:
    """Write one format here, and print seconds, MiB of memory and MB of output."""
    made, sink = report(count), Sink()
    start = time.process_time()
    if name == "json.dumps":
        sink.write(json.dumps(made.findings, default=str))
    else:
        formats.write(name, made, sink, PLAIN)
    seconds = time.process_time() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, sink.size / 1e6)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--findings", type=int, default=20_000)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        measure(chosen.only, chosen.findings)
        return 0
    print("| format | s | of json.dumps | MiB | MB written |\n|---|--:|--:|--:|--:|")
    base = 0.0
    for name in ("json.dumps", *formats.FORMATS):
        command = [sys.executable, __file__, "--only", name, "--findings", str(chosen.findings)]
        seconds, memory, size = map(float, subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())
        base = base or seconds
        print(f"| {name} | {seconds:.2f} | {seconds / base:.1f} | {memory:.0f} | {size:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
