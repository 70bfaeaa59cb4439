"""Runner authentication tokens. Source: ``lib/api/ci/runner.rb``.

``runners/router/discovery`` (GitLab 18.7) authenticates the runner first, and writes nothing.
"""

from __future__ import annotations

from patscan.gitlab.client import Answer
from patscan.gitlab.question import API, Question
from patscan.model import Fact, Verdict

_UNKNOWN = Verdict("not-found", "this instance doesn't know it")


def ask(question: Question) -> Verdict:
    """The verdict by a request for the job router: 200 and 501 mean a known runner, GitLab's own 403 an unknown one."""
    answer = question.get(f"{API}/runners/router/discovery", {"Runner-Token": question.sealed()})
    body = answer.json()
    if answer.status == 200 and isinstance(body, dict) and "server_url" in body:
        return Verdict("active", "")
    if answer.status == 501 and isinstance(body, dict) and "Job Router" in str(body.get("message", "")):
        return Verdict("active", "")
    if _is_forbidden(answer):
        return _UNKNOWN
    if answer.status != 404:
        raise question.fault(answer)
    if not question.allow_writes:
        return Verdict("unverifiable", "GitLab before 18.7 has no request for it that writes nothing; --allow-writes sends a heartbeat")
    return _heartbeat(question)


def _heartbeat(question: Question) -> Verdict:
    answer = question.post(f"{API}/runners/verify", {"token": question.sealed()})
    body = answer.json()
    if _is_forbidden(answer):
        return _UNKNOWN
    if answer.status not in {200, 201} or not isinstance(body, dict) or type(body.get("id")) is not int:
        raise question.fault(answer)
    facts: dict[str, Fact] = {"id": body["id"]}
    return Verdict("active", "by a heartbeat of the runner, which GitLab recorded", facts)


def _is_forbidden(answer: Answer) -> bool:
    """Whether it is GitLab's own ``403 Forbidden``, not that of a ban or a proxy."""
    return answer.status == 403 and answer.json() == {"message": "403 Forbidden"}
