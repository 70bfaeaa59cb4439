"""The rules of a SARIF log, as code scanning dashboards want them described."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sarif_om as om

from patscan import HOME
from patscan.formats.places import printable
from patscan.model import SEVERITIES

if TYPE_CHECKING:
    from patscan.model import Rule

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5"}
"""GitHub's ``security-severity``, a string: above 9.0 is critical, from 7.0 high, from 4.0 medium."""
_PRECISIONS = {"routable": "very-high", "jwt": "very-high", "opaque": "medium"}
"""By body: a checksum or claims can be verified, a body without a form can't."""
_LONGEST = 1024
"""Characters of a rule's description that GitHub takes."""
_ASSURANCE = "Confidence '{1}', state '{2}'."

GRADES = {"error": "", "warning": "/medium", "note": "/low"}
"""The suffix of a rule's id by level. Each level is a rule of its own, since several dashboards read only a rule's severity."""
_CAPS = {"error": "critical", "warning": "medium", "note": "low"}
"""The highest severity of a rule by its results' level."""

MESSAGES = {
    "tip": f"'{{0}}'. {_ASSURANCE}",
    "history": f"'{{0}}', '{{4}}'. Commit '{{3}}' introduced it. {_ASSURANCE}",
    "note": f"'{{0}}', in a git note. Commit '{{3}}' of '{{4}}' says it. {_ASSURANCE}",
    "commit-message": f"'{{0}}', in a commit message. Commit '{{3}}' of '{{4}}' says it. {_ASSURANCE}",
    "tag-message": f"'{{0}}', in the message of a tag. Tag '{{3}}' of '{{4}}' says it. {_ASSURANCE}",
    "author": f"'{{0}}', in the author line of a commit. Commit '{{3}}' of '{{4}}' names it. {_ASSURANCE}",
    "ref-name": f"'{{0}}', in the name of a ref. {_ASSURANCE}",
    "path": f"'{{0}}', in the name of a file. {_ASSURANCE}",
    "index": f"'{{0}}', staged but never committed. {_ASSURANCE}",
    "unreferenced": f"'{{0}}', in content that no commit refers to. {_ASSURANCE}",
}
"""The text after a rule's name in a result's message. The first sentence is the title, and names the place if it isn't a file at the
tip. It has neither path nor line, because dashboards group results by message. ``{0}`` and so on are placeholders of both SARIF and
Python. There are five at most: DefectDojo (dojo/tools/sarif/parser.py) shows no title for six."""


def described(rule: Rule, level: str) -> om.ReportingDescriptor:
    """A rule for results of one `level`. ``name`` is its kind in Pascal case."""
    severity = min(rule.severity, _CAPS[level], key=SEVERITIES.index)
    return om.ReportingDescriptor(
        id=rule.id + GRADES[level],
        name="".join(word.capitalize() for word in rule.kind.split("-"))[:255],
        short_description=_text(f"{rule.name}."),
        full_description=_text(f"{rule.remedy} {rule.description}"),
        help=om.MultiformatMessageString(text=_help(rule), markdown=_help_in_markdown(rule)),
        help_uri=rule.references[0] if rule.references else HOME,
        default_configuration=om.ReportingConfiguration(level=_LEVELS[severity]),
        message_strings={key: om.MultiformatMessageString(text=f"{template(rule)} {text}") for key, text in MESSAGES.items()},
        properties={
            "tags": ["security", "secret", "gitlab", rule.kind, "external/cwe/cwe-798"],
            "precision": _PRECISIONS.get(rule.body, "high"),
            "security-severity": _SCORES[severity],
        },
    )


def unlinked(text: str) -> str:
    """`text`, `printable` and without links (SARIF 2.1.0 section 3.11.6)."""
    return printable(text).replace("](", "]\\(")


def template(rule: Rule) -> str:
    """The rule's name, escaped for a text with placeholders (SARIF 2.1.0 section 3.11.5)."""
    return rule.name.replace("{", "{{").replace("}", "}}") if "{" in rule.name or "}" in rule.name else rule.name


def _text(text: str) -> om.MultiformatMessageString:
    return om.MultiformatMessageString(text=text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _help(rule: Rule) -> str:
    return "\n".join([rule.remedy, *rule.references])


def _help_in_markdown(rule: Rule) -> str:
    links = [f"- <{reference}>" for reference in rule.references]
    return "\n".join([f"# {rule.name}", "", rule.description, "", "## What to do", "", rule.remedy, *([""] if links else []), *links])
