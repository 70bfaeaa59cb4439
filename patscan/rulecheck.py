"""Do rules do what they say? Every example runs through the same matcher as a scan."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from patscan.demands import Example
from patscan.detect.matcher import Matcher
from patscan.model import Rule

HOSTILE = 1 << 20
"""Bytes of the line that no rule may take long over."""
_HITS, _AT_ONCE = 500, 50
PATIENCE = 1.0
"""Seconds of the processor a rule has for a hostile line, whatever else the machine is doing."""


def problems(rules: Sequence[Rule], seconds: dict[str, float] | None = None) -> Iterator[str]:
    """One sentence for each promise a rule breaks. `seconds` takes how long each rule needed for its slowest hostile line."""
    seconds = {} if seconds is None else seconds
    matcher = Matcher(rules)
    for rule in rules:
        for example in rule.examples:
            yield from _example(matcher, rule, example)
        for text in rule.counter_examples:
            if any(match.rule.id == rule.id and not match.reason for match in matcher.find(text.encode())):
                yield f"{rule.id}: takes the counter-example {_shown(text)}."
        yield from _hostile(rule, seconds)


def _example(matcher: Matcher, rule: Rule, example: Example) -> Iterator[str]:
    matches = matcher.find(example.text.encode())
    if len(matches) != 1:
        yield f"{rule.id}: the example {_shown(example.text)} gives {len(matches)} matches; it must give one."
    for match in matches:
        if match.rule.id != rule.id:
            yield f"{rule.id}: the rule {match.rule.id} claims the example {_shown(example.text)}."
        elif match.reason:
            why = "; ".join(str(evidence.facts["text"]) for evidence in match.evidence if "text" in evidence.facts)
            yield f"{rule.id}: the example {_shown(example.text)} is ignored: {match.reason}{f' ({why})' if why else ''}."
        elif match.secret.reveal() != example.secret.encode():
            yield f"{rule.id}: in the example {_shown(example.text)} it takes {len(match.secret)} bytes instead of {len(example.secret)}."


def _hostile(rule: Rule, seconds: dict[str, float]) -> Iterator[str]:
    """Long lines made of the rule's own anchors and example: what makes a pattern go back and forth the most."""
    matcher = Matcher([rule])
    secret = rule.examples[0].secret
    parts = (*rule.anchors, secret, secret[:-1], (rule.anchors or (rule.examples[0].text,))[0] + "a" * 300)
    for part in parts:
        line = (part * (HOSTILE // len(part) + 1))[:HOSTILE].encode()
        try:
            took = _seconds(matcher, line)
        except TimeoutError:
            yield f"{rule.id}: gives up on a line of 1 MiB made of {_shown(part)}. Bound its quantifiers."
            continue
        seconds[rule.id] = max(took, seconds.get(rule.id, 0.0))
        if took > PATIENCE:
            yield f"{rule.id}: needs more than {PATIENCE} s for a line of 1 MiB made of {_shown(part)}. Bound its quantifiers."


def _seconds(matcher: Matcher, line: bytes) -> float:
    """How long the first `_HITS` anchors of a line take, or how long it took until that was too long."""
    begun = time.process_time()
    hits = matcher.anchors.hits(line, _HITS)
    for low in range(0, len(hits), _AT_ONCE):
        matcher.captures(line, hits[low : low + _AT_ONCE])
        if time.process_time() - begun > PATIENCE:
            break
    return time.process_time() - begun


def _shown(text: str) -> str:
    """Enough of a text to find it in the rule file, and no token."""
    return repr(text[:12] + "…" if len(text) > 12 else text)
