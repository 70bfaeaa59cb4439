"""Checks rules: every example runs through the same matcher as a scan."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from patscan.counts import counted
from patscan.demands import Example
from patscan.detect.matcher import Matcher
from patscan.model import Rule

HOSTILE = 1 << 20
"""Bytes of a hostile line."""
_HITS, _AT_ONCE = 500, 50
PATIENCE = 1.0
"""Seconds of processor time that a rule may take for a hostile line."""


def problems(rules: Sequence[Rule], seconds: dict[str, float] | None = None) -> Iterator[str]:
    """A sentence for each problem of a rule. `seconds` is filled with each rule's time for its slowest hostile line."""
    seconds = {} if seconds is None else seconds
    matcher = Matcher(rules)
    for rule in rules:
        for example in rule.examples:
            yield from _example(matcher, rule, example)
        for text in rule.counter_examples:
            if any(match.rule.id == rule.id and not match.reason for match in matcher.find(text.encode())):
                yield f"{rule.id}: matches the counter-example {_shown(text)}."
        yield from _hostile(rule, seconds)


def _example(matcher: Matcher, rule: Rule, example: Example) -> Iterator[str]:
    matches = matcher.find(example.text.encode())
    if len(matches) != 1:
        yield f"{rule.id}: the example {_shown(example.text)} has {counted(len(matches), 'match', 'matches')}; it must have one."
    for match in matches:
        if match.rule.id != rule.id:
            yield f"{rule.id}: the rule {match.rule.id} matches the example {_shown(example.text)}."
        elif match.reason:
            why = "; ".join(str(evidence.facts["text"]) for evidence in match.evidence if "text" in evidence.facts)
            yield f"{rule.id}: the example {_shown(example.text)} is ignored: {match.reason}{f' ({why})' if why else ''}."
        elif match.secret.reveal() != example.secret.encode():
            yield f"{rule.id}: the match in {_shown(example.text)} has {len(match.secret):,} bytes instead of {len(example.secret):,}."


def _hostile(rule: Rule, seconds: dict[str, float]) -> Iterator[str]:
    """Checks the time for long lines of the rule's anchors and example, which make its pattern backtrack the most."""
    matcher = Matcher([rule])
    secret = rule.examples[0].secret
    parts = (*rule.anchors, secret, secret[:-1], (rule.anchors or (rule.examples[0].text,))[0] + "a" * 300)
    for part in parts:
        line = (part * (HOSTILE // len(part) + 1))[:HOSTILE].encode()
        try:
            elapsed = _seconds(matcher, line)
        except TimeoutError:
            yield f"{rule.id}: gives up on a line of 1 MiB made of {_shown(part)}. Bound its quantifiers."
            continue
        seconds[rule.id] = max(elapsed, seconds.get(rule.id, 0.0))
        if elapsed > PATIENCE:
            yield f"{rule.id}: needs more than {PATIENCE} s for a line of 1 MiB made of {_shown(part)}. Bound its quantifiers."


def _seconds(matcher: Matcher, line: bytes) -> float:
    """The seconds that the first `_HITS` anchors of a line take. Stops once they exceed `PATIENCE`."""
    start = time.process_time()
    hits = matcher.anchors.hits(line, _HITS)
    for low in range(0, len(hits), _AT_ONCE):
        matcher.captures(line, hits[low : low + _AT_ONCE])
        if time.process_time() - start > PATIENCE:
            break
    return time.process_time() - start


def _shown(text: str) -> str:
    """The first characters of a text: enough to find it in the rule file, too few for a token."""
    return repr(text[:12] + "…" if len(text) > 12 else text)
