"""Which kinds of token are found whole behind which layers.

    python -m benchmarks.layers [--each N]

One line for each wrapper of `tests.wrapped`: how many of N tokens of every kind were found whole, at `medium` or above, and can be read
again at their address; then the kinds that weren't, and those of which a part was reported above `low`.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter

from patscan import layers, rulebook
from patscan.detect.matcher import Matcher
from tests.wrapped import KINDS, WRAPPERS


def result(matcher: Matcher, token: bytes, content: bytes) -> str:
    """``whole``, ``cut``, ``missed``, or ``address`` for one that isn't where it is said to be."""
    likely = [capture for capture in matcher.find(content) if capture.confidence != "low"]
    if any(capture.secret.reveal() != token for capture in likely):
        return "cut"
    if not likely:
        return "missed"
    span = content[likely[0].start : likely[0].end]
    return "whole" if token in layers.decoded(span, likely[0].layers) else "address"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40)
    each = parser.parse_args().each
    matcher = Matcher(rulebook.load())
    for name, wrap in WRAPPERS.items():
        results: Counter[str] = Counter()
        for kind, make in KINDS.items():
            rng = random.Random(f"{kind} {name}")
            for _ in range(each):
                token = make(rng)
                how = result(matcher, token.encode(), wrap(token, rng))
                results[how if how == "whole" else f"{how} {kind}"] += 1
        others = ", ".join(f"{how}: {number}" for how, number in results.most_common() if how != "whole")
        print(f"{name:40} {results['whole']:6} of {each * len(KINDS)}  {others}", flush=True)


if __name__ == "__main__":
    main()
