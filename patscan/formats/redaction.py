"""Masks tokens in every string of a report: a ref name, an author or a path may contain one, plain or encoded.

The scan has masked frames already, by the tokens' positions. Here the tokens' text is searched in all strings, so that no format has to
know which fields are dangerous. Bytes that aren't text are replaced as well, so that a report and its saved copy give a format the same
strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from patscan.formats.places import SURROGATE, as_bytes
from patscan.formats.strings import replaced, strings
from patscan.model import Finding, Report
from patscan.secret import PREFIXES, Secret

_HEAD = 8
"""First characters of a form, by which it is looked up. No token is shorter."""
_MANY = 500
"""Findings from which on `suspects` saves more time than the import of NumPy takes."""
_PREFIX, _OLD_PREFIX = "gl", "GR1348941"
"""The beginnings of `PREFIXES`. Most of the 100,000 texts of a large report have neither, and the expression is slow at telling so."""
_SHAPE = re.compile(rf"({PREFIXES})(?![a-z]+(?:[-_][a-z]+)*(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{{20,}}(?:\.[0-9A-Za-z_-]{{2,}}){{0,2}}")
"""A prefix, and a body that isn't a chain of words."""

Masks = dict[str, dict[int, dict[str, str]]]
"""The mask of each form, by the form's first characters and its length, the longest first."""


def redacted(report: Report) -> Report:
    """`report`, `legible` and with every token masked in all strings. Rules are trusted and stay as they are."""
    texts = strings(report)
    odd = {text: unshaped(text) for text in texts if not text.isascii() or _PREFIX in text or _OLD_PREFIX in text}
    return _changed(report, odd | _hidden([*report.findings, *report.ignored], [*texts]))


def legible(report: Report) -> Report:
    """`report` with U+FFFD for what isn't Unicode text, as in a saved report. Paths keep their bytes."""
    return _changed(report, {text: text for text in strings(report) if not text.isascii()})


def _changed(report: Report, texts: Mapping[str, str]) -> Report:
    """`report` with `texts` in place of its strings, and legible. `texts` has all that aren't ASCII."""
    words = {text: new for text, hidden in texts.items() if (new := SURROGATE.sub("\ufffd", hidden)) != text}
    # A path is decoded from its bytes, the same on every system.
    paths = {text: new for text, hidden in texts.items() if (new := as_bytes(hidden).decode("utf-8", "surrogateescape")) != text}
    return replaced(report, words, paths)


def shown(secret: Secret, reveal: bool) -> str:
    """`secret` as a report shows it: whole with `reveal` if the token is known, otherwise its mask."""
    token = secret.reveal() if reveal else b""
    return token.decode("utf-8", "backslashreplace") if token else str(secret)


def unshaped(text: str) -> str:
    """`text` with everything masked that has the shape of a token, such as one in a path or an argument."""
    return _SHAPE.sub(lambda match: f"{match[1]}…({len(match[0])})", text)


def _hidden(findings: Sequence[Finding], texts: Sequence[str]) -> dict[str, str]:
    """Those of `texts` that contain a token of `findings`, and others, with every token masked."""
    if not findings:
        return {}
    if len(findings) >= _MANY:
        from patscan.formats.suspects import suspects

        findings, texts = suspects(findings, texts)
    masks = _masks(findings)
    # A string without eight of these characters in a row contains no form of a token.
    chars = "".join(map(re.escape, sorted(set().union(*masks))))
    runs = re.compile(f"[{chars}]{{{_HEAD},}}" if chars else r"(?!)")
    return {text: unshaped(_masked(text, runs, masks)) for text in texts}


def _masks(findings: Iterable[Finding]) -> Masks:
    from patscan.formats.forms import forms

    masks: Masks = {}
    entries = {entry for finding in findings for entry in forms(finding) if len(entry[0]) >= _HEAD}
    for form, mask in sorted(entries, key=lambda entry: (-len(entry[0]), entry)):
        masks.setdefault(form[:_HEAD], {}).setdefault(len(form), {}).setdefault(form, mask)
    return masks


def _masked(text: str, runs: re.Pattern[str], masks: Masks) -> str:
    """`text` with every form masked; of two that overlap the first, and of two that begin together the longest."""
    parts, done = [], 0
    for run in runs.finditer(text):
        for at in [at for at in range(run.start(), run.end() - _HEAD + 1) if text[at : at + _HEAD] in masks]:
            for size, known in masks[text[at : at + _HEAD]].items() if at >= done else ():
                if mask := known.get(text[at : at + size]):
                    parts += [text[done:at], mask]
                    done = at + size
                    break
    return "".join((*parts, text[done:])) if parts else text
