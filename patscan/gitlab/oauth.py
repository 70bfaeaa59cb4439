"""Secrets of OAuth applications. Doorkeeper's token endpoint is a POST, and could create a token."""

from __future__ import annotations

from patscan.gitlab.client import Sealed
from patscan.gitlab.question import Question
from patscan.model import Verdict


def ask(question: Question) -> Verdict:
    """The verdict by requesting a token with a scope that doesn't exist. Needs ``--allow-writes`` and the application's id."""
    application = question.hint("application", str)
    if not question.allow_writes or not isinstance(application, str):
        missing = "its application's id is unknown" if question.allow_writes else "that needs --allow-writes, and the application's id"
        return Verdict("unverifiable", f"the only request tries to create a token: {missing}. An administrator's token can tell")
    fields: dict[str, str | Sealed] = {
        "grant_type": "client_credentials",
        "scope": "patscan-none",
        "client_id": application,
        "client_secret": question.sealed(),
    }
    answer = question.post("/oauth/token", fields)
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    if answer.status == 400 and error == "invalid_scope":
        return Verdict("active", "by a request for a token with a scope that doesn't exist")
    if error in {"invalid_client", "unauthorized_client"} or answer.status in {401, 403, 404, 422}:
        return Verdict("unverifiable", "it isn't this application's, but may be another's. An administrator's token can tell")
    raise question.fault(answer)
