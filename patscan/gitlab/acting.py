"""Requests that change something at GitLab. Each is planned, logged, sent once, and its effect is verified."""

from __future__ import annotations

from patscan.audit import AuditLog, Entry
from patscan.gitlab.client import Answer, Client, NoAnswer
from patscan.gitlab.hosts import Approved, Instance
from patscan.gitlab.rows import Row
from patscan.gitlab.verify import Options, verify
from patscan.gitlab.ways import Means, Way
from patscan.model import Finding, Verdict
from patscan.secret import Secret
from patscan.tuples import NamedTuple


class Actor(NamedTuple):
    """What all deeds of a run share."""

    approved: Approved
    client: Client
    options: Options
    other: Secret | None = None
    """The token of ``--with-token-file``, for the first approved instance only."""
    at: str = ""
    who: str = ""
    """The user of this machine who runs patscan."""

    def verdict(self, finding: Finding, instance: Instance) -> Verdict:
        """The present verdict of `instance`. Raises nothing."""
        first = instance == self.approved.instances[0]
        options = self.options if first else self.options._replace(administrator=None)
        outcome = verify((finding._replace(verdict=Verdict()),), Approved((instance,)), self.client, options, lambda *_: None)
        return outcome.findings[0].verdict

    def means(self, instance: Instance) -> Means:
        """The tokens that may act at `instance`: other tokens are sent to the first approved instance only."""
        if instance != self.approved.instances[0]:
            return Means()
        return Means(self.options.administrator, self.other, self.at)


class Deed(NamedTuple):
    """One request that changes something, before it is sent."""

    act: str
    """``revoke``, ``rotate``, or ``revoke again`` for a new token that couldn't be stored."""
    finding: Finding
    """With GitLab's verdict on it."""
    instance: Instance
    way: Way
    row: Row | None = None


def entry(deed: Deed, actor: Actor) -> Entry:
    """The fields of every audit log line about `deed`."""
    finding = deed.finding
    return {
        "act": deed.act,
        "instance": deed.instance.url,
        "kind": finding.rule.kind,
        "token": str(finding.secret),
        "fingerprint": finding.fingerprint,
        "token_id": finding.verdict.facts.get("id"),
        "state": finding.verdict.state,
        "request": deed.way.line,
        "sent": deed.way.by,
        "who": actor.who,
    }


def send(deed: Deed, actor: Actor, log: AuditLog, more: Entry = {}) -> Answer | NoAnswer:  # noqa: B006 - a constant
    """Log the request of `deed` with `more` fields, and send it once. Raises `AuditError` if nothing was sent.

    The caller logs the answer with `log_answer`.
    """
    log.before("asked", {**entry(deed, actor), **more})
    try:
        return actor.client.ask(deed.instance, deed.way.request)
    except NoAnswer as error:
        return error


def log_answer(deed: Deed, actor: Actor, log: AuditLog, answer: Answer | NoAnswer, more: Entry = {}) -> None:  # noqa: B006 - a constant
    """Log the answer, or why there is none."""
    log.after("answered", {**entry(deed, actor), "answer": described(answer), **more})


def described(answer: Answer | NoAnswer) -> str:
    """The answer in words: a status, or a sentence."""
    if isinstance(answer, Answer):
        return f"status {answer.status}"
    return str(answer) if answer.sent else f"not sent: {answer}"


def standing(verdict: Verdict) -> str:
    """The state and its reason, as a half-sentence."""
    return ": ".join(filter(None, (verdict.state, verdict.reason.rstrip("."))))
