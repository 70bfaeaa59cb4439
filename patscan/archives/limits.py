"""The limits for archives, and the problems with archives that can't be read completely."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from patscan.counts import counted
from patscan.tuples import NamedTuple

_FLAG = "--archive-limit"
_SLACK = 64 << 20
"""Expanded bytes that an archive may have at any ratio."""


class Limits(NamedTuple):
    """The limits for opening archives. The first six are for one archive with everything nested in it, the last two for a whole scan."""

    depth: int = 8
    """Levels of nested archives. A compressed stream is one level."""
    bytes: int = 4 << 30
    """Expanded bytes."""
    ratio: int = 100
    """Expanded bytes for each compressed byte. An archive may exceed it by 64 MiB."""
    members: int = 50_000
    seconds: int = 60
    held: int = 256 << 20
    """Compressed bytes in memory."""
    total_bytes: int = 256 << 30
    """Expanded bytes of all archives."""
    total_seconds: int = 3600

    def shared(self, workers: int) -> Limits:
        """The limits for one of several workers, with its share of the totals."""
        return self._replace(total_bytes=self.total_bytes // workers, total_seconds=max(self.total_seconds // workers, 1))


class Problem(Exception):
    """Why an archive or a member wasn't read completely. The text is a sentence without its subject."""

    ours = False
    """Whether one of `Limits` is the reason, not the archive."""


class Broken(Problem):
    """The bytes are damaged, encrypted or of an unknown form."""


class Exceeded(Problem):
    """A member reached a limit. Its siblings are still read."""

    ours = True

    def __init__(self, limit: str, reason: str) -> None:
        """`reason` has no full stop."""
        self.reason = reason
        super().__init__(f"only partly looked at: {reason}. If you trust it, raise the limit with {_FLAG} {limit}=N")


class Ended(Exceeded):
    """An archive reached a limit. It isn't read any further."""


class Spent:
    """The expanded bytes and the seconds of all archives of a scan in one process."""

    def __init__(self) -> None:
        self.bytes = 0
        self.seconds = 0.0


class Account:
    """Counts what one archive takes, with everything nested in it, and checks the limits."""

    def __init__(self, limits: Limits, spent: Spent, size: int) -> None:
        """`size` is the archive's size in bytes."""
        self.limits = limits
        self._spent, self._begin = spent, monotonic()
        self._bytes = self._members = self._excess = self._held = 0
        self._most = min(limits.bytes, size * limits.ratio + _SLACK)
        # One thread may expand a member while another opens a nested archive.
        self._lock = Lock()

    def close(self) -> None:
        """Add the archive's time to the scan's. Call it after the archive was read."""
        self._spent.seconds += monotonic() - self._begin

    def count(self) -> None:
        """Count one member. Raises `Ended`."""
        self._members += 1
        if self._members > self.limits.members:
            raise self.too_many()
        seconds = monotonic() - self._begin
        if seconds > self.limits.seconds:
            raise Ended("seconds", f"it took more than {counted(self.limits.seconds, 'second')}")
        if self._spent.seconds + seconds > self.limits.total_seconds:
            raise Ended("total-seconds", f"the archives of this scan took more than {counted(self.limits.total_seconds, 'second')}")

    def too_many(self) -> Ended:
        """The error for too many members."""
        return Ended("members", f"it has more than {counted(self.limits.members, 'member')}")

    def reserve(self, size: int) -> None:
        """Count `size` more bytes in memory; a negative size releases them. Raises `Exceeded`."""
        if self._held + size > self.limits.held:
            raise self.too_large()
        self._held += size

    def too_large(self) -> Exceeded:
        """The error for too much memory."""
        return Exceeded("held", f"it needs more than {_size(self.limits.held)} in memory")

    def expand(self, size: int, excess: int) -> None:
        """Count `size` expanded bytes. Their stream is `excess` bytes above the ratio so far. Raises `Exceeded`."""
        with self._lock:
            self._bytes += size
            self._spent.bytes += size
        if self._bytes > self._most:
            if self._most < self.limits.bytes:
                raise Ended("ratio", f"it expands to more than {self.limits.ratio:,} times its size")
            raise Ended("bytes", f"it expands to more than {_size(self.limits.bytes)}")
        if self._spent.bytes > self.limits.total_bytes:
            raise Ended("total-bytes", f"the archives of this scan expand to more than {_size(self.limits.total_bytes)}")
        if monotonic() - self._begin > self.limits.seconds:
            raise Ended("seconds", f"it took more than {counted(self.limits.seconds, 'second')}")
        if self._excess + excess > _SLACK:
            self._excess += excess
            raise Exceeded("ratio", f"it expands to more than {self.limits.ratio:,} times its size")

    def expanded(self, excess: int) -> None:
        """Count a finished stream that is `excess` bytes above the ratio."""
        self._excess += max(excess, 0)


def _size(number: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if number >= unit:
            return f"{number / unit:.4g} {name}"
    return counted(number, "byte")
