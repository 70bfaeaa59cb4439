"""The only door to the network: bounded requests to approved instances, and untrusted answers.

Redirects aren't followed, and TLS is always verified. Cookies, ``.netrc``, key rings and the environment add nothing to a request. A
token is in the one header or field that its request needs and nowhere else: errors are sentences without their cause.
"""

from __future__ import annotations

import json
import random
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore, Event, Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from patscan import __version__
from patscan.errors import ConfigError, PatscanError
from patscan.gitlab import timing, trust
from patscan.gitlab.pace import Closed, Pace
from patscan.secret import Secret
from patscan.tuples import NamedTuple

if TYPE_CHECKING:
    import urllib3

    from patscan.gitlab.hosts import Instance

LARGEST = 1 << 20
"""The most bytes of an answer. A page of a hundred groups and projects has a fifth of that."""
AT_ONCE = 16
_ATTEMPTS = 3
_PROXY_PORT = 3128
_REFUSALS = 6
"""Answers with status 429 after which a request is given up."""
_BUSY = {500, 502, 503, 504}


class NoAnswer(PatscanError):
    """There was no usable answer, so a token's state is unknown. The sentence says why."""

    def __init__(self, sentence: str, sent: bool = True) -> None:
        """`sent` is false if the token surely never left this machine."""
        super().__init__(sentence)
        self.sent = sent


class OverBudget(NoAnswer):
    """The request wasn't sent: the budget is used up, or the run was interrupted."""


class Sealed(NamedTuple):
    """A token for a header or a field, with the text `before` it. With `basic`, encoded for HTTP's Basic scheme."""

    secret: Secret
    before: str = ""
    basic: bool = False


class Request(NamedTuple):
    """A request. `path` begins after the instance's root and never contains a token."""

    method: str
    path: str
    headers: Mapping[str, str | Sealed] = {}
    fields: Mapping[str, str | Sealed] | None = None
    """The JSON object of the body; ``None`` for no body."""
    repeatable: bool = True
    """Whether the request may be sent twice without harm."""


class Answer(NamedTuple):
    """A response. Header names are lowercase."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: float
    """When the first attempt began, by the server's clock, rounded down; in seconds since 1970."""

    def json(self) -> Any:
        """The body's JSON value; ``None`` if it isn't JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"


class _Failure(NamedTuple):
    """Why an attempt got no answer, and whether another may."""

    reason: str
    again: bool = False
    sent: bool = True


class Settings(NamedTuple):
    """Settings for requests. `proxies` maps ``http`` and ``https`` to a proxy's URL, except for hosts in `no_proxy` and below them."""

    ca_bundle: Path | None = None
    timeout: float = 10.0
    max_requests: int = 10_000
    at_once: int = AT_ONCE
    proxies: Mapping[str, str] = {}
    no_proxy: tuple[str, ...] = ()
    patience: float = 300.0
    """The most seconds to wait for a rate limit."""


class Client:
    """Sends requests to instances, from any number of threads."""

    def __init__(self, settings: Settings = Settings()) -> None:  # noqa: B008 - a constant
        """Raises `ConfigError` if the certificates or a proxy's address can't be used."""
        self.settings = settings
        self._context = trust.context(settings.ca_bundle)
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._paces: dict[str, Pace] = {}
        self._lock = Lock()
        self._stopped = Event()
        self._places = BoundedSemaphore(settings.at_once)
        self.requests = 0
        """Requests that were sent, including repeated ones."""

    def ask(self, instance: Instance, request: Request) -> Answer:
        """The answer of `instance`, with any status but 429. Raises `NoAnswer`."""
        try:
            return self._ask(instance, request)
        except NoAnswer as error:
            raise type(error)(f"{instance.host}: {error}", error.sent) from None

    def _ask(self, instance: Instance, request: Request) -> Answer:
        pool, pace = self._of(instance)
        began = 0.0
        failures = refusals = 0
        while True:
            self._enter(pace)
            began = began or time.monotonic()
            outcome = self._attempt(pool, pace, instance, request, began)
            if isinstance(outcome, Answer) and outcome.status == 429:
                refusals += 1
                self._hold(pace, outcome, refusals)
                continue
            failures += 1
            again = outcome.again if isinstance(outcome, _Failure) else outcome.status in _BUSY
            if again and request.repeatable and failures < _ATTEMPTS:
                self._pause(failures)
            elif isinstance(outcome, _Failure):
                raise NoAnswer(outcome.reason, outcome.sent)
            else:
                return outcome

    def stop(self) -> None:
        """Send nothing more. Threads that wait get `OverBudget`."""
        self._stopped.set()
        for pace in list(self._paces.values()):
            pace.close("interrupted")

    def _of(self, instance: Instance) -> tuple[urllib3.PoolManager, Pace]:
        with self._lock:
            pace = self._paces.setdefault(instance.sighting, Pace(self.settings.patience))
            pool = self._pools.get(instance.sighting)
            if pool is None:
                pool = self._pools[instance.sighting] = self._pool(instance)
        return pool, pace

    def _pool(self, instance: Instance) -> urllib3.PoolManager:
        import urllib3

        options: dict[str, Any] = {"maxsize": self.settings.at_once, "retries": False}
        options["timeout"] = urllib3.Timeout(connect=self.settings.timeout, read=self.settings.timeout)
        if instance.scheme == "https":
            self._context = self._context or trust.system()
            options["ssl_context"] = self._context
        proxy = self.settings.proxies.get(instance.scheme, "")
        if not proxy or _is_exempt(instance.host, self.settings.no_proxy):
            return urllib3.PoolManager(**options)
        return _proxied(proxy, options)

    def _enter(self, pace: Pace) -> None:
        try:
            pace.enter()
        except Closed as reason:
            if self._stopped.is_set():
                raise OverBudget("interrupted before it was asked.", sent=False) from None
            raise NoAnswer(str(reason), sent=False) from None
        with self._lock:
            allowed = self.requests < self.settings.max_requests
            self.requests += allowed
        if not allowed:
            pace.leave()
            spent = f"the budget of {self.settings.max_requests:,} requests is used up. Raise it with --max-requests."
            raise OverBudget(spent, sent=False)

    def _attempt(self, pool: urllib3.PoolManager, pace: Pace, instance: Instance, request: Request, began: float) -> Answer | _Failure:
        try:
            with self._places:
                answer = self._once(pool, instance, request, began)
        except Exception as error:  # noqa: BLE001 - an error of a library must neither show a token nor end the run
            failure = self._failure(error)
            pace.fail(failure.reason)
            return failure
        pace.leave(answer.headers, timing.date(answer.headers))
        return answer

    def _once(self, pool: urllib3.PoolManager, instance: Instance, request: Request, began: float) -> Answer:
        headers = {"User-Agent": f"patscan/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {name: _opened(value) for name, value in request.headers.items()}
        body = None
        if request.fields is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps({name: _opened(value) for name, value in request.fields.items()}).encode()
        deadline = time.monotonic() + 2 * self.settings.timeout
        response = pool.request(
            request.method, instance.url + request.path, body=body, headers=headers, redirect=False, preload_content=False
        )
        try:
            data = _body(response, deadline)
            lowered = {name.lower(): value for name, value in response.headers.items()}
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()
        return Answer(response.status, lowered, data, timing.sent(lowered, began))

    def _failure(self, error: Exception) -> _Failure:
        from urllib3 import exceptions

        if isinstance(error, NoAnswer):
            return _Failure(str(error))
        if isinstance(error, exceptions.ProxyError):
            return _Failure("the proxy refuses the connection. Check its address and what it allows.", sent=False)
        if isinstance(error, exceptions.NameResolutionError):
            return _Failure("there is no such host. Check --gitlab-url.", sent=False)
        if isinstance(error, exceptions.SSLError):
            complaint = f"the TLS connection can't be trusted ({_complaint(error)})."
            return _Failure(f"{complaint} Name your own certificate authority with --ca-bundle.", sent=False)
        if isinstance(error, exceptions.NewConnectionError):  # a TimeoutError, too
            return _Failure("the connection was refused.", again=True, sent=False)
        if isinstance(error, exceptions.TimeoutError):
            late = f"no answer within {self.settings.timeout:g} s. Raise --timeout."
            return _Failure(late, again=True, sent=not isinstance(error, exceptions.ConnectTimeoutError))
        if isinstance(error, exceptions.HTTPError | OSError):
            return _Failure("the connection ended before the answer was complete.", again=True)
        return _Failure(f"the request couldn't be made ({type(error).__name__}).")

    def _hold(self, pace: Pace, answer: Answer, refusals: int) -> None:
        """Wait as long as a 429 demands, or raise `NoAnswer` if that is too long."""
        seconds = timing.retry_after(answer.headers)
        if seconds is None:
            seconds = min(2.0 ** (refusals - 1), 60.0)
        if seconds <= self.settings.patience and refusals < _REFUSALS:
            pace.hold(seconds)
            return
        reason = (
            f"its rate limit allows no request for {seconds:,.0f} s. Ask again later."
            if refusals < _REFUSALS
            else "it keeps answering 429."
        )
        # A limit per user doesn't concern other tokens.
        if "_authenticated" not in answer.headers.get("ratelimit-name", ""):
            pace.close(reason)
        raise NoAnswer(reason)

    def _pause(self, failures: int) -> None:
        if self._stopped.wait(random.uniform(0.15, 0.3) * 2**failures):  # noqa: S311 - spreads requests
            raise OverBudget("interrupted before it was answered.")


def _opened(value: str | Sealed) -> str:
    if isinstance(value, str):
        return value
    text = value.before + value.secret.reveal().decode("ascii")
    return f"Basic {b64encode(text.encode()).decode()}" if value.basic else text


def _body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    data = bytearray()
    while part := response.read1(1 << 16, decode_content=False):
        data += part
        if len(data) > LARGEST:
            raise NoAnswer(f"its answer is larger than {LARGEST >> 20} MiB, which no GitLab sends.")
        if time.monotonic() > deadline:
            raise NoAnswer("its answer comes too slowly. Raise --timeout.")
    return bytes(data)


def _complaint(error: Exception) -> str:
    """OpenSSL's message, which contains no token: ``certificate has expired``."""
    cause = error.args[0] if error.args else None
    return getattr(cause, "verify_message", "") or "no agreement on TLS"


def _proxied(url: str, options: dict[str, Any]) -> urllib3.PoolManager:
    import urllib3
    from urllib3.exceptions import HTTPError

    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        login = f"{parts.username}:{parts.password or ''}" if parts.username is not None else None
        headers = urllib3.make_headers(proxy_basic_auth=login) if login else None
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return urllib3.ProxyManager(f"{parts.scheme}://{host}:{parts.port or _PROXY_PORT}", proxy_headers=headers, **options)
    except (HTTPError, ValueError):
        raise ConfigError("the proxy's address can't be used. Write http://proxy.example.com:3128.") from None


def _is_exempt(host: str, no_proxy: tuple[str, ...]) -> bool:
    names = [name.strip().lstrip("*.").lower() for name in no_proxy]
    return "*" in no_proxy or any(name and (host == name or host.endswith(f".{name}")) for name in names)
