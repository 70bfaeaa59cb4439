"""The words of contexts. A content without any of them isn't searched for candidates."""

from __future__ import annotations

WORDS = (
    *("gitlab", "gl_token", "gl-token", "gltoken", "gl_pat", "glab_", "glab "),
    *("private-token", "private_token", "privatetoken", "private token", "private.token"),
    *("job-token", "job_token", "jobtoken", "ci_build_token"),
    *("ci_api_v4_url", "ci_project_", "ci_registry", "ci_server_"),
    *("deploy-token", "deploy_token", "deploytoken", "ci_deploy_password"),
    *("runner-token", "runner_token", "runnertoken", "[[runners]]"),
    *("registration-token", "registration_token", "registrationtoken"),
    *("feed-token", "feed_token", "feedtoken", "rss-token", "rss_token", "rsstoken"),
    *("static-object-token", "static_object_token", "staticobjecttoken"),
    *("/api/v4/", "/trigger/pipeline", "/trigger/builds", "trigger_token", "trigger-token", "triggertoken"),
    *("oauth2:", "login oauth2", "machine git.", "@git."),
    *("kasaddress", "kas_address", "kubernetes-agent", "agentk"),
)
"""In lower case. Letters of any case match."""

ENCODED = ("gitlab", "private-token", "private_token", "oauth2:", "/api/v4/", "runner")
"""The words that are also searched behind `LAYERS`."""
LAYERS = ("base64", "utf-16")


def spellings() -> tuple[str, ...]:
    """The usual spellings of `ENCODED`. Behind a layer, letters of any case can't be matched."""
    return tuple(sorted({form for word in ENCODED for form in (word, word.upper(), word.title(), word.replace("gitlab", "GitLab"))}))
