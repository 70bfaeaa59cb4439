"""One token at one instance: what is asked with it, and since when GitLab counts it as used."""

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
    """What a way of asking needs. Every request that carries the token goes through `get` or `post`."""

    def __init__(self, client: Client, instance: Instance, finding: Finding, allow_writes: bool = False) -> None:
        self.client = client
        self.instance = instance
        self.finding = finding
        self.allow_writes = allow_writes
        self._asked: float | None = None

    @property
    def asked_at(self) -> datetime | None:
        """When the token was first sent, by the server's clock and never later than it was; ``None`` if it wasn't."""
        return None if self._asked is None else datetime.fromtimestamp(self._asked, UTC)

    def sealed(self, before: str = "", basic: bool = False) -> Sealed:
        """The token, for a header or a field."""
        return Sealed(self.finding.secret, before, basic)

    def get(self, path: str, headers: Mapping[str, str | Sealed]) -> Answer:
        """The answer to a read-only question. Raises `NoAnswer`."""
        return self._ask(Request("GET", path, headers))

    def post(self, path: str, fields: Mapping[str, str | Sealed]) -> Answer:
        """The answer to a question that may write on the server, so it is never repeated. Raises `NoAnswer`."""
        return self._ask(Request("POST", path, {}, fields, repeatable=False))

    def hint(self, name: str, kind: type) -> Fact:
        """What the finding's evidence says of `name` (``project``, ``application``), if it is a `kind`; else ``None``."""
        for evidence in self.finding.evidence:
            if type(value := evidence.facts.get(name)) is kind:
                return value
        return None

    def fault(self, answer: Answer) -> NoAnswer:
        """What is wrong with `answer`, which is none of GitLab's to this question."""
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
        return f"the server has trouble (status {answer.status}). Ask again later."
    if answer.status == 404:
        return "has no GitLab API at this URL. Does --gitlab-url lack a relative URL root?"
    if 200 <= answer.status < 300:
        return "answers with something that isn't GitLab's API: a login page, or a proxy's."
    return f"refuses in a way that says nothing of the token (status {answer.status})."


def words(value: object, longest: int = _LONGEST) -> str:
    """A text from a server as one bounded line; empty if it is none."""
    return _CONTROL.sub(" ", value)[:longest] if isinstance(value, str) else ""
