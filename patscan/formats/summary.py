"""What many tokens are together, in a few lines: the last thing that is seen in a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from patscan.formats.advice import NO_TRACE, UNKNOWN
from patscan.formats.verdicts import is_live
from patscan.formats.words import ident, standing
from patscan.model import CONFIDENCES, SEVERITIES, STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from patscan.model import Exposure, Finding

_NAMED = 3
"""Authors and kinds that are named."""
_FIRST = 5
"""Tokens named as the first to deal with."""


def summary(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """How sure, alive or not, where, pushed, by whom, and what to do first: a label and a text each."""
    yield "sure", _numbered((finding.confidence for finding in findings), CONFIDENCES[::-1])
    yield "kinds", _most(finding.rule.name for finding in findings)
    if any(finding.verdict.state != "unchecked" for finding in findings):
        yield "GitLab", _numbered((finding.verdict.state for finding in findings), (*STATES[1:], STATES[0]))
    places = [place for finding in findings if (place := _place(finding))]
    yield "where", _numbered(places, tuple(dict.fromkeys((*_PLACES, *places))))
    pushed = Counter(finding.exposure.pushed for finding in findings if finding.exposure.pushed is not None or finding.exposure.first_seen)
    words = ((True, "pushed"), (False, f"with {NO_TRACE}"), (None, f"of which {UNKNOWN}"))
    yield "pushed", "; ".join(f"{pushed[key]:,} {word}" for key, word in words if pushed[key])
    yield "who", _most(_author(finding.exposure) for finding in findings)
    yield "first", _first(findings)


_PLACES = ("at HEAD", "on other branches", "in tags", "in history only")


def _place(finding: Finding) -> str:
    """Where a token is, in words that count: no name of a branch."""
    place = standing(finding)
    if place.startswith(("on ", "in merge request")):
        return "on other branches"
    return "in tags" if place.startswith("in tag ") else place


def _author(exposure: Exposure) -> str:
    return exposure.first_seen.author if exposure.first_seen else ""


def _first(findings: Sequence[Finding]) -> str:
    """The tokens that most need to go: what lives, then what was pushed and is proved."""
    worst = sorted(findings, key=_urgency, reverse=True)
    group = [finding for finding in worst if _urgency(finding)[:2] == _urgency(worst[0])[:2]]
    why = "live" if is_live(worst[0]) else "pushed" if worst[0].exposure.pushed else ""
    act = "take out" if worst[0].exposure.pushed is False and not is_live(worst[0]) else "revoke"
    named = ", ".join(map(ident, group[:_FIRST])) + (f" and {len(group) - _FIRST:,} more" if len(group) > _FIRST else "")
    return f"{act} {f'what is {why}: ' if why else ''}{named}"


def _urgency(finding: Finding) -> tuple[bool, bool, int, int]:
    severity = finding.verdict.severity or finding.rule.severity
    return is_live(finding), finding.exposure.pushed is True, CONFIDENCES.index(finding.confidence), SEVERITIES.index(severity)


def _numbered(words: Iterable[str], order: Sequence[str]) -> str:
    counted = Counter(words)
    return ", ".join(f"{counted[word]:,} {word}" for word in order if counted[word])


def _most(words: Iterable[str]) -> str:
    """The most frequent of `words`, and how many others there are."""
    counted = sorted(Counter(filter(None, words)).items(), key=lambda item: (-item[1], item[0]))
    more = sum(number for _, number in counted[_NAMED:])
    named = [f"{word} ({number:,})" if len(counted) > 1 else word for word, number in counted[:_NAMED]]
    return "; ".join([*named, *([f"{more:,} of {len(counted) - _NAMED:,} others"] if more else [])])
