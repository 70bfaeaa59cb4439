"""How much may come out of an archive, and what is wrong with one that can't be read whole."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import NamedTuple

_FLAG = "--archive-limit"
_SLACK = 64 << 20
"""Bytes that may come out of an archive whatever its ratio."""


class Limits(NamedTuple):
    """How far archives are opened. The first six are of one archive with all that is nested in it, the last two of a whole scan."""

    depth: int = 8
    """Archives inside each other. A compressed stream counts as one."""
    bytes: int = 4 << 30
    """Expanded bytes."""
    ratio: int = 100
    """Expanded bytes for each compressed one, once there are 64 MiB more than that."""
    members: int = 50_000
    seconds: int = 60
    held: int = 256 << 20
    """Compressed bytes that are held in memory."""
    total_bytes: int = 256 << 30
    """Expanded bytes of all archives."""
    total_seconds: int = 3600

    def shared(self, workers: int) -> Limits:
        """The share of one of several workers in what a whole scan may take."""
        return self._replace(total_bytes=self.total_bytes // workers, total_seconds=max(self.total_seconds // workers, 1))


class Problem(Exception):
    """Why an archive, or a member, wasn't read whole: a sentence without its subject."""

    ours = False
    """Whether a limit of ours is the reason, not the archive."""


class Broken(Problem):
    """What is wrong with the bytes."""


class Exceeded(Problem):
    """A limit that one member reached; those beside it are read."""

    ours = True

    def __init__(self, limit: str, reason: str) -> None:
        """`reason` has no full stop."""
        self.reason = reason
        super().__init__(f"only partly looked at: {reason}. If it is to be trusted, raise the limit with {_FLAG} {limit}=N")


class Ended(Exceeded):
    """A limit that a whole archive reached."""


class Spent:
    """What all archives of a scan took, as far as one process opened them."""

    def __init__(self) -> None:
        self.bytes = 0
        self.seconds = 0.0


class Account:
    """What one archive took, with all that is nested in it."""

    def __init__(self, limits: Limits, spent: Spent, size: int) -> None:
        """`size` is the archive's own."""
        self.limits = limits
        self._spent, self._begin = spent, monotonic()
        self._bytes = self._members = self._excess = self._held = 0
        self._most = min(limits.bytes, size * limits.ratio + _SLACK)
        # One thread may inflate while another opens what lies deeper.
        self._lock = Lock()

    def close(self) -> None:
        """The archive was read."""
        self._spent.seconds += monotonic() - self._begin

    def count(self) -> None:
        """One more member. Raises `Ended`."""
        self._members += 1
        if self._members > self.limits.members:
            raise self.too_many()
        seconds = monotonic() - self._begin
        if seconds > self.limits.seconds:
            raise Ended("seconds", f"it took more than {self.limits.seconds:,} seconds")
        if self._spent.seconds + seconds > self.limits.total_seconds:
            raise Ended("total-seconds", f"the archives of this scan took more than {self.limits.total_seconds:,} seconds")

    def too_many(self) -> Ended:
        """For an archive that has more members than it may."""
        return Ended("members", f"it has more than {self.limits.members:,} members")

    def hold(self, size: int) -> None:
        """So many bytes more are in memory, or, below zero, fewer. Raises `Exceeded`."""
        self._held += size
        if self._held > self.limits.held:
            raise self.too_large()

    def too_large(self) -> Exceeded:
        """For an archive that needs more memory than it may."""
        return Exceeded("held", f"it needs more than {_size(self.limits.held)} in memory")

    def expand(self, size: int, excess: int) -> None:
        """So many bytes more came out, `excess` of its stream more than the ratio allows. Raises `Exceeded`."""
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
            raise Ended("seconds", f"it took more than {self.limits.seconds:,} seconds")
        if self._excess + excess > _SLACK:
            self._excess += excess
            raise Exceeded("ratio", f"it expands to more than {self.limits.ratio:,} times its size")

    def expanded(self, excess: int) -> None:
        """A stream is at its end, with so many bytes more than the ratio allows."""
        self._excess += max(excess, 0)


def _size(number: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB")):
        if number >= unit:
            return f"{number / unit:.4g} {name}"
    return f"{number:,} bytes"
