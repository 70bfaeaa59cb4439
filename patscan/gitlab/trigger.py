"""Pipeline trigger tokens. Source: ``lib/api/ci/triggers.rb``. The only request is a POST that would start a pipeline."""

from __future__ import annotations

from secrets import token_hex

from patscan.gitlab.client import Sealed
from patscan.gitlab.question import API, Question
from patscan.model import Verdict


def ask(question: Question) -> Verdict:
    """The verdict by starting a pipeline on a branch that doesn't exist. Needs ``--allow-writes`` and the project."""
    project = question.hint("project", int)
    if not question.allow_writes or project is None:
        missing = "its project is unknown" if question.allow_writes else "that needs --allow-writes, and its project"
        return Verdict("unverifiable", f"the only request tries to start a pipeline: {missing}. An administrator's token can tell")
    fields: dict[str, str | Sealed] = {"token": question.sealed(), "ref": f"patscan-{token_hex(16)}"}
    answer = question.post(f"{API}/projects/{project}/trigger/pipeline", fields)
    if answer.status == 400 and b"Reference not found" in answer.body:
        return Verdict("active", "by a request for a pipeline on a branch that doesn't exist", {"project": project})
    if answer.status in {400, 401, 403, 404}:
        return Verdict("unverifiable", f"it isn't project {project}'s, but may be another's. An administrator's token can tell")
    raise question.fault(answer)
