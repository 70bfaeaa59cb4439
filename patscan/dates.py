"""Convert and compare dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache


def iso(seconds: str = "", zone: str = "") -> str | None:
    """Git's date (seconds since 1970 and zone, like ``+0100``) in ISO 8601; ``None`` if it is invalid."""
    try:
        minutes = int(zone[-4:-2]) * 60 + int(zone[-2:])
        offset = timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
        return datetime.fromtimestamp(int(seconds), offset).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=4096)
def instant(date: str | None) -> float:
    """A date in seconds since 1970, for comparison; 0 if it is invalid."""
    try:
        return datetime.fromisoformat(date or "").timestamp()
    except (ValueError, OverflowError):
        return 0.0


def moment(text: object) -> datetime | None:
    """A date or time from GitLab; in UTC if it has no zone; ``None`` if it is invalid."""
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
