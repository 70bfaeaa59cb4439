"""Dates as git stores them, and as reports show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone


def iso(seconds: str = "", zone: str = "") -> str | None:
    """A date as git stores it, in ISO 8601; ``None`` if it is none."""
    try:
        minutes = int(zone[-4:-2]) * 60 + int(zone[-2:])
        offset = timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
        return datetime.fromtimestamp(int(seconds), offset).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def instant(date: str | None) -> float:
    """A date to compare with others; what is no date comes first."""
    try:
        return datetime.fromisoformat(date or "").timestamp()
    except (ValueError, OverflowError):
        return 0.0


def moment(text: object) -> datetime | None:
    """A date or a time as GitLab writes it; one without a zone is in UTC; ``None`` if it is neither."""
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
