"""Which kinds of token are found whole behind which layers, and what others find there.

    python -m benchmarks.layers [--each N] [--peers] [--peer NAME=COMMAND]...

One line for each wrapper of `tests.wrapped`: how many of N tokens of every kind were found whole, at `medium` or above, and can be read
again at their address; then the kinds that weren't, and those of which a part was reported above `low`. A token that is taken for a
placeholder also where it isn't wrapped is drawn anew. With ``--peers`` the same contents are written to a folder and the tools of `PEERS`
look at it, those that are on the PATH: they have found a token if it stands whole anywhere in their output. ``{}`` is the folder.
"""

from __future__ import annotations

import argparse
import random
import shlex
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from patscan import layers, rulebook
from patscan.detect.matcher import Matcher
from tests.wrapped import KINDS, WRAPPERS

PEERS = {
    "gitleaks": "gitleaks dir --no-banner --max-decode-depth 5 --report-format json --report-path - {}",
    "kingfisher": "kingfisher scan {} --no-validate --rule gitlab --format json",
    "trufflehog": "trufflehog filesystem --no-verification --no-update --include-detectors=gitlab --json {}",
}


class Sample(NamedTuple):
    """A token of a kind behind a wrapper."""

    wrapper: str
    kind: str
    token: str
    content: bytes


def samples(matcher: Matcher, each: int) -> Iterator[Sample]:
    for wrapper, wrap in WRAPPERS.items():
        for kind, make in KINDS.items():
            rng = random.Random(f"{kind} {wrapper}")
            for _ in range(each):
                token = make(rng)
                while result(matcher, token.encode(), WRAPPERS["plain"](token, rng)) != "whole":
                    token = make(rng)
                yield Sample(wrapper, kind, token, wrap(token, rng))


def result(matcher: Matcher, token: bytes, content: bytes) -> str:
    """``whole``, ``cut``, ``missed``, or ``address`` for one that isn't where it is said to be."""
    likely = [capture for capture in matcher.find(content) if capture.confidence != "low"]
    if any(capture.secret.reveal() != token for capture in likely):
        return "cut"
    if not likely:
        return "missed"
    span = content[likely[0].start : likely[0].end]
    return "whole" if token in layers.decoded(span, likely[0].layers) else "address"


def whole_by_peer(command: str, drawn: list[Sample]) -> Counter[str]:
    """How many tokens behind each wrapper stand in what a tool prints."""
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(drawn):
            Path(folder, f"{number}.txt").write_bytes(sample.content)
        words = [word.replace("{}", folder) for word in shlex.split(command)]
        output = subprocess.run(words, capture_output=True, check=False).stdout.decode("utf-8", "replace")
    return Counter(sample.wrapper for sample in drawn if sample.token in output)


def present(peers: Mapping[str, str]) -> dict[str, str]:
    """The peers that can be run; says which can't."""
    names = {name: command for name, command in peers.items() if shutil.which(shlex.split(command)[0])}
    for name in peers.keys() - names.keys():
        print(f"left out: {name} (it isn't on the PATH)")
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--peers", action="store_true", help="the tools that are here, too")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="another tool, or another command for one")
    chosen = parser.parse_args()
    matcher = Matcher(rulebook.load())
    drawn = list(samples(matcher, chosen.each))
    asked = (PEERS if chosen.peers else {}) | dict(peer.split("=", 1) for peer in chosen.peer)
    peers = {name: whole_by_peer(command, drawn) for name, command in present(asked).items()}
    print(
        f"| {chosen.each * len(KINDS)} tokens behind | patscan |{''.join(f' {name} |' for name in peers)}\n|---|--:|{'--:|' * len(peers)}"
    )
    for wrapper in WRAPPERS:
        results: Counter[str] = Counter()
        for sample in (one for one in drawn if one.wrapper == wrapper):
            how = result(matcher, sample.token.encode(), sample.content)
            results[how if how == "whole" else f"{how} {sample.kind}"] += 1
        others = ", ".join(f"{how}: {number}" for how, number in results.most_common() if how != "whole")
        figures = "".join(f" {found[wrapper]} |" for found in peers.values())
        print(f"| {wrapper.replace('|', '¦')} | {results['whole']}{f' ({others})' if others else ''} |{figures}", flush=True)


if __name__ == "__main__":
    main()
