"""Client tokens of feature flags. Source: ``lib/api/unleash.rb``."""

from __future__ import annotations

from patscan.gitlab.question import API, Question
from patscan.model import Verdict


def ask(question: Question) -> Verdict:
    """The verdict by reading the project's flags, if the project is known."""
    project = question.hint("project", int)
    if project is None:
        return Verdict("unverifiable", "the request needs its project, which is unknown. An administrator's token can tell")
    answer = question.get(f"{API}/feature_flags/unleash/{project}", {"Unleash-InstanceId": question.sealed()})
    if answer.status == 200 and not answer.body.lstrip().startswith(b"<"):
        return Verdict("active", "", {"project": project})
    if answer.status in {401, 403, 404}:
        return Verdict("unverifiable", f"it isn't project {project}'s, but may be another's. An administrator's token can tell")
    raise question.fault(answer)
