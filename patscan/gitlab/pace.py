"""The pace of requests to an instance, by its rate limits, its failures, and the requests under way.

Every answer of GitLab says how many requests the present window still allows (``RateLimit-Remaining``, ``-Reset``, ``-Limit``, ``-Name``;
docs: user_and_ip_rate_limits). A request waits while those under way could use them up, so a known limit is never exceeded.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Condition

_FOREVER = float("inf")
_GIVE_UP = 8
"""Consecutive failures after which an instance isn't asked any more."""


class Closed(Exception):
    """No request may be sent to this instance any more; the text says why."""


@dataclass
class _Window:
    """One limit of the server. `reset` is the window's end by the server's clock, `ends` by this machine's monotonic clock."""

    limit: int
    left: int
    reset: int
    ends: float
    fresh: bool = False
    """The window is over, and no answer of the next one has come."""


class Pace:
    """Delays requests so that rate limits refuse none. Shared by threads."""

    def __init__(self, patience: float) -> None:
        """`patience` is the most seconds to wait for a window's end."""
        self._patience = patience
        self._changed = Condition()
        self._windows: dict[str, _Window] = {}
        self._flying = self._failures = 0
        self._known = False
        self._hold = 0.0
        self._closed = ""

    def enter(self) -> None:
        """Wait until one more request may go out. Raises `Closed`."""
        with self._changed:
            while not self._closed and (wait := self._wait(time.monotonic())) > 0:
                self._changed.wait(None if wait == _FOREVER else wait)
            if self._closed:
                raise Closed(self._closed)
            self._flying += 1

    def leave(self, headers: Mapping[str, str] | None = None, date: float | None = None) -> None:
        """Record an answer with its `headers` and the server's time `date`. Without headers, the request wasn't sent."""
        with self._changed:
            self._flying -= 1
            self._known = True
            if headers is not None:
                self._failures = 0
                self._learn(headers, date)
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """Record that a request got no answer; `reason` is a sentence."""
        with self._changed:
            self._flying -= 1
            self._known = True
            self._failures += 1
            if self._failures >= _GIVE_UP:
                self._closed = self._closed or f"{reason} That happened {_GIVE_UP} times in a row, so no more requests were sent."
            self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Send nothing for `seconds`, and then a single request, because the allowed number is unknown by then."""
        with self._changed:
            self._hold = max(self._hold, time.monotonic() + seconds + random.uniform(0, 0.1))  # noqa: S311 - spreads requests
            self._known = False

    def close(self, reason: str) -> None:
        """Send nothing any more."""
        with self._changed:
            self._closed = self._closed or reason
            self._changed.notify_all()

    def _wait(self, now: float) -> float:
        """Seconds until another request may be sent; ``inf``: until one of those under way is answered."""
        if self._hold > now:
            return self._hold - now
        # The first answer contains the limits.
        if not self._known and self._flying:
            return _FOREVER
        return max((self._wait_for(window, now) for window in self._windows.values()), default=0.0)

    def _wait_for(self, window: _Window, now: float) -> float:
        if window.ends <= now:
            window.left, window.ends, window.fresh = window.limit, _FOREVER, True
        if window.left > self._flying:
            return 0.0
        if self._flying:
            return _FOREVER
        # A longer wait is pointless: it may be another user's window. The server refuses if it isn't.
        return window.ends - now if window.ends - now <= self._patience else 0.0

    def _learn(self, headers: Mapping[str, str], date: float | None) -> None:
        try:
            limit, left, reset = (int(headers[f"ratelimit-{key}"]) for key in ("limit", "remaining", "reset"))
        except (KeyError, ValueError):
            return
        name = headers.get("ratelimit-name", "")
        window = self._windows.get(name)
        if window is None or reset > window.reset:
            ends = time.monotonic() + max(reset - (time.time() if date is None else date), 0)
            self._windows[name] = _Window(limit, left, reset, ends)
        elif reset == window.reset and not window.fresh:
            window.left = min(window.left, left)
