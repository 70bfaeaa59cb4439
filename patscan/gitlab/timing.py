"""Times of requests by the server's clock. Header names are lowercase."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def date(headers: Mapping[str, str]) -> float | None:
    """The server's time of an answer, in seconds since 1970; ``None`` without a ``Date``."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return None


def sent(headers: Mapping[str, str], began: float) -> float:
    """The server's time when the first attempt began, in seconds: the answer's ``Date`` less the time since then."""
    answered = date(headers)
    return (time.time() if answered is None else answered) - (time.monotonic() - began)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110: a number or a date), else until the rate limit's window ends."""
    value, answered = headers.get("retry-after", ""), date(headers) or time.time()
    if value.isdecimal() and len(value) < 10:
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - answered, 0.0)
    except (ValueError, TypeError):
        reset = headers.get("ratelimit-reset", "")
    return max(float(reset) - answered, 0.0) if reset.isdecimal() and len(reset) < 12 else None
