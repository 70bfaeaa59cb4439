"""How many tokens without a prefix are recognised by what stands around them, context by context.

    python benchmarks/contexts.py [--tokens N] [--all]

Each context of ``tests/contexts`` is filled with N tokens (20 unless told) as GitLab's generator draws them. A token counts if the
report has all of it, and nothing more, above ``low``. Contexts in which one is missed are listed; with ``--all`` every one.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from patscan import rulebook
from patscan.detect.matcher import Matcher
from tests.contexts.corpus import Sample, samples


def whole(matcher: Matcher, sample: Sample, token: str) -> bool:
    found = [capture for capture in matcher.find(sample.filled(token).encode()) if capture.confidence != "low"]
    return [capture.secret.reveal().decode().removeprefix("cell-1-") for capture in found] == [token]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=20)
    parser.add_argument("--all", action="store_true")
    chosen = parser.parse_args()
    matcher, rng = Matcher(rulebook.load()), random.Random(18)
    rates = [(sample, sum(whole(matcher, sample, sample.token(rng)) for _ in range(chosen.tokens))) for sample in samples()]
    for sample, hits in rates:
        if chosen.all or hits < chosen.tokens:
            print(f"{hits:4} of {chosen.tokens}  {sample.name:36} {sample.source}")
    total, all_ = sum(hits for _, hits in rates), len(rates) * chosen.tokens
    print(f"{total:,} of {all_:,} tokens in {len(rates)} contexts: {total / all_:.2%}")


if __name__ == "__main__":
    main()
