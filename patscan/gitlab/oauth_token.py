"""OAuth access tokens. Sources: ``doc/api/oauth2.md``, ``oauth/token_info_controller.rb`` and its spec, Doorkeeper's ``oauth/token.rb``."""

from __future__ import annotations

from patscan.gitlab.question import Question, words
from patscan.model import Fact, Verdict

_WRITES = "with each request, GitLab revokes the refresh token that was exchanged for it: that needs --allow-writes"
_REFUSED = {"invalid_token", "invalid_request"}
"""GitLab's words for an unknown, an expired and a revoked token, by version."""


def ask(question: Question) -> Verdict:
    """The verdict by Doorkeeper's record of the token. Needs ``--allow-writes``."""
    if not question.allow_writes:
        return Verdict("unverifiable", _WRITES)
    answer = question.get("/oauth/token/info", {"Authorization": question.sealed("Bearer ")})
    token = answer.json()
    if isinstance(token, dict) and answer.status == 200 and "resource_owner_id" in token:
        scopes = token.get("scope")
        facts: dict[str, Fact] = {"scopes": tuple(words(scope, 64) for scope in scopes[:50])} if isinstance(scopes, list) else {}
        if type(user := token["resource_owner_id"]) is int:
            facts["owner"] = {"id": user}
        return Verdict("active", "", facts)
    if isinstance(token, dict) and answer.status == 401 and token.get("error") in _REFUSED:
        return Verdict("not-found", "this instance doesn't know it, or it has expired or was revoked")
    raise question.fault(answer)
