"""How fast an instance wants to be asked: its rate limits, its silence, and how many questions are under way.

GitLab says with every answer how many requests its window still allows (``RateLimit-Remaining``, ``-Reset``, ``-Limit``, ``-Name``; docs:
user_and_ip_rate_limits). Nobody asks while the requests under way could use them up, so a limit that is told is never run into.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Condition

_FOREVER = float("inf")
_GIVE_UP = 8
"""Failures in a row after which an instance isn't asked any more."""


class Closed(Exception):
    """Nobody may ask this instance any more; the text says why."""


@dataclass
class _Window:
    """One limit of the server's. `reset` is its own name for the window's end, `ends` the same by our monotonic clock."""

    limit: int
    left: int
    reset: int
    ends: float
    fresh: bool = False
    """Its end has passed, and no answer of the next window has come."""


class Pace:
    """Lets requests through, so that none is refused that needn't be. Shared by threads."""

    def __init__(self, patience: float) -> None:
        """Never wait longer than `patience` seconds for a window to end."""
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
        """A request was answered, with `headers`, at the server's time `date`; without headers, it wasn't sent at all."""
        with self._changed:
            self._flying -= 1
            self._known = True
            if headers is not None:
                self._failures = 0
                self._learn(headers, date)
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """A request got no answer, because of `reason`, a sentence."""
        with self._changed:
            self._flying -= 1
            self._known = True
            self._failures += 1
            if self._failures >= _GIVE_UP:
                self._closed = self._closed or f"{reason} That happened {_GIVE_UP} times in a row, so nothing more was sent."
            self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Ask nothing for so long, and then one thing first: how many are allowed isn't known any more."""
        with self._changed:
            self._hold = max(self._hold, time.monotonic() + seconds + random.uniform(0, 0.1))  # noqa: S311 - spreads requests
            self._known = False

    def close(self, reason: str) -> None:
        """Ask nothing any more."""
        with self._changed:
            self._closed = self._closed or reason
            self._changed.notify_all()

    def _wait(self, now: float) -> float:
        """Seconds until another request may go out; ``inf``: until one of those under way comes back."""
        if self._hold > now:
            return self._hold - now
        # The first answer says what is allowed.
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
        # Longer than anybody waits: another user's window, perhaps. The server will say if it is ours.
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
