"""The meaning of GitLab's refusals for a token that acts for a user.

Source: ``lib/api/api_guard.rb`` for the errors, ``user_access_denied_reason.rb`` for the account's.
"""

from __future__ import annotations

from patscan.gitlab.client import Answer
from patscan.gitlab.question import Question
from patscan.model import Verdict

_ERRORS = (
    ("token was revoked", "inactive", "revoked"),
    ("token is expired", "inactive", "expired"),
    ("impersonation was disabled", "active-blocked", "an impersonation token, and impersonation is switched off"),
    ("bad access token", "not-found", "this instance doesn't know it"),
)
_ACCOUNTS = (
    ("pending approval", "the user's account waits for approval"),
    ("deactivated", "the user's account is deactivated"),
    ("account has been blocked", "the user's account is blocked"),
    ("terms of service", "the user hasn't accepted the terms of service"),
    ("password expired", "the user's password has expired"),
    ("not confirmed", "the user's e-mail address isn't confirmed"),
    ("internal users", "it belongs to an internal user"),
)


def refusal(question: Question, answer: Answer) -> Verdict:
    """The verdict by a refusal (401 or 403). Raises `NoAnswer` if the answer isn't GitLab's."""
    body = answer.json()
    if isinstance(body, dict):
        error, message = (body.get(key) if isinstance(body.get(key), str) else "" for key in ("error", "message"))
        if answer.status == 401:
            verdict = _unauthorized(str(error), str(body.get("error_description", "")).lower(), str(message))
        else:
            verdict = _forbidden(str(error), str(message).lower()) if answer.status == 403 else None
        if verdict:
            return verdict
    raise question.fault(answer)


def _unauthorized(error: str, description: str, message: str) -> Verdict | None:
    for text, state, reason in _ERRORS:
        if error == "invalid_token" and text in description:
            return Verdict(state, reason)
    if error == "dpop_error":
        return Verdict("active-blocked", "it is active, but GitLab demands a proof of possession (DPoP)")
    if error == "restricted_language_server_client_error":
        return Verdict("active-blocked", "it is active, but GitLab restricts this user to certain clients")
    return Verdict("not-found", "this instance doesn't know it") if message.startswith("401 Unauthorized") else None


def _forbidden(error: str, message: str) -> Verdict | None:
    if error == "insufficient_scope":
        return Verdict("active", "it is active, but its scopes don't cover the request")
    for text, reason in _ACCOUNTS:
        if text in message:
            return Verdict("active-blocked", f"it is active, but {reason}")
    return None
