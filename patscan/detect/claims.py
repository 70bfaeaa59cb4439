"""The claims of rules at their anchors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from patscan.detect import judge, routable
from patscan.detect.judge import Claim
from patscan.detect.patterns import TIME_LIMIT, Pattern, compile_pattern
from patscan.layers.view import View
from patscan.model import CONFIDENCES, Rule


class Claims:
    """The rules by anchor. Patterns are compiled when they are first used."""

    def __init__(self, rules: Sequence[Rule], by_anchor: Mapping[str, Sequence[Rule]]) -> None:
        self._rules, self._by_anchor = rules, by_anchor
        self._patterns: dict[str, Pattern] = {}

    def at(self, view: View, anchor: str, binary: bool) -> Claim | None:
        """The surest claim of a rule with `anchor` at a view's place; ``None`` if nothing there is similar to a token.

        `binary` tells whether the text is. Raises `TimeoutError` if a pattern takes too long.
        """
        if not view.text.startswith(anchor.encode(), view.at):
            return None  # a part of a folded form, but of another text
        rules = self._by_anchor[anchor]
        claims = [claim for rule in rules for claim in self._of_rule(rule, view, len(anchor), binary)]
        if claims:
            # With a fitting length field it is routable and not classic, even if the checksum is wrong.
            return min(
                claims, key=lambda claim: (claim.rule.body != "routable", -CONFIDENCES.index(claim.confidence), claim.start - claim.end)
            )
        if rules[0].prefix == anchor:
            return judge.near_miss(rules[0], view.text, view.at)
        if rules[0].kind == "session-cookie":
            value = view.at + len(anchor) + 1
            return judge.rejected_cookie(rules[0], view.text, value) if view.text[value - 1 : value] == b"=" else None
        return None

    def _of_rule(self, rule: Rule, view: View, width: int, binary: bool) -> Iterator[Claim]:
        """The claims of `rule`, whose anchor of `width` bytes is at the view's place."""
        for start, end in self._spans(rule, view, width):
            if claim := judge.judge(rule, view.text, start, end, binary):
                yield claim if rule.prefix else self._of_kind(claim, view.text)

    def _spans(self, rule: Rule, view: View, width: int) -> list[tuple[int, int]]:
        """The secrets that the pattern of `rule` matches around its anchor."""
        pattern = self._patterns.get(rule.pattern)
        if pattern is None:
            pattern = self._patterns[rule.pattern] = compile_pattern(rule.pattern.encode())
        # Looking at the clock takes longer than a match of a shipped pattern.
        limit = TIME_LIMIT if rule.demands else None
        if not rule.lookback:
            match = pattern.match(view.text, view.at, timeout=limit)
            return [match.span("secret")] if match else []
        low, high = max(view.at - rule.lookback, 0), view.at + width + 512
        return [
            match.span("secret")
            for match in pattern.finditer(view.text, low, high, overlapped=False, timeout=limit)
            if match.start() <= view.at and view.at + width <= match.end()
        ]

    def _of_kind(self, claim: Claim, text: bytes) -> Claim:
        """`claim` of a rule without a prefix, with the rule whose prefix the token has, if there is one."""
        token = text[claim.start : claim.end]
        for rule in self._rules:
            if rule.prefix and rule.prefix.encode() in token[: routable.MAX_PREFIX + 1] and claim.rule.body == "routable":
                return claim._replace(rule=rule)
        return claim
