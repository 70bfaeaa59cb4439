"""The function that asks about each kind of token. A new kind is one module and one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from patscan.gitlab import access_token, deploy, feature_flags, job, oauth, oauth_token, runner, session, trigger
from patscan.gitlab.question import Question
from patscan.model import Verdict

Asker = Callable[[Question], Verdict]


def unaskable(reason: str, _: Question) -> Verdict:
    """The verdict on a kind that GitLab can't be asked about."""
    return Verdict("unverifiable", reason)


_NO_QUESTION = "GitLab has no request for this kind that changes nothing"
_ADMINISTRATOR = f"{_NO_QUESTION}. An administrator's token can tell"

ASKERS: Mapping[str, Asker] = {
    "personal-access-token": access_token.ask,
    "ci-job-token": job.ask,
    "runner-authentication-token": runner.ask,
    "deploy-token": deploy.ask,
    "feature-flags-token": feature_flags.ask,
    "pipeline-trigger-token": trigger.ask,
    "oauth-application-secret": oauth.ask,
    "session-cookie": session.ask,
    "feed-token": partial(unaskable, "the only request would put it into a URL, and URLs are logged. An administrator's token can tell"),
    "agent-token": partial(unaskable, _ADMINISTRATOR),
    "incoming-mail-token": partial(unaskable, _ADMINISTRATOR),
    "runner-registration-token": partial(unaskable, "the only request would register a runner"),
    "scim-token": partial(unaskable, "the request needs the path of its group"),
    "runner-controller-token": partial(unaskable, _NO_QUESTION),
    "workspace-token": partial(unaskable, _NO_QUESTION),
    "static-object-token": partial(unaskable, "the request needs the path of a file in a private project that its user can read"),
    "oauth-access-token": oauth_token.ask,
    "iam-authorization-code": partial(unaskable, "the only request would use it up"),
    "iam-access-token": partial(unaskable, _NO_QUESTION),
    "iam-refresh-token": partial(unaskable, "the only request would replace it"),
}

UNKNOWN: Asker = partial(unaskable, "patscan doesn't know how to ask GitLab about this kind")
"""For a kind of a project's own rules."""
