"""The contexts of tokens without a prefix. Rules name the ones of their kind; docs/contexts.md lists them."""

from __future__ import annotations

import re

from patscan.tuples import NamedTuple


class Context(NamedTuple):
    """A way to recognise a token. It must meet all conditions that aren't ``None``."""

    id: str
    text: str
    """The text of the evidence."""
    name: re.Pattern[str] | None = None
    """The name that the value is assigned to: a header, a variable, a key, an option; see `patscan.detect.contexts.reader`."""
    user: re.Pattern[bytes] | None = None
    """The user whose password the value is."""
    near: re.Pattern[bytes] | None = None
    """What is near the value, in lower case. It makes a common name or user strong."""
    beside: str = ""
    """The text of the evidence for `near`."""


def _name(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?:value|string|str|var|default|[0-9]{{1,2}})?")


_CREDENTIAL = (
    r"(?:[a-z]{0,20}?(?:api|access|auth|authentication|authorization|oauth|personal|private|project|group|repo|repository|registry|user|"
    r"deploy|bot|ci|read|write|admin|robot|service|git|scm|vcs|http|login|renovate|release|package|packages|maven|npm|pypi|nuget|helm|"
    r"docker|container|composer|conan|sensitive|cleartext|plain|my|the|x|new|old|test|dev|prod)??)"
    r"(?:token|tokens|pat|password|passwd|passphrase|pass|pwd|secret|credential|credentials|cred|creds|auth|authtoken|apikey|key)"
    r"|authorization|bearer|p|t|b|r|token|set(?:token|password)|passwordstdin|withtoken|authenticate"
)
_SERVICE = r"(?:new)?(?:[a-z]{0,20}gitlab)?gitlab(?:api|client|service|connection|instance|http|rest|v4|builder)*"
_CLIENT = _SERVICE + r"(?:new|create|connect|init|get|of|client|oauth)*"
_JOB = rb"ci_(?:api_v4_url|project_|registry|server_)"
"""The beginnings of variables that only a job of GitLab CI has (doc/ci/variables/predefined_variables.md)."""
_GITLAB = re.compile(rb"gitlab|machine\s+git\.|/api/v4/(?:projects|groups|user|packages|runners|jobs)\b|glab(?<=\bglab)\b|" + _JOB)
_API = re.compile(rb"gitlab|/api/v4/|" + _JOB)
_TRIGGER = re.compile(rb"/trigger/(?:pipeline|builds)|/ref/[^\s/]{1,80}/trigger|gitlab")

CONTEXTS = (
    Context("feed-token", "assigned to a feed token's name", name=_name(r".*(?:feed|rss)token")),
    Context("static-object-token", "assigned to the name of a static object token", name=_name(r".*staticobject(?:token)?")),
    Context("registration-token", "assigned to the name of a registration token", name=_name(r".*registrationtoken")),
    Context(
        "registration-token",
        "given to a runner that registers",
        name=_name(r"r|registration"),
        near=re.compile(rb"gitlab-runner[\s\"]+register|runner\s+register"),
        beside="gitlab-runner register",
    ),
    Context(
        "runner-token",
        "assigned to a runner token's name",
        name=_name(r".*runner(?:s|auth|authentication|access)?(?:token|secret)|.*runner.*token"),
    ),
    Context(
        "runner-token",
        "the token of a runner's configuration",
        name=_name(r"token"),
        near=re.compile(rb"\[\[runners\]\]|\bgitlab-runner\b|executor\s*[=:]|\brunners?:"),
        beside="a runner's configuration",
    ),
    Context("trigger-token", "assigned to a trigger token's name", name=_name(r".*trigger(?:er)?(?:api|pipeline|access|ci)?token")),
    Context("trigger-token", "sent as token", name=_name(r"token|f|form|d|data|query"), near=_TRIGGER, beside="GitLab or a trigger's URL"),
    Context("client-secret", "assigned to an application secret's name", name=_name(r".*gitlab.*secret")),
    Context(
        "client-secret",
        "assigned to an application secret's name",
        name=_name(r".*(?:client|app|application|oauth|consumer)(?:2)?secret|secret|secretkey"),
        near=re.compile(rb"gitlab"),
        beside="gitlab",
    ),
    Context(
        "oauth-token",
        "sent or stored as an access token",
        name=_name(r".*(?:access|oauth|oauth2|refresh|bearer|auth|gitlab)token|authorization|bearer|token|gitlaboauth"),
        near=_API,
        beside="GitLab or its API",
    ),
    Context("oauth-token", "the password of the user oauth2", user=re.compile(rb"oauth2")),
    Context(
        "job-token",
        "assigned to a job token's name",
        name=_name(r".*(?:ci|gitlab|x|^)?jobtoken|.*ci(?:build|server)token|ciregistrypassword|cijwt"),
    ),
    Context("job-token", "the password of the user gitlab-ci-token", user=re.compile(rb"gitlab-ci-token")),
    Context(
        "job-token",
        "a credential",
        name=_name(_CREDENTIAL),
        near=re.compile(rb"gitlab-ci-token"),
        beside="the user gitlab-ci-token",
    ),
    Context(
        "deploy-token",
        "assigned to a deploy token's name",
        name=_name(r".*deploy(?:ment)?(?:er)?(?:access)?token(?:password|secret)?|cideploypassword"),
    ),
    Context("deploy-token", "the password of a deploy token's user", user=re.compile(rb"gitlab(?:\+|%2[bB]|-)deploy-token(?:-\d+)?")),
    Context(
        "deploy-token",
        "a credential",
        name=_name(_CREDENTIAL),
        near=re.compile(rb"deploy[-_ ]token"),
        beside="a deploy token's user",
    ),
    Context(
        "agent-token",
        "a credential",
        name=_name(r".*(?:token|secret)"),
        near=re.compile(rb"gitlab|kas_?address|kubernetes-agent|agentk"),
        beside="GitLab or its agent server",
    ),
    Context("access-token", "assigned to private_token", name=_name(r".*privatetokens?(?:auth|configuration|id)?")),
    Context(
        "access-token",
        "assigned to a name with GitLab and a credential",
        name=_name(
            r".*(?:gitlab|glab).*(?:tokens?|pat|secret|password|passwd|pass|pwd|keys?|credentials?|creds|auth|oauth|tokenid)|gitlab(?:token|oauth).*|(?:ci|semantic|release|my|renovate)?gl(?:api|access|private|personal|bot|deploy|project|group|ci|user|repo|auth)?(?:token|pat|password)"
        ),
    ),
    Context("access-token", "passed to a GitLab client", name=_name(_CLIENT)),
    Context("access-token", "the password of the user oauth2", user=re.compile(rb"oauth2")),
    Context("access-token", "the password in a URL", user=re.compile(rb".*"), near=_GITLAB, beside="gitlab"),
    Context("access-token", "a credential", name=_name(_CREDENTIAL), near=_GITLAB, beside="gitlab"),
)
"""The first context that a candidate has, and whose kind has tokens of this form, tells the kind."""
