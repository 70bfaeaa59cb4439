"""Read members of archives by the names in a saved report. The names and the archive are untrusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from patscan.archives import kind_of, members
from patscan.archives.limits import Account, Exceeded, Limits, Problem, Spent
from patscan.archives.reader import Reader
from patscan.content import windows
from patscan.model import Match

LIMITS = Limits(seconds=20, total_seconds=300)
_WINDOW = 1 << 20


def spans(archive: bytes, matches: Iterable[Match], spent: Spent) -> Iterator[tuple[Match, bytes | str]]:
    """The bytes at the address of each match in `archive`, for every member with its name; or why they can't be read."""
    together: dict[tuple[str, ...], list[Match]] = {}
    for match in matches:
        together.setdefault(match.address.members, []).append(match)
    for names, in_member in together.items():
        account = Account(LIMITS, spent, len(archive))
        reason = "it has no member with the name in the report"
        try:
            account.reserve(len(archive))
            for offset, data, last in _contents(kind_of(archive), Reader([archive]), names, account):
                reason = ""
                for match in in_member:
                    low, high = match.address.start - offset, match.address.end - offset
                    if low >= 0 and (high <= len(data) or last):
                        yield match, data[low:high]
        except Problem as problem:
            reason = problem.reason if isinstance(problem, Exceeded) else str(problem).rstrip(".")
        finally:
            account.close()
        if reason:
            yield from ((match, f"its archive can't be read up to its place: {reason}.") for match in in_member)


def _contents(kind: str | None, archive: Reader, names: Sequence[str], account: Account) -> Iterator[tuple[int, bytes, bool]]:
    """The windows of each member that `names` lead to. Raises `Problem`."""
    if kind is None or len(names) > account.limits.depth:
        return
    for member in members(kind, archive, account):
        if member.name != names[0] or member.problem:
            continue
        chunks = iter(partial(member.reader.read, _WINDOW), b"")
        if names[1:]:
            first = next(chunks, b"")
            yield from _contents(kind_of(first), Reader(chain([first], chunks)), names[1:], account)
        else:
            yield from windows(member.reader.read, _WINDOW)
        if member.reader.problem:
            raise member.reader.problem
