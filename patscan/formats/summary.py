"""The summary of a report with several tokens, the last lines in a terminal."""

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
"""Authors and kinds that are listed."""
_FIRST = 5
"""Tokens listed as the most urgent."""


def summary(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """Labels with texts: confidence, kinds, GitLab's verdicts, places, pushed or not, authors, the most urgent tokens."""
    yield "sure", _numbered((finding.confidence for finding in findings), CONFIDENCES[::-1])
    yield "kinds", _most(finding.rule.name for finding in findings)
    if any(finding.verdict.state != "unchecked" for finding in findings):
        yield "GitLab", _numbered((finding.verdict.state for finding in findings), (*STATES[1:], STATES[0]))
    places = [place for finding in findings if (place := _place(finding))]
    yield "where", _numbered(places, tuple(dict.fromkeys((*_PLACES, *places))))
    pushed = Counter(finding.exposure.pushed for finding in findings if finding.exposure.pushed is not None or finding.exposure.first_seen)
    words = ((True, "pushed"), (False, f"with {NO_TRACE}"), (None, f"{UNKNOWN}"))
    yield "pushed", "; ".join(f"{pushed[key]:,} {word}" for key, word in words if pushed[key])
    yield "who", _most(_author(finding.exposure) for finding in findings)
    yield "first", _first(findings)


_PLACES = ("at HEAD", "on other branches", "in tags", "in history only")


def _place(finding: Finding) -> str:
    """Where a token is, without a branch's name, so that places can be counted."""
    place = standing(finding)
    if place.startswith(("on ", "in merge request")):
        return "on other branches"
    return "in tags" if place.startswith("in tag ") else place


def _author(exposure: Exposure) -> str:
    return exposure.first_seen.author if exposure.first_seen else ""


def _first(findings: Sequence[Finding]) -> str:
    """What to do first: about live tokens, then about pushed and certain ones."""
    worst = sorted(findings, key=_urgency, reverse=True)
    top = _urgency(worst[0])[:2]
    group = [finding for finding in worst if _urgency(finding)[:2] == top]
    why = "live" if is_live(worst[0]) else "pushed" if worst[0].exposure.pushed else ""
    act = "remove" if worst[0].exposure.pushed is False and not is_live(worst[0]) else "revoke"
    named = ", ".join(map(ident, group[:_FIRST])) + (f" and {len(group) - _FIRST:,} more" if len(group) > _FIRST else "")
    return f"{act} {f'what is {why}: ' if why else ''}{named}"


def _urgency(finding: Finding) -> tuple[bool, bool, int, int]:
    severity = finding.verdict.severity or finding.rule.severity
    return is_live(finding), finding.exposure.pushed is True, CONFIDENCES.index(finding.confidence), SEVERITIES.index(severity)


def _numbered(words: Iterable[str], order: Sequence[str]) -> str:
    numbers = Counter(words)
    return ", ".join(f"{numbers[word]:,} {word}" for word in order if numbers[word])


def _most(words: Iterable[str]) -> str:
    """The most frequent of `words`, and the number of others."""
    numbers = sorted(Counter(filter(None, words)).items(), key=lambda item: (-item[1], item[0]))
    more = sum(number for _, number in numbers[_NAMED:])
    named = [f"{word} ({number:,})" if len(numbers) > 1 else word for word, number in numbers[:_NAMED]]
    return "; ".join([*named, *([f"{more:,} of {len(numbers) - _NAMED:,} others"] if more else [])])
