"""What changes something at a GitLab: planned, written down, sent once, and its effect asked for."""

from __future__ import annotations

from typing import NamedTuple

from patscan.audit import AuditLog, Entry
from patscan.gitlab.client import Answer, Client, NoAnswer
from patscan.gitlab.hosts import Approved, Instance
from patscan.gitlab.rows import Row
from patscan.gitlab.verify import Options, verify
from patscan.gitlab.ways import Means, Way
from patscan.model import Finding, Verdict
from patscan.secret import Secret


class Actor(NamedTuple):
    """What every act of a run shares."""

    approved: Approved
    client: Client
    options: Options
    other: Secret | None = None
    """The token of ``--with-token-file``, for the first approved instance only."""
    at: str = ""
    who: str = ""
    """The user of this machine who runs patscan."""

    def asked(self, finding: Finding, instance: Instance) -> Verdict:
        """What `instance` says of the token now. Raises nothing."""
        first = instance == self.approved.instances[0]
        options = self.options if first else self.options._replace(administrator=None)
        outcome = verify((finding._replace(verdict=Verdict()),), Approved((instance,)), self.client, options, lambda *_: None)
        return outcome.findings[0].verdict

    def means(self, instance: Instance) -> Means:
        """What may act at `instance`: other tokens are sent to the first approved one alone."""
        if instance != self.approved.instances[0]:
            return Means()
        return Means(self.options.administrator, self.other, self.at)


class Deed(NamedTuple):
    """One request that changes something, before it is sent."""

    act: str
    """``revoke``, ``rotate``, or ``revoke again`` of a new token that couldn't be kept."""
    finding: Finding
    """With GitLab's verdict on it."""
    instance: Instance
    way: Way
    row: Row | None = None


def entry(deed: Deed, actor: Actor) -> Entry:
    """What the audit log's lines about `deed` have in common."""
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


def done(deed: Deed, actor: Actor, log: AuditLog, more: Entry = {}) -> Answer | NoAnswer:  # noqa: B006 - a constant
    """Send the request of `deed` once, after a line in the log that has `more`. Raises `AuditError` if nothing was sent.

    The caller writes the second line with `written`.
    """
    log.before("asked", {**entry(deed, actor), **more})
    try:
        return actor.client.ask(deed.instance, deed.way.request)
    except NoAnswer as error:
        return error


def written(deed: Deed, actor: Actor, log: AuditLog, answer: Answer | NoAnswer, more: Entry = {}) -> None:  # noqa: B006 - a constant
    """Append to the log what came back, or why nothing did."""
    log.after("answered", {**entry(deed, actor), "answer": in_words(answer), **more})


def in_words(answer: Answer | NoAnswer) -> str:
    """What came back: a status, or a sentence."""
    if isinstance(answer, Answer):
        return f"status {answer.status}"
    return str(answer) if answer.sent else f"not sent: {answer}"


def standing(verdict: Verdict) -> str:
    """The state and its reason, as half a sentence."""
    return ": ".join(filter(None, (verdict.state, verdict.reason.rstrip("."))))
