"""Session cookies of signed-in browsers."""

from __future__ import annotations

from patscan.gitlab import meaning
from patscan.gitlab.question import API, Question
from patscan.gitlab.reach import person
from patscan.model import Verdict


def ask(question: Question) -> Verdict:
    """The verdict by the session's user."""
    answer = question.get(f"{API}/user", {"Cookie": question.sealed("_gitlab_session=")})
    if answer.status != 200:
        return meaning.refusal(question, answer)
    user = answer.json()
    if not isinstance(user, dict) or type(user.get("id")) is not int:
        raise question.fault(answer)
    return Verdict("active", "", {"owner": person(user)})
