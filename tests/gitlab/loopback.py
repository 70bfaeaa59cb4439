"""A GitLab on the loopback interface: what it knows, and a real HTTP or HTTPS server in front of it.

What it answers is in `tests.gitlab.answers`, how it fails on demand in `tests.gitlab.faults`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.gitlab import answers, certificates, faults


@dataclass
class User:
    id: int
    username: str
    admin: bool = False
    bot: bool = False
    denied: str = ""
    """The sentence of user_access_denied_reason.rb; empty for an account in use."""

    @property
    def state(self) -> str:
        return "blocked" if "blocked" in self.denied else "deactivated" if "deactivated" in self.denied else "active"


@dataclass
class Token:
    kind: str
    value: str
    user: User
    id: int
    scopes: tuple[str, ...] = ("api",)
    created: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=40))
    expires: date | None = field(default_factory=lambda: datetime.now(UTC).date() + timedelta(days=60))
    revoked: bool = False
    impersonation: bool = False
    last_used: datetime | None = None
    project: int | None = None
    """A trigger's, a feature flag's, a job's."""
    application: str = ""
    """An OAuth secret's application id."""
    running: bool = True
    """A job's."""
    finished: str = "success"
    instance_wide: bool = True
    """A runner's."""
    dpop: bool = False
    name: str = "leaked"
    row: str = ""
    """Where the API keeps it (``projects/42/deploy_tokens``); empty: personal_access_tokens."""
    login: str = ""
    """A deploy token's user, if it isn't GitLab's own choice."""
    family: int = 0
    """The id of the first token of a chain of rotations; 0: its own."""

    @property
    def expired(self) -> bool:
        return self.expires is not None and self.expires <= datetime.now(UTC).date()


@dataclass
class Recorded:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0


@dataclass
class Limit:
    """Rack::Attack's: so many requests in each window of `period` whole seconds."""

    requests: int
    period: int
    name: str = "throttle_authenticated_api"
    headers: bool = True
    counts: Counter[int] = field(default_factory=Counter)


class GitLab:
    """One instance. As a context manager it serves at `url` until the end of the block."""

    def __init__(self, version: tuple[int, int] = (19, 4), root: str = "", tls: str = "", latency: float = 0.0) -> None:
        self.version = version
        self.root = root
        self.latency = latency
        self.tokens: dict[str, Token] = {}
        self.memberships: dict[int, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
        """A user's groups and projects, as `associations` shows them."""
        self.requests: list[Recorded] = []
        self.faults: list[faults.Fault] = []
        self.limit: Limit | None = None
        self.impersonation = True
        self.packages = True
        self.job_router = True
        self.deploy_by_token_alone = True
        """Whether conan's check_credentials finds a deploy token whose user name isn't known (gitlab-facts 9.5)."""
        self.heartbeats: list[str] = []
        self.pipelines: list[str] = []
        self.acts: list[tuple[str, int]] = []
        """What was done to which token: ``revoke``, ``rotate``, ``reset``, ``family``."""
        self.lock = threading.Lock()
        self.busy = self.busiest = 0
        self._tls = tls
        self._server: ThreadingHTTPServer | None = None
        self._users = 0

    def user(self, username: str, **more: Any) -> User:
        self._users += 1
        return User(self._users, username, **more)

    def add(self, kind: str, value: str, user: User | None = None, **more: Any) -> Token:
        token = Token(kind, value, user or self.user("anna"), len(self.tokens) + 100, **more)
        self.tokens[value] = token
        return token

    def find(self, value: str, *kinds: str) -> Token | None:
        token = self.tokens.get(value)
        return token if token and token.kind in kinds else None

    def use(self, token: Token) -> None:
        """``PersonalAccessTokens::LastUsedService``: every ten minutes since 16.1, before that once a day."""
        patience = timedelta(minutes=10) if self.version >= (16, 1) else timedelta(days=1)
        now = datetime.now(UTC)
        if token.last_used is None or token.last_used <= now - patience:
            token.last_used = now

    @property
    def statuses(self) -> Counter[int]:
        return Counter(request.status for request in self.requests)

    @property
    def url(self) -> str:
        assert self._server
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._server.server_address[1]}{self.root}"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"gitlab": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        if self._tls:
            self._server.socket = certificates.context(self._tls).wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A client that hangs up, or doesn't like the certificate, is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gitlab: GitLab

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        gitlab = self.gitlab
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        recorded = self.recorded = Recorded(self.command, self.path, dict(self.headers), body)
        with gitlab.lock:
            gitlab.requests.append(recorded)
            gitlab.busy += 1
            gitlab.busiest = max(gitlab.busiest, gitlab.busy)
        try:
            time.sleep(gitlab.latency)
            if fault := faults.due(gitlab, recorded):
                fault.commit(self)
                return
            answer = self._limited() or answers.answer(gitlab, recorded)
            recorded.status = answer.status
            self.send(answer)
        finally:
            with gitlab.lock:
                gitlab.busy -= 1

    do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = _serve  # noqa: N815 - the standard library's names

    def _limited(self) -> answers.Answer | None:
        limit = self.gitlab.limit
        if limit is None:
            return None
        with self.gitlab.lock:
            now = time.time()
            window = int(now) // limit.period
            limit.counts[window] += 1
            observed = limit.counts[window]
        reset = (window + 1) * limit.period
        self._quota = {
            "RateLimit-Limit": str(limit.requests),
            "RateLimit-Name": limit.name,
            "RateLimit-Observed": str(observed),
            "RateLimit-Remaining": str(max(limit.requests - observed, 0)),
            "RateLimit-Reset": str(reset),
        }
        if not limit.headers:
            self._quota = {}
        if observed <= limit.requests:
            return None
        more = {"Retry-After": str(max(reset - int(now), 1)), "RateLimit-ResetTime": formatdate(reset, usegmt=True)}
        return answers.Answer(429, b"Retry later\n", {"Content-Type": "text/plain"} | more)

    def send(self, answer: answers.Answer) -> None:
        """Everything in one write, or Nagle's algorithm makes each answer take 40 ms."""
        headers = {"Date": formatdate(usegmt=True), "Content-Type": "application/json", "Content-Length": str(len(answer.body))}
        headers |= {"X-Gitlab-Meta": '{"correlation_id":"01","version":"1"}'} | getattr(self, "_quota", {}) | answer.headers
        lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        body = b"" if self.command == "HEAD" else answer.body
        self.wfile.write("\r\n".join(lines).encode("latin-1") + body)
