"""One token at one instance: the requests with it, and the time of the first."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from patscan.gitlab.client import Answer, Client, NoAnswer, Request, Sealed
from patscan.gitlab.hosts import Instance, host_of
from patscan.model import Fact, Finding

API = "/api/v4"
_LONGEST = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Question:
    """What an asker needs. Every request with the token goes through `get` or `post`."""

    def __init__(self, client: Client, instance: Instance, finding: Finding, allow_writes: bool = False) -> None:
        self.client = client
        self.instance = instance
        self.finding = finding
        self.allow_writes = allow_writes
        self._asked: float | None = None

    @property
    def asked_at(self) -> datetime | None:
        """When the token was first sent, by the server's clock, rounded down; ``None`` if it wasn't sent."""
        return None if self._asked is None else datetime.fromtimestamp(self._asked, UTC)

    def sealed(self, before: str = "", basic: bool = False) -> Sealed:
        """The token, for a header or a field."""
        return Sealed(self.finding.secret, before, basic)

    def get(self, path: str, headers: Mapping[str, str | Sealed]) -> Answer:
        """The answer to a read-only request. Raises `NoAnswer`."""
        return self._ask(Request("GET", path, headers))

    def post(self, path: str, fields: Mapping[str, str | Sealed]) -> Answer:
        """The answer to a request that may write on the server, and so is never repeated. Raises `NoAnswer`."""
        return self._ask(Request("POST", path, {}, fields, repeatable=False))

    def hint(self, name: str, kind: type) -> Fact:
        """The fact `name` (``project``, ``application``) in the finding's evidence, if it is of type `kind`; else ``None``."""
        for evidence in self.finding.evidence:
            if type(value := evidence.facts.get(name)) is kind:
                return value
        return None

    def fault(self, answer: Answer) -> NoAnswer:
        """The error for an `answer` that GitLab wouldn't give to this request."""
        return NoAnswer(f"{self.instance.host}: {_fault(answer)}")

    def _ask(self, request: Request) -> Answer:
        began = time.time()
        try:
            answer = self.client.ask(self.instance, request)
        except NoAnswer as error:
            if error.sent:
                self._mark(began)
            raise
        self._mark(answer.sent)
        return answer

    def _mark(self, moment: float) -> None:
        self._asked = moment if self._asked is None else min(self._asked, moment)


def _fault(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        where = host_of(answer.headers.get("location", ""))
        return f"redirects{' to ' + where if where else ''}, and no redirect is followed. Give the instance's own URL to --gitlab-url."
    if answer.status >= 500:
        return f"the server failed (status {answer.status}). Ask again later."
    if answer.status == 404:
        return "has no GitLab API at this URL. Check whether --gitlab-url needs a relative URL root."
    if 200 <= answer.status < 300:
        return "the answer isn't from GitLab's API, but perhaps a login page or from a proxy. Check --gitlab-url."
    return f"refuses the request for a reason other than the token (status {answer.status})."


def words(value: object, longest: int = _LONGEST) -> str:
    """A text from a server as one bounded line; empty if it is none."""
    return _CONTROL.sub(" ", value)[:longest] if isinstance(value, str) else ""
