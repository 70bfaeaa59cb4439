"""CI job tokens, legacy and JWT. They are valid while their job runs. Source: ``lib/api/ci/jobs.rb``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patscan.gitlab import meaning
from patscan.gitlab.question import API, Question, words
from patscan.gitlab.reach import person
from patscan.model import Fact, Verdict


def ask(question: Question) -> Verdict:
    """The verdict by the record of the token's job."""
    answer = question.get(f"{API}/job", {"JOB-TOKEN": question.sealed()})
    if answer.status == 404:
        return Verdict("unverifiable", "this GitLab has no request for the job of a token")
    if answer.status != 200:
        return meaning.refusal(question, answer)
    job = answer.json()
    if not isinstance(job, dict) or type(job.get("id")) is not int:
        raise question.fault(answer)
    return Verdict("active", "its job is running", facts(job))


def facts(job: Mapping[str, Any]) -> dict[str, Fact]:
    """The facts in GitLab's entity of a job, under patscan's names."""
    known: dict[str, Fact] = {"job": job["id"]} if type(job.get("id")) is int else {}
    known |= {
        "name": words(job.get("name")),
        "job_status": words(job.get("status"), 40),
        "created": words(job.get("created_at"), 40) or None,
    }
    if isinstance(pipeline := job.get("pipeline"), dict):
        known |= {key: pipeline[name] for key, name in (("pipeline", "id"), ("project", "project_id")) if type(pipeline.get(name)) is int}
    if isinstance(user := job.get("user"), dict):
        known["owner"] = person(user)
    return known
